//! What travels on Tinko's streams: the stream names, the envelope and its messages.
//!
//! The bytes are Protocol Buffers, described in `proto/tinko/v1/envelope.proto`
//! and generated at build time. Nobody outside this crate sees the generated
//! types: an [`Envelope`] is valid once it exists, and [`Envelope::decode`] is
//! the only way to get one from bytes.
//!
//! Promises:
//! - [`Envelope::decode`] never panics, whatever the bytes, and its error names
//!   the field at fault;
//! - what [`Envelope::encode`] wrote, [`Envelope::decode`] reads back equal, times
//!   to the millisecond;
//! - the bytes of a release are read by the next one: a golden test pins them.
//!   An unknown field is skipped, so a newer producer may add fields.
//!
//! Recipe, adding a message: give it a new number in the `oneof` of the proto
//! (never reuse one), add the variant to [`Message`], follow the compiler
//! through `convert.rs`, and add its golden bytes to `tests/wire.rs`.
//!
//! - [`stream`]: which streams there are
//! - [`envelope`]: the envelope and its messages
//! - `convert`: between those and the generated types
//! - [`error`]: why bytes are no envelope

mod convert;
pub mod envelope;
pub mod error;
pub mod stream;

pub use envelope::{Envelope, Message};
pub use error::DecodeError;
pub use stream::{Stream, UnknownStream};

/// The generated types.
mod wire {
    #![expect(
        unreachable_pub,
        reason = "generated code cannot know how far it reaches"
    )]

    include!(concat!(env!("OUT_DIR"), "/tinko.v1.rs"));
}
