//! Photographs and drawings that WebP or AVIF would make much smaller. An estimate: a sixth of a byte for a pixel, as Lighthouse has it.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, Format, PageLook};
use crate::performance::policy::Policy;

/// Bytes that a pixel takes in WebP, as Lighthouse expects.
const BYTES_PER_PIXEL: f64 = 0.2;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let saves = |answer: &Answer| {
        let picture = answer.body.known()?.picture.as_ref()?;
        let is_old = matches!(picture.format, Format::Png | Format::Jpeg) && !picture.is_animated;
        let saves = answer.transferred - picture.width * picture.height * BYTES_PER_PIXEL;
        (is_old && saves >= policy.page_saves_bytes_min).then_some(saves)
    };
    let files = Files::new(good(look).filter_map(|(resource, answer)| Some((resource.url.as_str(), saves(answer)?))));
    files.told("page_saved_bytes", Severity::Low, 0.6, |files| {
        format!(
            "{} image(s) are PNG or JPEG; WebP or AVIF would save about {} (an estimate from their pixels; {}): \
             <picture><source type=\"image/avif\" srcset=\"….avif\"><img src=\"….jpg\"></picture>",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
