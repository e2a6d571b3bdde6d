//! Files with a hash in their name, kept for long, of which browsers don't know that they never change: a reload asks for each again.

use super::Told;
use super::words::{Files, good};
use crate::finding::Severity;
use crate::performance::pages::headers::caching;
use crate::performance::pages::look::{Answer, PageLook, Resource};
use crate::performance::policy::Policy;

/// Digits of a hash in a name.
const HASH_CHARS_MIN: usize = 8;

pub(super) fn find(look: &PageLook, policy: &Policy) -> Option<Told> {
    let is_open = |resource: &Resource, answer: &Answer| {
        let says = caching(&answer.headers);
        let is_long = says.fresh_s.is_some_and(|fresh| fresh >= policy.page_cache_s_min);
        resource.kind.is_static()
            && has_hash(&resource.url)
            && is_long
            && !says.immutable
            && !says.no_cache
            && !says.no_store
    };
    let files = good(look).filter(|(resource, answer)| is_open(resource, answer));
    let files = Files::new(files.map(|(resource, answer)| (resource.url.as_str(), answer.ttfb_ms)));
    files.told("page_revalidated_ms", Severity::Low, 0.6, |files| {
        format!(
            "{} file(s) with a hash in the name are asked for again on reload ({}): send \"Cache-Control: public, max-age=31536000, immutable\"",
            files.count(),
            files.names()
        )
    })
}

/// A part of the file's name that is made of hexadecimal digits, or of letters and digits mixed as bundlers make it.
fn has_hash(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or_default();
    let Some((stem, _)) = name.rsplit_once('.') else { return false };
    stem.split(['.', '-', '_']).skip(1).any(|part| {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        let is_hex = part.chars().all(|c| c.is_ascii_hexdigit());
        let is_mixed = part.chars().any(|c| c.is_ascii_uppercase()) && part.chars().any(|c| c.is_ascii_lowercase());
        let is_word = part.chars().all(|c| c.is_ascii_alphanumeric());
        // A date is no hash.
        part.len() >= HASH_CHARS_MIN && is_word && digits >= 1 && digits < part.len() && (is_hex || is_mixed)
    })
}

#[cfg(test)]
mod tests {
    use super::has_hash;

    #[test]
    fn a_hash_is_told_from_a_name_and_from_a_date() {
        for name in ["https://a/app.3f2a9c1d.js", "/index-BkX93fQa.css", "/a-0123456789abcdef.woff2?x=…"] {
            assert!(has_hash(name), "{name}");
        }
        for name in [
            "/jquery-3.7.1.min.js",
            "/photo-20240131.jpg",
            "/background-landscape.png",
            "/3f2a9c1d",
            "/bootstrap.bundle.js",
        ] {
            assert!(!has_hash(name), "{name}");
        }
    }
}
