//! A real Redis for one application: the server process and a client of a few commands over its real protocol.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use thiserror::Error;

/// A running server. It is stopped, and its directory removed, when this goes out of scope.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    directory: PathBuf,
}

/// Why Redis did not do what was asked.
#[derive(Debug, Error)]
pub enum RedisError {
    /// The server can't be started.
    #[error("Redis can't be started ({0}); install Redis, or run `make setup`")]
    Start(String),
    /// It does not answer.
    #[error("Redis on port {port} does not answer: {why}")]
    NoAnswer {
        /// Its port.
        port: u16,
        /// What the system said.
        why: String,
    },
}

/// Memory that a server may use: small, so that it can really be full.
const MEMORY_MAX: &str = "8mb";
/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(10);
/// How long one command may take.
const COMMAND_MAX: Duration = Duration::from_secs(2);

impl RedisServer {
    /// Starts a server on this port of this machine, or on a free one, and waits until it answers.
    ///
    /// # Errors
    /// When there is no Redis, or it does not come up.
    pub fn start(name: &str, port: Option<u16>) -> Result<Self, RedisError> {
        let start = |error: std::io::Error| RedisError::Start(error.to_string());
        let free = || TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
        let port = port.map_or_else(|| free().map(|address| address.port()), Ok).map_err(start)?;
        let directory = std::env::temp_dir().join(format!("studio-redis-{name}-{port}"));
        std::fs::create_dir_all(&directory).map_err(start)?;
        // The same program: what it does follows from its name. The package with the other name starts a service.
        let child = Command::new("redis-check-rdb")
            .arg0("redis-server")
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            // Full is full: nothing is thrown out to make room, writes are refused.
            .args(["--maxmemory", MEMORY_MAX, "--maxmemory-policy", "noeviction"])
            .arg("--dir")
            .arg(&directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(start)?;
        let server = Self { child, port, directory };
        let begun = Instant::now();
        loop {
            match Redis::connect(port).and_then(|mut redis| redis.call(&[&["PING"]])) {
                Ok(_) => return Ok(server),
                Err(error) if begun.elapsed() > START_MAX => return Err(error),
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Best effort: the process may have ended, the directory may be gone.
        self.child.kill().ok();
        self.child.wait().ok();
        std::fs::remove_dir_all(&self.directory).ok();
    }
}

/// A connection.
#[derive(Debug)]
pub struct Redis {
    stream: BufReader<TcpStream>,
    port: u16,
}

/// An answer of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Text or bytes.
    Text(Vec<u8>),
    /// A number.
    Number(i64),
    /// There is nothing under this key.
    Nil,
    /// The server refused the command; its words.
    Refused(String),
}

impl Redis {
    /// Connects to a server on this machine.
    ///
    /// # Errors
    /// When nobody answers there.
    pub fn connect(port: u16) -> Result<Self, RedisError> {
        let no_answer = |error: std::io::Error| RedisError::NoAnswer { port, why: error.to_string() };
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(no_answer)?;
        stream.set_read_timeout(Some(COMMAND_MAX)).map_err(no_answer)?;
        stream.set_nodelay(true).map_err(no_answer)?;
        Ok(Self { stream: BufReader::new(stream), port })
    }

    /// Sends commands in one go and reads their answers in order.
    ///
    /// # Errors
    /// When the connection breaks or the answer is not understood.
    pub fn call<T: AsRef<[S]>, S: AsRef<str>>(&mut self, commands: &[T]) -> Result<Vec<Reply>, RedisError> {
        let mut request = Vec::new();
        for command in commands {
            let words = command.as_ref();
            request.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
            for word in words {
                let word = word.as_ref();
                request.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
            }
        }
        let port = self.port;
        let no_answer = |error: std::io::Error| RedisError::NoAnswer { port, why: error.to_string() };
        self.stream.get_mut().write_all(&request).map_err(no_answer)?;
        commands.iter().map(|_| self.reply().map_err(no_answer)).collect()
    }

    fn reply(&mut self) -> std::io::Result<Reply> {
        let odd =
            |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, format!("unexpected answer {what:?}"));
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let line = line.trim_end();
        let (kind, rest) = line.split_at_checked(1).ok_or_else(|| odd(line))?;
        match kind {
            "+" => Ok(Reply::Text(rest.as_bytes().to_vec())),
            "-" => Ok(Reply::Refused(rest.to_owned())),
            ":" => rest.parse().map(Reply::Number).map_err(|_| odd(line)),
            "$" => {
                let Ok(length) = rest.parse::<usize>() else { return Ok(Reply::Nil) };
                let mut body = vec![0; length + 2];
                self.stream.read_exact(&mut body)?;
                body.truncate(length);
                Ok(Reply::Text(body))
            }
            _ => Err(odd(line)),
        }
    }
}
