//! Why bytes are no envelope.

use crate::Stream;

/// Why bytes are no envelope of their stream. None of these heals by trying again.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not Protocol Buffers, or not of this schema.
    #[error("the entry is not a tinko.v1.Envelope: {0}")]
    NotProtobuf(#[from] prost::DecodeError),
    /// No message in it, or one that this release does not know.
    #[error(
        "the envelope carries no message that this release knows; \
         deploy the consumers before the producers of a new message"
    )]
    NoMessage,
    /// A field that must hold a UUID holds something else.
    #[error("field {field} holds {length} bytes where the 16 of a UUID belong")]
    BadId {
        /// The field, by its name in the proto.
        field: &'static str,
        /// How many bytes it holds.
        length: usize,
    },
    /// A time outside the calendar.
    #[error("field {field} holds {millis} ms since 1970, which is no date")]
    BadTime {
        /// The field, by its name in the proto.
        field: &'static str,
        /// What it holds.
        millis: i64,
    },
    /// A field that must not be empty is.
    #[error("field {field} is empty")]
    Empty {
        /// The field, by its name in the proto.
        field: &'static str,
    },
    /// A message that belongs to another stream.
    #[error("field {field} does not belong on stream {stream}")]
    WrongStream {
        /// The message's field, by its name in the proto.
        field: &'static str,
        /// The stream it was read from.
        stream: Stream,
    },
}
