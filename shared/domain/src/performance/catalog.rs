//! What a database is made of, as its catalog says.

use serde::{Deserialize, Serialize};

/// Tables of a database with their indexes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Version of the server as a number: 150018 is 15.18.
    pub server_version: u32,
    /// Schemas in which a name without one is looked for, in order.
    pub search_path: Vec<String>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Extensions that are there.
    pub extensions: Vec<String>,
    /// Transactions, oldest first, that have been open for longer than a second: their age in seconds.
    pub oldest_transaction_s: Option<f64>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Schema.
    pub schema: String,
    /// Name.
    pub name: String,
    /// Rows, as the planner estimates them.
    pub rows: f64,
    /// Size without indexes.
    pub bytes: f64,
    /// Whether it is made of partitions: an index on it can't be built concurrently.
    pub is_partitioned: bool,
    /// Rows that were added, modified or deleted since the counters began.
    pub writes: f64,
    /// Rows modified since it was last analyzed.
    pub modified_since_analyze: f64,
    /// Sequential scans since the counters began.
    pub seq_scans: f64,
    /// Columns.
    pub columns: Vec<ColumnFacts>,
    /// Indexes.
    pub indexes: Vec<IndexFacts>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnFacts {
    /// Name.
    pub name: String,
    /// Type, as the server names it.
    pub type_name: String,
    /// Distinct values: as a number, where the planner knows them.
    pub distinct: Option<f64>,
    /// Mean width in bytes, where the planner knows it.
    pub width: Option<f64>,
}

/// An index as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexFacts {
    /// Name.
    pub name: String,
    /// Access method.
    pub method: String,
    /// Columns of the key in order; none for an expression.
    pub keys: Vec<Option<String>>,
    /// Columns that are only stored with it.
    pub includes: Vec<String>,
    /// It holds only some of the rows.
    pub is_partial: bool,
    /// It enforces something: a primary key, uniqueness, an exclusion.
    pub is_constraint: bool,
    /// Queries may use it.
    pub is_valid: bool,
    /// Scans since the counters began.
    pub scans: f64,
    /// Size.
    pub bytes: f64,
    /// Its definition, as the server writes it.
    pub definition: String,
}

impl Catalog {
    /// The table by its name, in the schema or where a name without one is looked for.
    pub fn table(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        match schema {
            Some(schema) => self.tables.iter().find(|table| table.schema == schema && table.name == name),
            None => self
                .search_path
                .iter()
                .find_map(|schema| self.tables.iter().find(|table| table.schema == *schema && table.name == name)),
        }
    }

    /// Whether an extension is there.
    pub fn has(&self, extension: &str) -> bool {
        self.extensions.iter().any(|name| name == extension)
    }
}

impl Table {
    /// The column.
    pub fn column(&self, name: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|column| column.name == name)
    }
}
