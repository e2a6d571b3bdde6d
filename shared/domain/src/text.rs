//! Text from outside in what people read: names, alarm reasons, usage types. It is data: control characters are dropped, lengths are
//! bounded, nothing is interpreted.

/// Longest text of one item.
const ITEM_CHARS_MAX: usize = 300;
/// Longest subject that SNS takes.
const SUBJECT_CHARS_MAX: usize = 100;
/// Longest text for a chat; Slack cuts at 40,000 characters.
const CHAT_CHARS_MAX: usize = 8_000;

/// A subject line: ASCII, one line, at most 100 characters.
pub fn subject(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).take(SUBJECT_CHARS_MAX).collect()
}

/// A character that a reader sees as it is. Control characters are not, nor those that turn the direction of what follows,
/// break a line or show nothing: with them a text from outside reads as something else.
pub fn plain(c: char) -> char {
    let is_plain = !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    if is_plain { c } else { ' ' }
}

/// Makes a text from outside fit for one line of a message.
pub fn line(text: &str) -> String {
    let clean: String = text.chars().map(plain).collect();
    if clean.chars().count() <= ITEM_CHARS_MAX {
        return clean;
    }
    let head: String = clean.chars().take(ITEM_CHARS_MAX - 1).collect();
    format!("{head}…")
}

/// A message as chats take it: what would start a mention or a link there is text. Bounded.
pub fn chat(text: &str) -> String {
    let bounded = text.chars().take(CHAT_CHARS_MAX);
    bounded.fold(String::new(), |mut chat, c| {
        match c {
            '&' => chat.push_str("&amp;"),
            '<' => chat.push_str("&lt;"),
            '>' => chat.push_str("&gt;"),
            c => chat.push(c),
        }
        chat
    })
}

/// A text as one word of a command that a person pastes into a shell (POSIX.1-2017, 2.2.2 Single-Quotes): names come from outside.
pub fn shell_word(text: &str) -> String {
    let text: String = text.chars().map(plain).collect();
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_one_ascii_line_of_at_most_100_characters() {
        let subject = subject(&format!("läden\n\u{1b}[31m{}", "x".repeat(200)));
        assert_eq!(subject.chars().count(), 100);
        assert!(subject.chars().all(|c| c.is_ascii_graphic() || c == ' '), "{subject}");
    }

    #[test]
    fn text_from_outside_keeps_to_one_bounded_line() {
        let line = line(&format!("a\r\nb\u{1b}[0m{}", "y".repeat(1_000)));
        assert!(!line.contains(['\r', '\n', '\u{1b}']), "{line}");
        assert_eq!(line.chars().count(), ITEM_CHARS_MAX);
    }

    #[test]
    fn a_chat_shows_what_would_mention_or_link_there_as_text() {
        let said = chat("<!channel> <@U1> <https://evil.example|the runbook> a & b");
        assert_eq!(said, "&lt;!channel&gt; &lt;@U1&gt; &lt;https://evil.example|the runbook&gt; a &amp; b");
        assert!(chat(&"<".repeat(100_000)).chars().count() <= 4 * CHAT_CHARS_MAX);
    }

    #[test]
    fn regression_text_from_outside_cannot_turn_the_direction_of_what_a_person_reads() {
        let line = line("set to \u{202e}06\u{202c} \u{2066}a\u{2069}\u{200b}b\u{2028}c \u{e0041}");
        assert_eq!(line.trim_end(), "set to  06   a  b c");
        assert_eq!(super::line("Zoë, می‌خواهم, 👩‍🚒"), "Zoë, می‌خواهم, 👩‍🚒", "what people write stays");
    }
}
