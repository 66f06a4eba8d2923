//! All that one Razorpay account holds.

use std::collections::HashMap;

use super::errors::RazorpayError;
use super::orders::Order;
use super::payment_links::PaymentLink;
use super::payments::Payment;
use crate::shelf::Shelf;

pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) key_secret: String,
    pub(crate) orders: Shelf<Order>,
    pub(crate) payments: Shelf<Payment>,
    pub(crate) links: Shelf<PaymentLink>,
    /// Payment links by the caller's reference, which must be unique.
    pub(crate) references: HashMap<String, String>,
}

impl Account {
    fn new(id: String, key_secret: String) -> Self {
        Self {
            id,
            key_secret,
            orders: Shelf::default(),
            payments: Shelf::default(),
            links: Shelf::default(),
            references: HashMap::new(),
        }
    }

    pub(crate) fn order(&mut self, id: &str) -> Result<&mut Order, RazorpayError> {
        self.orders.get_mut(id).ok_or(RazorpayError::NoSuchId)
    }

    pub(crate) fn payment(&self, id: &str) -> Result<&Payment, RazorpayError> {
        self.payments.get(id).ok_or(RazorpayError::NoSuchId)
    }

    pub(crate) fn link(&mut self, id: &str) -> Result<&mut PaymentLink, RazorpayError> {
        self.links.get_mut(id).ok_or(RazorpayError::NoSuchId)
    }
}

/// All accounts, by key id.
#[derive(Default)]
pub(crate) struct Razorpay {
    accounts: HashMap<String, Account>,
    /// Which key id's account a payment link belongs to: its page comes without a key.
    links: HashMap<String, String>,
}

impl Razorpay {
    /// Opens the account, or takes the new secret for one that is open.
    pub(crate) fn open(
        &mut self,
        key_id: &str,
        key_secret: Option<String>,
        id: impl FnOnce() -> String,
    ) -> &mut Account {
        let account = self
            .accounts
            .entry(key_id.to_owned())
            .or_insert_with(|| Account::new(id(), String::new()));
        if let Some(secret) = key_secret {
            account.key_secret = secret;
        }
        account
    }

    pub(crate) fn by_key(&mut self, key_id: &str, key_secret: &str) -> Option<&mut Account> {
        let account = self.accounts.get_mut(key_id)?;
        (account.key_secret == key_secret).then_some(account)
    }

    pub(crate) fn note_link(&mut self, link_id: &str, key_id: &str) {
        self.links.insert(link_id.to_owned(), key_id.to_owned());
    }

    pub(crate) fn by_link(&mut self, link_id: &str) -> Option<&mut Account> {
        let key_id = self.links.get(link_id)?;
        self.accounts.get_mut(key_id)
    }

    pub(crate) fn all(&mut self) -> impl Iterator<Item = &mut Account> {
        self.accounts.values_mut()
    }
}
