//! A server that takes long to begin its answer. Without the time to connect.

use super::Told;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let ms = look.answer.ttfb_ms;
    let timing = look.answer.header("server-timing");
    let says =
        if timing.is_empty() { String::new() } else { format!(" (it says itself: {})", crate::text::line(timing)) };
    (ms > policy.page_ttfb_ms_max).then(|| Told {
        severity: Severity::Medium,
        confidence: 0.8,
        summary: format!(
            "the server took {ms:.0} ms to begin its answer{says}: look at the queries of this page, keep it in a cache, or let the CDN keep it for a moment \
             (Cache-Control: s-maxage=60, stale-while-revalidate=600)"
        ),
        evidence: vec![Evidence::against("page_ttfb_ms", ms, policy.page_ttfb_ms_max, "milliseconds")],
    })
}
