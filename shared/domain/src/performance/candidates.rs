//! Indexes that could help a statement. Generous on purpose: the planner of the server prices every one, and what it would not use
//! is never built.

use super::catalog::{Catalog, ColumnFacts, Table};
use super::index::{IndexSpec, Key, Method, Only};
use super::shape::{Column, Comparison, Condition, Scope, Shape, Wrapper};
use std::collections::BTreeSet;

/// Columns of a key at most: more help no query that fewer don't.
const KEYS_MAX: usize = 4;
/// Columns that are stored besides the key, at most.
const INCLUDES_MAX: usize = 6;
/// Mean width of what is stored besides the key, in bytes, at most: an index as wide as its table saves little.
const INCLUDES_WIDTH_MAX: f64 = 64.0;
/// Rows of a table under which nothing is proposed: reading it whole takes a moment.
pub const ROWS_MIN: f64 = 1_000.0;
/// Candidates of one statement at most.
const CANDIDATES_MAX: usize = 80;
/// The extension by which patterns anywhere in a text are found.
const TRIGRAMS: &str = "pg_trgm";
/// Types whose values a B-tree sorts and that are small enough for one.
const SORTABLE: [&str; 24] = [
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "numeric",
    "money",
    "oid",
    "bool",
    "text",
    "varchar",
    "bpchar",
    "char",
    "name",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "inet",
    "citext",
    "enum",
];

/// What a query asks of one table.
#[derive(Default)]
struct Asked {
    equal: Vec<String>,
    joined: Vec<String>,
    range: Vec<String>,
    contains: Vec<String>,
    holds: Vec<String>,
    null: Vec<String>,
    not_null: Vec<String>,
    wrapped: Vec<(String, Wrapper)>,
    order: Vec<(String, bool)>,
    group: Vec<String>,
    mentioned: Vec<String>,
    has_star: bool,
}

/// Candidates for a statement, in the order in which they are worth a question.
pub fn candidates(shape: &Shape, catalog: &Catalog) -> Vec<IndexSpec> {
    let mut found: Vec<IndexSpec> = Vec::new();
    for (at, scope) in shape.scopes.iter().enumerate() {
        for (position, relation) in scope.relations.iter().enumerate() {
            let Some(table) = catalog.table(relation.schema.as_deref(), &relation.name) else { continue };
            if table.rows < ROWS_MIN || table.is_partitioned {
                continue;
            }
            let asked = asked(shape, at, position, table, catalog);
            for candidate in of_table(table, &asked, catalog) {
                if !found.contains(&candidate) && !is_there(&candidate, table) {
                    found.push(candidate);
                }
            }
        }
    }
    found.truncate(CANDIDATES_MAX);
    found
}

/// Whether a valid index of the table serves all that the candidate would.
fn is_there(candidate: &IndexSpec, table: &Table) -> bool {
    if candidate.method != Method::Btree || candidate.only.is_some() {
        return table.indexes.iter().any(|index| index.name == candidate.name() && index.is_valid);
    }
    table.indexes.iter().any(|index| {
        let keys = candidate.keys.iter().zip(&index.keys);
        let leads = keys.clone().count() == candidate.keys.len()
            && keys.into_iter().all(|(key, there)| key.wrapped.is_none() && there.as_deref() == Some(&key.column));
        let stores =
            |column: &String| index.includes.contains(column) || index.keys.iter().flatten().any(|k| k == column);
        index.is_valid && !index.is_partial && index.method == "btree" && leads && candidate.includes.iter().all(stores)
    })
}

/// What the statement asks of a table in one of its queries.
fn asked(shape: &Shape, at: usize, position: usize, table: &Table, catalog: &Catalog) -> Asked {
    let scope = &shape.scopes[at];
    let is_ours = |column: &Column, from: usize| owner(shape, from, column, catalog) == Some((at, position));
    let mut asked = Asked { has_star: scope.has_star, ..Asked::default() };
    // Conditions of queries inside may look at this table too; those of the query itself do.
    for (from, inner) in shape.scopes.iter().enumerate() {
        for condition in &inner.conditions {
            match condition {
                Condition::Compare { column, how, wrapped: None } if is_ours(column, from) => {
                    let list = match how {
                        Comparison::Equal => &mut asked.equal,
                        Comparison::Range => &mut asked.range,
                        Comparison::Contains => &mut asked.contains,
                        Comparison::Holds => &mut asked.holds,
                        Comparison::IsNull => &mut asked.null,
                        Comparison::IsNotNull => &mut asked.not_null,
                    };
                    push(list, &column.name);
                }
                Condition::Compare { column, wrapped: Some(wrapper), how: Comparison::Equal | Comparison::Range }
                    if is_ours(column, from) =>
                {
                    asked.wrapped.push((column.name.clone(), *wrapper));
                }
                Condition::Join { left, right } => {
                    for side in [left, right] {
                        if is_ours(side, from) {
                            push(&mut asked.joined, &side.name);
                        }
                    }
                }
                Condition::Compare { .. } => {}
            }
        }
        for column in inner.mentions.iter().filter(|column| is_ours(column, from)) {
            push(&mut asked.mentioned, &column.name);
        }
    }
    let own = |columns: &mut dyn Iterator<Item = &Column>| -> Vec<String> {
        columns.take_while(|column| is_ours(column, at)).map(|column| column.name.clone()).collect()
    };
    asked.group = own(&mut scope.group.iter());
    let order = own(&mut scope.order.iter().map(|(column, _)| column));
    if order.len() == scope.order.len() {
        asked.order = scope.order.iter().map(|(column, down)| (column.name.clone(), *down)).collect();
    }
    for list in [&mut asked.equal, &mut asked.joined, &mut asked.range, &mut asked.null, &mut asked.group] {
        list.retain(|column| is_sortable(table, column));
    }
    asked
}

fn push(list: &mut Vec<String>, name: &str) {
    if !list.iter().any(|there| there == name) {
        list.push(name.to_owned());
    }
}

fn is_sortable(table: &Table, column: &str) -> bool {
    table.column(column).is_some_and(|facts| SORTABLE.contains(&facts.type_name.as_str()))
}

/// Which relation of which query a column belongs to: by its qualifier, else the first relation that has such a column; looked
/// for in the query itself and then in those around it.
fn owner(shape: &Shape, from: usize, column: &Column, catalog: &Catalog) -> Option<(usize, usize)> {
    let mut at = Some(from);
    // A scope's parent stands before it, so this ends.
    while let Some(scope_at) = at {
        let scope: &Scope = shape.scopes.get(scope_at)?;
        let has = |relation: &super::shape::Relation| {
            catalog
                .table(relation.schema.as_deref(), &relation.name)
                .is_some_and(|table| table.column(&column.name).is_some())
        };
        let found = match &column.of {
            Some(alias) => scope.relations.iter().position(|relation| relation.alias == *alias && has(relation)),
            None => scope.relations.iter().position(has),
        };
        if let Some(position) = found {
            return Some((scope_at, position));
        }
        at = scope.parent.filter(|parent| *parent < scope_at);
    }
    None
}

fn of_table(table: &Table, asked: &Asked, catalog: &Catalog) -> Vec<IndexSpec> {
    let mut found: Vec<IndexSpec> = Vec::new();
    let spec = |keys: Vec<Key>| IndexSpec {
        schema: table.schema.clone(),
        table: table.name.clone(),
        method: Method::Btree,
        keys,
        includes: Vec::new(),
        only: None,
    };
    let plain = |columns: &[String]| spec(columns.iter().map(Key::of).collect());
    let equal = by_selectivity(table, &asked.equal);
    let joined = by_selectivity(table, &asked.joined);
    let mut leads: Vec<Vec<String>> = vec![Vec::new()];
    // What rows are found by: values, joins, both in either order.
    for lead in [equal.clone(), joined.clone(), [&equal[..], &joined[..]].concat(), [&joined[..], &equal[..]].concat()]
    {
        leads.push(distinct(lead));
    }
    for column in equal.iter().chain(&joined) {
        leads.push(vec![column.clone()]);
    }
    for join in &joined {
        leads.push(distinct([&equal[..], std::slice::from_ref(join)].concat()));
        leads.push(distinct([std::slice::from_ref(join), &equal[..]].concat()));
    }
    let mut keys: Vec<Vec<Key>> = Vec::new();
    for lead in &leads {
        let with = |more: Vec<Key>| {
            let mut all: Vec<Key> = lead.iter().map(Key::of).collect();
            all.extend(more);
            all
        };
        keys.push(with(Vec::new()));
        for range in &asked.range {
            keys.push(with(vec![Key::of(range)]));
        }
        if !asked.order.is_empty() {
            // One direction for all is read from either end; mixed ones only as they are.
            let mixed = asked.order.iter().any(|(_, down)| *down != asked.order[0].1);
            let sorted = |(column, down): &(String, bool)| Key { descending: mixed && *down, ..Key::of(column) };
            keys.push(with(asked.order.iter().map(sorted).collect()));
        }
        if !asked.group.is_empty() {
            keys.push(with(asked.group.iter().map(Key::of).collect()));
        }
    }
    for range in &asked.range {
        for lead in joined.iter().chain(&equal) {
            keys.push(vec![Key::of(range), Key::of(lead)]);
        }
    }
    let mut seen: BTreeSet<Vec<Key>> = BTreeSet::new();
    for key in keys {
        let mut columns: BTreeSet<String> = BTreeSet::new();
        let mut key: Vec<Key> = key.into_iter().filter(|key| columns.insert(key.column.clone())).collect();
        key.truncate(KEYS_MAX);
        if !key.is_empty() && seen.insert(key.clone()) {
            found.push(spec(key));
        }
    }
    found.extend(covering(table, asked, &found));
    for column in &asked.null {
        let only = Some(Only::Null { column: column.clone() });
        for lead in leads.iter().filter(|lead| !lead.is_empty()) {
            found.push(IndexSpec { only: only.clone(), ..plain(lead) });
        }
        for range in &asked.range {
            found.push(IndexSpec { only: only.clone(), ..plain(std::slice::from_ref(range)) });
        }
        found.push(IndexSpec { only, ..plain(std::slice::from_ref(column)) });
    }
    for (column, wrapper) in asked.wrapped.iter().filter(|(_, wrapper)| *wrapper != Wrapper::Other) {
        let key = Key { wrapped: Some(*wrapper), ..Key::of(column) };
        found.push(spec([vec![key], equal.iter().map(Key::of).collect()].concat()));
    }
    let is_text = |column: &&String| {
        table.column(column).is_some_and(|facts| matches!(facts.type_name.as_str(), "text" | "varchar" | "bpchar"))
    };
    if catalog.has(TRIGRAMS) {
        for column in asked.contains.iter().filter(is_text) {
            found.push(IndexSpec { method: Method::Trigram, ..plain(std::slice::from_ref(column)) });
        }
    }
    let is_document = |column: &&String| table.column(column).is_some_and(|facts| facts.type_name == "jsonb");
    for column in asked.holds.iter().filter(is_document) {
        found.push(IndexSpec { method: Method::Jsonb, ..plain(std::slice::from_ref(column)) });
    }
    found
}

/// The same indexes with all that the query mentions stored in them, where that is little.
fn covering(table: &Table, asked: &Asked, plain: &[IndexSpec]) -> Vec<IndexSpec> {
    if asked.has_star || asked.mentioned.is_empty() {
        return Vec::new();
    }
    let width = |column: &String| table.column(column).and_then(|facts: &ColumnFacts| facts.width).unwrap_or(16.0);
    plain
        .iter()
        .filter_map(|spec| {
            let in_key = |column: &&String| spec.keys.iter().any(|key| key.column == **column);
            let includes: Vec<String> = asked.mentioned.iter().filter(|column| !in_key(column)).cloned().collect();
            let is_small =
                includes.len() <= INCLUDES_MAX && includes.iter().map(width).sum::<f64>() <= INCLUDES_WIDTH_MAX;
            (!includes.is_empty() && is_small).then(|| IndexSpec { includes, ..spec.clone() })
        })
        .collect()
}

/// The column with the most different values first: it leaves the fewest rows.
fn by_selectivity(table: &Table, columns: &[String]) -> Vec<String> {
    let different = |column: &String| table.column(column).and_then(|facts| facts.distinct).unwrap_or(1.0);
    let mut sorted = columns.to_vec();
    sorted.sort_by(|a, b| different(b).total_cmp(&different(a)));
    sorted
}

fn distinct(columns: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    columns.into_iter().filter(|column| seen.insert(column.clone())).collect()
}
