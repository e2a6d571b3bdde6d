//! What is wrong with a configuration file: every problem found, one sentence each, with its place.

use std::fmt;

/// Problems that are written out; a file with more has one cause for most of them.
const LISTED_MAX: usize = 20;

/// Problems that are noted at most: nobody reads more, and each is compared with those before it.
const NOTED_MAX: usize = 500;

/// A position in the file. Lines and columns count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub column: u32,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the file; `None` when it concerns the file as a whole.
    pub place: Option<Position>,
    /// The keys that lead there, for example `applications.shop.limits`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what would be right. Follows the path in a sentence.
    pub says: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = self.place {
            write!(f, "line {}: ", place.line)?;
        }
        let subject = if self.path.is_empty() { "the file" } else { &self.path };
        write!(f, "{subject} {}", self.says)
    }
}

/// A configuration that is refused, with all problems found in it, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// All problems, at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(LISTED_MAX).enumerate() {
            let before = if index == 0 { "" } else { "\n" };
            write!(f, "{before}{problem}")?;
        }
        match self.problems.len().saturating_sub(LISTED_MAX) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for ConfigError {}

/// Collects problems.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem, once.
    pub fn add(&mut self, place: Option<Position>, path: &str, says: impl Into<String>) {
        let problem = Problem { place, path: path.to_owned(), says: says.into() };
        if self.0.len() < NOTED_MAX && !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    /// True when something at or below this path was refused.
    pub fn concern(&self, path: &str) -> bool {
        self.0.iter().any(|problem| {
            problem.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    }

    /// The problems as an error, when reading can't go on.
    pub fn or_fail<T>(self) -> Result<T, ConfigError> {
        self.or(()).and_then(|()| {
            let problem = Problem { place: None, path: String::new(), says: "could not be read".to_owned() };
            Err(ConfigError { problems: vec![problem] })
        })
    }

    /// The value, if there were no problems.
    pub fn or<T>(mut self, value: T) -> Result<T, ConfigError> {
        self.0.sort_by_key(|problem| problem.place);
        match self.0.is_empty() {
            true => Ok(value),
            false => Err(ConfigError { problems: self.0 }),
        }
    }
}
