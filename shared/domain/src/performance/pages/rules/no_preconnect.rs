//! Other servers that a first paint waits for, found only while the page is read: a connection to them could be there already.

use super::Told;
use super::words::{Files, good, origin};
use crate::finding::Severity;
use crate::performance::pages::look::{How, Kind, PageLook, Resource};
use crate::performance::policy::Policy;
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let home = origin(&look.answer.url);
    // What the HTML names in its head is found at once: to connect a moment sooner would gain nothing.
    let is_found_late = |resource: &Resource| {
        resource.kind == Kind::Font
            || resource.uses.iter().any(|place| matches!(place.how, How::Import | How::Background))
    };
    // Or an element does: then one is opened for that.
    let early: BTreeSet<&str> = look
        .resources
        .iter()
        .filter(|resource| resource.uses.iter().any(|place| place.style.is_none()))
        .map(|resource| resource.origin.as_str())
        .collect();
    let mut late: BTreeMap<&str, f64> = BTreeMap::new();
    for (resource, answer) in good(look).filter(|(resource, _)| is_found_late(resource)) {
        let is_ready = resource.origin == home || look.document.preconnects.contains(&resource.origin);
        if !is_ready && !early.contains(resource.origin.as_str()) {
            let ms = late.entry(&resource.origin).or_default();
            *ms = ms.max(answer.connect_ms.unwrap_or(0.0));
        }
    }
    Files::new(late.into_iter()).told("page_connect_ms", Severity::Low, 0.7, |hosts| {
        format!(
            "{} other server(s) are found only in style sheets ({}): <link rel=\"preconnect\" href=\"https://…\" crossorigin> in the head, or serve these files \
             yourself",
            hosts.count(),
            hosts.names()
        )
    })
}
