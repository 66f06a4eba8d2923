//! What a report says of the payer's consent, kept for the addresses that the
//! transaction is known to have.

use db::transactions::Report;
use db::{Tenant, Tx};
use domain::Channel;
use domain::consent::PayerAddress;
use domain::id::TransactionId;

use crate::problem::Problem;

/// Where a consent that came with a report was said.
pub(crate) const SOURCE: &str = "report";

/// Records that the payer has opted in on these channels.
pub(crate) async fn record(
    tx: &mut Tx,
    tenant: Tenant,
    transaction: TransactionId,
    channels: &[Channel],
) -> Result<(), Problem> {
    if channels.is_empty() {
        return Ok(());
    }
    let transaction = db::transactions::find(tx.conn(), tenant, transaction).await?;
    let known = transaction.map(|transaction| transaction.known);
    let addresses = addresses(&known.unwrap_or_default(), channels)?;
    db::consents::grant_unless_known(tx, tenant, &addresses, SOURCE).await?;
    Ok(())
}

/// The payer's addresses on these channels, each of which there has to be.
pub(crate) fn addresses(
    known: &Report,
    channels: &[Channel],
) -> Result<Vec<PayerAddress>, Problem> {
    let mut addresses = Vec::with_capacity(channels.len());
    for channel in channels {
        let (text, what) = match channel {
            Channel::Email => (known.payer_email.as_deref(), "email address"),
            Channel::Sms | Channel::WhatsApp => (known.payer_phone.as_deref(), "phone number"),
        };
        let address = text.and_then(|text| PayerAddress::parse(*channel, text).ok());
        addresses.push(address.ok_or_else(|| {
            let fault = format!("names {channel}, and no {what} of the payer is known");
            Problem::invalid_field("customer.consent", fault)
        })?);
    }
    Ok(addresses)
}
