//! Pages of what is kept by payers' addresses: `?channel=&address=&cursor=&limit=`,
//! newest first. Addresses are shown whole to administrators alone.

use db::contacts::Wanted;
use domain::consent::PayerAddress;
use domain::id::Kind;
use domain::{Channel, Id};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::Caller;
use crate::auth::scope::Scope;
use crate::openapi::words;
use crate::problem::Problem;
use crate::routes::faults::Faults;
use crate::routes::page::{self, Asked};

/// As it came: each field is read on its own, so that a fault names it.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Only those of this channel.
    #[param(value_type = Option<words::Channel>)]
    channel: Option<String>,
    /// Only this email address or telephone number.
    #[param(example = "asha@example.com")]
    address: Option<String>,
}

impl Filter {
    /// What is asked for, and the page of it.
    pub(crate) fn read<K: Kind>(
        &self,
        asked: &Asked,
    ) -> Result<(page::Wanted<K>, Wanted), Problem> {
        let mut faults = Faults::default();
        let channel = faults.read("channel", self.channel.as_deref());
        let address = faults.by("address", self.address.as_deref(), key);
        let page = faults.page::<K>(asked)?;
        let wanted = Wanted {
            channel,
            address,
            before: page.cursor.map(Id::uuid),
            limit: page.rows(),
        };
        Ok((page, wanted))
    }

    /// Names and values, as they came.
    pub(crate) fn pairs(&self) -> [(&'static str, Option<&str>); 2] {
        [
            ("channel", self.channel.as_deref()),
            ("address", self.address.as_deref()),
        ]
    }
}

/// What an address is kept under, whatever channel it is of.
pub(crate) fn key(text: &str) -> Result<String, String> {
    let channel = if text.contains('@') {
        Channel::Email
    } else {
        Channel::Sms
    };
    PayerAddress::parse(channel, text)
        .map(|address| address.key())
        .map_err(|fault| fault.to_string())
}

/// The address as this caller may see it.
pub(crate) fn shown(address: &PayerAddress, caller: &Caller) -> String {
    if caller.may(Scope::Admin) {
        address.expose().to_owned()
    } else {
        address.masked()
    }
}
