//! The states of everything that moves, and the only moves there are.
//!
//! ```text
//! recovery      open ─┬─> recovered
//!                     ├─> exhausted   (every step taken, nothing more to try)
//!                     ├─> cancelled   (the merchant, a dispute, a revoked consent)
//!                     └─> expired     (its time ran out before its steps did)
//!               a payment that arrives late still turns exhausted, cancelled
//!               and expired into recovered: the money is there.
//!
//! attempt       scheduled ─> claimed ─┬─> succeeded
//!                  │  ^        │      ├─> declined
//!                  │  └────────┤      └─> in_doubt ─> succeeded | declined | scheduled
//!                  │  (handed back, nothing done)
//!                  └─> cancelled <─ claimed (the recovery ended before anything was done)
//!
//! notification  queued ─> handing_over ─┬─> sent ─> delivered | bounced | failed
//!                  │  ^        │        ├─> failed        (refused for good)
//!                  │  └────────┤        └─> unconfirmed ─> sent | delivered | bounced | failed
//!                  │  (refused for now)
//!                  └─> withdrawn   (paid, cancelled or suppressed before hand-over)
//!               a provider's receipt may overtake us: it then ends queued and
//!               handing_over too, see `NotificationState::may_be_told`.
//!
//! link          created ─> opened ─┬─> used
//!                  └───────────────┼─> expired
//!                                  └─> revoked
//!
//! checkout      creating ─> open ─┬─> paid
//!                                 ├─> expired
//!                                 └─> closed  (by us, before a charge)
//! ```
//!
//! A row moves from one named state to another by a guarded `UPDATE … WHERE
//! state = …`; the guards in `db` are these tables. A second copy of a message
//! finds the row already moved and changes nothing.

/// Text that names no state or kind of the wanted type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a {kind}")]
pub struct UnknownName {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// Names each variant by one word, in Postgres, JSON and the streams alike.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $kind:literal { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// Every variant, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The one word that names it everywhere.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $name {
            type Err = $crate::state::UnknownName;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::state::UnknownName { kind: $kind, text: text.to_owned() }),
                }
            }
        }
    };
}
pub(crate) use named;

named! {
    /// Where a recovery stands.
    RecoveryState, "recovery state" {
        /// Being worked on.
        Open = "open",
        /// The money arrived.
        Recovered = "recovered",
        /// Every step was taken and the payer's time to pay has passed.
        Exhausted = "exhausted",
        /// Stopped by the merchant, a dispute or a withdrawn consent.
        Cancelled = "cancelled",
        /// Its time ran out with steps left.
        Expired = "expired",
    }
}

named! {
    /// Where an attempt stands.
    AttemptState, "attempt state" {
        /// Waiting for its due time.
        Scheduled = "scheduled",
        /// Leased by a worker that acts on it.
        Claimed = "claimed",
        /// The charge went through, or the messages were asked for.
        Succeeded = "succeeded",
        /// The issuer or the network said no.
        Declined = "declined",
        /// Nobody knows yet whether the charge went through.
        InDoubt = "in_doubt",
        /// Overtaken: the recovery ended first, or nothing could be done.
        Cancelled = "cancelled",
    }
}

named! {
    /// What an attempt does.
    AttemptKind, "attempt kind" {
        /// Charge the saved means off-session.
        Charge = "charge",
        /// Write to the payer on one or more channels.
        Message = "message",
    }
}

named! {
    /// Where a notification stands.
    NotificationState, "notification state" {
        /// Asked for.
        Queued = "queued",
        /// Being given to the provider; what became of it is not known yet.
        HandingOver = "handing_over",
        /// Taken by the provider.
        Sent = "sent",
        /// The provider says that it arrived.
        Delivered = "delivered",
        /// The provider says that it could not be delivered.
        Bounced = "bounced",
        /// Refused for good.
        Failed = "failed",
        /// Nobody can say whether it was sent; it is never blindly sent again.
        Unconfirmed = "unconfirmed",
        /// Not sent: there was no more reason to.
        Withdrawn = "withdrawn",
    }
}

named! {
    /// Where a recovery link stands.
    LinkState, "link state" {
        /// Made, not yet visited.
        Created = "created",
        /// Visited at least once.
        Opened = "opened",
        /// Its recovery was paid.
        Used = "used",
        /// Its time has passed.
        Expired = "expired",
        /// Withdrawn: its recovery ended otherwise.
        Revoked = "revoked",
    }
}

named! {
    /// Where a payer's visit to a hosted checkout stands.
    CheckoutState, "checkout state" {
        /// Asked of the PSP; its answer is not recorded yet.
        Creating = "creating",
        /// The payer can pay there.
        Open = "open",
        /// Paid.
        Paid = "paid",
        /// Its time has passed.
        Expired = "expired",
        /// Closed by us so that a charge cannot meet a payment there.
        Closed = "closed",
    }
}

named! {
    /// A way to reach a payer.
    Channel, "channel" {
        /// SMTP.
        Email = "email",
        /// A text message.
        Sms = "sms",
        /// A WhatsApp template message.
        WhatsApp = "whatsapp",
    }
}

named! {
    /// A payment service provider that Tinko talks to.
    Provider, "payment provider" {
        /// Stripe.
        Stripe = "stripe",
        /// Razorpay.
        Razorpay = "razorpay",
    }
}

named! {
    /// Whether a PSP's key moves money.
    KeyMode, "key mode" {
        /// It does.
        Live = "live",
        /// It plays.
        Test = "test",
    }
}

named! {
    /// What a PSP last said of a connection's credentials.
    ConnectionCheck, "connection check" {
        /// It was not asked yet.
        Unverified = "unverified",
        /// It accepts them.
        Verified = "verified",
        /// It does not accept them, or they lack a permission.
        Refused = "refused",
        /// It could not be asked.
        Unreachable = "unreachable",
    }
}

impl RecoveryState {
    /// Whether work goes on.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Open)
    }

    /// Whether a recovery may move from here to `next`.
    pub const fn can_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Open, to) => !to.is_open(),
            (Self::Exhausted | Self::Cancelled | Self::Expired, Self::Recovered) => true,
            _ => false,
        }
    }
}

impl AttemptState {
    /// Whether an attempt may move from here to `next`.
    pub const fn can_become(self, next: Self) -> bool {
        use AttemptState::{Cancelled, Claimed, Declined, InDoubt, Scheduled, Succeeded};
        matches!(
            (self, next),
            (Scheduled, Claimed | Cancelled)
                | (
                    Claimed,
                    Succeeded | Declined | InDoubt | Scheduled | Cancelled
                )
                | (InDoubt, Succeeded | Declined | Scheduled)
        )
    }

    /// Whether nothing more will become of it.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Declined | Self::Cancelled)
    }
}

impl NotificationState {
    /// Whether a notification may move from here to `next`.
    pub const fn can_become(self, next: Self) -> bool {
        use NotificationState::{
            Bounced, Delivered, Failed, HandingOver, Queued, Sent, Unconfirmed, Withdrawn,
        };
        matches!(
            (self, next),
            (
                Queued,
                HandingOver | Withdrawn | Failed | Delivered | Bounced
            ) | (
                HandingOver,
                Sent | Failed | Unconfirmed | Queued | Delivered | Bounced
            ) | (Sent, Delivered | Bounced | Failed)
                | (Unconfirmed, Sent | Delivered | Bounced | Failed)
        )
    }

    /// Whether a provider's receipt moves a notification from here to `next`.
    ///
    /// Receipts come late, twice and out of order, so only what is news moves:
    /// the first ending stays, and `sent` is news only where nobody knew. One that
    /// overtakes our own answer (`handing_over`), or tells of a message that we
    /// took for refused (`queued`), ends it before it could go out again; `sent`
    /// is then left to whoever hands it over.
    pub const fn may_be_told(self, next: Self) -> bool {
        use NotificationState::{
            Bounced, Delivered, Failed, HandingOver, Queued, Sent, Unconfirmed,
        };
        matches!(
            (self, next),
            (Queued, Delivered | Bounced)
                | (HandingOver | Sent, Delivered | Bounced | Failed)
                | (Unconfirmed, Sent | Delivered | Bounced | Failed)
        )
    }
}

impl LinkState {
    /// Whether a link may move from here to `next`.
    pub const fn can_become(self, next: Self) -> bool {
        use LinkState::{Created, Expired, Opened, Revoked, Used};
        matches!(
            (self, next),
            (Created, Opened | Used | Expired | Revoked) | (Opened, Used | Expired | Revoked)
        )
    }

    /// Whether the payer can still pay through it.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Created | Self::Opened)
    }
}

#[cfg(test)]
mod tests;
