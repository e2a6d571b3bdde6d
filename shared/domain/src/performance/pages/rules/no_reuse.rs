//! A server that closes the connection after each answer: every file pays for a new one, with TLS two or three round trips.

use super::Told;
use super::words::{Files, answers, origin};
use crate::finding::Severity;
use crate::performance::pages::look::{Answer, Http, PageLook};
use crate::performance::policy::Policy;
use std::collections::BTreeMap;

pub(super) fn find(look: &PageLook, _: &Policy) -> Option<Told> {
    let closes = |answer: &Answer| match answer.http {
        Http::Two => false,
        Http::OneOne => answer.header("connection").to_ascii_lowercase().contains("close"),
        Http::One => !answer.header("connection").to_ascii_lowercase().contains("keep-alive"),
    };
    let mut counts: BTreeMap<&str, f64> = BTreeMap::new();
    for (url, _) in answers(look).filter(|(_, answer)| closes(answer)) {
        *counts.entry(origin(url)).or_default() += 1.0;
    }
    let hosts = Files::new(counts.into_iter().filter(|(_, count)| *count > 1.0));
    hosts.told("page_closed_connections", Severity::Medium, 0.9, |hosts| {
        format!(
            "the connection is closed after each of {:.0} answers ({}): let it live (nginx \"keepalive_timeout 65s;\", no \"Connection: close\" from the application)",
            hosts.sum(),
            hosts.names()
        )
    })
}
