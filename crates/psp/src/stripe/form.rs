//! Stripe's request bodies: form fields whose names nest by brackets, such as
//! `payment_intent_data[metadata][transaction_ref]`.

/// Fields in the order in which they were added: one order for one request,
/// so that a repeated request is the same bytes.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// With one more field.
    pub(crate) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// With one more field, if it has a value.
    pub(crate) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With one more entry of the map at `map`: `metadata`,
    /// `payment_intent_data[metadata]`.
    pub(crate) fn with_entry(self, map: &str, key: &str, value: impl Into<String>) -> Self {
        self.with(format!("{map}[{key}]"), value)
    }

    pub(crate) fn fields(&self) -> &[(String, String)] {
        &self.0
    }
}
