//! Scripts that bring what every browser of the last five years has.

use super::Told;
use super::words::{Files, good};
use crate::finding::Severity;
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

/// One alone may be a feature test.
const POLYFILLS_MIN: usize = 2;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let files = good(look).filter_map(|(resource, answer)| {
        let count = answer.body.known()?.polyfills.len();
        #[expect(clippy::cast_precision_loss, reason = "a count of names")]
        (count >= POLYFILLS_MIN).then_some((resource.url.as_str(), count as f64))
    });
    Files::new(files).told("page_polyfills", Severity::Low, 0.7, |files| {
        format!(
            "{} script(s) bring {:.0} function(s) that every browser of the last five years has ({}): build for them (browserslist \"baseline widely \
             available\") without polyfills",
            files.count(),
            files.sum(),
            files.names()
        )
    })
}
