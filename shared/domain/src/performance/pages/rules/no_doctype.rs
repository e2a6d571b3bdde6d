//! A page that browsers lay out by the rules of the nineties.

use super::Told;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    (!look.document.has_doctype).then(|| Told {
        severity: Severity::Low,
        confidence: 0.95,
        summary: "the page does not begin with a doctype, so browsers imitate those of the nineties: <!doctype html> as its first line".to_owned(),
        evidence: vec![Evidence::level("page_without_doctype", 1.0, "it is not there")],
    })
}
