//! Stripe's form encoding: names nest with brackets, as in `metadata[order]` or
//! `line_items[0][price_data][currency]`.

use std::collections::BTreeMap;

use iso_currency::Currency;

use super::errors::StripeError;

/// The parameters of one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Params(BTreeMap<String, String>);

impl Params {
    pub(crate) fn parse(encoded: &[u8]) -> Self {
        // Lists may come as `expand[]`: each gets a number, so that none overwrites another.
        let mut fields = BTreeMap::new();
        for (count, (name, value)) in url::form_urlencoded::parse(encoded).enumerate() {
            let name = match name.strip_suffix("[]") {
                Some(list) => format!("{list}[{count}]"),
                None => name.into_owned(),
            };
            fields.insert(name, value.into_owned());
        }
        Self(fields)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(crate) fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub(crate) fn required(&self, name: &str) -> Result<&str, StripeError> {
        self.text(name)
            .ok_or_else(|| StripeError::missing_parameter(name))
    }

    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, StripeError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        let number = text.parse().map_err(|_| {
            let message = format!("Invalid integer: {text}");
            StripeError::parameter("parameter_invalid_integer", message, name)
        })?;
        Ok(Some(number))
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, StripeError> {
        match self.text(name) {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(other) => {
                let message = format!("Invalid boolean: {other}");
                Err(StripeError::parameter(
                    "parameter_invalid_string",
                    message,
                    name,
                ))
            }
        }
    }

    /// A positive amount in minor units, at most the eight digits that Stripe takes.
    pub(crate) fn amount(&self, name: &str) -> Result<i64, StripeError> {
        self.required(name)?;
        match self.integer(name)? {
            Some(amount) if amount > 99_999_999 => Err(StripeError::parameter(
                "amount_too_large",
                "Amount must be no more than 99999999 minor units".to_owned(),
                name,
            )),
            Some(amount) if amount > 0 => Ok(amount),
            _ => Err(StripeError::parameter(
                "parameter_invalid_integer",
                "This value must be greater than or equal to 1.".to_owned(),
                name,
            )),
        }
    }

    /// A currency code in the lower case in which Stripe answers.
    pub(crate) fn currency(&self, name: &str) -> Result<String, StripeError> {
        let code = self.required(name)?;
        if Currency::from_code(&code.to_ascii_uppercase()).is_none() {
            let message = format!("Invalid currency: {code}.");
            return Err(StripeError::parameter(
                "parameter_invalid_string",
                message,
                name,
            ));
        }
        Ok(code.to_ascii_lowercase())
    }

    /// What is nested one level under `name`, as in `metadata[key]`.
    pub(crate) fn map(&self, name: &str) -> BTreeMap<String, String> {
        let nested = self.0.iter().filter_map(|(field, value)| {
            let key = field
                .strip_prefix(name)?
                .strip_prefix('[')?
                .strip_suffix(']')?;
            (!key.contains('[')).then(|| (key.to_owned(), value.clone()))
        });
        nested.collect()
    }

    /// The items of a list, as in `expand[]` or `expand[0]`.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.map(name).into_values().collect()
    }

    pub(crate) fn has_under(&self, name: &str) -> bool {
        let prefix = format!("{name}[");
        self.0.keys().any(|field| field.starts_with(&prefix))
    }

    /// Stripe refuses what it does not know, which is how a misspelt parameter is found.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), StripeError> {
        for field in self.0.keys() {
            let name = field.split('[').next().unwrap_or(field);
            if name != "expand" && !known.contains(&name) {
                let message = format!("Received unknown parameter: {name}");
                return Err(StripeError::parameter("parameter_unknown", message, name));
            }
        }
        Ok(())
    }
}

/// Merges new metadata into old the way Stripe does: an empty value takes the key away.
pub(crate) fn merge_metadata(old: &mut BTreeMap<String, String>, new: BTreeMap<String, String>) {
    for (key, value) in new {
        if value.is_empty() {
            old.remove(&key);
        } else {
            old.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_nest() {
        let params = Params::parse(
            b"metadata[a]=1&metadata[b]=2&line_items[0][price_data][currency]=USD\
              &expand[]=latest_charge&expand[]=customer&line_items[0][quantity]=3",
        );
        assert_eq!(params.map("metadata").len(), 2);
        assert_eq!(
            params
                .currency("line_items[0][price_data][currency]")
                .unwrap(),
            "usd"
        );
        assert_eq!(params.integer("line_items[0][quantity]").unwrap(), Some(3));
        assert_eq!(params.list("expand"), ["latest_charge", "customer"]);
    }

    #[test]
    fn amounts_that_stripe_refuses_are_refused() {
        for bad in [
            "0",
            "-5",
            "1.5",
            "ten",
            "100000000",
            "99999999999999999999",
            "",
        ] {
            let params = Params::parse(format!("amount={bad}").as_bytes());
            assert!(params.amount("amount").is_err(), "{bad} was taken");
        }
    }

    #[test]
    fn an_unknown_parameter_is_named() {
        let params = Params::parse(b"amount=5&idempotencyKey=x");
        assert!(params.only(&["amount"]).is_err());
        assert!(params.only(&["amount", "idempotencyKey"]).is_ok());
    }
}
