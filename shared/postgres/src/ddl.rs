//! Every statement that ever changes something, written from names and choices. Names are quoted by the library of the protocol;
//! nothing else of a text from outside can get in: what may be chosen is an `enum`.

use domain::performance::index::{IndexSpec, Key, Method, Only};
use domain::performance::shape::Wrapper;
use postgres_protocol::escape::escape_identifier;

/// The statement that builds an index without holding up writes; `None` for one with an expression that is never built.
///
/// Not `IF NOT EXISTS`: that would take what a dead build has left for the real one.
pub fn create_index(spec: &IndexSpec) -> Option<String> {
    let name = escape_identifier(&spec.name());
    Some(format!("CREATE INDEX CONCURRENTLY {name} {}", on(spec)?))
}

/// The same index for the extension that only thinks of it.
pub fn hypothetical_index(spec: &IndexSpec) -> Option<String> {
    Some(format!("CREATE INDEX {}", on(spec)?))
}

/// The statement that drops one of our own indexes without holding up writes; `None` for a name that is not ours.
pub fn drop_index(schema: &str, name: &str) -> Option<String> {
    let is_ours = name.starts_with(domain::performance::index::OWN_PREFIX);
    is_ours
        .then(|| format!("DROP INDEX CONCURRENTLY IF EXISTS {}.{}", escape_identifier(schema), escape_identifier(name)))
}

/// The statement that renews what the planner knows of a table.
pub fn analyze_table(schema: &str, table: &str) -> String {
    format!("ANALYZE {}.{}", escape_identifier(schema), escape_identifier(table))
}

fn on(spec: &IndexSpec) -> Option<String> {
    if spec.keys.is_empty() {
        return None;
    }
    let (method, operators) = match spec.method {
        Method::Btree => ("btree", ""),
        Method::Trigram => ("gin", " gin_trgm_ops"),
        Method::Jsonb => ("gin", " jsonb_path_ops"),
    };
    let key = |key: &Key| {
        let column = escape_identifier(&key.column);
        let column = match key.wrapped {
            None => column,
            Some(Wrapper::Lower) => format!("lower({column})"),
            Some(Wrapper::Upper) => format!("upper({column})"),
            Some(Wrapper::Other) => return None,
        };
        Some(format!("{column}{operators}{}", if key.descending { " DESC" } else { "" }))
    };
    let keys = spec.keys.iter().map(key).collect::<Option<Vec<_>>>()?.join(", ");
    let table = format!("{}.{}", escape_identifier(&spec.schema), escape_identifier(&spec.table));
    let mut text = format!("ON {table} USING {method} ({keys})");
    if !spec.includes.is_empty() {
        let includes: Vec<String> = spec.includes.iter().map(|column| escape_identifier(column)).collect();
        text.push_str(&format!(" INCLUDE ({})", includes.join(", ")));
    }
    match &spec.only {
        None => {}
        Some(Only::Null { column }) => text.push_str(&format!(" WHERE {} IS NULL", escape_identifier(column))),
        Some(Only::NotNull { column }) => text.push_str(&format!(" WHERE {} IS NOT NULL", escape_identifier(column))),
    }
    Some(text)
}

#[cfg(test)]
pub(crate) mod tests;
