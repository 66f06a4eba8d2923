//! What operators may change of where partner webhooks go.

use partners::Guard;
use runtime::settings::{Environment, Setting};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The settings of every service that deals with partners' addresses.
pub const PARTNER_SETTINGS: &[Setting] = &[
    Setting::with_default(
        "TINKO__PARTNER_PORTS",
        "partner_ports",
        "443,8443",
        "Ports that partner webhooks are sent to, with commas.",
    ),
    Setting::with_default(
        "TINKO__PARTNER_LOOPBACK",
        "partner_loopback",
        "false",
        "For development: partner webhooks may go to this machine itself, by http and to any port. Refused in production.",
    ),
];

/// See [`PARTNER_SETTINGS`].
#[derive(Debug, Clone, Deserialize)]
pub struct GuardSettings {
    /// `TINKO__PARTNER_PORTS`.
    #[serde(deserialize_with = "ports")]
    partner_ports: Vec<u16>,
    /// `TINKO__PARTNER_LOOPBACK`.
    partner_loopback: bool,
}

/// A setting that opens Tinko's own network to partners.
#[derive(Debug, thiserror::Error)]
#[error("TINKO__PARTNER_LOOPBACK must not be on in production")]
pub struct LoopbackInProduction;

impl GuardSettings {
    /// The guard.
    pub fn guard(&self, environment: Environment) -> Result<Guard, LoopbackInProduction> {
        if self.partner_loopback && environment == Environment::Production {
            return Err(LoopbackInProduction);
        }
        Ok(Guard::new(
            self.partner_ports.clone(),
            self.partner_loopback,
        ))
    }
}

fn ports<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u16>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let ports = text.split(',').map(|port| port.trim().parse::<u16>());
    let ports: Result<Vec<_>, _> = ports.collect();
    ports
        .ok()
        .filter(|ports| !ports.contains(&0))
        .ok_or_else(|| D::Error::custom("it must be ports, such as 443,8443"))
}
