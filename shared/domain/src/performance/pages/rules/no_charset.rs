//! A page that does not say its encoding: browsers guess, and may begin again.

use super::Told;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    look.document.charset.is_none().then(|| Told {
        severity: Severity::Low,
        confidence: 0.95,
        summary: "neither the header nor the first 1,024 bytes name the encoding: send \"Content-Type: text/html; charset=utf-8\"".to_owned(),
        evidence: vec![Evidence::level("page_without_charset", 1.0, "it is not there")],
    })
}
