//! An entry of a stream, whoever wrote it.

use contracts::{Envelope, Stream};
use domain::Channel;

/// The bytes of an entry, tried on every stream.
pub(crate) fn run(data: &[u8]) {
    let streams = [
        Stream::Failures,
        Stream::Events,
        Stream::UserMails,
        Stream::Notifications(Channel::Email),
        Stream::Notifications(Channel::Sms),
        Stream::Notifications(Channel::WhatsApp),
    ];
    for stream in streams {
        let Ok(envelope) = Envelope::decode(data, stream) else {
            continue;
        };
        assert_eq!(envelope.stream(), stream, "it was read off another stream");
        let again = Envelope::decode(&envelope.encode(), stream);
        assert_eq!(
            again.ok().as_ref(),
            Some(&envelope),
            "written and read, it differs"
        );
    }
}
