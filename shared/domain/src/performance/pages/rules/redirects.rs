//! Redirects on the way to the page, and to its files: each costs the time of a request. Not that of `http` to `https` on the same host
//! where people have typed `http`.

use super::Told;
use super::words::{Files, answers};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, Hop, PageLook};
use crate::performance::policy::Policy;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let ms = |answer: &Answer| {
        let counted = answer.redirects.iter().enumerate().filter(|(at, hop)| !is_upgrade(*at, hop, answer));
        let ms: Vec<f64> = counted.map(|(_, hop)| hop.ms).collect();
        (!ms.is_empty()).then(|| ms.iter().sum())
    };
    let files = Files::new(answers(look).filter_map(|(url, answer)| Some((url, ms(answer)?))));
    files.told("page_redirect_ms", Severity::Low, 0.9, |files| {
        format!(
            "{} address(es) are reached by a redirect, {:.0} ms from here and more from a phone ({}): name the address where they end in links and in HTML",
            files.count(),
            files.sum(),
            files.names()
        )
    })
}

/// The first step from `http` to the same address with `https`.
fn is_upgrade(at: usize, hop: &Hop, answer: &Answer) -> bool {
    let next = answer.redirects.get(at + 1).map_or(&answer.url, |next| &next.url);
    hop.url.strip_prefix("http://").zip(next.strip_prefix("https://")).is_some_and(|(from, to)| from == to)
}
