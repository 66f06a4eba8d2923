//! What is asked of an endpoint, looked over.

use domain::partner::EventFilter;
use partners::EndpointUrl;

use crate::app::Api;
use crate::problem::{FieldFault, Problem};

/// Longest description, in characters.
pub(super) const LONGEST_DESCRIPTION: usize = 512;

/// What is the same for a new endpoint and a changed one; what is none was not said.
pub(super) struct Said<'a> {
    pub(super) url: Option<&'a str>,
    pub(super) description: Option<&'a str>,
    pub(super) event_types: Option<&'a [String]>,
}

/// The same, as it may be kept.
pub(super) struct Read {
    pub(super) url: Option<EndpointUrl>,
    pub(super) description: Option<String>,
    pub(super) filter: Option<EventFilter>,
}

impl Said<'_> {
    /// Tells all faults together. The address is judged by what its name resolves to
    /// now; it is judged again whenever something is sent there.
    pub(super) async fn read(&self, api: &Api) -> Result<Read, Problem> {
        let mut faults = Vec::new();
        let mut url = None;
        if let Some(text) = self.url {
            match api.guard.read(text) {
                Ok(read) => match api.guard.check(&read).await {
                    Ok(()) => url = Some(read),
                    Err(refusal) => faults.push(FieldFault::new("url", refusal.to_string())),
                },
                Err(refusal) => faults.push(FieldFault::new("url", refusal.to_string())),
            }
        }
        let description = self.description.map(str::trim);
        if description.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
            let fault = format!("must have at most {LONGEST_DESCRIPTION} characters");
            faults.push(FieldFault::new("description", fault));
        }
        let filter = self.event_types.map(EventFilter::parse).transpose();
        let filter = filter.unwrap_or_else(|fault| {
            faults.push(FieldFault::new("event_types", fault.to_string()));
            None
        });
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        Ok(Read {
            url,
            description: description.map(str::to_owned),
            filter,
        })
    }
}
