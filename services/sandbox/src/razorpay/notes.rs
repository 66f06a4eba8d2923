//! Notes: a map of texts that Razorpay answers as an empty list when there are none.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notes(pub(crate) BTreeMap<String, String>);

impl Serialize for Notes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_empty() {
            serializer.collect_seq(std::iter::empty::<()>())
        } else {
            self.0.serialize(serializer)
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Told {
    Map(BTreeMap<String, serde_json::Value>),
    Empty([(); 0]),
}

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Some(Told::Map(map)) = Option::<Told>::deserialize(deserializer)? else {
            return Ok(Self::default());
        };
        let texts = map.into_iter().map(|(key, value)| match value {
            serde_json::Value::String(text) => (key, text),
            other => (key, other.to_string()),
        });
        Ok(Self(texts.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_notes_are_an_empty_list_both_ways() {
        assert_eq!(serde_json::to_string(&Notes::default()).unwrap(), "[]");
        assert_eq!(
            serde_json::from_str::<Notes>("[]").unwrap(),
            Notes::default()
        );
        assert_eq!(
            serde_json::from_str::<Notes>("null").unwrap(),
            Notes::default()
        );
        let notes: Notes = serde_json::from_str(r#"{"a":"b","n":5}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&notes).unwrap(),
            r#"{"a":"b","n":"5"}"#
        );
    }
}
