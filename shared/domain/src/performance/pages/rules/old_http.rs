//! Many files over HTTP/1.1, one after another on six connections. Not from this machine's own servers without TLS, where browsers speak
//! nothing else.

use super::Told;
use super::words::{Files, answers, origin, set};
use crate::finding::Severity;
use crate::performance::pages::look::{Http, PageLook};
use crate::performance::policy::Policy;
use std::collections::BTreeMap;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for (url, _) in answers(look).filter(|(_, answer)| answer.http != Http::Two && answer.url.starts_with("https://")) {
        *counts.entry(origin(url)).or_default() += 1.0;
    }
    let hosts = Files::new(counts.into_iter().filter(|(_, count)| *count > policy.page_http1_requests_max));
    let how = set(
        look,
        "in CloudFront set the supported HTTP versions to \"http2and3\"",
        "in Cloudflare switch on HTTP/2 and HTTP/3",
        "nginx \"http2 on;\" in the server that listens with ssl; a load balancer of AWS speaks it by default",
    );
    hosts.told("page_http1_requests", Severity::Low, 0.9, |hosts| {
        format!(
            "{:.0} files come over HTTP/1.1, where browsers fetch six at a time ({}): {how}",
            hosts.sum(),
            hosts.names()
        )
    })
}
