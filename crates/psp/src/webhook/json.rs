//! Walking a JSON body while knowing where one is, so that a fault names its field.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::Value;

/// A webhook that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {fault}")]
pub struct ParseError {
    /// Where in the body, such as `data.object.amount`; `body` for all of it;
    /// a header's name in lower case.
    pub field: String,
    /// What is wrong with it, as the rest of a sentence.
    pub fault: String,
}

impl ParseError {
    pub(crate) fn new(field: impl Into<String>, fault: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            fault: fault.into(),
        }
    }
}

static NULL: Value = Value::Null;

/// A value in the body and the way to it. What is not there is null.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: String,
}

impl<'a> Node<'a> {
    pub(crate) const fn root(value: &'a Value) -> Self {
        Self {
            value,
            path: String::new(),
        }
    }

    /// The value at `way`, names joined by dots; a number is a place in a list.
    pub(crate) fn at(&self, way: &str) -> Self {
        let mut value = self.value;
        for name in way.split('.') {
            value = match value {
                Value::Array(list) => name.parse().ok().and_then(|at: usize| list.get(at)),
                other => other.get(name),
            }
            .unwrap_or(&NULL);
        }
        Self {
            value,
            path: self.path_to(way),
        }
    }

    fn path_to(&self, way: &str) -> String {
        if self.path.is_empty() {
            way.to_owned()
        } else {
            format!("{}.{way}", self.path)
        }
    }

    pub(crate) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    pub(crate) fn is_null_at(&self, name: &str) -> bool {
        self.value.get(name).is_some_and(Value::is_null)
    }

    /// Whether there is a `false`, which tells more than nothing there.
    pub(crate) fn is_false_at(&self, way: &str) -> bool {
        self.at(way).value.as_bool() == Some(false)
    }

    pub(crate) fn is_true_at(&self, way: &str) -> bool {
        self.at(way).value.as_bool() == Some(true)
    }

    /// `newer` where it is there, else `older`: fields that were renamed.
    pub(crate) fn either(&self, newer: &'static str, older: &'static str) -> &'static str {
        if self.at(newer).value.is_null() {
            older
        } else {
            newer
        }
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = Self> {
        let list = self.value.as_array().map_or(&[][..], Vec::as_slice);
        list.iter().enumerate().map(|(at, value)| Self {
            value,
            path: self.path_to(&at.to_string()),
        })
    }

    /// Text that is not empty.
    pub(crate) fn text(&self, way: &str) -> Option<String> {
        let text = self.at(way).value.as_str()?;
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Text in lower case.
    pub(crate) fn word(&self, way: &str) -> Option<String> {
        self.text(way).map(|text| text.to_ascii_lowercase())
    }

    /// The id of an object that is named or expanded.
    pub(crate) fn id(&self, way: &str) -> Option<String> {
        self.text(way).or_else(|| self.at(way).text("id"))
    }

    pub(crate) fn whole(&self, way: &str) -> Option<i64> {
        self.at(way).value.as_i64()
    }

    pub(crate) fn needed_text(&self, way: &str) -> Result<String, ParseError> {
        self.text(way)
            .ok_or_else(|| ParseError::new(self.path_to(way), "must be a text that is not empty"))
    }

    pub(crate) fn needed_whole(&self, way: &str) -> Result<i64, ParseError> {
        self.whole(way).ok_or_else(|| {
            ParseError::new(
                self.path_to(way),
                "must be a whole number of minor units within 64 bits",
            )
        })
    }

    pub(crate) fn needed_object(&self, way: &str) -> Result<Self, ParseError> {
        let node = self.at(way);
        if node.is_object() {
            Ok(node)
        } else {
            Err(ParseError::new(node.path, "must be an object"))
        }
    }

    /// A time in seconds since 1970.
    pub(crate) fn needed_time(&self, way: &str) -> Result<DateTime<Utc>, ParseError> {
        self.whole(way)
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .ok_or_else(|| ParseError::new(self.path_to(way), "must be seconds since 1970"))
    }

    /// The entries of a map from text to text; numbers and booleans are
    /// written out, anything else is left away.
    pub(crate) fn entries(&self, way: &str) -> BTreeMap<String, String> {
        let node = self.at(way);
        let map = node.value.as_object().into_iter().flatten();
        map.filter_map(|(key, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                _ => return None,
            };
            Some((key.clone(), text))
        })
        .collect()
    }

    pub(crate) fn fault(&self, way: &str, fault: impl std::fmt::Display) -> ParseError {
        ParseError::new(self.path_to(way), fault.to_string())
    }
}
