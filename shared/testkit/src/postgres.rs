//! A real Postgres for tests: a server of its own on a free port, which ends with them. Needs Debian's packages `postgresql-15`,
//! `postgresql-15-hypopg` (`scripts/setup`).

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tokio_postgres::{Client, NoTls};

/// The user that owns everything.
pub const OWNER: (&str, &str) = ("owner", "owner-password-of-the-tests");
/// The user that only reads, with the rights that the documentation asks for.
pub const READER: (&str, &str) = ("reader", "reader-password-of-the-tests");
/// The application's own user.
pub const SHOP: (&str, &str) = ("shop", "shop-password-of-the-tests");
/// Postgres refuses to run as root: the user `nobody` of Debian.
const NOBODY: u32 = 65_534;
/// Seconds for a server to start.
const START_S: u64 = 30;

/// A running server. It is stopped, and its directory removed, when this goes out of scope.
#[derive(Debug)]
pub struct PostgresServer {
    child: Child,
    port: u16,
    directory: PathBuf,
}

impl PostgresServer {
    /// Starts a server with an empty cluster.
    pub fn start(name: &str, more: &[&str]) -> Self {
        Self::start_on(free_port(), name, more)
    }

    /// The same on a port that was chosen before.
    pub fn start_on(port: u16, name: &str, more: &[&str]) -> Self {
        let programs = programs();
        let directory = std::env::temp_dir().join(format!("maintainer-postgres-{name}-{port}"));
        std::fs::create_dir_all(&directory).unwrap();
        let is_root = rootly(&directory);
        let password = directory.join("password");
        std::fs::write(&password, OWNER.1).unwrap();
        let _unneeded = is_root.then(|| chown(&password, Some(NOBODY), Some(NOBODY)).unwrap());
        let data = directory.join("data");
        let made = as_nobody(&programs.join("initdb"), is_root)
            .args([
                "--no-sync",
                "--username",
                OWNER.0,
                "--auth",
                "scram-sha-256",
                "--encoding",
                "UTF8",
                "--locale",
                "C",
            ])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(&data)
            .stdout(Stdio::null())
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let log = std::fs::File::create(directory.join("log")).unwrap();
        let mut server = as_nobody(&programs.join("postgres"), is_root);
        server.arg("-D").arg(&data).args(["-p", &port.to_string()]);
        for setting in [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            "shared_preload_libraries=pg_stat_statements",
            "pg_stat_statements.track=all",
            "fsync=off",
            "shared_buffers=64MB",
            "max_connections=60",
            "autovacuum_naptime=5s",
            "track_io_timing=on",
        ]
        .iter()
        .chain(more)
        {
            server.args(["-c", setting]);
        }
        let child = server.stdout(Stdio::null()).stderr(log).spawn().expect("postgres starts");
        Self { child, port, directory }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Hands a file to the user that the server runs as, for its eyes only.
    pub fn own(&self, file: &Path) {
        use std::os::unix::fs::PermissionsExt as _;
        let _as_it_is = chown(file, Some(NOBODY), Some(NOBODY));
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// What it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Opens a session as a user; waits for the server to come up.
    pub async fn session(&self, (user, password): (&str, &str), database: &str) -> Client {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user(user).password(password).dbname(database);
        let begun = Instant::now();
        loop {
            match config.connect(NoTls).await {
                Ok((client, connection)) => {
                    tokio::spawn(connection);
                    return client;
                }
                Err(error) if begun.elapsed() > Duration::from_secs(START_S) => {
                    panic!("no session as {user} in {database}: {error:?}\n{}", self.log())
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Makes a database with the users that the documentation asks for and both extensions, and gives a session of its owner.
    pub async fn database(&self, name: &str) -> Client {
        let root = self.session(OWNER, "postgres").await;
        root.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        let owner = self.session(OWNER, name).await;
        owner
            .batch_execute(
                "DO $$ BEGIN \
                   PERFORM pg_advisory_xact_lock(1); \
                   IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reader') THEN \
                     CREATE ROLE reader LOGIN PASSWORD 'reader-password-of-the-tests'; \
                     GRANT pg_monitor, pg_read_all_data TO reader; \
                     CREATE ROLE shop LOGIN PASSWORD 'shop-password-of-the-tests'; \
                     GRANT pg_read_all_data, pg_write_all_data TO shop; \
                   END IF; END $$; \
                 CREATE EXTENSION pg_stat_statements; CREATE EXTENSION hypopg",
            )
            .await
            .unwrap();
        owner
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        // At once, without a checkpoint: nothing of it is needed any more.
        let pid = i32::try_from(self.child.id()).unwrap_or_default();
        let _quit = Command::new("kill").args(["-QUIT", &pid.to_string()]).status();
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// A port of this machine on which nobody listens.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Where the programs of the newest Postgres are.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|path| path.join("initdb").exists())
        .collect();
    found.sort();
    found.pop().expect("Postgres is installed: run `make setup`")
}

/// Hands the directory to `nobody` where this process is root; whether it is.
fn rootly(directory: &Path) -> bool {
    chown(directory, Some(NOBODY), Some(NOBODY)).is_ok()
}

fn as_nobody(program: &Path, is_root: bool) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).current_dir("/tmp").env("LC_ALL", "C");
    if is_root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
