//! A page that must not be kept: browsers load it anew when people go back to it.

use super::Told;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::headers::caching;
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    caching(&look.answer.headers).no_store.then(|| Told {
        severity: Severity::Low,
        confidence: 0.8,
        summary: "\"Cache-Control: no-store\" keeps this page from being restored at once when people go back to it: send \"no-cache\" instead, unless it \
                  shows what the next person at this machine must not see"
            .to_owned(),
        evidence: vec![Evidence::level("page_total_ms", look.answer.total_ms, "milliseconds to load it anew")],
    })
}
