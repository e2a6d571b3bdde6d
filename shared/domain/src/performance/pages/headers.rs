//! What headers say of caches and of who has sent an answer (RFC 9111, RFC 9211).

use super::look::{Answer, PageLook};
use jiff::fmt::rfc2822::DateTimeParser;
use std::collections::BTreeMap;

/// Headers of an answer.
pub(super) type Headers = BTreeMap<String, String>;

/// What an answer lets a browser do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Caching {
    /// Seconds for which it may be used without asking; `None` where nothing says.
    pub(super) fresh_s: Option<f64>,
    /// It must not be kept.
    pub(super) no_store: bool,
    /// It must be asked for each time.
    pub(super) no_cache: bool,
    /// It never changes.
    pub(super) immutable: bool,
}

/// Reads `Cache-Control`, else `Expires`.
pub(super) fn caching(headers: &Headers) -> Caching {
    let mut caching = Caching::default();
    let control = headers.get("cache-control").map(String::as_str).unwrap_or_default().to_ascii_lowercase();
    for directive in control.split(',').map(str::trim) {
        match directive.split_once('=').unwrap_or((directive, "")) {
            ("no-store", _) => caching.no_store = true,
            ("no-cache", _) => caching.no_cache = true,
            ("immutable", _) => caching.immutable = true,
            ("max-age", seconds) => caching.fresh_s = seconds.trim_matches('"').parse().ok(),
            _ => {}
        }
    }
    if caching.fresh_s.is_none() {
        let date = |name: &str| DateTimeParser::new().parse_timestamp(headers.get(name)?).ok();
        if let Some((expires, date)) = date("expires").zip(date("date")) {
            caching.fresh_s = Some(expires.duration_since(date).as_secs_f64().max(0.0));
        }
    }
    caching
}

/// Whether a cache on the way had to ask behind it: `Some(true)` for a miss, `None` where there is no cache, or it does not say.
pub(super) fn is_miss(headers: &Headers) -> Option<bool> {
    let said = ["x-cache", "cf-cache-status", "cache-status", "x-vercel-cache"]
        .into_iter()
        .find_map(|name| headers.get(name))?;
    let said = said.to_ascii_lowercase();
    if said.contains("hit") || said.contains("stale") || said.contains("updating") {
        return Some(false);
    }
    (said.contains("miss") || said.contains("expired") || said.contains("dynamic") || said.contains("fwd="))
        .then_some(true)
}

/// Who has sent an answer, as far as its headers say: decides in whose words advice is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sender {
    CloudFront,
    Cloudflare,
    Other,
}

pub(super) fn sender(headers: &Headers) -> Sender {
    let has = |name: &str, part: &str| headers.get(name).is_some_and(|value| value.to_ascii_lowercase().contains(part));
    if has("via", "cloudfront") || has("x-cache", "cloudfront") || headers.contains_key("x-amz-cf-id") {
        Sender::CloudFront
    } else if headers.contains_key("cf-cache-status") || headers.contains_key("cf-ray") || has("server", "cloudflare") {
        Sender::Cloudflare
    } else {
        Sender::Other
    }
}

impl PageLook {
    /// Who has sent the page.
    pub(super) fn sender(&self) -> Sender {
        sender(&self.answer.headers)
    }
}

impl Answer {
    /// A header.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Text that compressing makes smaller, by its type.
    pub(super) fn is_text(&self) -> bool {
        let of = self.header("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let names = ["javascript", "json", "xml", "wasm", "ecmascript", "manifest"];
        of.starts_with("text/") || names.iter().any(|name| of.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(all: &[(&str, &str)]) -> Headers {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn how_long_an_answer_is_fresh_is_said_by_either_header() {
        let control = |value| caching(&headers(&[("cache-control", value)]));
        assert_eq!(control("public, max-age=60").fresh_s, Some(60.0));
        assert_eq!(control("Public, Max-Age=\"60\", Immutable").fresh_s, Some(60.0));
        assert!(control("no-cache").no_cache && control("private, no-store").no_store);
        assert_eq!(control("max-age=x").fresh_s, None);
        let date = ("date", "Wed, 21 Oct 2015 07:28:00 GMT");
        let of = caching(&headers(&[date, ("expires", "Wed, 21 Oct 2015 08:28:00 GMT")]));
        assert_eq!(of.fresh_s, Some(3_600.0));
        assert_eq!(caching(&headers(&[date, ("expires", "0")])).fresh_s, None);
        let both =
            caching(&headers(&[date, ("expires", "Wed, 21 Oct 2015 08:28:00 GMT"), ("cache-control", "max-age=5")]));
        assert_eq!(both.fresh_s, Some(5.0), "Cache-Control goes first");
    }

    #[test]
    fn caches_say_whether_they_had_it() {
        let said = |name, value| is_miss(&headers(&[(name, value)]));
        assert_eq!(said("x-cache", "Miss from cloudfront"), Some(true));
        assert_eq!(said("x-cache", "RefreshHit from cloudfront"), Some(false));
        assert_eq!(said("x-cache", "MISS, HIT"), Some(false), "one of two layers had it");
        assert_eq!(said("cf-cache-status", "DYNAMIC"), Some(true));
        assert_eq!(said("cache-status", "edge; hit"), Some(false));
        assert_eq!(said("age", "3"), None);
        assert_eq!(said("x-cache", "Error from cloudfront"), None);
    }
}
