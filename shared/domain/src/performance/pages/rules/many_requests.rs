//! A page that loads very many files.

use super::Told;
use super::words::good;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let eager = good(look).filter(|(resource, _)| resource.uses.iter().any(|place| !place.is_lazy)).count();
    #[expect(clippy::cast_precision_loss, reason = "a count of files")]
    let files = eager as f64 + look.left_out;
    (files > policy.page_requests_max).then(|| Told {
        severity: Severity::Low,
        confidence: 0.9,
        summary: format!(
            "the page loads {files} files at once: put scripts and styles of one page into one file each, small images into a sprite or the style sheet, and \
             loading=\"lazy\" on what is below the first screen"
        ),
        evidence: vec![Evidence::against("page_requests", files, policy.page_requests_max, "files")],
    })
}
