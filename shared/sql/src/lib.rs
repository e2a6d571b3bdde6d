//! Reads SQL with the parser of Postgres itself (`libpg_query`) and tells the shape of a statement.
//!
//! A text is data: it is parsed, never sent. What can't be parsed is said in one sentence and gets no shape.

mod walk;

use domain::performance::shape::{Scope, Shape, Verb};
use pg_query::{NodeEnum, ParserOptions};
use std::fmt;

/// Longest text that is parsed, in bytes: what is longer is generated, and no index would be chosen for it alone.
pub const TEXT_BYTES_MAX: usize = 100_000;

/// Why a text has no shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unparsed {
    /// It is longer than [`TEXT_BYTES_MAX`].
    TooLong(usize),
    /// The parser refuses it.
    Refused(String),
}

impl fmt::Display for Unparsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(f, "it has {bytes} bytes, {TEXT_BYTES_MAX} are read"),
            Self::Refused(why) => write!(f, "Postgres does not understand it: {why}"),
        }
    }
}

/// The shape of the statement in a text, as `pg_stat_statements` writes it, with `$1` for values.
///
/// # Errors
/// [`Unparsed`]: a text that is too long, or none of Postgres's.
pub fn shape(text: &str) -> Result<Shape, Unparsed> {
    if text.len() > TEXT_BYTES_MAX {
        return Err(Unparsed::TooLong(text.len()));
    }
    let parsed =
        pg_query::parse(text, ParserOptions::default()).map_err(|error| Unparsed::Refused(error.to_string()))?;
    let mut statements = parsed.protobuf.stmts.into_iter();
    let (Some(first), None) = (statements.next(), statements.next()) else {
        return Ok(Shape { verb: Verb::Other, scopes: Vec::new() });
    };
    let node = first.stmt.and_then(|node| node.node);
    let verb = match &node {
        Some(NodeEnum::SelectStmt(_)) => Verb::Select,
        Some(NodeEnum::InsertStmt(_)) => Verb::Insert,
        Some(NodeEnum::UpdateStmt(_)) => Verb::Update,
        Some(NodeEnum::DeleteStmt(_)) => Verb::Delete,
        _ => return Ok(Shape { verb: Verb::Other, scopes: Vec::new() }),
    };
    let mut scopes: Vec<Scope> = Vec::new();
    if let Some(node) = &node {
        walk::statement(node, None, &mut scopes);
    }
    Ok(Shape { verb, scopes })
}

/// The text as one that can be prepared: what the server writes for a constant with a type in front (`interval $1`) is none, so the type goes
/// behind it (`$1::interval`). Everything else stays as it is.
pub fn preparable(text: &str) -> String {
    let tokens = match pg_query::scan(text) {
        Ok(scanned) => scanned.tokens,
        Err(_) => return text.to_owned(),
    };
    let part = |start: i32, end: i32| {
        let (start, end) = (usize::try_from(start).unwrap_or(0), usize::try_from(end).unwrap_or(0));
        text.get(start..end).unwrap_or_default()
    };
    let mut written = String::with_capacity(text.len());
    let mut upto = 0;
    for pair in tokens.windows(2) {
        let (kind, value) = (part(pair[0].start, pair[0].end), part(pair[1].start, pair[1].end));
        let is_typed = value.starts_with('$')
            && TYPES_BEFORE_CONSTANTS.iter().any(|name| name.eq_ignore_ascii_case(kind))
            && value[1..].bytes().all(|byte| byte.is_ascii_digit());
        if is_typed {
            let (start, end) = (usize::try_from(pair[0].start).unwrap_or(0), usize::try_from(pair[1].end).unwrap_or(0));
            written.push_str(text.get(upto..start).unwrap_or_default());
            written.push_str(&format!("{value}::{kind}"));
            upto = end;
        }
    }
    written.push_str(text.get(upto..).unwrap_or_default());
    written
}

/// Types that people write in front of a constant.
const TYPES_BEFORE_CONSTANTS: [&str; 6] = ["date", "time", "timestamp", "timestamptz", "interval", "numeric"];

/// The statements in a text as the parser writes them back: how many there are, and what each is. Used to prove what a text of
/// ours says to Postgres.
///
/// # Errors
/// [`Unparsed`].
pub fn statements(text: &str) -> Result<Vec<NodeEnum>, Unparsed> {
    let parsed =
        pg_query::parse(text, ParserOptions::default()).map_err(|error| Unparsed::Refused(error.to_string()))?;
    Ok(parsed.protobuf.stmts.into_iter().filter_map(|raw| raw.stmt?.node).collect())
}

pub use pg_query::NodeEnum as Node;
pub use pg_query::protobuf::Node as ParsedNode;

#[cfg(test)]
mod tests;
