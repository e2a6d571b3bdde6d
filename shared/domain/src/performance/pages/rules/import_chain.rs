//! Style sheets that a style sheet loads: they are found only when it is there, one after another.

use super::Told;
use super::words::{Files, good};
use crate::finding::Severity;
use crate::performance::pages::look::{How, PageLook};
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let files = good(look).filter(|(resource, _)| {
        resource
            .uses
            .iter()
            .all(|place| place.how == How::Import && super::render_blocking::is_for_screens(place.media.as_deref()))
    });
    let files = Files::new(files.map(|(resource, answer)| (resource.url.as_str(), answer.total_ms)));
    files.told("page_chain_ms", Severity::Low, 0.9, |files| {
        format!(
            "{} style sheet(s) are loaded by @import, each only after the one that names it ({}): <link rel=\"stylesheet\"> in the head, or one file",
            files.count(),
            files.names()
        )
    })
}
