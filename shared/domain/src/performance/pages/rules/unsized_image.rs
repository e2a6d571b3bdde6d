//! Images for which no room is kept: what stands below them jumps when they come.

use super::Told;
use super::words::{Files, good};
use crate::finding::Severity;
use crate::performance::pages::look::{How, Kind, PageLook};
use crate::performance::policy::Policy;

/// Smaller ones move little.
const PIXELS_MIN: f64 = 64.0;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let files = good(look).filter_map(|(resource, answer)| {
        let is_open = resource.kind == Kind::Image
            && resource.uses.iter().any(|place| place.how == How::Shown && !place.is_sized);
        let height = answer.body.known()?.picture.as_ref()?.height;
        (is_open && height >= PIXELS_MIN).then_some((resource.url.as_str(), height))
    });
    Files::new(files).told("page_image_height_px", Severity::Low, 0.8, |files| {
        format!(
            "{} image(s) have neither width and height nor an aspect-ratio, so what stands below jumps when they come ({}): <img width=\"…\" height=\"…\" …> \
             with the image's own pixels, and \"height: auto\" in the style",
            files.count(),
            files.names()
        )
    })
}
