//! A page that is heavy with all it loads.

use super::Told;
use super::words::{Files, answers, size};
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let files = Files::new(answers(look).map(|(url, answer)| (url, answer.transferred)));
    let bytes = files.sum();
    (bytes > policy.page_bytes_max).then(|| Told {
        severity: Severity::Medium,
        confidence: 0.95,
        summary: format!(
            "the page takes {} on the wire, most of it {}: what is told of these files makes it lighter",
            size(bytes),
            files.names()
        ),
        evidence: vec![Evidence::against("page_bytes", bytes, policy.page_bytes_max, "bytes on the wire")],
    })
}
