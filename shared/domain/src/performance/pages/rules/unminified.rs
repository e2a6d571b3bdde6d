//! Scripts and styles with their comments and blanks.

use super::Told;
use super::words::{Files, good, size};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, PageLook};
use crate::performance::policy::Policy;

/// Least share of blanks and comments: what a minifier leaves is less.
const SHARE_MIN: f64 = 0.15;
/// Least bytes on the wire that it must save, as in Lighthouse.
const SAVES_MIN: f64 = 2_048.0;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let saves = |answer: &Answer| {
        let body = answer.body.known()?;
        let share = body.blank_bytes? / body.bytes.max(1.0);
        let saves = answer.transferred * share;
        (share >= SHARE_MIN && saves >= SAVES_MIN).then_some(saves)
    };
    let files = Files::new(good(look).filter_map(|(resource, answer)| Some((resource.url.as_str(), saves(answer)?))));
    files.told("page_saved_bytes", Severity::Low, 0.85, |files| {
        format!(
            "{} script(s) and style sheet(s) hold comments and blanks, {} of the page ({}): minify them when they are built (esbuild --minify)",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
