//! What message providers and mail gateways post: receipts, replies, bounced mail.

use secrecy::SecretString;

/// A line with a signature header or content type, then the body.
pub(crate) fn run(data: &[u8]) {
    let (header, body) = crate::line(data);
    let secret = SecretString::from("a token that no input was signed with");
    assert!(
        !api::fuzzed::twilio(header, body, &secret),
        "a made-up signature of Twilio's holds"
    );
    assert!(
        !api::fuzzed::whatsapp(header, body, &secret),
        "a made-up signature of WhatsApp's holds"
    );
    api::fuzzed::bounce(header, body);
}
