//! What recoveries are chosen by.

use db::recoveries::{Order, Wanted};
use domain::id::{RecoveryId, TransactionId};
use domain::money::MAX_MINOR;
use domain::{Currency, EmailAddress, TransactionRef};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::conduct::body::time;
use crate::routes::faults::Faults;

/// Longest text searched for, in characters.
const LONGEST_SEARCH: usize = 254;

/// As it came: each field is read on its own, so that a fault names it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Where it stands.
    #[param(
        pattern = "^(open|recovered|exhausted|cancelled|expired)$",
        example = "open"
    )]
    state: Option<String>,
    /// Why the payment failed, as `POST /v1/classify` names it.
    #[param(example = "insufficient_funds")]
    category: Option<String>,
    /// Whether the same means may do later.
    #[param(pattern = "^(soft|hard)$", example = "soft")]
    hardness: Option<String>,
    /// What is owed in: an ISO 4217 code, in either case.
    #[param(min_length = 3, max_length = 3, example = "INR")]
    currency: Option<String>,
    /// Least that is owed, in minor units; asks for `currency`.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 999_999_999_999_i64)]
    amount_from: Option<String>,
    /// Most that is owed, in minor units; asks for `currency`.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 999_999_999_999_i64)]
    amount_to: Option<String>,
    /// At which PSP it was tried.
    #[param(pattern = "^(stripe|razorpay)$", example = "stripe")]
    psp: Option<String>,
    /// The merchant's name for what is owed, whole.
    #[param(
        rename = "ref",
        min_length = 1,
        max_length = 64,
        example = "ORDER-1001"
    )]
    #[serde(rename = "ref")]
    reference: Option<String>,
    /// The payer's email address, in either case.
    #[param(max_length = 254, example = "asha@example.com")]
    customer_email: Option<String>,
    /// Opened at that time or later.
    #[param(value_type = Option<DateTime<Utc>>)]
    from: Option<String>,
    /// Opened before that time.
    #[param(value_type = Option<DateTime<Utc>>)]
    to: Option<String>,
    /// With a step planned that is due before that time.
    #[param(value_type = Option<DateTime<Utc>>)]
    next_action_before: Option<String>,
    /// Looks for a recovery's or transaction's id, a payer's email address, or
    /// else for how the merchant's name for what is owed begins (then by those
    /// names, where no `sort` is asked for).
    #[param(min_length = 1, max_length = 254, example = "ORDER-10")]
    q: Option<String>,
}

impl Filter {
    /// What is wanted, in the usual order; what is wrong with it is added to `faults`.
    pub(super) fn read(&self, limit: i64, faults: &mut Faults) -> Wanted {
        let mut wanted = Wanted::all(Order::Newest(None), limit);
        wanted.state = faults.read("state", self.state.as_deref());
        wanted.category = faults.read("category", self.category.as_deref());
        wanted.hardness = faults.read("hardness", self.hardness.as_deref());
        wanted.provider = faults.read("psp", self.psp.as_deref());
        wanted.currency = faults.by("currency", self.currency.as_deref(), Currency::parse);
        wanted.least = faults.by("amount_from", self.amount_from.as_deref(), amount);
        wanted.most = faults.by("amount_to", self.amount_to.as_deref(), amount);
        let by_amount = self.amount_from.is_some() || self.amount_to.is_some();
        if by_amount && self.currency.is_none() {
            let fault = "is needed with an amount: amounts of several do not compare";
            faults.note("currency", fault);
        }
        let reference = self.reference.as_deref();
        wanted.reference = faults.by("ref", reference, TransactionRef::parse);
        let email = faults.by(
            "customer_email",
            self.customer_email.as_deref(),
            EmailAddress::parse,
        );
        wanted.email = email.map(|email| email.expose().to_owned());
        wanted.from = faults.by("from", self.from.as_deref(), time);
        wanted.to = faults.by("to", self.to.as_deref(), time);
        wanted.due_before = faults.by(
            "next_action_before",
            self.next_action_before.as_deref(),
            time,
        );
        if let Some(text) = faults.by("q", self.q.as_deref(), searched) {
            search(&text, &mut wanted);
        }
        wanted
    }

    /// Whether a currency is asked for, be it one or not.
    pub(super) const fn names_currency(&self) -> bool {
        self.currency.is_some()
    }

    /// Names and values, as they came.
    pub(super) fn pairs(&self) -> Vec<(&'static str, Option<&str>)> {
        vec![
            ("state", self.state.as_deref()),
            ("category", self.category.as_deref()),
            ("hardness", self.hardness.as_deref()),
            ("currency", self.currency.as_deref()),
            ("amount_from", self.amount_from.as_deref()),
            ("amount_to", self.amount_to.as_deref()),
            ("psp", self.psp.as_deref()),
            ("ref", self.reference.as_deref()),
            ("customer_email", self.customer_email.as_deref()),
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("next_action_before", self.next_action_before.as_deref()),
            ("q", self.q.as_deref()),
        ]
    }
}

fn amount(text: &str) -> Result<i64, String> {
    let amount = text.parse().ok();
    amount
        .filter(|amount| (1..=MAX_MINOR).contains(amount))
        .ok_or_else(|| format!("must be from 1 to {MAX_MINOR}, in minor units"))
}

fn searched(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = (1..=LONGEST_SEARCH).contains(&text.chars().count());
    if fits && !text.contains('\0') {
        Ok(text.to_owned())
    } else {
        Err(format!("must have 1 to {LONGEST_SEARCH} characters"))
    }
}

/// What the text looks like decides where it is looked for, so that one index does.
fn search(text: &str, wanted: &mut Wanted) {
    if let Ok(id) = text.parse::<RecoveryId>() {
        wanted.id = Some(id);
    } else if let Ok(id) = text.parse::<TransactionId>() {
        wanted.transaction = Some(id);
    } else if let Ok(email) = EmailAddress::parse(text) {
        wanted.email = Some(email.expose().to_owned());
    } else {
        wanted.reference_starts = Some(text.to_owned());
    }
}
