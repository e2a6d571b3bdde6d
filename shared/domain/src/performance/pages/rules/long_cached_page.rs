//! A page that browsers show for long without asking: people see the old one, and old pages name files that are gone.

use super::Told;
use super::words::time;
use crate::finding::{Evidence, Severity};
use crate::performance::pages::headers::caching;
use crate::performance::pages::look::PageLook;
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let says = caching(&look.answer.headers);
    let fresh =
        says.fresh_s.filter(|fresh| *fresh > policy.page_html_cache_s_max && !says.no_cache && !says.no_store)?;
    Some(Told {
        severity: Severity::Low,
        confidence: 0.7,
        summary: format!(
            "browsers show this page for {} without asking whether it has changed: send \"Cache-Control: no-cache\" with an ETag, or \"s-maxage\" if only the \
             CDN is to keep it",
            time(fresh)
        ),
        evidence: vec![Evidence::against("page_fresh_s", fresh, policy.page_html_cache_s_max, "seconds")],
    })
}
