//! A page that phones show as small as on a desk, and on which every tap waits 300 ms.

use super::Told;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    look.document.viewport.as_deref().is_none_or(|content| !content.contains("width=") && !content.contains("initial-scale")).then(|| Told {
        severity: Severity::Low,
        confidence: 0.95,
        summary: "phones show the page as on a desk and wait 300 ms after each tap: <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"> in the head".to_owned(),
        evidence: vec![Evidence::level("page_without_viewport", 1.0, "it is not there")],
    })
}
