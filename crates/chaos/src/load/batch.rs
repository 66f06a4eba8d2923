//! Items of batches: those of one organization wait for each other, then go out in one request.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::client::Request;
use super::{Case, Stage};
use crate::journal::{Door, Happening};

/// Items of one request.
const SIZE: usize = 4;

/// What waits to go out, by organization.
#[derive(Default)]
pub(crate) struct Batcher(Mutex<BTreeMap<usize, Vec<(Case, Value)>>>);

impl Batcher {
    /// Adds an item; answers a whole batch once there is one.
    fn add(&self, case: &Case, item: Value) -> Option<Vec<(Case, Value)>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let items = waiting.entry(case.organization).or_default();
        items.push((case.clone(), item));
        (items.len() >= SIZE).then(|| std::mem::take(items))
    }
}

/// Puts a case into a batch, and sends the batch if it is whole by that.
pub(super) async fn send(stage: &Stage, case: &Case, report: Value, twice: bool) {
    let mut item = report;
    item["idempotency_key"] = json!(case.reference);
    let Some(batch) = stage.batcher.add(case, item) else {
        return;
    };
    let items: Vec<&Value> = batch.iter().map(|(_, item)| item).collect();
    let body = json!({ "events": items });
    let key = format!("batch-{}", case.reference);
    let request = Request {
        method: reqwest::Method::POST,
        path: "/v1/events/payment_failed/batch",
        key: &stage.ground.organizations[case.organization].api_key,
        idempotency_key: Some(&key),
        body: Some(&body),
    };
    let Some(answer) = stage.client.until_answered(&request).await else {
        return;
    };
    let results = answer.body["data"].as_array().cloned().unwrap_or_default();
    for ((case, _), result) in batch.iter().zip(&results) {
        if answer.is_success() && matches!(result["status"].as_u64(), Some(200 | 201)) {
            stage.journal.write(accepted(stage, case));
        } else {
            let (what, why) = (format!("item {}", case.reference), result.to_string());
            stage.journal.write(Happening::GivenUp { what, why });
        }
    }
    if twice {
        // The same items under another key of the request: each has been reported before.
        let key = format!("{key}-again");
        let request = Request {
            idempotency_key: Some(&key),
            ..request
        };
        let Some(again) = stage.client.until_answered(&request).await else {
            return;
        };
        if again.is_success() && again.body["repeated"] != results.len() {
            stage.journal.write(Happening::AnsweredOtherwise {
                reference: case.reference.clone(),
                answers: format!("{} / {}", answer.body, again.body),
            });
        }
    }
}

fn accepted(stage: &Stage, case: &Case) -> Happening {
    Happening::Accepted {
        organization: stage.ground.organizations[case.organization].slug.clone(),
        reference: case.reference.clone(),
        story: case.story.name(),
        door: Door::Batch,
    }
}
