//! The first large image of a page comes with the priority of any image.

use super::Told;
use super::words::{first_large_image, place};
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::{How, PageLook};
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let (resource, shown, answer) = first_large_image(look)?;
    let is_early =
        resource.uses.iter().any(|place| place.how == How::Preload || place.priority.as_deref() == Some("high"));
    (!shown.is_lazy && !is_early).then(|| Told {
        severity: Severity::Low,
        confidence: 0.6,
        summary: format!(
            "the first large image, {}, waits behind scripts and styles: <img fetchpriority=\"high\" …>",
            place(&resource.url)
        ),
        evidence: vec![Evidence::level("page_image_ms", answer.total_ms, place(&resource.url))],
    })
}
