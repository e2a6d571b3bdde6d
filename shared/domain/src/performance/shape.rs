//! The shape of a statement: which columns of which relations it compares, joins, sorts and returns. Made by the parser (`sql`), read by
//! the finder of candidates; names are as the statement has them, and are looked up in the catalog here in `domain`.

use serde::{Deserialize, Serialize};

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Reads.
    Select,
    /// Adds rows.
    Insert,
    /// Modifies rows.
    Update,
    /// Deletes rows.
    Delete,
    /// Anything else: a utility command, several statements at once.
    Other,
}

/// The shape of one statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// What it does.
    pub verb: Verb,
    /// Its queries, the outermost first; a subquery names the one around it.
    pub scopes: Vec<Scope>,
}

/// One query of a statement, with what it reads from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The query around it, by its place in [`Shape::scopes`].
    pub parent: Option<usize>,
    /// Tables it reads.
    pub relations: Vec<Relation>,
    /// What rows must fulfil.
    pub conditions: Vec<Condition>,
    /// Columns that it sorts by, with whether downwards, as far as they are columns.
    pub order: Vec<(Column, bool)>,
    /// Columns that it groups by or makes distinct.
    pub group: Vec<Column>,
    /// Every column that it mentions.
    pub mentions: Vec<Column>,
    /// It returns all columns of something.
    pub has_star: bool,
    /// It ends after so many rows.
    pub has_limit: bool,
    /// It skips rows.
    pub has_offset: bool,
    /// Its one value stands in an expression of the query around it: unlike `EXISTS` and `IN`, the server can't make a join of it.
    #[serde(default)]
    pub is_scalar: bool,
}

/// A table as a query names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Schema, where the statement names one.
    pub schema: Option<String>,
    /// Table.
    pub name: String,
    /// By which its columns are qualified: the alias, else the name.
    pub alias: String,
}

/// A column as a query names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Column {
    /// Alias of the relation, where the statement names one.
    pub of: Option<String>,
    /// Name.
    pub name: String,
}

/// What rows must fulfil, as far as an index can help.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A column, or a function of it, against a value.
    Compare {
        /// The column.
        column: Column,
        /// How.
        how: Comparison,
        /// The function around the column, where it is one of [`Wrapper`].
        wrapped: Option<Wrapper>,
    },
    /// Two columns are equal.
    Join {
        /// One.
        left: Column,
        /// The other.
        right: Column,
    },
}

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// With one value, or one of several.
    Equal,
    /// With a bound, or a pattern that begins with something.
    Range,
    /// With a pattern that may begin with anything.
    Contains,
    /// A document that holds another.
    Holds,
    /// With nothing.
    IsNull,
    /// With anything but nothing.
    IsNotNull,
}

/// A function by which a column may be indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrapper {
    /// `lower(column)`.
    Lower,
    /// `upper(column)`.
    Upper,
    /// Any other function: named to people, no index is made of it.
    Other,
}
