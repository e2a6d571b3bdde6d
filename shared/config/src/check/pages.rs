//! Checks of web pages: addresses that anybody can ask for, encrypted unless they are on this machine, without a secret in them.

use super::Notes;
use crate::nearest::quoted;
use std::collections::BTreeSet;

/// Most pages of an application: they are looked at one after another within a step.
const PAGES_MAX: usize = 10;
/// Longest address.
const CHARS_MAX: usize = 2_000;
/// What stands for this machine.
const HERE: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

pub(super) fn check(pages: &[String], path: &str, notes: &mut Notes<'_>) {
    if pages.len() > PAGES_MAX {
        let says = format!("has {} pages, at most {PAGES_MAX} are looked at in a run", pages.len());
        notes.add(&format!("{path}.pages"), says);
    }
    let mut seen = BTreeSet::new();
    for (index, page) in pages.iter().enumerate() {
        let says = match wrong(page) {
            Some(says) => says,
            None if !seen.insert(page) => "is listed twice".to_owned(),
            None => continue,
        };
        notes.add(&format!("{path}.pages[{index}]"), says);
    }
}

/// What is wrong with an address.
fn wrong(page: &str) -> Option<String> {
    let (scheme, rest) = page.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("must have no user and no password in it: what needs a login is not looked at".to_owned());
    }
    let (host, port) = split(authority);
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(c));
    let is_port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let is_text = page.chars().all(|c| c.is_ascii_graphic()) && page.len() <= CHARS_MAX;
    if !matches!(scheme, "http" | "https") || !is_host || !is_port || !is_text {
        return Some(format!("must be an address such as \"https://shop.example.com/\", not {}", quoted(page)));
    }
    if scheme == "http" && !HERE.contains(&host) {
        let says =
            "must begin with https: http is for this machine only. Where http leads to https, name where it leads";
        return Some(says.to_owned());
    }
    None
}

/// Host and port of what stands before the path.
fn split(authority: &str) -> (&str, Option<&str>) {
    let after_host = authority.find(']').map_or(0, |end| end + 1);
    match authority.get(after_host..).and_then(|rest| rest.find(':')) {
        Some(at) => (&authority[..after_host + at], Some(&authority[after_host + at + 1..])),
        None => (authority, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_encrypted_or_on_this_machine_and_holds_no_secret() {
        for good in [
            "https://shop.example.com",
            "https://shop.example.com:8443/cart?step=1",
            "http://127.0.0.1:8080/",
            "http://localhost/a",
            "http://[::1]:80/",
        ] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for bad in [
            "",
            "shop.example.com",
            "ftp://a/",
            "https://",
            "https://a b/",
            "https://a:0/",
            "https://a:x/",
            "https://ä/",
        ] {
            assert!(wrong(bad).unwrap().starts_with("must be an address"), "{bad}");
        }
        assert!(wrong("http://shop.example.com/").unwrap().contains("https"));
        assert!(wrong("http://127.0.0.1.evil.example/").unwrap().contains("https"));
        assert!(wrong("https://user:secret@shop.example.com/").unwrap().contains("no password"));
    }
}
