//! Scripts and style sheets that hold up the first paint: every script in the head that is neither `async` nor `defer` nor a module; style
//! sheets from elsewhere, or more than a page needs. Not those for print.

use super::Told;
use super::words::{Files, good, origin, size};
use crate::finding::Severity;
use crate::performance::pages::look::{How, Kind, PageLook, Use};
use crate::performance::policy::Policy;

/// Style sheets of its own that a page may wait for: one of the site, one of the page.
const STYLES_MAX: usize = 2;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let blocks = |place: &Use| place.how == How::Blocking && place.in_head && is_for_screens(place.media.as_deref());
    let all: Vec<_> = good(look).filter(|(resource, _)| resource.uses.iter().any(blocks)).collect();
    let styles = all.iter().filter(|(resource, _)| resource.kind == Kind::Style).count();
    // Of its own server, whatever the scheme.
    let host = |origin: &str| origin.split_once("://").map(|(_, host)| host.to_owned());
    let home = host(origin(&look.answer.url));
    let is_told = |kind: Kind, from: &str| kind == Kind::Script || styles > STYLES_MAX || host(from) != home;
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
