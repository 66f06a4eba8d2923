//! A private Prometheus that scrapes the services and evaluates the charts' rules.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use devstack::os::{Child, Output, Spawn, Stop};
use devstack::servers::{find_program, free_port};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::wait::{Look, until};

/// Between two scrapes, and between two evaluations: what a minute is where the rules keep their
/// own times.
const EVERY: &str = "1s";
const READY_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(200);

/// A running Prometheus; dropping it stops it.
#[derive(Debug)]
pub struct Prometheus {
    // Stops it when it is dropped.
    _child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    targets: PathBuf,
    http: reqwest::Client,
}

/// An alert as Prometheus tells it.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// `alertname` and those of its series.
    pub labels: BTreeMap<String, String>,
    /// Texts for people, and the address of the runbook.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// `pending` or `firing`.
    pub state: String,
}

impl Alert {
    /// Its name.
    pub fn name(&self) -> &str {
        self.labels.get("alertname").map_or("", String::as_str)
    }

    /// Whether it fires: its trouble has lasted as long as the rule's `for` says.
    pub fn is_firing(&self) -> bool {
        self.state == "firing"
    }
}

/// Which alert is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Its name.
    pub alert: &'static str,
    /// Labels that it has besides.
    pub labels: &'static [(&'static str, &'static str)],
}

impl Wanted {
    fn is(&self, alert: &Alert) -> bool {
        let has = |(name, value): &(&str, &str)| {
            alert.labels.get(*name).is_some_and(|found| found == value)
        };
        alert.name() == self.alert && self.labels.iter().all(has)
    }
}

impl Prometheus {
    /// Starts one on an empty folder, with the files of rules that lie in `rules`.
    pub async fn start(folder: &Path, rules: &Path) -> anyhow::Result<Self> {
        let program = find_program("prometheus", "/usr/bin").context(
            "there is no prometheus: scripts/install-packages promtool installs Debian's",
        )?;
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder)?;
        let targets = folder.join("targets.json");
        std::fs::write(&targets, "[]")?;
        let configuration = folder.join("prometheus.json");
        let rules = std::path::absolute(rules)?;
        std::fs::write(
            &configuration,
            configuration_of(&rules, &targets).to_string(),
        )?;
        let port = free_port();
        let mut command = Command::new(program);
        command
            .arg(format!("--config.file={}", configuration.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--log.level=warn");
        let child = Child::spawn(Spawn {
            name: "prometheus".to_owned(),
            command,
            output: Output::to(folder.join("log")),
            stop: Stop::default(),
            pid_file: None,
            temporary: None,
        })?;
        let url = format!("http://127.0.0.1:{port}");
        let http = reqwest::Client::builder().timeout(READY_WITHIN).build()?;
        child.until(ready(&http, &url), READY_WITHIN).await?;
        Ok(Self {
            _child: child,
            url,
            targets,
            http,
        })
    }

    /// What is scraped from now on: services with their admin addresses. Prometheus notices
    /// within a second.
    pub fn scrape<'a>(
        &self,
        services: impl Iterator<Item = (&'a str, SocketAddr)>,
    ) -> anyhow::Result<()> {
        let groups: Vec<Value> = services
            .map(|(job, admin)| {
                json!({ "targets": [admin], "labels": { "job": job, "namespace": "drill" } })
            })
            .collect();
        let partial = self.targets.with_extension("partial");
        std::fs::write(&partial, Value::from(groups).to_string())?;
        Ok(std::fs::rename(partial, &self.targets)?)
    }

    /// Every alert that is pending or fires.
    pub async fn alerts(&self) -> anyhow::Result<Vec<Alert>> {
        let answer = self.get("alerts", &[]).await?;
        Ok(Vec::deserialize(&answer["data"]["alerts"])?)
    }

    /// What an expression selects now: each series with its value.
    pub async fn query(&self, expression: &str) -> anyhow::Result<Vec<Value>> {
        let answer = self.get("query", &[("query", expression)]).await?;
        let series = answer["data"]["result"].as_array();
        Ok(series.cloned().unwrap_or_default())
    }

    /// Waits until the alert fires, and gives it.
    pub async fn until_firing(&self, wanted: Wanted, patience: Duration) -> anyhow::Result<Alert> {
        until(patience, async || {
            let alerts = self.alerts().await?;
            let found = alerts.iter().find(|it| wanted.is(it) && it.is_firing());
            Ok(Look::of(found.cloned(), || {
                let seen: Vec<_> = alerts.iter().map(told).collect();
                format!("{} does not fire; there are {seen:?}", wanted.alert)
            }))
        })
        .await
    }

    /// Waits until the alert is neither firing nor pending.
    pub async fn until_gone(&self, wanted: Wanted, patience: Duration) -> anyhow::Result<()> {
        until(patience, async || {
            let alerts = self.alerts().await?;
            Ok(match alerts.iter().find(|it| wanted.is(it)) {
                None => Look::Found(()),
                Some(alert) => {
                    Look::NotYet(format!("{} does not end: {}", wanted.alert, told(alert)))
                }
            })
        })
        .await
    }

    /// Waits until a comparison holds for some series.
    pub async fn until(&self, comparison: &str, patience: Duration) -> anyhow::Result<()> {
        until(patience, async || {
            let holds = !self.query(comparison).await?.is_empty();
            Ok(Look::of(holds.then_some(()), || {
                format!("it does not come to {comparison}")
            }))
        })
        .await
    }

    async fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let url = format!("{}/api/v1/{path}", self.url);
        let answer = self.http.get(url).query(query).send().await?;
        let answer: Value = answer.json().await?;
        if answer["status"] != "success" {
            bail!("Prometheus does not answer {path}: {}", answer["error"]);
        }
        Ok(answer)
    }
}

fn told(alert: &Alert) -> String {
    let series: Vec<_> = alert
        .labels
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity" | "namespace"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    format!("{} {} ({})", alert.name(), alert.state, series.join(" "))
}

async fn ready(http: &reqwest::Client, url: &str) {
    loop {
        let answer = http.get(format!("{url}/-/ready")).send().await;
        if answer.is_ok_and(|answer| answer.status().is_success()) {
            return;
        }
        sleep(POLL).await;
    }
}

/// JSON, since that is YAML too.
fn configuration_of(rules: &Path, targets: &Path) -> Value {
    json!({
        "global": {
            "scrape_interval": EVERY,
            "scrape_timeout": EVERY,
            "evaluation_interval": EVERY,
        },
        "rule_files": [rules.join("*.json")],
        "scrape_configs": [{
            "job_name": "services",
            "file_sd_configs": [{ "files": [targets], "refresh_interval": "1s" }],
        }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(labels: &[(&str, &str)]) -> Alert {
        let labels = labels
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        Alert {
            labels: labels.collect(),
            annotations: BTreeMap::new(),
            state: "firing".to_owned(),
        }
    }

    #[test]
    fn an_alert_of_another_service_is_not_taken_for_the_one_that_is_waited_for() {
        let wanted = Wanted {
            alert: "TinkoServiceDown",
            labels: &[("job", "notifier")],
        };
        assert!(wanted.is(&alert(&[
            ("alertname", "TinkoServiceDown"),
            ("job", "notifier")
        ])));
        assert!(!wanted.is(&alert(&[("alertname", "TinkoServiceDown"), ("job", "api")])));
        assert!(!wanted.is(&alert(&[("alertname", "TinkoServiceDown")])));
    }
}
