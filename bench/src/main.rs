//! `tinko-bench [NAME…] [--quick]`: measures, prints tables, and ends with a line of `key=value`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Parser, ValueEnum};
use devstack::Binaries;
use tinko_bench::ground::Settings;
use tinko_bench::report::Report;
use tinko_bench::{
    charge, claim, fairness, footprint, ingest, ingest_batch, latency, pipeline, read, soak, traces,
};

/// Measures Tinko on this machine against a ceiling measured in the same run.
#[derive(Debug, Parser)]
struct Arguments {
    /// What to measure; everything, one after the other, if nothing is named.
    names: Vec<Bench>,
    /// Shorter runs and a smaller backlog: to see that it works, not to compare.
    #[arg(long)]
    quick: bool,
    /// Where the servers' data and the logs go; each bench removes what it finds in its own folder.
    #[arg(long, default_value = "target/bench-data")]
    dir: PathBuf,
    /// HTTP connections.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// ingest, soak: seconds measured [default: 20 and 1800, quick 5 and 60].
    #[arg(long)]
    seconds: Option<u64>,
    /// pipeline: failures that wait [default: 50000, quick 3000].
    #[arg(long)]
    backlog: Option<u64>,
    /// read: transactions of the organization [default: 1000000, quick 50000].
    #[arg(long)]
    transactions: Option<u64>,
    /// fairness: messages that are due before ten of another organization [default: 100000, quick 20000].
    #[arg(long)]
    flood: Option<u64>,
    /// traces: failures at a time [default: 4000, quick 500].
    #[arg(long)]
    events: Option<u64>,
    /// traces: how often each way of exporting is measured [default: 5, quick 3].
    #[arg(long)]
    rounds: Option<usize>,
    /// Exit with 1 if a figure is worse than it should be.
    #[arg(long)]
    check: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Bench {
    /// Failure events accepted over HTTP, against pgbench writing the same rows.
    Ingest,
    /// Failures accepted by the batch endpoint, against COPY of the same rows.
    IngestBatch,
    /// A backlog drained to accepted emails, against the slowest stage alone.
    Pipeline,
    /// Analytics, lists and an export with many transactions, against `/v1/me`.
    Read,
    /// Ten messages of one organization behind a flood of another's.
    Fairness,
    /// Failures handled while the collector of spans is alive, dead, silent, or not set.
    Traces,
    /// From a webhook to the email, on an idle path and at half of the highest rate.
    Latency,
    /// Due charges made at a slow PSP, against Little's law.
    Charge,
    /// Due attempts claimed and settled, among few and many stored ones, against hand-written SQL.
    Claim,
    /// Half an hour at seven tenths of the highest rate, and whether anything grows.
    Soak,
    /// Memory, processor, time to ready and size of each service.
    Footprint,
}

impl Arguments {
    fn names(&self) -> &[Bench] {
        if self.names.is_empty() {
            Bench::value_variants()
        } else {
            &self.names
        }
    }

    fn ingest(&self) -> ingest::Options {
        let (warm_up, measured) = if self.quick { (2, 5) } else { (5, 20) };
        ingest::Options {
            connections: self.connections,
            warm_up: Duration::from_secs(warm_up),
            measured: Duration::from_secs(self.seconds.unwrap_or(measured).max(1)),
        }
    }

    fn ingest_batch(&self) -> ingest_batch::Options {
        ingest_batch::Options {
            batch: 1_000,
            batches: if self.quick { 20 } else { 100 },
            // Each has a thousand failures in hand.
            connections: self.connections.min(4),
        }
    }

    fn pipeline(&self) -> pipeline::Options {
        let backlog = if self.quick { 3_000 } else { 50_000 };
        pipeline::Options {
            backlog: self.backlog.unwrap_or(backlog).max(1),
            connections: self.connections,
        }
    }

    fn read(&self) -> read::Options {
        let (transactions, rounds, each) = if self.quick {
            (50_000, 3, 50)
        } else {
            (1_000_000, 5, 150)
        };
        read::Options {
            transactions: self.transactions.unwrap_or(transactions).max(10_000),
            // No more than the api has connections to Postgres.
            connections: self.connections.min(8),
            rate: 150,
            rounds,
            each,
        }
    }

    fn fairness(&self) -> fairness::Options {
        let flood = if self.quick { 20_000 } else { 100_000 };
        fairness::Options {
            flood: self.flood.unwrap_or(flood).max(1_000),
        }
    }

    fn traces(&self) -> traces::Options {
        let (events, rounds) = if self.quick { (500, 3) } else { (4_000, 5) };
        traces::Options {
            events: self.events.unwrap_or(events).max(100),
            rounds: self.rounds.unwrap_or(rounds).max(1),
            // No more than the api's connections to Postgres can serve while all else works too.
            connections: self.connections.min(16),
        }
    }

    fn latency(&self) -> latency::Options {
        let (time, flood) = if self.quick {
            (15, 1_500)
        } else {
            (60, 10_000)
        };
        latency::Options {
            idle_per_second: 20,
            time: Duration::from_secs(time),
            flood,
            // No more than the api's connections to Postgres can serve while all else works too.
            connections: self.connections.min(16),
        }
    }

    fn charge(&self) -> charge::Options {
        charge::Options {
            charges: if self.quick { 1_500 } else { 5_000 },
        }
    }

    fn claim(&self) -> claim::Options {
        let (stored, due, rounds) = if self.quick {
            (vec![10_000, 200_000], 2_000, 1)
        } else {
            (vec![10_000, 1_000_000, 10_000_000], 5_000, 3)
        };
        claim::Options {
            stored,
            due,
            rounds,
        }
    }

    fn soak(&self) -> soak::Options {
        let (time, samples, flood) = if self.quick {
            (60, 12, 1_500)
        } else {
            (1_800, 90, 10_000)
        };
        soak::Options {
            time: Duration::from_secs(self.seconds.unwrap_or(time).max(12)),
            samples,
            flood,
            // No more than the api's connections to Postgres can serve while all else works too.
            connections: self.connections.min(16),
        }
    }

    fn footprint(&self) -> footprint::Options {
        let (idle, load) = if self.quick { (5, 5) } else { (30, 20) };
        footprint::Options {
            idle: Duration::from_secs(idle),
            load: Duration::from_secs(self.seconds.unwrap_or(load).max(1)),
            connections: self.connections,
        }
    }

    async fn measure(&self, bench: Bench) -> anyhow::Result<Report> {
        let settings = |name: &str| -> anyhow::Result<Settings> {
            Ok(Settings {
                folder: std::path::absolute(self.dir.join(name))?,
                binaries: Binaries::find()?,
                now: now(),
            })
        };
        match bench {
            Bench::Ingest => ingest::run(&settings("ingest")?, self.ingest()).await,
            Bench::IngestBatch => {
                let settings = settings("ingest-batch")?;
                Box::pin(ingest_batch::run(&settings, self.ingest_batch())).await
            }
            Bench::Pipeline => pipeline::run(&settings("pipeline")?, self.pipeline()).await,
            Bench::Fairness => {
                Box::pin(fairness::run(&settings("fairness")?, self.fairness())).await
            }
            Bench::Traces => Box::pin(traces::run(&settings("traces")?, self.traces())).await,
            Bench::Latency => Box::pin(latency::run(&settings("latency")?, self.latency())).await,
            Bench::Charge => Box::pin(charge::run(&settings("charge")?, self.charge())).await,
            Bench::Claim => Box::pin(claim::run(&settings("claim")?, &self.claim())).await,
            Bench::Soak => Box::pin(soak::run(&settings("soak")?, self.soak())).await,
            Bench::Footprint => {
                Box::pin(footprint::run(&settings("footprint")?, self.footprint())).await
            }
            Bench::Read => Box::pin(read::run(&settings("read")?, self.read())).await,
        }
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    // An error means that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    let mut is_good = true;
    for bench in arguments.names() {
        let report = arguments.measure(*bench).await?;
        #[expect(clippy::print_stdout, reason = "the command's answer")]
        {
            println!("{report}");
            for complaint in report.complaints() {
                println!("not as it should be: {complaint}");
            }
        }
        is_good &= report.complaints().is_empty();
    }
    Ok(if arguments.check && !is_good {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the outermost edge: where time comes in"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
