//! Files that are not there. Not what was refused to be asked for, which is no fault of the page.

use super::Told;
use super::words::Files;
use crate::finding::Severity;
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let broken = look.resources.iter().filter_map(|resource| {
        let status = resource.answer.known()?.status;
        (status >= 400).then_some((resource.url.as_str(), f64::from(status)))
    });
    Files::new(broken).told("page_broken_status", Severity::Medium, 0.9, |files| {
        format!(
            "{} file(s) of the page are answered with an error ({}): put them there, or take them out of the page",
            files.count(),
            files.names()
        )
    })
}
