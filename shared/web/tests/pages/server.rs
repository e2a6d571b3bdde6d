//! Real servers on this machine that stand for hosts of the internet: one without TLS, one with HTTP/2, one with HTTP/1.1 over TLS. Which
//! host has which address is the network's to say.

use async_trait::async_trait;
use bytes::Bytes;
use maintainer_web::{Limits, Network, Roots, Web};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::process::Command;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Hosts with HTTP/2, with HTTP/1.1 alone, and one whose certificate nobody vouches for.
pub const MODERN: &str = "93.184.215.14";
pub const OLD: &str = "93.184.215.15";
/// Names in the certificate.
const NAMES: [&str; 9] = [
    "shop.example",
    "cdn.example",
    "fonts.example",
    "other.example",
    "old.example",
    "closing.example",
    "inner.example",
    "meta.example",
    "here.example",
];

/// What is answered.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Later answers to the same address have these headers instead.
    pub later: Option<Vec<(String, String)>>,
    /// By so much the clock of the network goes on before the answer.
    pub takes_ms: u64,
    pub fault: Option<Fault>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends in the middle of the body.
    Cut,
    /// No answer comes.
    Silent,
    /// The connection ends before an answer.
    Dropped,
    /// What comes is no HTTP.
    Noise,
    /// The head never ends.
    EndlessHead,
}

impl Reply {
    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Self { status: 200, headers, body: body.into(), ..Self::default() }
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self { status, ..Self::default() }.with("location", to)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(there, _)| there != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What all servers share.
#[derive(Default)]
struct Shared {
    replies: Mutex<BTreeMap<String, Reply>>,
    asked: Mutex<Vec<(String, String)>>,
    ahead_ms: AtomicU64,
    connections: AtomicUsize,
}

/// The internet, as far as it is here.
#[derive(Clone)]
pub struct Internet {
    shared: Arc<Shared>,
    names: Arc<Mutex<BTreeMap<String, Vec<IpAddr>>>>,
    /// Addresses to which a connection was made.
    pub reached: Arc<Mutex<BTreeSet<SocketAddr>>>,
    plain: SocketAddr,
    modern: SocketAddr,
    old: SocketAddr,
    started: Instant,
}

/// An authority, a certificate of it for all names, and its key, as PEM.
fn certificate() -> &'static (String, String, String) {
    static MADE: OnceLock<(String, String, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let directory = std::env::temp_dir().join(format!("maintainer-web-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let openssl = |arguments: &str| {
            let done = Command::new("openssl").args(arguments.split(' ')).current_dir(&directory).output().expect("openssl runs");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        };
        let new = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&format!("{new} -x509 -days 2 -subj /CN=authority -keyout ca.key -out ca.pem"));
        let names: Vec<String> = NAMES.iter().map(|name| format!("DNS:{name}")).collect();
        std::fs::write(directory.join("names"), format!("subjectAltName={}", names.join(","))).unwrap();
        openssl(&format!("{new} -subj /CN=shop.example -keyout key.pem -out request.pem"));
        openssl("x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out certificate.pem");
        let read = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
        let made = (read("ca.pem"), read("certificate.pem"), read("key.pem"));
        std::fs::remove_dir_all(&directory).unwrap();
        made
    })
}

impl Internet {
    /// Starts the servers. They end with the runtime of the test.
    pub async fn open() -> Self {
        let shared = Arc::new(Shared::default());
        let (_, certificate, key) = certificate();
        let chain: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(certificate.as_bytes()).map(Result::unwrap).collect();
        let acceptor = |protocols: &[&[u8]]| {
            let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            let mut config = config.with_no_client_auth().with_single_cert(chain.clone(), key).unwrap();
            config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            TlsAcceptor::from(Arc::new(config))
        };
        let plain = listen(Arc::clone(&shared), None).await;
        let modern = listen(Arc::clone(&shared), Some(acceptor(&[b"h2", b"http/1.1"]))).await;
        let old = listen(Arc::clone(&shared), Some(acceptor(&[b"http/1.1"]))).await;
        let internet = Self {
            shared,
            names: Arc::default(),
            reached: Arc::default(),
            plain,
            modern,
            old,
            started: Instant::now(),
        };
        for (name, address) in
            NAMES.iter().zip([MODERN, MODERN, MODERN, MODERN, OLD, OLD, "10.0.0.7", "169.254.169.254", "127.0.0.1"])
        {
            internet.lies_at(name, &[address]);
        }
        internet
    }

    /// Says where a host is.
    pub fn lies_at(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.names.lock().unwrap().insert(name.to_owned(), addresses);
    }

    /// Puts an answer under an address, `http://shop.example/a`, or `shop.example/a` for both schemes.
    pub fn put(&self, place: &str, reply: Reply) {
        self.shared.replies.lock().unwrap().insert(place.to_owned(), reply);
    }

    /// What was asked for, with all headers in one text.
    pub fn asked(&self) -> Vec<(String, String)> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// Connections that were made.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub fn web(&self, limits: Limits) -> Web<Self> {
        Web::over(self.clone(), limits, &Roots::Pem(certificate().0.clone())).unwrap()
    }
}

#[async_trait]
impl Network for Internet {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.names.lock().unwrap().get(host).cloned().ok_or_else(|| io::Error::other("no such name"))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.reached.lock().unwrap().insert(address);
        let to = match (address.port(), address.ip().to_string().as_str()) {
            (443, OLD) => self.old,
            (443, _) => self.modern,
            (80, _) => self.plain,
            _ => return Err(io::Error::from(io::ErrorKind::ConnectionRefused)),
        };
        TcpStream::connect(to).await
    }

    fn passed(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.shared.ahead_ms.load(Ordering::SeqCst))
    }
}

async fn listen(shared: Arc<Shared>, tls: Option<TlsAcceptor>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Ordering::SeqCst);
            stream.set_nodelay(true).unwrap();
            let (shared, tls) = (Arc::clone(&shared), tls.clone());
            tokio::spawn(async move {
                let Some(tls) = tls else { return one(shared, stream, "http").await };
                let Ok(stream) = tls.accept(stream).await else { return };
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    two(shared, stream).await
                } else {
                    one(shared, stream, "https").await
                }
            });
        }
    });
    address
}

impl Shared {
    /// The answer to a request, with its headers.
    fn answer(&self, scheme: &str, place: &str, request: String) -> Reply {
        self.asked.lock().unwrap().push((place.to_owned(), request));
        let mut replies = self.replies.lock().unwrap();
        let exact = format!("{scheme}://{place}");
        let place = if replies.contains_key(&exact) { &exact } else { place };
        let Some(reply) = replies.get_mut(place) else {
            return Reply { status: 404, ..Reply::ok("text/plain", "not here") };
        };
        let answer = reply.clone();
        if let Some(later) = reply.later.take() {
            reply.headers = later;
        }
        self.ahead_ms.fetch_add(answer.takes_ms, Ordering::SeqCst);
        answer
    }
}

/// HTTP/1.1, one request after another.
async fn one(shared: Arc<Shared>, mut stream: impl AsyncRead + AsyncWrite + Unpin, scheme: &str) {
    let mut read = Vec::new();
    loop {
        while !read.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if stream.read_exact(&mut byte).await.is_err() {
                return;
            }
            read.push(byte[0]);
        }
        let request = String::from_utf8_lossy(&std::mem::take(&mut read)).into_owned();
        let path = request.split(' ').nth(1).unwrap_or_default();
        let host = request.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("host: ").map(str::to_owned));
        let reply = shared.answer(scheme, &format!("{}{path}", host.unwrap_or_default()), request.clone());
        let mut head = format!("HTTP/1.1 {} x\r\n", reply.status);
        let closes = reply.headers.iter().any(|(name, value)| name == "connection" && value == "close");
        for (name, value) in &reply.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let half = &reply.body[..reply.body.len() / 2];
        let whole = format!("{head}content-length: {}\r\n\r\n", reply.body.len());
        let _ = match reply.fault {
            None => stream.write_all(&[whole.as_bytes(), &reply.body].concat()).await,
            Some(Fault::Cut) => stream.write_all(&[whole.as_bytes(), half].concat()).await,
            Some(Fault::Noise) => stream.write_all(b"\0\xff\r\n\r\n").await,
            Some(Fault::EndlessHead) => {
                stream.write_all(format!("{head}{}", "x-more: x\r\n".repeat(100_000)).as_bytes()).await
            }
            Some(Fault::Silent) => std::future::pending().await,
            Some(Fault::Dropped) => return,
        };
        if closes || reply.fault.is_some() {
            let _ = stream.shutdown().await;
            return;
        }
    }
}

/// HTTP/2, many requests at once.
async fn two(shared: Arc<Shared>, stream: impl AsyncRead + AsyncWrite + Unpin) {
    let Ok(mut connection) =
        h2::server::Builder::new().initial_window_size(1 << 20).handshake::<_, Bytes>(stream).await
    else {
        return;
    };
    let mut held = Vec::new();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let place = format!("{}{}", request.uri().authority().unwrap(), request.uri().path_and_query().unwrap());
        let reply = shared.answer("https", &place, format!("{:?}", request.headers()));
        let mut head = http::Response::builder().status(reply.status);
        for (name, value) in reply.headers.iter().filter(|(name, _)| name != "connection") {
            head = head.header(name, value);
        }
        if reply.fault == Some(Fault::Silent) {
            held.push(respond);
            continue;
        }
        let Ok(mut body) = respond.send_response(head.body(()).unwrap(), false) else { continue };
        if reply.fault == Some(Fault::Cut) {
            let _ = body.send_data(Bytes::copy_from_slice(&reply.body[..reply.body.len() / 2]), false);
            body.send_reset(h2::Reason::INTERNAL_ERROR);
            continue;
        }
        // More than the window is taken piece by piece, as the other side reads.
        let _ = body.send_data(Bytes::from(reply.body), true);
    }
}
