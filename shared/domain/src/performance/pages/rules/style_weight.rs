//! More style than a first paint should wait for.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::{Kind, PageLook};
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let files = good(look).filter(|(resource, _)| resource.kind == Kind::Style);
    let files = Files::new(files.map(|(resource, answer)| (resource.url.as_str(), answer.transferred)));
    let bytes = files.sum();
    (bytes > policy.page_style_bytes_max).then(|| Told {
        severity: Severity::Low,
        confidence: 0.9,
        summary: format!(
            "its style sheets take {} on the wire ({}): split them by page, and drop rules that nothing uses",
            size(bytes),
            files.names()
        ),
        evidence: vec![Evidence::against("page_style_bytes", bytes, policy.page_style_bytes_max, "bytes on the wire")],
    })
}
