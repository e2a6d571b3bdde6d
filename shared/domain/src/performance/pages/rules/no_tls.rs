//! A page that ends up without encryption. Not one on this machine.

use super::Told;
use super::words::{is_here, set};
use crate::finding::{Evidence, Severity};
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let url = &look.answer.url;
    let how = set(
        look,
        "in CloudFront set the viewer protocol policy to \"redirect-to-https\"",
        "in Cloudflare switch on \"Always Use HTTPS\"",
        "redirect http to https, and send \"Strict-Transport-Security: max-age=31536000\"",
    );
    (url.starts_with("http://") && !is_here(url)).then(|| Told {
        severity: Severity::High,
        confidence: 0.95,
        summary: format!(
            "the page is shown without encryption, and so without HTTP/2 and compression by brotli: {how}"
        ),
        evidence: vec![Evidence::level("page_without_tls", 1.0, super::words::place(url))],
    })
}
