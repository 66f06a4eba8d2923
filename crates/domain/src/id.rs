//! Typed identifiers.
//!
//! Every entity has its own id type, so a recovery's id cannot be passed where
//! an attempt's is asked for. At the edge an id is written with a readable
//! prefix (`rec_0192…`); inside, and in Postgres, it is a `UUIDv7`, whose first
//! 48 bits are its time of birth in milliseconds (RFC 9562, section 5.7). Hot
//! tables are partitioned by month on the id itself, which works only because
//! of that.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use rand::Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// What an id names. Implemented by empty types, one for each entity.
pub trait Kind {
    /// The prefix at the edge, without the underscore.
    const PREFIX: &'static str;
}

/// The id of an entity of kind `K`.
pub struct Id<K> {
    uuid: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// Text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {prefix}_<uuid> or a bare UUID")]
pub struct ParseIdError {
    prefix: &'static str,
}

impl<K: Kind> Id<K> {
    /// A new id born at `now`. Ids born in one millisecond differ by 74 random bits.
    pub fn new(now: DateTime<Utc>, rng: &mut (impl Rng + ?Sized)) -> Self {
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        let mut random = [0u8; 10];
        rng.fill_bytes(&mut random);
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The id with this UUID, as read from Postgres or a stream.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self {
            uuid,
            kind: PhantomData,
        }
    }

    /// The UUID, as Postgres and the streams keep it.
    pub const fn uuid(self) -> Uuid {
        self.uuid
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K> Copy for Id<K> {}
impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.uuid == other.uuid
    }
}
impl<K> Eq for Id<K> {}
impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.uuid.cmp(&other.uuid)
    }
}
impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.uuid.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", K::PREFIX, self.uuid.simple())
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = ParseIdError;

    /// Takes the prefixed form, and a bare UUID since older clients send those.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bare = text
            .strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .unwrap_or(text);
        Uuid::try_parse(bare)
            .map(Self::from_uuid)
            .map_err(|_| ParseIdError { prefix: K::PREFIX })
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// A merchant.
    Organization, OrganizationId, "org";
    /// A person of a merchant.
    User, UserId, "usr";
    /// A person's session: one login, and the refresh tokens that follow from it.
    UserSession, UserSessionId, "ses";
    /// A code or an invitation that was made for a person.
    UserCode, UserCodeId, "ucd";
    /// One row of the audit log.
    AuditEntry, AuditEntryId, "aud";
    /// A key that a merchant's systems call the API with.
    ApiKey, ApiKeyId, "key";
    /// A merchant's account at a PSP, with its sealed credentials.
    Connection, ConnectionId, "con";
    /// What a payer owed.
    Transaction, TransactionId, "txn";
    /// One report that a payment failed.
    FailureEvent, FailureEventId, "fev";
    /// The effort to win one transaction back.
    Recovery, RecoveryId, "rec";
    /// One step of a recovery.
    Attempt, AttemptId, "att";
    /// One message on one channel.
    Notification, NotificationId, "ntf";
    /// A payer's way to pay without logging in.
    RecoveryLink, RecoveryLinkId, "lnk";
    /// A payer's visit to a PSP's hosted checkout.
    Checkout, CheckoutId, "chk";
    /// One row of a recovery's timeline.
    TimelineEntry, TimelineEntryId, "tle";
    /// A try on a card that somebody reported.
    ReportedTry, ReportedTryId, "try";
    /// What was decided about a recovery, and from what.
    Decision, DecisionId, "dec";
    /// A code that no table knew, met once.
    UnknownCode, UnknownCodeId, "unk";
    /// An event received from a PSP.
    PspEvent, PspEventId, "pev";
    /// One version of an organization's retry policy.
    RetryPolicy, RetryPolicyId, "pol";
    /// What a payer has said to being written to on a channel.
    Consent, ConsentId, "cns";
    /// An address that must not be written to, for one reason.
    Suppression, SuppressionId, "sup";
    /// A change to a consent or a suppression.
    ContactChange, ContactChangeId, "cch";
    /// One comparison of an organization's recoveries with its PSPs.
    ReconRun, ReconRunId, "rcn";
    /// What a comparison found of one recovery.
    ReconResult, ReconResultId, "rcr";
    /// A merchant's own words for messages of one channel, language and kind.
    MessageTemplate, MessageTemplateId, "tpl";
    /// An event that partners hear of; the `webhook-id` of its deliveries.
    PartnerEvent, PartnerEventId, "evt";
    /// An address that a partner hears of events at.
    WebhookEndpoint, WebhookEndpointId, "whe";
    /// One event on its way to one endpoint.
    WebhookDelivery, WebhookDeliveryId, "whd";
    /// One request of a delivery.
    WebhookTry, WebhookTryId, "wht";
    /// What operators have paused.
    Hold, HoldId, "hld";
    /// An event waiting to be handed over, and its effect to be committed.
    Outbox, OutboxId, "obx";
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    proptest! {
        #[test]
        fn an_id_survives_its_text(seed: u64, millis in 0i64..4_102_444_800_000) {
            let now = DateTime::from_timestamp_millis(millis).unwrap();
            let id = RecoveryId::new(now, &mut StdRng::seed_from_u64(seed));
            prop_assert_eq!(id.to_string().parse::<RecoveryId>(), Ok(id));
            prop_assert_eq!(id.uuid().to_string().parse::<RecoveryId>(), Ok(id));
            prop_assert_eq!(id.uuid().get_version_num(), 7);
        }

        #[test]
        fn later_ids_sort_later(seed: u64, a in 0i64..4_102_444_800_000, b in 0i64..4_102_444_800_000) {
            prop_assume!(a < b);
            let mut rng = StdRng::seed_from_u64(seed);
            let first = AttemptId::new(DateTime::from_timestamp_millis(a).unwrap(), &mut rng);
            let second = AttemptId::new(DateTime::from_timestamp_millis(b).unwrap(), &mut rng);
            prop_assert!(first < second);
        }
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let attempt = AttemptId::from_uuid(Uuid::nil()).to_string();
        assert!(attempt.parse::<RecoveryId>().is_err());
    }
}
