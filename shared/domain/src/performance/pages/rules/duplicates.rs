//! The same bytes under several addresses.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::Severity;
use crate::performance::pages::look::{Kind, PageLook};
use crate::performance::policy::Policy;
use std::collections::BTreeSet;

/// Smaller files are empty images and the like.
const BYTES_MIN: f64 = 1_024.0;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let mut seen: BTreeSet<(u32, u64)> = BTreeSet::new();
    let files = good(look).filter_map(|(resource, answer)| {
        let body = answer.body.known().filter(|body| body.bytes >= BYTES_MIN && resource.kind != Kind::Frame)?;
        let is_new = seen.insert((body.mark, body.bytes.to_bits()));
        (!is_new).then_some((resource.url.as_str(), answer.transferred))
    });
    Files::new(files).told("page_saved_bytes", Severity::Low, 0.95, |files| {
        format!(
            "{} file(s) are loaded a second time under another address, {} ({}): name each file by one address",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
