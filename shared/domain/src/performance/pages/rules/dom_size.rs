//! A page of very many elements: every change of style is computed for all of them.

use super::Told;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let document = &look.document;
    (document.elements > policy.page_elements_max).then(|| Told {
        severity: Severity::Low,
        confidence: 0.9,
        summary: format!(
            "the page has {} elements, {} deep, up to {} in one: send fewer rows at once, and \"content-visibility: auto\" on what is below the first screen",
            document.elements, document.depth, document.widest
        ),
        evidence: vec![
            Evidence::against("page_elements", document.elements, policy.page_elements_max, "elements"),
            Evidence::level("page_depth", document.depth, "elements within elements"),
            Evidence::level("page_widest", document.widest, "children of one element"),
        ],
    })
}
