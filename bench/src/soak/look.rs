//! A look at what could grow.

use anyhow::Context as _;
use redis::aio::MultiplexedConnection;

use crate::database::SENT;
use crate::ground::{Ground, SERVICES};

/// What there is at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// Resident memory of each service, in their order.
    pub(super) resident_kib: [u64; 3],
    /// Webhooks whose mail was not taken yet.
    pub(super) unsent: u64,
    /// Entries of all streams together.
    pub(super) stream_entries: u64,
    pub(super) outbox_rows: u64,
    /// Dead rows of all tables, as Postgres counts them.
    pub(super) dead_rows: u64,
    /// All tables with their indexes: what is kept grows, what is passed on must not.
    pub(super) tables_mib: u64,
}

/// Looks again and again.
pub(super) struct Looker {
    redis: MultiplexedConnection,
}

impl Looker {
    pub(super) async fn new(ground: &Ground) -> anyhow::Result<Self> {
        let client = redis::Client::open(ground.stack.redis_url.as_str())?;
        let redis = client.get_multiplexed_async_connection().await;
        Ok(Self {
            redis: redis.context("the bench's Redis cannot be reached")?,
        })
    }

    /// When so many webhooks were made.
    pub(super) async fn look(&mut self, ground: &mut Ground, made: u64) -> anyhow::Result<Look> {
        let mut resident_kib = [0; 3];
        for (place, service) in resident_kib.iter_mut().zip(SERVICES) {
            *place = ground.resident_kib(service)?;
        }
        let sent = ground.database.number(SENT).await?;
        let dead_rows = "SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables";
        let tables =
            "SELECT sum(pg_total_relation_size(relid))::bigint / 1048576 FROM pg_stat_user_tables";
        let look = Look {
            resident_kib,
            unsent: made.saturating_sub(sent),
            stream_entries: self.entries().await?,
            outbox_rows: ground.database.rows("outbox").await?,
            dead_rows: ground.database.number(dead_rows).await?,
            tables_mib: ground.database.number(tables).await?,
        };
        // The sandbox keeps each mail in memory, which is not what is measured.
        ground.stack.sandbox.delete("/inbox/messages").await?;
        Ok(look)
    }

    async fn entries(&mut self) -> anyhow::Result<u64> {
        let mut all = 0;
        let (mut cursor, mut streams) = (0_u64, Vec::new());
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("COUNT")
                .arg(1_000)
                .arg("TYPE")
                .arg("stream");
            let (next, found): (u64, Vec<String>) = scan.query_async(&mut self.redis).await?;
            streams.extend(found);
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        streams.sort_unstable();
        streams.dedup();
        for stream in streams {
            let length: u64 = redis::cmd("XLEN")
                .arg(stream)
                .query_async(&mut self.redis)
                .await?;
            all += length;
        }
        Ok(all)
    }
}
