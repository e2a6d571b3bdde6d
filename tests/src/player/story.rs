//! Prints the story: aligned, wrapped, in colour where a terminal is there to show it.

use lifecycle::explain::beats::{Beat, Tone};
use std::io::{self, IsTerminal, Write};

/// Where the story is told.
pub struct Story {
    out: Box<dyn Write + Send>,
    colour: bool,
    width: usize,
    apps: usize,
}

/// Width of the minute column.
const MINUTE: usize = 5;
/// Width of the step and label columns.
const LABEL: usize = 14;
/// Narrowest text column.
const TEXT_MIN: usize = 40;

impl Story {
    /// On standard output, for that many applications whose longest name has this length.
    pub fn on_stdout(app_width: usize) -> Self {
        let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { out: Box::new(io::stdout()), colour, width: 120, apps: app_width }
    }

    /// Anywhere, without colour.
    pub fn into(out: Box<dyn Write + Send>, app_width: usize) -> Self {
        Self { out, colour: false, width: 120, apps: app_width }
    }

    /// A heading with a line below it.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn heading(&mut self, title: &str, text: &str) -> io::Result<()> {
        let title = self.paint(title, "1");
        writeln!(self.out, "\n{title}")?;
        if text.is_empty() {
            return Ok(());
        }
        for line in wrapped(text, self.width) {
            writeln!(self.out, "{line}")?;
        }
        writeln!(self.out)
    }

    /// A plain line.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// A beat at a virtual minute.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn beat(&mut self, minute: f64, app: &str, beat: &Beat) -> io::Result<()> {
        let head = format!("{minute:>MINUTE$.0}  {}{:<LABEL$}", self.app_column(app), beat.step);
        self.row(&head, &beat.text, beat.tone)?;
        let indent = " ".repeat(MINUTE + 2 + self.app_column("").chars().count() + LABEL);
        for (label, text, tone) in &beat.details {
            self.row(&format!("{indent}{label:<LABEL$}"), text, *tone)?;
        }
        self.out.flush()
    }

    /// An expectation that holds or not.
    ///
    /// # Errors
    /// When nobody reads any more.
    pub fn check(&mut self, app: &str, holds: bool, text: &str) -> io::Result<()> {
        let (mark, tone) = if holds { ("holds", Tone::Good) } else { ("FAILS", Tone::Bad) };
        let head = format!("{}{:<LABEL$}", self.app_column(app), mark);
        let head = self.tint(&head, tone);
        writeln!(self.out, "  {head}{text}")
    }

    fn app_column(&self, app: &str) -> String {
        // A single application needs no column.
        if self.apps == 0 { String::new() } else { format!("{app:<width$}  ", width = self.apps) }
    }

    fn row(&mut self, head: &str, text: &str, tone: Tone) -> io::Result<()> {
        let indent = head.chars().count();
        let lines = wrapped(text, self.width.saturating_sub(indent).max(TEXT_MIN));
        for (index, line) in lines.iter().enumerate() {
            let line = self.tint(line, tone);
            if index == 0 && text.is_empty() {
                writeln!(self.out, "{}", head.trim_end())?;
            } else if index == 0 {
                writeln!(self.out, "{head}{line}")?;
            } else {
                writeln!(self.out, "{:indent$}{line}", "")?;
            }
        }
        Ok(())
    }

    fn tint(&self, text: &str, tone: Tone) -> String {
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Good => self.paint(text, "32"),
            Tone::Bad => self.paint(text, "31"),
            Tone::Note => self.paint(text, "33"),
            Tone::Dim => self.paint(text, "2"),
        }
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The text in lines of at most `width` characters, broken between words. Control characters are data and never reach
/// the terminal.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut lines = vec![String::new()];
    for word in clean.split_whitespace() {
        let needed = word.chars().count() + 1;
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + needed <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_aligned_and_hostile_text_is_data() {
        let page = Page::default();
        let mut story = Story::into(Box::new(page.clone()), 0);
        let mut beat = Beat::new("analyze", "score 4.1 of 10 \u{1b}[31m", Tone::Bad);
        beat.details.push(("finding", "long ".repeat(60), Tone::Note));
        story.beat(12.4, "shop", &beat).unwrap();
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert!(text.starts_with("   12  analyze       score 4.1 of 10 [31m\n"), "{text}");
        assert!(!text.contains('\u{1b}'));
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
        assert!(text.lines().nth(2).unwrap().starts_with(&" ".repeat(35)), "{text}");
    }
}
