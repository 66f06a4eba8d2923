//! What becomes of an attempt whose charge was refused.

use db::attempts::{Outcome, StoredAttempt};
use db::card_tries::Card;
use db::recoveries::StoredRecovery;
use db::unknown_codes;
use db::{DbError, Tx};
use domain::AttemptState;
use domain::classification::{
    Category, Classification, FailureSource, Hardness, Signals, classify,
};
use domain::limits::CardNetwork;
use psp::{Decline, FailureSignals, PspError};
use serde_json::json;

use super::AttemptTrouble;
use super::outcome::{locked, note, settle};
use crate::Worker;
use crate::plan::{self, Planned};

/// What a PSP's decline means.
pub(super) fn classified(decline: &Decline, network: Option<&str>) -> Classification {
    classify(&signals(&decline.signals(), network))
}

fn signals<'a>(said: &'a FailureSignals, network: Option<&'a str>) -> Signals<'a> {
    Signals {
        code: said.code.as_deref(),
        advice_code: said.advice_code.as_deref(),
        network: said
            .network
            .as_deref()
            .or(network)
            .map(CardNetwork::from_psp),
        network_decline_code: said.network_decline_code.as_deref(),
        network_advice_code: said.network_advice_code.as_deref(),
        message: said.message.as_deref(),
        ..Signals::new(FailureSource::Stripe)
    }
}

/// A charge that was refused.
pub(super) struct Refusal<'a> {
    /// What the PSP said.
    pub(super) decline: &'a Decline,
    /// What that means.
    pub(super) classification: &'a Classification,
    /// The card, where the decline tells more of it than was known.
    pub(super) card: Option<&'a Card>,
    /// Whether the charge surely never reached the network.
    pub(super) never_sent: bool,
}

/// The issuer, the network or the PSP said no: record it and plan what follows.
pub(super) async fn declined(
    worker: &Worker,
    attempt: &StoredAttempt,
    refusal: &Refusal<'_>,
) -> Result<(), AttemptTrouble> {
    let (decline, classification) = (refusal.decline, refusal.classification);
    let (mut tx, recovery) = locked(worker, attempt).await?;
    let code = decline.decline_code.as_deref().or(decline.code.as_deref());
    let outcome = Outcome {
        charge_ref: decline.charge.as_deref(),
        classification: Some(classification),
        code,
        network_decline_code: decline.network_decline_code.as_deref(),
        network_advice_code: decline.network_advice_code.as_deref(),
        never_sent: refusal.never_sent,
        words: Some(classification.meaning),
    };
    if !settle(
        &mut tx,
        worker,
        attempt,
        AttemptState::Declined,
        None,
        &outcome,
    )
    .await?
    {
        return Ok(());
    }
    remember(&mut tx, attempt, refusal).await?;
    note_unknown(&mut tx, attempt, refusal).await?;
    let why = format!(
        "Charge {} was declined: {}",
        attempt.number, classification.meaning
    );
    let detail = json!({
        "code": code,
        "category": classification.category,
        "hardness": classification.hardness,
        "decided_by": classification.decided_by,
    });
    note(&mut tx, attempt, "attempt.declined", &why, detail);
    let planned = match recovery.filter(|recovery| recovery.state.is_open()) {
        Some(recovery) => plan_on(&mut tx, recovery, classification).await?,
        None => Planned::Nothing,
    };
    tx.commit().await?;
    if planned == Planned::Scheduled {
        worker.planned.notify_one();
    }
    Ok(())
}

/// What the decline tells for later: the card's number, and its charge, of which
/// the PSP's webhook is no news then.
async fn remember(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    refusal: &Refusal<'_>,
) -> Result<(), DbError> {
    if let Some(card) = refusal.card {
        db::card_tries::learn(tx, attempt.tenant, card).await?;
    }
    if let Some(charge) = &refusal.decline.charge {
        let source = FailureSource::Stripe.as_str();
        let _known = db::failures::claim_key(tx, attempt.tenant, source, charge).await?;
    }
    Ok(())
}

/// Codes of a decline that no table knows: somebody has to add them.
async fn note_unknown(
    tx: &mut Tx,
    attempt: &StoredAttempt,
    refusal: &Refusal<'_>,
) -> Result<(), DbError> {
    if refusal.classification.known {
        return Ok(());
    }
    let source = FailureSource::Stripe;
    metrics::counter!("failures_unclassified_total", "source" => source.as_str()).increment(1);
    let said = refusal.decline.signals();
    let (said, heard) = (signals(&said, None), refusal.classification.heard);
    unknown_codes::note(tx, attempt.tenant, &said, &heard).await
}

/// Plans the next step of an open recovery, which a hard reason makes hard.
async fn plan_on(
    tx: &mut Tx,
    mut recovery: StoredRecovery,
    classification: &Classification,
) -> Result<Planned, DbError> {
    if classification.hardness == Hardness::Hard {
        let (category, hardness) = (classification.category, classification.hardness);
        let (tenant, id) = (recovery.tenant, recovery.id);
        db::recoveries::reclassify(tx, tenant, id, category, hardness).await?;
        (recovery.category, recovery.hardness) = (category, hardness);
    }
    plan::next(tx, &recovery).await
}

/// The PSP refuses the request itself: a setting, credentials, an id that is
/// gone. The same charge would be refused again, so none is planned any more.
pub(super) async fn refused(
    worker: &Worker,
    attempt: &StoredAttempt,
    error: &PspError,
) -> Result<(), AttemptTrouble> {
    let decline = Decline {
        code: Some(error.label().to_owned()),
        message: Some(error.to_string()),
        ..Decline::default()
    };
    let classification = Classification::from_stored(Category::Configuration, Hardness::Hard);
    tracing::error!(%error, "the PSP refuses this charge");
    let refusal = Refusal {
        decline: &decline,
        classification: &classification,
        card: None,
        never_sent: true,
    };
    declined(worker, attempt, &refusal).await
}
