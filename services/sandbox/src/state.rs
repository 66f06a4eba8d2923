//! What the sandbox knows, shared by all its listeners.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::faults::Faults;
use crate::ids::Ids;
use crate::inbox::Inbox;
use crate::ledger::Ledger;
use crate::pages::Pages;
use crate::razorpay::Razorpay;
use crate::smtp::mailboxes::Mailboxes;
use crate::stripe::Stripe;
use crate::twilio::Twilio;
use crate::webhooks::Webhooks;
use crate::whatsapp::Whatsapp;

pub(crate) struct State {
    /// Where payers' browsers reach the sandbox, without a slash at the end.
    pub(crate) public_url: String,
    pub(crate) ids: std::sync::Arc<Ids>,
    pub(crate) pages: Pages,
    pub(crate) faults: Faults,
    pub(crate) ledger: Ledger,
    pub(crate) inbox: Inbox,
    pub(crate) webhooks: Webhooks,
    pub(crate) stripe: Mutex<Stripe>,
    pub(crate) razorpay: Mutex<Razorpay>,
    pub(crate) twilio: Mutex<Twilio>,
    pub(crate) whatsapp: Mutex<Whatsapp>,
    pub(crate) mailboxes: Mutex<Mailboxes>,
}

/// Locks even after a holder panicked: the failed request is that request's problem alone.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
