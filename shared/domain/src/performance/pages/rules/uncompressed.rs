//! Text that comes without compression. Not what is too small to gain by it, nor what is packed already, such as fonts and photographs.

use super::Told;
use super::words::{Files, answers, set, size};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, PageLook};
use crate::performance::policy::Policy;

/// Least share that it must save, as in Lighthouse.
const SHARE_MIN: f64 = 0.1;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let saves = |answer: &Answer| {
        let body = answer.body.known()?;
        let saves = body.bytes - body.gzip_bytes?;
        let is_plain = matches!(answer.header("content-encoding"), "" | "identity") && answer.is_text();
        (is_plain && saves >= policy.page_compress_bytes_min && saves >= SHARE_MIN * body.bytes).then_some(saves)
    };
    let files = Files::new(answers(look).filter_map(|(url, answer)| Some((url, saves(answer)?))));
    let how = set(
        look,
        "in CloudFront switch on \"Compress objects automatically\" and use a cache policy with EnableAcceptEncodingGzip and EnableAcceptEncodingBrotli",
        "in Cloudflare switch on Compression for these types, and let the origin not send \"Cache-Control: no-transform\"",
        "let the server compress: nginx \"gzip on; gzip_types text/css application/javascript application/json image/svg+xml;\", or brotli at build time",
    );
    let severity = if files.sum() >= 100_000.0 { Severity::Medium } else { Severity::Low };
    files.told("page_saved_bytes", severity, 0.95, |files| {
        format!(
            "{} file(s) come without compression; gzip would save {} of the page ({}): {how}",
            files.count(),
            size(files.sum()),
            files.names()
        )
    })
}
