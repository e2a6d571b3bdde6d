//! An index that could be built: every shape that the maintainer ever builds, and nothing else.
//!
//! It holds names and choices, never SQL. The adapter writes the statement from it, with every name quoted.

use super::shape::Wrapper;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// How names of our own indexes begin.
pub const OWN_PREFIX: &str = "maintainer_";
/// Longest name that Postgres keeps, in bytes; it cuts longer ones.
const NAME_BYTES_MAX: usize = 63;
/// Hexadecimal digits of the digest in a name.
const DIGEST_DIGITS: usize = 10;

/// An index to build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IndexSpec {
    /// Schema of the table.
    pub schema: String,
    /// Table.
    pub table: String,
    /// Access method with the operators it serves.
    pub method: Method,
    /// What it is sorted by, in order; at least one.
    pub keys: Vec<Key>,
    /// Columns that are only stored with it, so that a query need not look into the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub includes: Vec<String>,
    /// Which rows it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
}

/// Access method with the operators it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Equality, ranges and order.
    Btree,
    /// Patterns anywhere in a text, by its trigrams.
    Trigram,
    /// What a document holds, by its paths.
    Jsonb,
}

/// A part of the key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Column.
    pub column: String,
    /// The function around it; [`Wrapper::Other`] is never built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wrapped: Option<Wrapper>,
    /// Sorted downwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
}

/// Which rows an index holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    /// Those where the column has no value.
    Null {
        /// Column.
        column: String,
    },
    /// Those where the column has a value.
    NotNull {
        /// Column.
        column: String,
    },
}

impl Key {
    /// A column, upwards.
    pub fn of(column: impl Into<String>) -> Self {
        Self { column: column.into(), wrapped: None, descending: false }
    }
}

impl IndexSpec {
    /// An index on columns, upwards.
    pub fn btree(schema: &str, table: &str, columns: &[&str]) -> Self {
        Self {
            schema: schema.to_owned(),
            table: table.to_owned(),
            method: Method::Btree,
            keys: columns.iter().map(|column| Key::of(*column)).collect(),
            includes: Vec::new(),
            only: None,
        }
    }

    /// Its name: the same for the same index, so that one that is there already is known as ours. The table for people, a digest of
    /// everything for us, never longer than Postgres keeps.
    pub fn name(&self) -> String {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text.as_bytes());
        };
        part(&self.schema);
        part(&self.table);
        part(&self.in_words());
        for column in &self.includes {
            part(column);
        }
        for key in &self.keys {
            part(&key.column);
        }
        let digest: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).take(DIGEST_DIGITS / 2).collect();
        let plain: String = self.table.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let room = NAME_BYTES_MAX - OWN_PREFIX.len() - DIGEST_DIGITS - 1;
        let table: String = plain.chars().take(room).collect();
        format!("{OWN_PREFIX}{table}_{digest}")
    }

    /// Whether this index serves all that the other does: a query that uses the other can use this one. Both are B-trees on all rows.
    pub fn covers(&self, other: &Self) -> bool {
        let same_table = self.schema == other.schema && self.table == other.table;
        let plain = self.method == Method::Btree && other.method == Method::Btree && self.only.is_none();
        let stored = |column: &String| self.includes.contains(column) || self.keys.iter().any(|k| k.column == *column);
        same_table && plain && self.keys.starts_with(&other.keys) && other.includes.iter().all(stored)
    }

    /// What it is, for a person: `(customer_id, created_at DESC) INCLUDE (total)`.
    pub fn in_words(&self) -> String {
        let key = |key: &Key| {
            let column = match key.wrapped {
                None => key.column.clone(),
                Some(Wrapper::Lower) => format!("lower({})", key.column),
                Some(Wrapper::Upper) => format!("upper({})", key.column),
                Some(Wrapper::Other) => format!("?({})", key.column),
            };
            if key.descending { format!("{column} DESC") } else { column }
        };
        let mut text = match self.method {
            Method::Btree => String::new(),
            Method::Trigram => "trigrams of ".to_owned(),
            Method::Jsonb => "contents of ".to_owned(),
        };
        text.push_str(&format!("({})", self.keys.iter().map(key).collect::<Vec<_>>().join(", ")));
        if !self.includes.is_empty() {
            text.push_str(&format!(" INCLUDE ({})", self.includes.join(", ")));
        }
        match &self.only {
            None => {}
            Some(Only::Null { column }) => text.push_str(&format!(" WHERE {column} IS NULL")),
            Some(Only::NotNull { column }) => text.push_str(&format!(" WHERE {column} IS NOT NULL")),
        }
        text
    }
}

impl fmt::Display for IndexSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} {}", self.schema, self.table, self.in_words())
    }
}

/// An index as it stands in a database, for guards, capture and undo.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The database, by its name in the configuration.
    pub database: String,
    /// Schema of its table.
    pub schema: String,
    /// Table.
    pub table: String,
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub state: IndexState,
    /// Size of the table in bytes.
    pub table_bytes: f64,
    /// Age of the oldest transaction that is open, in seconds: building waits for it.
    pub oldest_transaction_s: f64,
    /// What else works on the table right now and would be waited for, in words.
    pub busy: Option<String>,
}

/// Whether an index is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexState {
    /// There is none of this name.
    Absent,
    /// Queries use it.
    Valid,
    /// A build has not ended, or has died: writes maintain it, no query uses it.
    Invalid,
}

impl fmt::Display for IndexState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "no index",
            Self::Valid => "the index",
            Self::Invalid => "an unfinished index",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_ours_short_and_the_same_for_the_same_index_only() {
        let one = IndexSpec::btree("public", "orders", &["customer_id", "created_at"]);
        assert!(one.name().starts_with("maintainer_orders_"), "{}", one.name());
        assert_eq!(one.name(), one.clone().name());
        for other in [
            IndexSpec::btree("public", "orders", &["created_at", "customer_id"]),
            IndexSpec::btree("sales", "orders", &["customer_id", "created_at"]),
            IndexSpec { includes: vec!["total".into()], ..one.clone() },
            IndexSpec { only: Some(Only::NotNull { column: "created_at".into() }), ..one.clone() },
            IndexSpec::btree("public", "orders", &["customer_id, created_at"]),
        ] {
            assert_ne!(one.name(), other.name(), "{other}");
        }
        let long = IndexSpec::btree("public", &"ä\"; DROP TABLE x--".repeat(20), &["a"]);
        assert!(long.name().len() <= NAME_BYTES_MAX && long.name().is_ascii(), "{}", long.name());
    }

    #[test]
    fn a_longer_index_serves_what_a_shorter_one_does() {
        let long = IndexSpec::btree("public", "orders", &["a", "b"]);
        let short = IndexSpec::btree("public", "orders", &["a"]);
        assert!(long.covers(&short) && !short.covers(&long));
        assert!(!long.covers(&IndexSpec::btree("public", "orders", &["b"])));
        assert!(!long.covers(&IndexSpec { includes: vec!["c".into()], ..short.clone() }));
        assert!(long.covers(&IndexSpec { includes: vec!["b".into()], ..short }));
    }
}
