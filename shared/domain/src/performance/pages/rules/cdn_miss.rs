//! A static file that the CDN had to fetch twice in a row: it keeps nothing of its kind.

use super::Told;
use super::words::place;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::headers::{Sender, caching, is_miss, sender};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let again = look.again.as_ref()?;
    let first = look.resources.iter().find(|resource| resource.url == again.url)?.answer.known()?;
    if is_miss(&first.headers) != Some(true) || is_miss(&again.headers) != Some(true) {
        return None;
    }
    let says = caching(&again.headers);
    let why = if says.no_store || says.fresh_s == Some(0.0) {
        "its own Cache-Control forbids it"
    } else if again
        .headers
        .get("vary")
        .is_some_and(|vary| vary.contains('*') || vary.to_ascii_lowercase().contains("cookie"))
    {
        "its Vary makes each visitor's copy another"
    } else {
        "cookies, headers or the query in the cache key may make each request another"
    };
    let how = if sender(&again.headers) == Sender::CloudFront {
        "use the cache policy \"Managed-CachingOptimized\" for its path, and a MinTTL above 0"
    } else {
        "cache its path by rule, without cookies and headers in the key"
    };
    Some(Told {
        severity: Severity::Medium,
        confidence: 0.7,
        summary: format!("the CDN had to fetch {} twice in a row: {why}; {how}", place(&again.url)),
        evidence: vec![Evidence::level("page_cdn_miss_ms", first.ttfb_ms, place(&again.url))],
    })
}
