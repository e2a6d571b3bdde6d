//! A real Redis for tests: a server of its own on a free port, which ends with them. Needs Debian's package `redis-tools` (`scripts/setup`), which
//! holds the server under the name of its checker and starts no service.

use crate::postgres::free_port;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Seconds for a server to start.
const START_S: u64 = 20;

/// A running server. It is ended, and its directory removed, when this goes out of scope.
#[derive(Debug)]
pub struct RedisServer {
    process: Child,
    port: u16,
    directory: PathBuf,
    settings: Vec<String>,
}

impl RedisServer {
    /// Starts one with these further settings (`--save`, …); `None`, with a sentence, where Redis is not installed.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let port = free_port();
        let directory = std::env::temp_dir().join(format!("maintainer-redis-{port}"));
        std::fs::create_dir_all(&directory).unwrap();
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let process = spawn(port, &directory, &settings)?;
        let server = Self { process, port, directory, settings };
        server.await_up();
        Some(server)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Ends it at once and starts it anew, with the same settings and without what it held in memory.
    pub fn restart(&mut self) {
        self.kill();
        self.process = spawn(self.port, &self.directory, &self.settings).unwrap();
        self.await_up();
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // It may have ended by itself; there is nothing to do about either failure.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Sends it a signal, such as `STOP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    /// Waits until it answers, with whatever.
    fn await_up(&self) {
        let begun = Instant::now();
        while !answers(self.port) {
            assert!(begun.elapsed() < Duration::from_secs(START_S), "Redis on port {} does not answer", self.port);
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

fn spawn(port: u16, directory: &Path, settings: &[String]) -> Option<Child> {
    let mut command = Command::new("redis-check-rdb");
    command.arg0("redis-server");
    command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(directory);
    command.args(settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(process) => Some(process),
        Err(_) => {
            println!("skipped: Redis is not installed (package redis-tools)");
            None
        }
    }
}

fn answers(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut first = [0_u8; 1];
    stream.write_all(b"PING\r\n").is_ok() && stream.read_exact(&mut first).is_ok()
}
