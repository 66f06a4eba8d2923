//! Reading messages back.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::Twilio;
use super::refusal::Refusal;
use super::sms::Sms;
use crate::credentials;
use crate::faults::Target;
use crate::faults::http::perform;
use crate::state::{State, locked};

/// Filters of the list: Twilio writes inequalities as `DateSent>=2026-01-31`.
struct Filter {
    to: Option<String>,
    from: Option<String>,
    sent_on: Option<NaiveDate>,
    sent_from: Option<NaiveDate>,
    sent_until: Option<NaiveDate>,
    page_size: usize,
}

impl Filter {
    fn read(query: &str) -> Self {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let date = |name: &str| {
            let value = fields.get(name)?;
            NaiveDate::parse_from_str(value.get(..10)?, "%Y-%m-%d").ok()
        };
        let size = fields.get("PageSize").and_then(|size| size.parse().ok());
        Self {
            to: fields.get("To").cloned(),
            from: fields.get("From").cloned(),
            sent_on: date("DateSent"),
            sent_from: date("DateSent>"),
            sent_until: date("DateSent<"),
            page_size: size.unwrap_or(50).clamp(1, 1000),
        }
    }

    fn matches(&self, sms: &Sms) -> bool {
        let day = sms.created.date_naive();
        self.to.as_ref().is_none_or(|it| *it == sms.to)
            && self
                .from
                .as_ref()
                .is_none_or(|it| sms.from.as_ref() == Some(it))
            && self.sent_on.is_none_or(|it| it == day)
            && self.sent_from.is_none_or(|it| it <= day)
            && self.sent_until.is_none_or(|it| it >= day)
    }
}

pub(super) async fn list(
    request: HttpRequest,
    account: web::Path<String>,
    state: web::Data<State>,
) -> HttpResponse {
    read(
        &request,
        &state,
        account.into_inner(),
        |twilio, account, query| {
            let filter = Filter::read(query);
            let matching = twilio.messages.newest_first();
            let matching = matching.filter(|sms| sms.account == account && filter.matches(sms));
            let messages: Vec<Value> = matching
                .take(filter.page_size)
                .map(|sms| sms.shown(sms.status))
                .collect();
            Ok(json!({
                "messages": messages,
                "page": 0,
                "page_size": filter.page_size,
                "start": 0,
                "end": messages.len().saturating_sub(1),
                "next_page_uri": null,
                "previous_page_uri": null,
                "uri": format!("/2010-04-01/Accounts/{account}/Messages.json"),
            }))
        },
    )
    .await
}

pub(super) async fn fetch(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    state: web::Data<State>,
) -> HttpResponse {
    let (account, sid) = path.into_inner();
    read(&request, &state, account, move |twilio, account, _| {
        let sms = twilio
            .messages
            .get(&sid)
            .filter(|sms| sms.account == account);
        let sms = sms.ok_or_else(|| {
            Refusal::new(
                404,
                20404,
                format!("The requested resource {sid} was not found"),
            )
        })?;
        Ok(sms.shown(sms.status))
    })
    .await
}

async fn read(
    request: &HttpRequest,
    state: &web::Data<State>,
    account: String,
    look: impl FnOnce(&Twilio, &str, &str) -> Result<Value, Refusal> + 'static,
) -> HttpResponse {
    let given = credentials::basic(request);
    let query = request.query_string().to_owned();
    let refuse = |status| Refusal::of_status(status).answer();
    let acting_on = state.clone();
    perform(
        state,
        Target::Twilio,
        request,
        refuse,
        |slowed_by| async move {
            tokio::time::sleep(slowed_by).await;
            let mut twilio = locked(&acting_on.twilio);
            if twilio.authorize(&account, given).is_none() {
                return Refusal::of_status(401).answer();
            }
            match look(&twilio, &account, &query) {
                Ok(answer) => HttpResponse::Ok().json(answer),
                Err(refusal) => refusal.answer(),
            }
        },
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inequalities_of_dates_are_read() {
        let filter = Filter::read("To=%2B14155550100&DateSent>=2026-01-31&PageSize=5");
        assert_eq!(filter.to.as_deref(), Some("+14155550100"));
        assert_eq!(filter.sent_from, NaiveDate::from_ymd_opt(2026, 1, 31));
        assert_eq!(filter.page_size, 5);
    }
}
