//! Scripts and style sheets that hold up the first paint: every script in the head that is neither `async` nor `defer` nor a module; style
//! sheets from elsewhere, more or larger ones than a page needs, and any that waits among many files over HTTP/1.1. Not those for print.

use super::Told;
use super::words::{Files, good, origin, size};
use crate::finding::Severity;
use crate::performance::pages::look::{How, Http, Kind, PageLook, Resource, Use};
use crate::performance::policy::Policy;

/// Style sheets of its own that a page may wait for: one of the site, one of the page.
const STYLES_MAX: usize = 2;
/// Bytes of them on the wire: a phone on a slow line (1.6 Mbit/s) waits a quarter of a second for as many.
const STYLE_BYTES_MAX: f64 = 50_000.0;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let is_waited_for = |kind: Kind, place: &Use| {
        let is_early = place.in_head || kind == Kind::Style;
        place.how == How::Blocking && is_early && is_for_screens(place.media.as_deref())
    };
    let blocks = |resource: &Resource| resource.uses.iter().any(|place| is_waited_for(resource.kind, place));
    let all: Vec<_> = good(look).filter(|(resource, _)| blocks(resource)).collect();
    let styles = || all.iter().filter(|(resource, _)| resource.kind == Kind::Style);
    let style_bytes: f64 = styles().map(|(_, answer)| answer.transferred).sum();
    // Of its own server, whatever the scheme.
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    let home = host(origin(&look.answer.url));
    #[expect(clippy::cast_precision_loss, reason = "a count of files")]
    let over_one = good(look)
        .filter(|(resource, answer)| host(&resource.origin) == home && answer.http != Http::Two)
        .count() as f64;
    let is_crowded = over_one > policy.page_http1_requests_max;
    let are_many = styles().count() > STYLES_MAX || style_bytes > STYLE_BYTES_MAX || is_crowded;
    let is_told = |kind: Kind, from: &str| kind == Kind::Script || are_many || host(from) != home;
    let told = all.iter().filter(|(resource, _)| is_told(resource.kind, &resource.origin));
    let files = Files::new(told.map(|(resource, answer)| (resource.url.as_str(), answer.total_ms)));
    let bytes: f64 = all.iter().map(|(_, answer)| answer.transferred).sum();
    files.told("page_blocking_ms", Severity::Medium, 0.85, |files| {
        format!(
            "nothing is painted before {} file(s) are there, with all that hold it up {} ({}): <script defer src=\"…\">; styles of the first screen into the \
             page, the rest as <link rel=\"stylesheet\" media=\"print\" onload=\"this.media='all'\">",
            files.count(),
            size(bytes),
            files.names()
        )
    })
}

/// Whether a style sheet for this medium holds up a screen; a condition that only a screen can answer does not count as one.
pub(super) fn is_for_screens(media: Option<&str>) -> bool {
    media.is_none_or(|media| matches!(media.trim().to_ascii_lowercase().as_str(), "" | "all" | "screen"))
}
