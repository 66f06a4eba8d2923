//! A migrated Postgres database per test.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use devstack::servers::PgBouncer;
use secrecy::SecretString;
use tokio::sync::OnceCell;
use tokio_postgres::{Client, Config, NoTls};

use crate::servers::{pooler_url, postgres_url};

/// Of the advisory lock under which one process makes the template while others wait.
const TEMPLATE_LOCK: i64 = 0x7469_6e6b_6f01;
const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");

/// A database that holds what the migrations make and nothing else. Dropped with the value.
///
/// Where `TINKO_TEST_POOLER_URL` names a pooler in front of the tests' Postgres, it is reached through
/// that.
#[derive(Debug)]
pub struct TestDatabase {
    /// Of the server itself.
    maintenance_url: String,
    /// Of what stands before it, if tests go through it.
    pooler: Option<String>,
    name: String,
    url: SecretString,
}

impl TestDatabase {
    /// Copies the template, which the first caller on a server makes by running the migrations.
    pub async fn create() -> Self {
        let maintenance_url = postgres_url().await;
        let template = template(&maintenance_url).await;
        Self::create_as(
            maintenance_url,
            pooler_url(),
            &format!("TEMPLATE {template}"),
        )
        .await
    }

    /// An empty one, for tests of the migrations themselves: never through a pooler.
    pub async fn create_empty() -> Self {
        Self::create_as(postgres_url().await, None, "").await
    }

    async fn create_as(maintenance_url: String, pooler: Option<String>, how: &str) -> Self {
        let name = format!("test_{:016x}", rand::random::<u64>());
        run(&maintenance_url, &format!("CREATE DATABASE {name} {how}")).await;
        let entrance = pooler.as_ref().unwrap_or(&maintenance_url);
        let url = SecretString::from(url_of(entrance, &name));
        Self {
            maintenance_url,
            pooler,
            name,
            url,
        }
    }

    /// Its URL, for a role that owns it.
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// Its URL in the open, for a process's environment.
    pub fn plain_url(&self) -> String {
        url_of(
            self.pooler.as_ref().unwrap_or(&self.maintenance_url),
            &self.name,
        )
    }

    /// Its URL past any pooler, for what needs a session: `api migrate`.
    pub fn direct_url(&self) -> String {
        url_of(&self.maintenance_url, &self.name)
    }

    /// Its URL through a pooler of the test's own.
    pub fn url_through(&self, pooler: &PgBouncer) -> SecretString {
        SecretString::from(self.plain_url_through(pooler))
    }

    /// As [`Self::url_through`], for a process's environment.
    pub fn plain_url_through(&self, pooler: &PgBouncer) -> String {
        pooler.url(&self.name)
    }

    /// A plain connection to it, for looking at what a test did.
    pub async fn connect(&self) -> Client {
        connect(&self.direct_url()).await
    }

    /// A plain connection to it through a pooler of the test's own.
    pub async fn connect_through(&self, pooler: &PgBouncer) -> Client {
        connect(&self.plain_url_through(pooler)).await
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own, since a run-time cannot be awaited here. Best effort: a server that
    /// is already gone has dropped it too.
    fn drop(&mut self) {
        let (url, name) = (self.maintenance_url.clone(), self.name.clone());
        let dropping = std::thread::spawn(move || {
            let run_time = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            run_time.block_on(async {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
                tokio::spawn(connection);
                client
                    .batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await?;
                Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
            })
        });
        let _ = dropping.join();
    }
}

/// The template's name; made once per server, and looked for once per process.
async fn template(maintenance_url: &str) -> &'static str {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| make_template(maintenance_url))
        .await
}

/// Its name carries a hash of the migrations, so that a server which outlives a build has one
/// template for each set of them.
async fn make_template(maintenance_url: &str) -> String {
    let name = format!("template_{:016x}", hash_of_migrations());
    let client = connect(maintenance_url).await;
    // Held by the session, so a process that dies here gives it back.
    let locked = client
        .execute("SELECT pg_advisory_lock($1)", &[&TEMPLATE_LOCK])
        .await;
    locked.expect("the lock on the template");
    let found = client
        .query_opt("SELECT 1 FROM pg_database WHERE datname = $1", &[&name])
        .await;
    if found.expect("a look for the template").is_none() {
        migrate_into(&client, maintenance_url, &name).await;
    }
    name
}

/// Under another name until it is whole, and then closed to connections: Postgres copies only a
/// database that nobody is connected to.
async fn migrate_into(client: &Client, maintenance_url: &str, name: &str) {
    let partial = format!("{name}_partial");
    let begun = format!("DROP DATABASE IF EXISTS {partial} WITH (FORCE)");
    client
        .batch_execute(&begun)
        .await
        .expect("room for the template");
    let made = client
        .batch_execute(&format!("CREATE DATABASE {partial}"))
        .await;
    made.expect("an empty template");
    let url = SecretString::from(url_of(maintenance_url, &partial));
    db::migrate(&url)
        .await
        .expect("the migrations run on an empty database");
    for step in [
        format!("ALTER DATABASE {partial} ALLOW_CONNECTIONS false"),
        format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{partial}'"
        ),
        format!("ALTER DATABASE {partial} RENAME TO {name}"),
    ] {
        client
            .batch_execute(&step)
            .await
            .expect("the template is closed and named");
    }
}

fn hash_of_migrations() -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut folders = vec![Path::new(MIGRATIONS).to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("the folder of the migrations");
        for path in entries.map(|entry| entry.expect("an entry of it").path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    for file in files {
        file.hash(&mut hasher);
        std::fs::read(&file).expect("a migration").hash(&mut hasher);
    }
    hasher.finish()
}

async fn run(url: &str, sql: &str) {
    let done = connect(url).await.batch_execute(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

pub(crate) async fn connect(url: &str) -> Client {
    let connected = tokio_postgres::connect(url, NoTls).await;
    let (client, connection) = connected.expect("a connection to the test's Postgres");
    tokio::spawn(connection);
    client
}

/// The same server and role, another database.
fn url_of(maintenance_url: &str, database: &str) -> String {
    let parsed: Config = maintenance_url.parse().expect("a Postgres URL");
    let old = parsed.get_dbname().unwrap_or_default();
    let (server, options) = match maintenance_url.split_once('?') {
        Some((server, options)) => (server, format!("?{options}")),
        None => (maintenance_url, String::new()),
    };
    let server = server
        .strip_suffix(old)
        .unwrap_or(server)
        .trim_end_matches('/');
    format!("{server}/{database}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_all_but_its_database() {
        for (given, wanted) in [
            (
                "postgres://a:b@127.0.0.1:5/postgres",
                "postgres://a:b@127.0.0.1:5/x",
            ),
            (
                "postgres://a@[::1]:5/m?sslmode=disable",
                "postgres://a@[::1]:5/x?sslmode=disable",
            ),
            ("postgres://a@h", "postgres://a@h/x"),
        ] {
            assert_eq!(url_of(given, "x"), wanted);
        }
    }
}
