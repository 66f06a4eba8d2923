//! All that one Stripe account holds.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;

use super::charges::Charge;
use super::checkout::Session;
use super::customers::Customer;
use super::errors::StripeError;
use super::idempotency::Keys;
use super::invoices::Invoice;
use super::payment_intents::PaymentIntent;
use super::payment_methods::PaymentMethod;
use crate::shelf::Shelf;

pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) keys: Keys,
    pub(crate) customers: Shelf<Customer>,
    pub(crate) payment_methods: Shelf<PaymentMethod>,
    pub(crate) payment_intents: Shelf<PaymentIntent>,
    pub(crate) charges: Shelf<Charge>,
    pub(crate) sessions: Shelf<Session>,
    pub(crate) invoices: Shelf<Invoice>,
}

/// An object as Stripe answers it.
pub(crate) fn shown<T: Serialize>(object: &T) -> Value {
    // These types have string keys only, so that writing them cannot fail.
    serde_json::to_value(object).unwrap_or_default()
}

fn found<T>(
    item: Option<T>,
    object: &'static str,
    id: &str,
    param: &'static str,
) -> Result<T, StripeError> {
    item.ok_or_else(|| StripeError::Missing {
        object,
        id: id.to_owned(),
        param,
    })
}

impl Account {
    pub(crate) fn new(id: String) -> Self {
        Self {
            id,
            keys: Keys::default(),
            customers: Shelf::default(),
            payment_methods: Shelf::default(),
            payment_intents: Shelf::default(),
            charges: Shelf::default(),
            sessions: Shelf::default(),
            invoices: Shelf::default(),
        }
    }

    pub(crate) fn customer(&self, id: &str) -> Result<&Customer, StripeError> {
        found(self.customers.get(id), "customer", id, "customer")
    }

    pub(crate) fn payment_method(&mut self, id: &str) -> Result<&mut PaymentMethod, StripeError> {
        found(
            self.payment_methods.get_mut(id),
            "PaymentMethod",
            id,
            "payment_method",
        )
    }

    pub(crate) fn intent(&mut self, id: &str) -> Result<&mut PaymentIntent, StripeError> {
        found(
            self.payment_intents.get_mut(id),
            "payment_intent",
            id,
            "intent",
        )
    }

    pub(crate) fn charge(&self, id: &str) -> Result<&Charge, StripeError> {
        found(self.charges.get(id), "charge", id, "id")
    }

    pub(crate) fn session(&mut self, id: &str) -> Result<&mut Session, StripeError> {
        found(self.sessions.get_mut(id), "checkout.session", id, "session")
    }

    pub(crate) fn invoice(&mut self, id: &str) -> Result<&mut Invoice, StripeError> {
        found(self.invoices.get_mut(id), "invoice", id, "invoice")
    }

    /// Any object by its id, for `expand`.
    fn object(&self, id: &str) -> Option<Value> {
        match id.split('_').next()? {
            "pi" => self.payment_intents.get(id).map(shown),
            "ch" => self.charges.get(id).map(shown),
            "cus" => self.customers.get(id).map(shown),
            "pm" => self.payment_methods.get(id).map(shown),
            _ => None,
        }
    }

    /// Puts the object in place of its id at `path`, as in `latest_charge` or `data.customer`.
    pub(crate) fn expand(&self, value: &mut Value, path: &str) {
        let (name, rest) = path.split_once('.').unwrap_or((path, ""));
        let Some(field) = value.get_mut(name) else {
            return;
        };
        if let Some(object) = field.as_str().and_then(|id| self.object(id)) {
            *field = object;
        }
        if rest.is_empty() {
            return;
        }
        match field {
            Value::Array(items) => items.iter_mut().for_each(|item| self.expand(item, rest)),
            other => self.expand(other, rest),
        }
    }
}

/// All accounts, by the secret key that opens them.
#[derive(Default)]
pub(crate) struct Stripe {
    accounts: HashMap<String, Account>,
    /// Which key's account a checkout session belongs to: its page comes without a key.
    sessions: HashMap<String, String>,
}

impl Stripe {
    pub(crate) fn open(&mut self, key: &str, id: impl FnOnce() -> String) -> &mut Account {
        self.accounts
            .entry(key.to_owned())
            .or_insert_with(|| Account::new(id()))
    }

    pub(crate) fn by_key(&mut self, key: &str) -> Option<&mut Account> {
        self.accounts.get_mut(key)
    }

    /// The key of the account with this id, for calls in a connected account's name.
    pub(crate) fn key_of(&self, account_id: &str) -> Option<String> {
        let mut accounts = self.accounts.iter();
        accounts
            .find(|(_, account)| account.id == account_id)
            .map(|(key, _)| key.clone())
    }

    pub(crate) fn note_session(&mut self, session_id: &str, key: &str) {
        self.sessions.insert(session_id.to_owned(), key.to_owned());
    }

    pub(crate) fn by_session(&mut self, session_id: &str) -> Option<&mut Account> {
        let key = self.sessions.get(session_id)?;
        self.accounts.get_mut(key)
    }

    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Account> {
        self.accounts.values_mut()
    }
}
