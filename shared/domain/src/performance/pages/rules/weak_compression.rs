//! Text that gzip could pack better, or that brotli would.

use super::Told;
use super::words::{Files, answers, size};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, PageLook};
use crate::performance::policy::Policy;

/// What brotli saves of what gzip has left, of text; at its default strength a sixth, so this is a low guess.
const BROTLI_SAVES: f64 = 0.12;
/// Least bytes on the wire of a file that is worth it.
const BYTES_MIN: f64 = 50_000.0;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let saves = |answer: &Answer| {
        let best = answer.body.known()?.gzip_bytes?;
        let is_gzip = matches!(answer.header("content-encoding"), "gzip" | "x-gzip") && answer.is_text();
        let saves = answer.transferred - best * (1.0 - BROTLI_SAVES);
        (is_gzip && answer.transferred >= BYTES_MIN && saves >= policy.page_saves_bytes_min).then_some(saves)
    };
    let files = Files::new(answers(look).filter_map(|(url, answer)| Some((url, saves(answer)?))));
    files.told("page_saved_bytes", Severity::Low, 0.7, |files| {
        format!(
            "{} large file(s) come as gzip though brotli was asked for; it would save about {} (an estimate; {}): pack static files with brotli when they \
             are built, or let the CDN do it (CloudFront: EnableAcceptEncodingBrotli in the cache policy)",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
