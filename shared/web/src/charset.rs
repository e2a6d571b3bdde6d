//! The encoding of a page, by the order of browsers: a byte order mark, the header, a `<meta>` within the first 1,024 bytes.

use encoding_rs::{Encoding, UTF_8};

/// Bytes in which a `<meta>` counts.
const PRESCANNED_BYTES: usize = 1_024;

/// The text, and the name of its encoding where something names one.
pub(crate) fn text(bytes: &[u8], content_type: &str) -> (String, Option<String>) {
    let named = Encoding::for_bom(bytes).map(|(encoding, _)| encoding);
    let named = named.or_else(|| label(content_type)).or_else(|| of_meta(bytes));
    let (text, used, _) = named.unwrap_or(UTF_8).decode(bytes);
    (text.into_owned(), named.map(|_| used.name().to_owned()))
}

/// What follows `charset=`.
fn label(text: &str) -> Option<&'static Encoding> {
    let small = text.to_ascii_lowercase();
    let rest = small.split_once("charset")?.1.trim_start().strip_prefix('=')?.trim_start();
    let rest = rest.trim_start_matches(['"', '\'']);
    let end = rest.find(|c: char| c.is_whitespace() || "\"';/>".contains(c)).unwrap_or(rest.len());
    Encoding::for_label(&rest.as_bytes()[..end])
}

fn of_meta(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(PRESCANNED_BYTES)]).to_ascii_lowercase();
    head.match_indices("<meta").find_map(|(at, _)| {
        let tag = &head[at..];
        label(&tag[..tag.find('>').unwrap_or(tag.len())])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_which_browsers_take() {
        let of = |bytes: &[u8], content_type| text(bytes, content_type);
        assert_eq!(of(b"\xe4", "text/html; charset=ISO-8859-1"), ("ä".to_owned(), Some("windows-1252".to_owned())));
        assert_eq!(of("<meta charset=\"utf-8\">ä".as_bytes(), "text/html").1.as_deref(), Some("UTF-8"));
        let old = b"<meta http-equiv=content-type content='text/html; charset=shift_jis'>";
        assert_eq!(of(old, "text/html").1.as_deref(), Some("Shift_JIS"));
        assert_eq!(of(b"\xef\xbb\xbfa", "text/html; charset=latin1"), ("a".to_owned(), Some("UTF-8".to_owned())));
        assert_eq!(of(b"a\xff", "text/html; charset=nonsense"), ("a\u{fffd}".to_owned(), None));
        let late = format!("{}<meta charset=utf-8>", " ".repeat(2_000));
        assert_eq!(of(late.as_bytes(), "text/html").1, None);
    }
}
