//! Names of keys as they may be written down: `cart:7f3a9c12:items` is `cart:*:items`.
//!
//! A name is cut at `:`, `/`, `|`, `.`, `{`, `}` and blanks into words. A word stays where it is made of letters as people write them in code:
//! ASCII, with `-` and `_`, up to 24 of them. Whatever else stands between is `*`: numbers, hexadecimal digits, tokens, addresses. Where many
//! words stand at one place, such as the names of people, they are values and become `*` as well.

use std::collections::{BTreeMap, BTreeSet};

/// Longest word that stays.
const WORD_CHARS_MAX: usize = 24;
/// Bytes of a name that are looked at.
const NAME_BYTES_MAX: usize = 512;
/// Words that stand at one place before they are taken for values.
const WORDS_MAX: usize = 3;
/// The same for the first words: an application has many kinds of keys.
const FIRST_WORDS_MAX: usize = 50;
/// Words and signs of a name that are looked at.
const PARTS_MAX: usize = 24;
/// Longest pattern.
const PATTERN_CHARS_MAX: usize = 80;
/// Letters from which a word that holds digits of hexadecimal numbers alone is one.
const HEX_CHARS_MIN: usize = 6;
const VALUE: &str = "*";

/// A pattern for each name, in their order. Never longer than 80 characters, and of ASCII alone.
pub fn patterns<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut all: Vec<Vec<Part>> = names.into_iter().map(parts).collect();
    let longest = all.iter().map(Vec::len).max().unwrap_or_default();
    // From the front: what stands before a word is settled when it is its turn.
    for at in 0..longest {
        let words_max = if at == 0 { FIRST_WORDS_MAX } else { WORDS_MAX };
        let mut words: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for parts in all.iter().filter(|parts| matches!(parts.get(at), Some(Part::Word(_)))) {
            words.entry(written(&parts[..at])).or_default().insert(parts[at].text());
        }
        for parts in &mut all {
            let is_word = matches!(parts.get(at), Some(Part::Word(_)));
            if is_word && words.get(&written(&parts[..at])).is_some_and(|words| words.len() > words_max) {
                parts[at] = Part::Value;
            }
        }
    }
    all.iter().map(|parts| bounded(&written(parts))).collect()
}

/// A part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(String),
    Value,
    Between(char),
}

impl Part {
    fn text(&self) -> String {
        match self {
            Self::Word(word) => word.clone(),
            Self::Value => VALUE.to_owned(),
            Self::Between(c) => c.to_string(),
        }
    }
}

fn parts(name: &[u8]) -> Vec<Part> {
    let is_cut = name.len() > NAME_BYTES_MAX;
    let text = String::from_utf8_lossy(&name[..name.len().min(NAME_BYTES_MAX)]);
    let mut parts = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        if matches!(c, ':' | '/' | '|' | '.' | '{' | '}' | ' ') {
            parts.extend(part(&word));
            parts.push(Part::Between(c));
            word.clear();
        } else {
            word.push(c);
        }
    }
    parts.extend(if is_cut { Some(Part::Value) } else { part(&word) });
    if parts.len() > PARTS_MAX {
        parts.truncate(PARTS_MAX);
        parts.push(Part::Value);
    }
    // A value that is cut in pieces, such as an address, stays one.
    parts.dedup_by(|second, first| *second == Part::Value && *first == Part::Value);
    parts
}

fn part(word: &str) -> Option<Part> {
    let is_plain = |c: char| c.is_ascii_alphabetic() || c == '-' || c == '_';
    let letters = word.chars().filter(char::is_ascii_alphabetic).count();
    let is_hex = word.len() >= HEX_CHARS_MIN && word.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    // `apiResponses` has one change from small to capital letters, a token many.
    let changes = word.as_bytes().windows(2).filter(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase());
    let is_word = letters > 0 && word.len() <= WORD_CHARS_MAX && word.chars().all(is_plain) && !is_hex;
    match word {
        "" => None,
        word if is_word && changes.count() <= 3 => Some(Part::Word(word.to_owned())),
        _ => Some(Part::Value),
    }
}

fn written(parts: &[Part]) -> String {
    parts.iter().map(Part::text).collect()
}

fn bounded(pattern: &str) -> String {
    match pattern {
        "" => VALUE.to_owned(),
        pattern if pattern.len() <= PATTERN_CHARS_MAX => pattern.to_owned(),
        pattern => format!("{}*", &pattern[..PATTERN_CHARS_MAX - 1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(name: &str) -> String {
        patterns([name.as_bytes()]).remove(0)
    }

    #[test]
    fn values_in_names_are_not_kept() {
        for (name, pattern) in [
            ("leaderboard", "leaderboard"),
            ("cart:7f3a9c12:items", "cart:*:items"),
            ("session:0b9f2a1e-77aa-4c1d-9a01-3f2b1c0d9e8f", "session:*"),
            ("user:42:profile", "user:*:profile"),
            ("user42", "*"),
            ("user:ada@example.com:cart", "user:*.com:cart"),
            ("user:läden", "user:*"),
            ("deadbeef", "*"),
            ("token:aBcDeFgHiJkLmN", "token:*"),
            ("api/apiResponses|v1", "api/apiResponses|*"),
            ("{user1000}.following", "{*}.following"),
            ("a\"b\n:c'd", "*:*"),
            ("", "*"),
            ("phone:+49 170 1234567", "phone:* * *"),
        ] {
            assert_eq!(of(name), pattern, "{name}");
        }
    }

    #[test]
    fn names_of_many_at_one_place_are_values() {
        let names = ["user:ada:cart", "user:bob:cart", "user:eve:cart", "user:joe:cart", "news:front", "news:sport"];
        let patterns = patterns(names.map(str::as_bytes));
        assert_eq!(patterns[..4], ["user:*:cart"; 4].map(str::to_owned));
        assert_eq!(patterns[4..], ["news:front".to_owned(), "news:sport".to_owned()]);
    }

    proptest! {
        #[test]
        fn prop_a_pattern_is_short_plain_and_without_digits(name in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            let pattern = patterns([name.as_slice()]).remove(0);
            prop_assert!(!pattern.is_empty() && pattern.len() <= PATTERN_CHARS_MAX);
            prop_assert!(pattern.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{pattern}");
            prop_assert!(!pattern.contains(|c: char| c.is_ascii_digit() || c == '@' || c == '"' || c == '\''));
        }
    }
}
