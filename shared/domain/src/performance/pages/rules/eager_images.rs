//! Images far down a page that are loaded before anybody scrolls there. Where they stand is guessed from their order.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::Severity;
use crate::performance::pages::look::{How, Kind, PageLook};
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let mut shown: Vec<(f64, &str, f64)> = good(look)
        .filter(|(resource, _)| resource.kind == Kind::Image)
        .filter_map(|(resource, answer)| {
            let places = resource.uses.iter().filter(|place| place.how == How::Shown);
            let first = places.clone().map(|place| place.at).reduce(f64::min)?;
            let is_eager = places.clone().any(|place| !place.is_lazy && place.priority.as_deref() != Some("high"));
            Some((first, resource.url.as_str(), if is_eager { answer.transferred } else { 0.0 }))
        })
        .collect();
    shown.sort_by(|a, b| a.0.total_cmp(&b.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of images")]
    let first = policy.page_eager_images_max as usize;
    let below = shown.into_iter().skip(first).filter(|(_, _, bytes)| *bytes > 0.0);
    let files = Files::new(below.map(|(_, url, bytes)| (url, bytes)));
    if files.sum() < policy.page_saves_bytes_min {
        return None;
    }
    files.told("page_saved_bytes", Severity::Low, 0.6, |files| {
        format!(
            "{} image(s) after the first {first} are loaded at once, {} ({}): <img loading=\"lazy\" …> for what stands below the first screen",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
