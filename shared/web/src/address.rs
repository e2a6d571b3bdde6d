//! Addresses: which are asked for, and how they are written down.

use url::Url;

/// Longest address that is asked for.
const CHARS_MAX: usize = 8_000;
/// Longest address that is written down.
const SHOWN_CHARS_MAX: usize = 250;

/// The address that a page names, where it is one to ask for; without what stands after `#`.
pub(crate) fn absolute(base: &Url, named: &str) -> Option<Url> {
    let named = named.trim();
    if named.is_empty() || named.len() > CHARS_MAX || named.starts_with('#') {
        return None;
    }
    let mut url = base.join(named).ok()?;
    url.set_fragment(None);
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Scheme, host and port.
pub(crate) fn origin(url: &Url) -> String {
    domain::text::line(&url.origin().ascii_serialization())
}

/// An address as it is written down: without user and password, without values of its query, which may be secrets, and bounded.
pub(crate) fn shown(url: &Url) -> String {
    let mut text = format!("{}{}", url.origin().ascii_serialization(), url.path());
    if let Some(query) = url.query() {
        let keys = query.split('&').map(|pair| match pair.split_once('=') {
            // Padded base64 ends like a key without a value.
            Some((key, value)) if !value.trim_matches('=').is_empty() && is_key(key) => format!("{key}=…"),
            // A value without a key, or what may be one.
            _ => "…".to_owned(),
        });
        text = format!("{text}?{}", keys.collect::<Vec<_>>().join("&"));
    }
    let clean: String = text.chars().map(domain::text::plain).collect();
    match clean.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &clean[..at]),
        None => clean,
    }
}

/// Longest name of a value in a query that is written down.
const KEY_CHARS_MAX: usize = 24;

fn is_key(text: &str) -> bool {
    text.len() <= KEY_CHARS_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_web_is_asked_for() {
        let base = Url::parse("https://a.example/b/c").unwrap();
        let of = |named: &str| absolute(&base, named).map(|url| url.to_string());
        assert_eq!(of(" d.js#x ").as_deref(), Some("https://a.example/b/d.js"));
        assert_eq!(of("//cdn.example/d").as_deref(), Some("https://cdn.example/d"));
        for no in [
            "",
            "#top",
            "data:image/png;base64,AA",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ftp://a/",
            "http://",
            "https://a b/",
        ] {
            assert_eq!(of(no), None, "{no}");
        }
        assert_eq!(of(&"a".repeat(9_000)), None);
    }

    #[test]
    fn secrets_in_an_address_are_not_written_down() {
        let of = |text: &str| shown(&Url::parse(text).unwrap());
        assert_eq!(
            of("https://user:canary@a.example/b?token=canary&x=&canary#canary"),
            "https://a.example/b?token=…&…&…"
        );
        assert_eq!(of("https://a.example/"), "https://a.example/");
        assert_eq!(of("https://a.example/?Y2FuYXJ5LWNhbmFyeQ=="), "https://a.example/?…");
        assert_eq!(of("https://a.example/?canary%2Bcanary%2Fcanary=1"), "https://a.example/?…");
        assert!(of(&format!("https://a.example/{}", "b".repeat(1_000))).chars().count() <= SHOWN_CHARS_MAX + 1);
    }
}
