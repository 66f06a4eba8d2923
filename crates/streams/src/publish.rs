//! Adding.

use contracts::Envelope;

use crate::{Streams, StreamsError, entry, telemetry};

/// How many entries go in one pipeline: many enough that the round trip is
/// nothing, few enough that one answers well within the patience.
const BATCH: usize = 1000;

impl Streams {
    /// Puts envelopes on their streams, in the given order, in one pipeline.
    ///
    /// `Ok` when Redis took all of them. On an error any part may have arrived:
    /// publish them all again, copies do no harm.
    pub async fn publish(&self, envelopes: &[Envelope]) -> Result<(), StreamsError> {
        for batch in envelopes.chunks(BATCH) {
            let mut pipeline = redis::Pipeline::with_capacity(batch.len());
            for envelope in batch {
                let key = self
                    .keys
                    .live(envelope.stream(), self.keys.shard_of(envelope));
                pipeline.add_command(entry::add(&key, envelope)).ignore();
            }
            let published: Result<(), _> = self.pipeline("take new entries", &pipeline).await;
            telemetry::published(batch, published.is_ok());
            published?;
        }
        Ok(())
    }
}
