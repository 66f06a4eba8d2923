//! A whole worker, as the binary runs it.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use retry_worker::settings::Settings;
use runtime::shutdown::{Shutdown, Trigger};
use tokio::task::JoinHandle;

use crate::stage::{PATIENCE, Stage};

pub(crate) struct Running {
    trigger: Trigger,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Stage {
    pub(crate) fn worker(&self) -> Running {
        Running::start(self.settings())
    }
}

impl Running {
    pub(crate) fn start(settings: Settings) -> Self {
        let (shutdown, trigger) = Shutdown::manual(Duration::from_secs(20));
        let metrics = PrometheusBuilder::new().build_recorder().handle().into();
        let task =
            tokio::spawn(async move { retry_worker::run(settings, metrics, &shutdown).await });
        Self { trigger, task }
    }

    /// As SIGTERM does: what is under way ends, and the worker with it.
    pub(crate) async fn stop(self) {
        self.trigger.request("the test is over");
        let ended = tokio::time::timeout(PATIENCE, self.task).await;
        ended.expect("it ends in time").unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_worker_without_work_starts_checks_and_ends_in_order() {
    let stage = Stage::new().await;
    retry_worker::check(&stage.settings()).await.unwrap();
    let worker = stage.worker();
    worker.stop().await;
}

#[tokio::test]
async fn a_worker_with_an_unusable_link_key_says_so_and_does_not_start() {
    let stage = Stage::new().await;
    let settings = Settings {
        link_key: "short".into(),
        ..stage.settings()
    };
    let error = retry_worker::check(&settings).await.unwrap_err();
    assert!(error.to_string().contains("TINKO__LINK_KEY"), "{error}");
}
