//! Files that are fetched early and that neither the HTML nor a style sheet uses. A script may.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::Severity;
use crate::performance::pages::look::{How, Kind, PageLook};
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let is_unused = |kind: Kind, only: bool| only && !matches!(kind, Kind::Data | Kind::Script);
    let files = good(look)
        .filter(|(resource, _)| is_unused(resource.kind, resource.uses.iter().all(|place| place.how == How::Preload)));
    let files = Files::new(files.map(|(resource, answer)| (resource.url.as_str(), answer.transferred)));
    files.told("page_saved_bytes", Severity::Low, 0.6, |files| {
        format!(
            "{} preloaded file(s), {}, are used by neither HTML nor style sheets ({}): take the <link rel=\"preload\"> out, unless a script uses them",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
