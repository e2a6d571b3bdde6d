//! Scripts that write into the page while it is parsed: browsers stop reading ahead, and on slow lines refuse what is written.

use super::Told;
use super::words::{Files, good};
use crate::finding::Severity;
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let own = look.document.writes_document.then_some((look.url.as_str(), 1.0));
    let writes = good(look).filter(|(_, answer)| answer.body.known().is_some_and(|body| body.writes_document));
    let files = Files::new(own.into_iter().chain(writes.map(|(resource, _)| (resource.url.as_str(), 1.0))));
    files.told("page_document_write", Severity::Medium, 0.7, |files| {
        format!(
            "{} script(s) call document.write ({}): append elements instead, or load them with <script async>",
            files.count(),
            files.names()
        )
    })
}
