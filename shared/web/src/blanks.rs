//! How much of a script or of a style sheet a minifier would take out: comments, and blanks that part no words.
//!
//! A light scanner, not a parser: strings, templates and regular expressions are told from comments well enough to count.

/// What is scanned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Script,
    Style,
}

/// Bytes of comments and needless blanks. Comments that begin with `/*!` are licences and stay.
pub(crate) fn blanks(text: &[u8], language: Language) -> usize {
    let (mut at, mut blank, mut before) = (0, 0, b'\n');
    while let Some(&byte) = text.get(at) {
        let rest = &text[at..];
        let length = match byte {
            b'/' if rest.starts_with(b"/*") => {
                let length = find(&rest[2..], b"*/").map_or(rest.len(), |end| end + 4);
                if !rest.starts_with(b"/*!") {
                    blank += length;
                }
                at += length;
                continue;
            }
            b'/' if rest.starts_with(b"//") && language == Language::Script => {
                let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                blank += length;
                at += length;
                continue;
            }
            b'/' if language == Language::Script && begins_expression(before) => expression(rest),
            b'"' | b'\'' => quoted(rest, byte),
            b'`' if language == Language::Script => quoted(rest, byte),
            byte if byte.is_ascii_whitespace() => {
                let length = rest.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(rest.len());
                let parts_words = is_word(before) && rest.get(length).is_some_and(|next| is_word(*next));
                blank += length - usize::from(parts_words);
                at += length;
                continue;
            }
            _ => 1,
        };
        at += length.max(1);
        before = text.get(at - 1).copied().unwrap_or(byte);
    }
    blank
}

/// Where a part begins.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'.' | b'%' | b'-') || byte >= 0x80
}

/// After these a slash begins a regular expression, else it divides.
fn begins_expression(before: u8) -> bool {
    matches!(before, b'(' | b',' | b'=' | b':' | b'[' | b'!' | b'&' | b'|' | b'?' | b'{' | b'}' | b';' | b'\n' | b'+')
}

/// Length of a text in quotes that begins here. One in plain quotes ends with its line.
fn quoted(text: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while let Some(&byte) = text.get(at) {
        at += match byte {
            b'\\' => 2,
            byte if byte == quote || byte == b'\n' && quote != b'`' => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

/// Longest regular expression.
const EXPRESSION_BYTES_MAX: usize = 2_048;

/// Length of a regular expression that begins here.
fn expression(text: &[u8]) -> usize {
    let (mut at, mut in_class) = (1, false);
    // One that is longer is none; without a bound, slashes that begin nothing would each be looked for to the end.
    while let Some(&byte) = text.get(at).filter(|_| at < EXPRESSION_BYTES_MAX) {
        match byte {
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => return at + 1,
            b'\n' => return 1,
            _ => {}
        }
        at += 1;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_minifier_takes_out_is_counted_and_texts_are_not() {
        let script = |text: &str| blanks(text.as_bytes(), Language::Script);
        assert_eq!(script("var a=1;"), 0);
        assert_eq!(script("var a = 1; // why\n"), 2 + 1 + 6 + 1);
        assert_eq!(script("/* a */x"), 7);
        assert_eq!(script("/*! licence */x"), 0);
        assert_eq!(script("a=\"// no  /* no */\";b='  ';c=`\n  //  `"), 0);
        assert_eq!(script("a=/[/]  \\/  /;"), 0);
        assert_eq!(script("a=b/c;d=e/f"), 0);
        // A slash that begins nothing is not looked for to the end of the file: two megabytes of them in a blink.
        assert_eq!(script(&"=/[".repeat(700_000)), 0);
        let style = |text: &str| blanks(text.as_bytes(), Language::Style);
        assert_eq!(style("a{b:url(//c.example/d)}"), 0);
        assert_eq!(style("a b {\n  c: d;\n}\n"), 1 + 3 + 1 + 1 + 1);
        assert_eq!(style("/* open"), 7);
    }
}
