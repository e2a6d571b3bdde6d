//! Static files that browsers keep for too short a time, or of which nothing says how long. Not what is asked for again each time on
//! purpose (`no-cache` with a validator), and not data.

use super::Told;
use super::words::{Files, good, set, size, time};
use crate::finding::Severity;
use crate::performance::pages::headers::caching;
use crate::performance::pages::look::{Answer, Kind, PageLook};
use crate::performance::policy::Policy;

/// Smaller files are counters of visits and the like.
const BYTES_MIN: f64 = 512.0;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let is_short = |kind: Kind, answer: &Answer| {
        let says = caching(&answer.headers);
        let is_asked = says.no_cache
            && !says.no_store
            && (answer.headers.contains_key("etag") || answer.headers.contains_key("last-modified"));
        let is_kept =
            !says.no_store && !says.no_cache && says.fresh_s.is_some_and(|fresh| fresh >= policy.page_cache_s_min);
        kind.is_static() && answer.transferred >= BYTES_MIN && !is_asked && !is_kept
    };
    let files = good(look).filter(|(resource, answer)| is_short(resource.kind, answer));
    let files = Files::new(files.map(|(resource, answer)| (resource.url.as_str(), answer.transferred)));
    let how = set(
        look,
        "in CloudFront attach a response headers policy with \"Cache-Control: public, max-age=31536000, immutable\" (override on) to their path",
        "in Cloudflare set a cache rule with the browser TTL of a year for their path",
        "send \"Cache-Control: public, max-age=31536000, immutable\" with files whose name holds a hash",
    );
    files.told("page_uncached_bytes", Severity::Low, 0.9, |files| {
        format!(
            "{} static file(s), {}, are kept by browsers for less than {} ({}): {how}; where a name stays when the content changes, give it a hash first",
            files.count(),
            size(files.sum()),
            time(policy.page_cache_s_min),
            files.names()
        )
    })
}
