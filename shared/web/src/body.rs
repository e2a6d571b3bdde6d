//! Facts about a body: its length, what gzip would make of it, what is blank in it, what it shows, what it brings.

use crate::blanks::{Language, blanks};
use crate::picture::picture;
use domain::performance::pages::{Body, Kind};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeSet;
use std::io::Write;

/// Bytes of a text that are compressed to see what gzip makes of it.
const SAMPLE_BYTES: usize = 65_536;
/// Bytes of scripts and styles that are scanned.
const SCANNED_BYTES: usize = 2 << 20;
/// Functions that every browser has had for five years, by their prototype or object, and how one is brought: `X.prototype.f = …`.
const HAD: [(&str, &[&str]); 5] = [
    (
        "Array.prototype.",
        &[
            "fill",
            "find",
            "findIndex",
            "includes",
            "flat",
            "flatMap",
            "copyWithin",
            "entries",
            "forEach",
            "map",
            "filter",
            "reduce",
            "some",
            "every",
        ],
    ),
    (
        "String.prototype.",
        &[
            "includes",
            "startsWith",
            "endsWith",
            "repeat",
            "padStart",
            "padEnd",
            "trim",
            "trimStart",
            "trimEnd",
            "codePointAt",
        ],
    ),
    (
        "Object.",
        &["assign", "entries", "values", "fromEntries", "is", "keys", "getOwnPropertyDescriptors", "setPrototypeOf"],
    ),
    ("Array.", &["from", "of", "isArray"]),
    ("Number.", &["isInteger", "isSafeInteger", "isNaN", "isFinite", "parseFloat", "EPSILON"]),
];

/// What is to be found out.
pub(crate) struct Wanted<'a> {
    pub(crate) kind: Kind,
    /// `Content-Type`.
    pub(crate) content_type: &'a str,
    /// It came without a coding, or as gzip.
    pub(crate) is_plain_or_gzip: bool,
}

pub(crate) fn body(plain: &[u8], wanted: &Wanted<'_>) -> Body {
    let language = match wanted.kind {
        Kind::Script => Some(Language::Script),
        Kind::Style => Some(Language::Style),
        _ => None,
    };
    let scanned = &plain[..plain.len().min(SCANNED_BYTES)];
    let is_script = language == Some(Language::Script);
    let text = if is_script { String::from_utf8_lossy(scanned) } else { "".into() };
    let is_image = matches!(wanted.kind, Kind::Image | Kind::Icon);
    Body {
        bytes: count(plain.len()),
        mark: crc32fast::hash(plain),
        gzip_bytes: (wanted.is_plain_or_gzip && is_text(wanted.content_type)).then(|| gzip(plain)),
        blank_bytes: language
            .map(|language| count(blanks(scanned, language)) * count(plain.len()) / count(scanned.len().max(1))),
        picture: if is_image { picture(plain) } else { None },
        writes_document: is_script && writes_document(&text),
        polyfills: if is_script { polyfills(&text) } else { Vec::new() },
    }
}

pub(crate) fn count(number: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "sizes here are far below 2^53")]
    let number = number as f64;
    number
}

/// Whether a type is one of text. What packing makes of others is not computed.
fn is_text(content_type: &str) -> bool {
    let of = content_type.to_ascii_lowercase();
    of.starts_with("text/")
        || ["javascript", "json", "xml", "wasm", "ecmascript", "manifest"].iter().any(|name| of.contains(name))
}

/// What gzip makes of it, at the strength that servers use; beyond the sample in proportion.
fn gzip(plain: &[u8]) -> f64 {
    let sample = &plain[..plain.len().min(SAMPLE_BYTES)];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(sample).and_then(|()| encoder.finish());
    // Writing to memory does not fail.
    let packed = packed.map_or(sample.len(), |packed| packed.len());
    count(packed) * count(plain.len()) / count(sample.len().max(1))
}

/// Whether a script calls `document.write` or `writeln`.
pub(crate) fn writes_document(script: &str) -> bool {
    script.match_indices("document.write").any(|(at, found)| {
        let rest = &script[at + found.len()..];
        let rest = rest.strip_prefix("ln").unwrap_or(rest);
        rest.trim_start().starts_with('(')
    })
}

/// Functions that a script assigns though every browser has them.
fn polyfills(script: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (object, names) in HAD {
        for (at, _) in script.match_indices(object) {
            // `MyArray.of` is another.
            if script[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '.')) {
                continue;
            }
            let rest = &script[at + object.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let after = after.trim_start();
            let is_assigned = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
            if is_assigned && names.contains(&name) {
                found.insert(format!("{object}{name}"));
            }
        }
        // `Object.defineProperty(Array.prototype, "find", …)`.
        let Some(object) = object.strip_suffix('.') else { continue };
        let begin = format!("defineProperty({object},");
        for (at, _) in script.match_indices(begin.as_str()) {
            let rest = script[at + begin.len()..].trim_start();
            let name = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
            // Names of functions are letters and digits: looked at as far as these go, not to the next quotation mark, which may be far.
            let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
            if names.contains(&name) {
                found.insert(format!("{object}.{name}"));
            }
        }
    }
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_script_brings_is_told_from_what_it_uses_and_asks_for() {
        let brings = "if(!Array.prototype.find){Array.prototype.find = function(){}}Object.defineProperty(String.prototype,\"padEnd\",{});Object.assign=f";
        assert_eq!(polyfills(brings), ["Array.prototype.find", "Object.assign", "String.prototype.padEnd"]);
        for uses in [
            "Object.assign({},a)",
            "if(Array.prototype.find===x){}",
            "a=Array.prototype.find",
            "MyObject.assign=1",
            "Array.of",
            "é Array.prototype.é=1",
        ] {
            assert_eq!(polyfills(uses), Vec::<String>::new(), "{uses}");
        }
        assert!(writes_document("window.document.write ('<p>')") && writes_document("document.writeln(x)"));
        assert!(!writes_document("document.writer(x)") && !writes_document("a.write(x)"));
    }

    #[test]
    fn packing_is_tried_on_text_only() {
        let text = "the same again ".repeat(10_000);
        let of = |content_type| {
            body(text.as_bytes(), &Wanted { kind: Kind::Data, content_type, is_plain_or_gzip: true }).gzip_bytes
        };
        assert!(of("application/json").unwrap() < 0.05 * count(text.len()));
        assert_eq!(of("font/woff2"), None);
    }
}
