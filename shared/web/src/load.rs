//! One look: the page, what its HTML names, then what its style sheets name, a few at once.

use crate::address::{absolute, shown};
use crate::body::{Wanted, body};
use crate::charset;
use crate::client::{Client, Got};
use crate::coding::{Undecoded, decode};
use crate::css::sheet;
use crate::errors::{Failure, of_status};
use crate::files::{Files, Styles};
use crate::html;
use crate::limits::Limits;
use crate::network::Network;
use domain::observed::{Missing, Observed};
use domain::performance::pages::{Again, Answer, Body, Kind, PageLook};
use engine::ports::{PortError, PortResult};
use futures::StreamExt;
use http::HeaderMap;
use rustls::ClientConfig;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::time::timeout;
use url::Url;

/// Headers that are kept.
const HEADERS: [&str; 24] = [
    "age",
    "alt-svc",
    "cache-control",
    "cache-status",
    "cf-cache-status",
    "cf-ray",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "server",
    "server-timing",
    "strict-transport-security",
    "vary",
    "via",
    "x-amz-cf-id",
    "x-cache",
    "x-vercel-cache",
];
/// Headers that say whether a cache had it.
const CACHED: [&str; 4] = ["x-cache", "cf-cache-status", "cache-status", "x-vercel-cache"];
/// Longest value of a header that is kept.
const HEADER_CHARS_MAX: usize = 200;
/// Style sheets that load style sheets that load style sheets.
const WAVES_MAX: usize = 5;

/// See [`engine::ports::Pages::fetch`].
pub(crate) async fn load<N: Network>(
    network: &N,
    limits: &Limits,
    tls: Arc<ClientConfig>,
    address: &str,
) -> PortResult<PageLook> {
    let rejected = |why: &str| PortError::Rejected { operation: "look at a page".to_owned(), why: why.to_owned() };
    let url = Url::parse(address).ok().and_then(|url| absolute(&url, url.as_str()));
    let url = url.ok_or_else(|| rejected("its address is none of the web: correct it under pages"))?;
    let operation = format!("look at {}", shown(&url));
    let failed = |failure: Failure| failure.port_error(operation.clone());
    let mut client = Client::new(network, limits, tls, &url).await.map_err(failed)?;
    let late = || Failure::TimedOut(limits.look.as_secs());
    let got = timeout(limits.look, client.get(&url, accept(Kind::Frame))).await;
    let got = got.unwrap_or_else(|_| Err(late())).map_err(failed)?;
    let moved = timeout(limits.look, client.came_from(&got.url)).await;
    moved.unwrap_or_else(|_| Err(late())).map_err(failed)?;
    let begun = network.passed();
    if !(200..300).contains(&got.status) {
        return Err(of_status(operation, got.status));
    }
    let content_type = header(&got.headers, "content-type");
    if !content_type.to_ascii_lowercase().contains("html") {
        let is = if content_type.is_empty() { "nothing" } else { &content_type };
        let why = format!("it is no HTML, its Content-Type says {is}: name a page under pages");
        return Err(PortError::Rejected { operation, why });
    }
    let (answer, plain) = taken(&got, Kind::Frame, limits);
    let plain = plain.map_err(|why| PortError::Rejected {
        operation,
        why: format!("{}: correct the header, or the coding", why.why()),
    })?;
    let is_cut = plain.len() > limits.text_bytes_max;
    let (text, charset) = charset::text(&plain[..plain.len().min(limits.text_bytes_max)], &content_type);
    let mut page = html::read(&text, &got.url);
    page.document.charset = charset;
    let mut files = Files::new(limits.files_max);
    let mut styles = Styles::default();
    styles.is_cut = is_cut;
    files.of_html(&mut page);
    for text in &page.styles {
        let base = page.base.clone().unwrap_or_else(|| got.url.clone());
        styles.take(None, base, sheet(text));
    }
    for own in std::mem::take(&mut page.own) {
        styles.take(None, page.base.clone().unwrap_or_else(|| got.url.clone()), own);
    }
    let mut done = 0;
    for _ in 0..WAVES_MAX {
        styles.name(&page, &mut files);
        let wave: Vec<(usize, Url, Kind)> =
            (done..files.urls.len()).map(|at| (at, files.urls[at].clone(), files.resources[at].kind)).collect();
        if wave.is_empty() {
            break;
        }
        done = files.urls.len();
        let fetched = futures::stream::iter(wave).map(|(at, url, kind)| {
            let client = &client;
            async move {
                let is_over = client.is_full() || network.passed().saturating_sub(begun) > limits.look;
                let got = async {
                    timeout(limits.look, client.get(&url, accept(kind))).await.unwrap_or_else(|_| Err(late()))
                };
                let got = if is_over { None } else { Some(got.await) };
                (at, kind, got)
            }
        });
        let mut fetched = fetched.buffer_unordered(limits.at_once);
        while let Some((at, kind, got)) = fetched.next().await {
            match got {
                None => files.leave_out(at),
                Some(Err(failure)) => files.resources[at].answer = Observed::Missing(failure.missing()),
                Some(Ok(got)) => {
                    let (answer, plain) = taken(&got, kind, limits);
                    if kind == Kind::Style
                        && answer.status == 200
                        && let Ok(plain) = &plain
                    {
                        styles.is_cut |= plain.len() > limits.text_bytes_max;
                        let text = charset::text(
                            &plain[..plain.len().min(limits.text_bytes_max)],
                            &header(&got.headers, "content-type"),
                        )
                        .0;
                        styles.take(Some(files.resources[at].url.clone()), got.url.clone(), sheet(&text));
                    }
                    files.resources[at].answer = Observed::Known(answer);
                }
            }
        }
    }
    let again = again(&client, &files).await;
    let left_out = crate::body::count(files.left_out.len());
    let (resources, faces) = (files.ended(&styles), styles.faces());
    Ok(PageLook {
        url: shown(&url),
        answer,
        document: page.document,
        resources,
        faces,
        again,
        left_out,
        is_cut: styles.is_cut,
    })
}

/// What is said to be wanted, as browsers say it.
fn accept(kind: Kind) -> &'static str {
    match kind {
        Kind::Frame => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        Kind::Style => "text/css,*/*;q=0.1",
        Kind::Image | Kind::Icon => "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
        Kind::Script | Kind::Font | Kind::Data => "*/*",
    }
}

/// A header as one bounded line; several of one name together.
fn header(headers: &HeaderMap, name: &str) -> String {
    let values: Vec<String> =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect();
    values.join(", ").chars().map(domain::text::plain).take(HEADER_CHARS_MAX).collect()
}

fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    HEADERS
        .iter()
        .filter(|name| headers.contains_key(**name))
        .map(|name| ((*name).to_owned(), header(headers, name)))
        .collect()
}

/// What came, as facts, and the body without its coding.
fn taken(got: &Got, kind: Kind, limits: &Limits) -> (Answer, Result<Vec<u8>, Undecoded>) {
    let coding = header(&got.headers, "content-encoding");
    let plain = decode(&got.body, &coding, limits.decoded_bytes_max);
    let is_plain_or_gzip = matches!(coding.to_ascii_lowercase().as_str(), "" | "identity" | "gzip" | "x-gzip");
    let content_type = header(&got.headers, "content-type");
    let body: Observed<Body> = match &plain {
        Ok(plain) => Observed::Known(body(plain, &Wanted { kind, content_type: &content_type, is_plain_or_gzip })),
        Err(why) => Observed::Missing(Missing::Failed(why.why().to_owned())),
    };
    let answer = Answer {
        url: shown(&got.url),
        status: got.status,
        redirects: got.redirects.clone(),
        http: got.http,
        headers: kept(&got.headers),
        transferred: crate::body::count(got.body.len()),
        body,
        ttfb_ms: got.ttfb_ms,
        total_ms: got.total_ms,
        connect_ms: got.connect_ms,
    };
    (answer, plain)
}

/// Asks once more for a static file that a cache on the way did not have, or else for one of which a cache says anything.
async fn again<N: Network>(client: &Client<'_, N>, files: &Files) -> Option<Again> {
    let says = |at: &usize| {
        let file = &files.resources[*at];
        let answer = file.answer.known().filter(|answer| answer.status == 200 && file.kind.is_static())?;
        CACHED.iter().find_map(|name| answer.headers.get(*name))
    };
    let told: Vec<usize> = (0..files.urls.len()).filter(|at| says(at).is_some()).collect();
    let missed = told.iter().find(|at| says(at).is_some_and(|said| said.to_ascii_lowercase().contains("miss")));
    let at = *missed.or(told.first())?;
    let asked = client.get(&files.urls[at], accept(files.resources[at].kind));
    let got = timeout(client.answer_max(), asked).await.ok()?.ok()?;
    Some(Again { url: files.resources[at].url.clone(), headers: kept(&got.headers) })
}
