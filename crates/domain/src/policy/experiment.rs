//! A policy's experiment: variants that change some of its fields.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::validate::require;
use super::{PolicyDocument, PolicyError, RetryPolicy, read};
use crate::experiment::{BASIS_POINTS, VariantName};

/// A comparison of variants of a policy, and of acting with not acting. See
/// [`crate::experiment`] for how transactions are assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Its name, 1 to 64 characters. Transactions are dealt by it: another key
    /// deals anew.
    pub key: String,
    /// The share that is watched and never acted on, in basis points.
    #[serde(default)]
    pub hold_out: u32,
    /// The variants. What they and the hold-out leave follows the policy as it stands.
    #[serde(default)]
    pub variants: Vec<Variant>,
}

/// One variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name, once within the experiment.
    pub name: VariantName,
    /// Its share, in basis points.
    pub weight: u32,
    /// The fields that it changes, as a document that is merged over the base
    /// (RFC 7396): objects field by field, `null` sets a field back to its
    /// default. It cannot change `name` and `experiment`.
    #[serde(default)]
    pub changes: Map<String, Value>,
}

impl RetryPolicy {
    /// The policy that a variant's recoveries follow, complete in itself and
    /// without the experiment; the policy as it stands for none.
    pub fn of_variant(&self, name: Option<&VariantName>) -> Result<Self, PolicyError> {
        let base = self.document();
        let Some(name) = name else {
            return Ok(Self(PolicyDocument {
                experiment: None,
                ..base.clone()
            }));
        };
        let variants = base
            .experiment
            .iter()
            .flat_map(|experiment| &experiment.variants);
        let variant = variants
            .into_iter()
            .find(|variant| variant.name == *name)
            .ok_or_else(|| PolicyError {
                field: "experiment.variants".to_owned(),
                fault: format!("has no variant of the name {name}"),
            })?;
        changed(base, &variant.changes)
    }
}

/// The base with a variant's changes, checked as a whole.
fn changed(
    base: &PolicyDocument,
    changes: &Map<String, Value>,
) -> Result<RetryPolicy, PolicyError> {
    let base = PolicyDocument {
        experiment: None,
        ..base.clone()
    };
    let mut document = serde_json::to_value(base).map_err(|error| PolicyError {
        field: "document".to_owned(),
        fault: error.to_string(),
    })?;
    for (field, change) in changes {
        merge(&mut document[field.as_str()], change);
    }
    if let Value::Object(fields) = &mut document {
        fields.retain(|_, value| !value.is_null());
    }
    RetryPolicy::from_document(read(&document)?)
}

/// JSON Merge Patch, RFC 7396, section 2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(fields) = target {
        for (field, change) in changes {
            if change.is_null() {
                fields.remove(field);
            } else {
                merge(fields.entry(field.as_str()).or_insert(Value::Null), change);
            }
        }
    }
}

const MOST_VARIANTS: usize = 16;

pub(super) fn check(document: &PolicyDocument) -> Result<(), PolicyError> {
    let Some(experiment) = &document.experiment else {
        return Ok(());
    };
    let key = experiment.key.trim().chars().count();
    require((1..=64).contains(&key), "experiment.key", || {
        "must have 1 to 64 characters".to_owned()
    })?;
    let variants = &experiment.variants;
    require(
        variants.len() <= MOST_VARIANTS,
        "experiment.variants",
        || format!("has more than {MOST_VARIANTS} variants"),
    )?;
    check_shares(experiment)?;
    for (index, variant) in variants.iter().enumerate() {
        let path = format!("experiment.variants[{index}]");
        let earlier = variants.iter().take(index);
        require(
            earlier.into_iter().all(|other| other.name != variant.name),
            &format!("{path}.name"),
            || format!("{} is the name of an earlier variant", variant.name),
        )?;
        check_changes(document, variant, &format!("{path}.changes"))?;
    }
    Ok(())
}

fn check_shares(experiment: &Experiment) -> Result<(), PolicyError> {
    let shares = experiment.variants.iter().map(|variant| variant.weight);
    let together = shares
        .chain([experiment.hold_out])
        .fold(0u32, u32::saturating_add);
    require(together <= BASIS_POINTS, "experiment", || {
        format!(
            "gives {together} basis points to the hold-out and its variants, more than {BASIS_POINTS}"
        )
    })
}

fn check_changes(
    document: &PolicyDocument,
    variant: &Variant,
    path: &str,
) -> Result<(), PolicyError> {
    for field in ["name", "experiment"] {
        require(
            !variant.changes.contains_key(field),
            &format!("{path}.{field}"),
            || "cannot be changed by a variant".to_owned(),
        )?;
    }
    changed(document, &variant.changes)
        .map(drop)
        .map_err(|error| PolicyError {
            field: format!("{path}.{}", error.field),
            fault: error.fault,
        })
}
