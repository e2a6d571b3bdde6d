//! Animations as GIF, which a video shows in a tenth of the bytes.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, Format, PageLook};
use crate::performance::policy::Policy;

/// Smaller ones are signs; Lighthouse's bound.
const BYTES_MIN: f64 = 102_400.0;
/// Share that a video saves, by Lighthouse's rule from a sample of GIFs: `0.29 · log10(bytes) − 0.67`, here at most 0.9.
fn saves(bytes: f64) -> f64 {
    bytes * (0.29 * bytes.log10() - 0.67).clamp(0.0, 0.9)
}

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let is_animation = |answer: &Answer| {
        let picture = answer.body.known().and_then(|body| body.picture.as_ref());
        picture.is_some_and(|picture| picture.format == Format::Gif && picture.is_animated)
    };
    let files = good(look).filter(|(_, answer)| answer.transferred >= BYTES_MIN && is_animation(answer));
    let files = Files::new(files.map(|(resource, answer)| (resource.url.as_str(), saves(answer.transferred))));
    files.told("page_saved_bytes", Severity::Low, 0.9, |files| {
        format!(
            "{} animation(s) are GIF; as a video they would save about {} ({}): <video autoplay loop muted playsinline width=\"…\" height=\"…\"> with WebM and MP4",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
