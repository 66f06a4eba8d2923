//! What a message about a recovery has to say, and to whom.

use chrono_tz::Tz;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName};
use diesel_async::RunQueryDsl;
use domain::classification::{FailureSource, Signals, classify};
use domain::id::RecoveryId;
use domain::limits::CardNetwork;
use domain::payer::{Country, Language, country, language, time_zone};
use domain::{Category, Contact, Money, PhoneNumber};

use crate::sql::sql;
use crate::transactions::money;
use crate::{Conn, DbError, Tenant};

/// What a message is about.
#[derive(Debug, Clone)]
pub struct About {
    /// What is owed.
    pub amount: Money,
    /// Why the payment failed. A category that a newer release wrote says as
    /// little as an unknown one.
    pub category: Category,
    /// How the payer may be told: by what was reported of the failure, and by
    /// what the recovery's own charges met; the stricter of them.
    pub contact: Contact,
    /// The merchant's name for the transaction.
    pub transaction_ref: String,
    /// The merchant's name.
    pub organization_name: String,
    /// The language that the merchant writes in where the payer's is not served.
    pub message_language: Option<Language>,
    /// Where the merchant answers questions.
    pub support_contact: Option<String>,
    /// What to call the payer.
    pub payer_name: Option<String>,
    /// The payer's language, as the merchant or the PSP gave it.
    pub payer_locale: Option<String>,
    /// The payer's phone number, if it is one.
    pub payer_phone: Option<PhoneNumber>,
    /// The payer's time zone, as it was given.
    pub payer_time_zone: Option<String>,
    /// The country of the card's issuer.
    pub card_country: Option<Country>,
}

impl About {
    /// The language that the payer most likely reads.
    pub fn language(&self) -> Option<Language> {
        language(self.payer_locale.as_deref(), self.country())
    }

    /// The clock that the payer most likely goes by.
    pub fn time_zone(&self) -> Tz {
        let given = self.payer_time_zone.as_deref();
        let phone = self.payer_phone.as_ref();
        time_zone(given, phone, self.country(), self.amount.currency())
    }

    /// That of the phone number, which a payer carries, before that of the card.
    fn country(&self) -> Option<Country> {
        let phone = self.payer_phone.as_ref();
        let card = self.card_country.map(Country::as_str);
        let currency = self.amount.currency();
        match phone {
            Some(_) => country(None, phone, currency),
            None => country(card, None, currency),
        }
    }
}

/// Columns of an [`AboutRow`], from [`about_joins`].
macro_rules! about_columns {
    () => {
        "r.amount_minor, r.currency, r.category, t.transaction_ref, t.payer_name, t.payer_locale,
         t.payer_phone, t.payer_time_zone, t.card_country, t.network, o.name AS organization_name,
         o.message_language, o.support_contact, f.source AS failure_source, f.gateway, f.code,
         f.advice_code, f.network_decline_code, f.network_advice_code, f.message,
         EXISTS (SELECT 1 FROM attempts a
                 WHERE a.recovery_id = r.id AND (a.organization_id = r.organization_id) IS TRUE
                   AND a.category = 'do_not_retry') AS told_never"
    };
}
/// What belongs to a recovery `r`.
macro_rules! about_joins {
    () => {
        " JOIN transactions t
            ON t.id = r.transaction_id AND (t.organization_id = r.organization_id) IS TRUE
          JOIN organizations o ON o.id = r.organization_id
          LEFT JOIN LATERAL (
            SELECT e.source, e.gateway, e.code, e.advice_code, e.network_decline_code,
                   e.network_advice_code, e.message
            FROM failure_events e
            WHERE e.recovery_id = r.id AND (e.organization_id = r.organization_id) IS TRUE
            ORDER BY e.id DESC LIMIT 1) f ON true "
    };
}
pub(crate) use {about_columns, about_joins};

#[derive(QueryableByName)]
pub(crate) struct AboutRow {
    #[diesel(sql_type = BigInt)]
    amount_minor: i64,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    category: String,
    #[diesel(sql_type = Text)]
    transaction_ref: String,
    #[diesel(sql_type = Nullable<Text>)]
    payer_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_locale: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_phone: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    payer_time_zone: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    card_country: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    network: Option<String>,
    #[diesel(sql_type = Text)]
    organization_name: String,
    #[diesel(sql_type = Nullable<Text>)]
    message_language: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    support_contact: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    failure_source: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    gateway: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    advice_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    network_decline_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    network_advice_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    message: Option<String>,
    #[diesel(sql_type = Bool)]
    told_never: bool,
}

impl AboutRow {
    fn contact(&self, category: Category) -> Contact {
        let reported = self.failure_source.as_deref().map(|source| {
            let source = source.parse().unwrap_or(FailureSource::Api);
            classify(&Signals {
                gateway: self.gateway.as_deref(),
                code: self.code.as_deref(),
                advice_code: self.advice_code.as_deref(),
                network: self.network.as_deref().map(CardNetwork::from_psp),
                network_decline_code: self.network_decline_code.as_deref(),
                network_advice_code: self.network_advice_code.as_deref(),
                message: self.message.as_deref(),
                ..Signals::new(source)
            })
            .contact
        });
        match reported {
            Some(Contact::None) => Contact::None,
            _ if self.told_never || category == Category::DoNotRetry => Contact::Neutral,
            reported => reported.unwrap_or(Contact::Normal),
        }
    }
}

impl TryFrom<AboutRow> for About {
    type Error = DbError;
    fn try_from(row: AboutRow) -> Result<Self, DbError> {
        let category = row.category.parse().unwrap_or(Category::Unknown);
        let phone = row.payer_phone.as_deref();
        Ok(Self {
            amount: money(row.amount_minor, &row.currency)?,
            category,
            contact: row.contact(category),
            message_language: row
                .message_language
                .as_deref()
                .and_then(Language::of_locale),
            payer_phone: phone.and_then(|text| PhoneNumber::parse(text).ok()),
            transaction_ref: row.transaction_ref,
            organization_name: row.organization_name,
            support_contact: row.support_contact,
            payer_name: row.payer_name,
            payer_locale: row.payer_locale,
            payer_time_zone: row.payer_time_zone,
            card_country: row.card_country.and_then(|code| code.parse().ok()),
        })
    }
}

/// What a message about a recovery would say.
pub async fn recovery(
    conn: &mut Conn,
    tenant: Tenant,
    id: RecoveryId,
) -> Result<Option<About>, DbError> {
    sql(concat!(
        "SELECT ",
        about_columns!(),
        " FROM recoveries r",
        about_joins!(),
        "WHERE r.organization_id = $1 AND r.id = $2"
    ))
    .bind::<SqlUuid, _>(tenant.uuid())
    .bind::<SqlUuid, _>(id.uuid())
    .get_result::<AboutRow>(conn)
    .await
    .optional()?
    .map(TryInto::try_into)
    .transpose()
}
