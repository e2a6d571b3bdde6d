//! Asks for addresses and follows redirects, over connections that are used again as a browser does. Cookies and credentials are neither
//! sent nor kept.

use crate::address::{absolute, origin, shown};
use crate::errors::{Failure, line};
use crate::limits::Limits;
use crate::network::Network;
use crate::zone::{Zone, zone};
use bytes::Bytes;
use domain::performance::pages::{Hop, Http};
use http::{HeaderMap, Request, Version};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use url::{Host, Position, Url};

/// By which a server's administrator knows our requests.
const USER_AGENT: &str = "infrastructure-maintainer/0.1 (looks at pages that its operator named)";
/// Largest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 65_536;
/// Addresses of a host that are tried.
const ADDRESSES_TRIED: usize = 2;

/// What came for an address.
pub(crate) struct Got {
    pub(crate) url: Url,
    pub(crate) status: u16,
    pub(crate) redirects: Vec<Hop>,
    pub(crate) http: Http,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) ttfb_ms: f64,
    pub(crate) total_ms: f64,
    pub(crate) connect_ms: Option<f64>,
}

/// An open connection.
enum Connection {
    One(http1::SendRequest<Empty<Bytes>>),
    Two(http2::SendRequest<Empty<Bytes>>),
}

/// Asks for what one page loads.
pub(crate) struct Client<'a, N> {
    network: &'a N,
    limits: &'a Limits,
    tls: TlsConnector,
    page: Zone,
    names: Mutex<BTreeMap<String, Vec<IpAddr>>>,
    idle: Mutex<BTreeMap<String, Vec<Connection>>>,
    /// What keeps the connections going. Ends with this.
    running: Mutex<JoinSet<()>>,
    bytes: AtomicUsize,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a, N: Network> Client<'a, N> {
    /// For a page at this address, which decides whom its files may be asked of.
    pub(crate) async fn new(
        network: &'a N,
        limits: &'a Limits,
        tls: Arc<ClientConfig>,
        page: &Url,
    ) -> Result<Self, Failure> {
        let mut client = Self {
            network,
            limits,
            tls: TlsConnector::from(tls),
            page: Zone::Nowhere,
            names: Mutex::default(),
            idle: Mutex::default(),
            running: Mutex::default(),
            bytes: AtomicUsize::new(0),
        };
        let zones: Vec<Zone> = client.resolve(page).await?.into_iter().map(zone).collect();
        let all = [Zone::Public, Zone::Private, Zone::Here];
        let found = all.into_iter().find(|one| zones.contains(one));
        client.page = found.ok_or_else(|| Failure::Forbidden(host(page)))?;
        Ok(client)
    }

    /// The page has come from another address than it was named by: its files reach no further than that one is. Never makes it wider.
    pub(crate) async fn came_from(&mut self, page: &Url) -> Result<(), Failure> {
        let zones: Vec<Zone> = self.resolve(page).await?.into_iter().map(zone).collect();
        if zones.contains(&Zone::Public) {
            self.page = Zone::Public;
        }
        Ok(())
    }

    /// How long one answer may take.
    pub(crate) fn answer_max(&self) -> Duration {
        self.limits.answer
    }

    /// Whether no more is to be asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= self.limits.page_bytes_max
    }

    /// Gets an address, and what it redirects to.
    pub(crate) async fn get(&self, url: &Url, accept: &str) -> Result<Got, Failure> {
        let begun = self.network.passed();
        let mut url = url.clone();
        let (mut seen, mut redirects) = (vec![url.clone()], Vec::new());
        loop {
            let hop = self.network.passed();
            let mut got = self.one(&url, accept).await?;
            let location =
                got.headers.get(http::header::LOCATION).filter(|_| matches!(got.status, 301 | 302 | 303 | 307 | 308));
            let Some(location) = location else {
                got.redirects = redirects;
                got.total_ms = ms(self.network.passed().saturating_sub(begun));
                return Ok(got);
            };
            let next = location.to_str().ok().and_then(|location| absolute(&url, location)).ok_or(Failure::Location)?;
            redirects.push(Hop {
                url: shown(&url),
                status: got.status,
                ms: ms(self.network.passed().saturating_sub(hop)),
            });
            if redirects.len() > self.limits.redirects_max || seen.contains(&next) {
                return Err(Failure::Redirects(self.limits.redirects_max));
            }
            seen.push(next.clone());
            url = next;
        }
    }

    /// One request, within its time. A connection that was idle may have been closed meanwhile: then with a new one.
    async fn one(&self, url: &Url, accept: &str) -> Result<Got, Failure> {
        let late = || Failure::TimedOut(self.limits.answer.as_secs());
        if let Some(connection) = self.take(&origin(url)).await {
            match timeout(self.limits.answer, self.ask(connection, None, url, accept)).await.map_err(|_| late())? {
                Err(Failure::Broken(_)) => {}
                ended => return ended,
            }
        }
        let begun = self.network.passed();
        let connection = self.connect(url).await?;
        let connect_ms = ms(self.network.passed().saturating_sub(begun));
        timeout(self.limits.answer, self.ask(connection, Some(connect_ms), url, accept)).await.map_err(|_| late())?
    }

    /// A connection that is there already and still open.
    async fn take(&self, origin: &str) -> Option<Connection> {
        loop {
            let connection = locked(&self.idle).get_mut(origin)?.pop()?;
            match connection {
                Connection::One(mut sender) => {
                    // It is idle, so this says at once whether it is open.
                    if matches!(timeout(self.limits.connect, sender.ready()).await, Ok(Ok(()))) {
                        return Some(Connection::One(sender));
                    }
                }
                Connection::Two(sender) if !sender.is_closed() => {
                    // Many share it.
                    self.keep(origin, Connection::Two(sender.clone()));
                    return Some(Connection::Two(sender));
                }
                Connection::Two(_) => {}
            }
        }
    }

    fn keep(&self, origin: &str, connection: Connection) {
        locked(&self.idle).entry(origin.to_owned()).or_default().push(connection);
    }

    async fn ask(
        &self,
        connection: Connection,
        connect_ms: Option<f64>,
        url: &Url,
        accept: &str,
    ) -> Result<Got, Failure> {
        let begun = self.network.passed();
        let broken = |error: hyper::Error| Failure::Broken(line(&error));
        let (response, idle) = match connection {
            Connection::One(mut sender) => {
                let request = request(&url[Position::BeforePath..Position::AfterQuery], Some(url), accept)?;
                (sender.send_request(request).await.map_err(broken)?, Some(Connection::One(sender)))
            }
            Connection::Two(mut sender) => {
                if connect_ms.is_some() {
                    self.keep(&origin(url), Connection::Two(sender.clone()));
                }
                let request = request(&url[Position::BeforeScheme..Position::AfterQuery], None, accept)?;
                (sender.send_request(request).await.map_err(broken)?, None)
            }
        };
        let ttfb_ms = ms(self.network.passed().saturating_sub(begun));
        let (head, body) = response.into_parts();
        let body = self.body(body).await?;
        if let Some(idle) = idle {
            self.keep(&origin(url), idle);
        }
        let http = match head.version {
            Version::HTTP_2 => Http::Two,
            Version::HTTP_11 => Http::OneOne,
            _ => Http::One,
        };
        Ok(Got {
            url: url.clone(),
            status: head.status.as_u16(),
            redirects: Vec::new(),
            http,
            headers: head.headers,
            body,
            ttfb_ms,
            total_ms: 0.0,
            connect_ms,
        })
    }

    async fn body(&self, mut body: Incoming) -> Result<Vec<u8>, Failure> {
        let mut whole = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Failure::Broken(line(&error)))?;
            let Ok(data) = frame.into_data() else { continue };
            whole.extend_from_slice(&data);
            self.bytes.fetch_add(data.len(), Ordering::Relaxed);
            if whole.len() > self.limits.file_bytes_max {
                return Err(Failure::TooLarge(self.limits.file_bytes_max));
            }
        }
        Ok(whole)
    }

    /// Addresses of a host, asked for once: what was checked is what is connected to.
    async fn resolve(&self, url: &Url) -> Result<Vec<IpAddr>, Failure> {
        let name = match url.host() {
            Some(Host::Ipv4(address)) => return Ok(vec![address.into()]),
            Some(Host::Ipv6(address)) => return Ok(vec![address.into()]),
            Some(Host::Domain(name)) => name.to_owned(),
            None => return Err(Failure::Address),
        };
        let known = locked(&self.names).get(&name).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let found = timeout(self.limits.connect, self.network.resolve(&name)).await;
        let found = found.ok().and_then(Result::ok).filter(|found| !found.is_empty());
        let found = found.ok_or_else(|| Failure::Unresolved(host(url)))?;
        locked(&self.names).insert(name, found.clone());
        Ok(found)
    }

    async fn connect(&self, url: &Url) -> Result<Connection, Failure> {
        let addresses = self.resolve(url).await?;
        let mut allowed = addresses.into_iter().filter(|address| self.page.reaches(zone(*address))).peekable();
        if allowed.peek().is_none() {
            return Err(Failure::Forbidden(host(url)));
        }
        let port = url.port_or_known_default().ok_or(Failure::Address)?;
        let mut last = String::new();
        for address in allowed.take(ADDRESSES_TRIED) {
            match timeout(self.limits.connect, self.network.connect(SocketAddr::new(address, port))).await {
                Ok(Ok(stream)) => {
                    // Small requests go at once.
                    let _ = stream.set_nodelay(true);
                    return timeout(self.limits.answer, self.shake_hands(url, stream))
                        .await
                        .map_err(|_| Failure::TimedOut(self.limits.answer.as_secs()))?;
                }
                Ok(Err(error)) => last = line(&error),
                Err(_) => last = format!("no answer within {} s", self.limits.connect.as_secs()),
            }
        }
        Err(Failure::Refused(host(url), last))
    }

    async fn shake_hands(&self, url: &Url, stream: tokio::net::TcpStream) -> Result<Connection, Failure> {
        if url.scheme() != "https" {
            return self.speak(stream, false).await;
        }
        let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name).map_err(|_| Failure::Address)?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| {
            let is_certificate = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match is_certificate {
                Some(rustls::Error::InvalidCertificate(_)) => Failure::Certificate(host(url), line(&error)),
                _ => Failure::Broken(line(&error)),
            }
        })?;
        let is_two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        self.speak(stream, is_two).await
    }

    async fn speak<S>(&self, stream: S, is_two: bool) -> Result<Connection, Failure>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let broken = |error: hyper::Error| Failure::Broken(line(&error));
        let stream = TokioIo::new(stream);
        // Its end shows in the answers that wait for it.
        if is_two {
            let mut builder = http2::Builder::new(TokioExecutor::new());
            builder.max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX)).adaptive_window(true);
            let (sender, running) = builder.handshake(stream).await.map_err(broken)?;
            locked(&self.running).spawn(async move { drop(running.await) });
            return Ok(Connection::Two(sender));
        }
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES_MAX);
        let (sender, running) = builder.handshake(stream).await.map_err(broken)?;
        locked(&self.running).spawn(async move { drop(running.await) });
        Ok(Connection::One(sender))
    }
}

fn request(target: &str, host_of: Option<&Url>, accept: &str) -> Result<Request<Empty<Bytes>>, Failure> {
    let mut request = Request::get(target)
        .header("accept", accept)
        .header("accept-encoding", "gzip, br, zstd")
        .header("accept-language", "en")
        .header("user-agent", USER_AGENT);
    if let Some(url) = host_of {
        request = request.header("host", &url[Position::BeforeHost..Position::AfterPort]);
    }
    request.body(Empty::new()).map_err(|_| Failure::Address)
}

/// Host and port for people.
fn host(url: &Url) -> String {
    domain::text::line(&url[Position::BeforeHost..Position::AfterPort])
}

fn ms(passed: Duration) -> f64 {
    passed.as_secs_f64() * 1e3
}
