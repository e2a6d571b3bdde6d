//! The first large image of a page waits until the layout is known, though it is what people look at.

use super::Told;
use super::words::{first_large_image, place};
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let (resource, shown, answer) = first_large_image(look)?;
    shown.is_lazy.then(|| Told {
        severity: Severity::Medium,
        confidence: 0.7,
        summary: format!(
            "the first large image, {}, has loading=\"lazy\" and begins to load only after the layout: <img fetchpriority=\"high\" …> without loading",
            place(&resource.url)
        ),
        evidence: vec![Evidence::level("page_image_ms", answer.total_ms, place(&resource.url))],
    })
}
