//! How full Redis is: without eviction a full Redis refuses what is published.

use redis::InfoDict;

use crate::{Streams, StreamsError, telemetry};

/// Redis's memory, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What it holds.
    pub used: u64,
    /// Where it stops taking more: its `maxmemory`, or the machine's memory where that is not set.
    pub limit: u64,
}

impl Streams {
    /// Asks Redis how full it is, and sets the gauges by it. Of a cluster it is the node that answers.
    pub async fn observe_memory(&self) -> Result<Memory, StreamsError> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        let info: InfoDict = self.command("say how full it is", &info).await?;
        let bytes = |name| info.get::<u64>(name).unwrap_or_default();
        let memory = Memory {
            used: bytes("used_memory"),
            limit: match bytes("maxmemory") {
                0 => bytes("total_system_memory"),
                set => set,
            },
        };
        telemetry::holds(memory);
        Ok(memory)
    }
}
