//! Files without encryption on a page with it: browsers refuse scripts and styles, and warn of the rest.

use super::Told;
use super::words::Files;
use crate::finding::Severity;
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    if !look.answer.url.starts_with("https://") {
        return None;
    }
    let files = look.resources.iter().filter(|resource| resource.url.starts_with("http://"));
    let files = Files::new(files.map(|resource| (resource.url.as_str(), 1.0)));
    files.told("page_mixed_content", Severity::Medium, 0.95, |files| {
        format!(
            "{} file(s) are named with http on a page with https ({}): write https, or send \"Content-Security-Policy: upgrade-insecure-requests\"",
            files.count(),
            files.names()
        )
    })
}
