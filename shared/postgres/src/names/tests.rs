//! Whatever the names, the parser of Postgres reads in advice what the name is, and a reader sees it.

use super::*;
use crate::ddl::tests::hostile_name;
use sql::Node;

/// Cases of the fuzz; each is parsed by Postgres's own parser.
const CASES: u64 = 50_000;

#[test]
fn advice_names_what_the_database_names_and_nothing_else() {
    let mut random = fastrand::Rng::with_seed(18);
    for case in 0..CASES {
        let (schema, table) = (hostile_name(&mut random), hostile_name(&mut random));
        let name = of_schema(&schema, &table);
        assert!(is_plain(&name.sql), "case {case}: a reader would not see {:?}", name.sql);
        let text = format!("ALTER TABLE {} RESET (autovacuum_enabled)", name.sql);
        let mut statements = sql::statements(&text).unwrap_or_else(|why| panic!("case {case}: {why}: {text}"));
        let (Some(Node::AlterTableStmt(read)), true) = (statements.pop(), statements.is_empty()) else {
            panic!("case {case}: {text}")
        };
        let read = read.relation.as_ref().unwrap();
        assert_eq!((&read.schemaname, &read.relname), (&schema, &table), "case {case}: {text}");
        let name = literal(&table);
        assert!(is_plain(&name.sql), "case {case}: {:?}", name.sql);
        let text = format!("COMMIT PREPARED {}", name.sql);
        let mut statements = sql::statements(&text).unwrap_or_else(|why| panic!("case {case}: {why}: {text}"));
        let (Some(Node::TransactionStmt(read)), true) = (statements.pop(), statements.is_empty()) else {
            panic!("case {case}: {text}")
        };
        assert_eq!(read.gid, table, "case {case}: {text}");
    }
}

#[test]
fn ordinary_names_are_written_as_people_write_them() {
    assert_eq!(of_schema("public", "orders").sql, "\"public\".\"orders\"");
    assert_eq!(of_database("Straße \"7\"").sql, "\"Straße \"\"7\"\"\"");
    assert_eq!(literal("it's").sql, "'it''s'");
    assert_eq!(literal("a\\b").sql, "E'a\\\\b'");
    assert_eq!(of_database("a\u{202e}\\b").sql, "U&\"a\\202E\\\\b\"");
}
