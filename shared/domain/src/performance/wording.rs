//! Texts of statements as they may be written down: without constants, and without comments, in which people leave anything.

/// Statements whose constants the server writes as `$1`. In the text of all others they stand as they were sent.
const QUERIES: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE"];

/// The text of a statement as it may be written down. One that is no query, such as `ALTER ROLE … PASSWORD '…'`, is told by its first word
/// alone, as a comment, which the parser takes for nothing.
pub fn kept(text: &str) -> String {
    let plain = without_comments(text);
    let rest = plain.trim_start_matches(|c: char| c == '(' || c.is_whitespace());
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).take(20).collect();
    if text.is_empty() || QUERIES.contains(&word.to_ascii_uppercase().as_str()) {
        return plain;
    }
    format!("-- {word}: no query, its text is not kept")
}

/// The same statement without comments, by the lexical rules of Postgres (manual, 4.1 "Lexical Structure"): `--` to the end of the line, and
/// `/* */`, which nests. What stands in quotes is no comment; a comment or a quote that does not end goes on to the end of the text.
pub fn without_comments(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (is_comment, length) = match first {
            '-' if rest.starts_with("--") => (true, rest.find(['\n', '\r']).unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => (true, block(rest)),
            '\'' => (false, quoted(rest, '\'', escapes(&plain))),
            '"' => (false, quoted(rest, '"', false)),
            '$' if !ends_in_name(&plain) => (false, dollar_quoted(rest)),
            other => (false, other.len_utf8()),
        };
        let (part, after) = rest.split_at(length);
        // Words on both sides of a comment stay two.
        plain.push_str(if is_comment { " " } else { part });
        rest = after;
    }
    plain.trim().to_owned()
}

/// Length of a comment that begins here, with those inside it.
fn block(text: &str) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    loop {
        let rest = &text[at..];
        let Some(next) = rest.find(['/', '*']) else { return text.len() };
        at += next;
        let step = if text[at..].starts_with("/*") {
            depth += 1;
            2
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            2
        } else {
            1
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
}

/// Length of a text in quotes that begins here. A doubled quote is one of the text.
fn quoted(text: &str, quote: char, has_escapes: bool) -> usize {
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && has_escapes {
            chars.next();
        } else if c == quote {
            match chars.peek() {
                Some((_, next)) if *next == quote => drop(chars.next()),
                _ => return at + c.len_utf8(),
            }
        }
    }
    text.len()
}

/// Length of what begins here with a dollar: a text in `$tag$`, else the dollar alone.
fn dollar_quoted(text: &str) -> usize {
    let Some(end) = text[1..].find('$') else { return 1 };
    let tag = &text[1..=end];
    let is_tag = !tag.starts_with(|c: char| c.is_ascii_digit()) && tag.chars().all(is_of_name);
    if !is_tag {
        return 1;
    }
    let mark = &text[..end + 2];
    text[mark.len()..].find(mark).map_or(text.len(), |length| 2 * mark.len() + length)
}

/// Whether a quote after this text opens one with escapes: `E'…'`.
fn escapes(before: &str) -> bool {
    let mut last = before.chars().rev();
    matches!(last.next(), Some('e' | 'E')) && !last.next().is_some_and(is_of_name)
}

fn ends_in_name(before: &str) -> bool {
    before.ends_with(is_of_name)
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn regression_the_text_of_what_is_no_query_is_not_kept() {
        for text in [
            "ALTER ROLE shop PASSWORD 'canary-1'",
            "/* a job */ create user x with password 'canary-1'",
            "-- SELECT\nCREATE SUBSCRIPTION s CONNECTION 'password=canary-1' PUBLICATION p",
            "'canary-1'",
            "canary",
        ] {
            let told = kept(text);
            assert!(told.starts_with("-- ") && !told.contains("canary-1") && !told.contains('\n'), "{text}: {told}");
        }
        for text in ["", "SELECT $1", "(select $1) union (select $2)", "merge into a"] {
            assert_eq!(kept(text), text);
        }
        assert_eq!(kept("/* job */ WITH a AS (SELECT $1) TABLE a"), "WITH a AS (SELECT $1) TABLE a");
    }

    #[test]
    fn comments_go_and_what_only_looks_like_one_stays() {
        for (text, plain) in [
            ("SELECT 1 -- canary", "SELECT 1"),
            ("SELECT 1 -- canary\n, 2", "SELECT 1  \n, 2"),
            ("SELECT/* canary */1", "SELECT 1"),
            ("SELECT /* a /* canary */ b */ 1", "SELECT   1"),
            ("SELECT 1 /* canary", "SELECT 1"),
            ("SELECT 1 /*/ canary */", "SELECT 1"),
            ("SELECT '-- no', \"/* no */\", 'it''s -- no'", "SELECT '-- no', \"/* no */\", 'it''s -- no'"),
            ("SELECT E'\\' -- no', 'a\\' -- canary", "SELECT E'\\' -- no', 'a\\'"),
            ("SELECT $1 -- canary $1", "SELECT $1"),
            ("SELECT $$ -- no $$, $a$ /* no $$ */ $a$ /* canary */", "SELECT $$ -- no $$, $a$ /* no $$ */ $a$"),
            ("SELECT a$b$ -- canary $b$", "SELECT a$b$"),
            ("SELECT 4 - -1, 4 / 2 * 3", "SELECT 4 - -1, 4 / 2 * 3"),
        ] {
            assert_eq!(without_comments(text), plain, "{text}");
        }
    }

    proptest! {
        #[test]
        fn prop_any_text_has_a_plain_one_without_what_opens_a_comment(text in "[-/*'\"$aE\\\n ]{0,40}") {
            let plain = without_comments(&text);
            prop_assert!(plain.len() <= text.len());
            // Between two signs of a comment that went stands a space, so that none comes about.
            let again = without_comments(&plain);
            prop_assert_eq!(again, plain);
        }
    }
}
