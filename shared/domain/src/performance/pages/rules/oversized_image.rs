//! Images with more pixels than are shown. Twice as many in each direction are right: screens have them.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, How, PageLook, Resource};
use crate::performance::policy::Policy;

/// Pixels of a screen for one of CSS, each way.
const DENSITY: f64 = 2.0;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let saves = |resource: &Resource, answer: &Answer| {
        let picture = answer.body.known()?.picture.as_ref()?;
        // Where it is shown largest.
        let shown = resource.uses.iter().filter(|place| place.how == How::Shown).map(|place| {
            let ratio = picture.height / picture.width.max(1.0);
            match (place.width, place.height) {
                (Some(width), Some(height)) => Some(width * height),
                (Some(width), None) => Some(width * width * ratio),
                (None, Some(height)) => Some(height * height / ratio.max(1e-3)),
                (None, None) => None,
            }
        });
        // A place whose size is not known may be the largest.
        let largest = shown.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)?;
        let needed = largest * DENSITY * DENSITY / (picture.width * picture.height).max(1.0);
        let saves = answer.transferred * (1.0 - needed);
        (saves >= policy.page_saves_bytes_min).then_some(saves)
    };
    let files = good(look).filter_map(|(resource, answer)| Some((resource.url.as_str(), saves(resource, answer)?)));
    let files = Files::new(files);
    files.told("page_saved_bytes", Severity::Low, 0.8, |files| {
        format!(
            "{} image(s) have far more pixels than are shown, even on a screen of twice the density; {} could be saved ({}): make smaller ones and let the \
             browser choose: <img srcset=\"small.webp 480w, large.webp 960w\" sizes=\"480px\" …>",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
