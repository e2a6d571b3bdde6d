use super::*;
use domain::performance::shape::{Column, Comparison, Condition, Wrapper};

fn column(of: &str, name: &str) -> Column {
    Column { of: (!of.is_empty()).then(|| of.to_owned()), name: name.to_owned() }
}

fn compare(of: &str, name: &str, how: Comparison) -> Condition {
    Condition::Compare { column: column(of, name), how, wrapped: None }
}

#[test]
fn a_statement_says_what_it_compares_joins_sorts_and_returns() {
    let shape = shape(
        "SELECT o.id, c.name FROM orders o JOIN sales.customers AS c ON c.id = o.customer_id \
         WHERE o.status = $1 AND o.created_at >= $2 AND o.deleted_at IS NULL AND lower(c.email) = $3 \
         ORDER BY o.created_at DESC, o.id LIMIT $4 OFFSET $5",
    )
    .unwrap();
    let scope = &shape.scopes[0];
    assert_eq!(scope.relations.len(), 2);
    assert_eq!((scope.relations[1].schema.as_deref(), scope.relations[1].alias.as_str()), (Some("sales"), "c"));
    for wanted in [
        Condition::Join { left: column("c", "id"), right: column("o", "customer_id") },
        compare("o", "status", Comparison::Equal),
        compare("o", "created_at", Comparison::Range),
        compare("o", "deleted_at", Comparison::IsNull),
        Condition::Compare { column: column("c", "email"), how: Comparison::Equal, wrapped: Some(Wrapper::Lower) },
    ] {
        assert!(scope.conditions.contains(&wanted), "{wanted:?} is not in {:?}", scope.conditions);
    }
    assert_eq!(scope.order, [(column("o", "created_at"), true), (column("o", "id"), false)]);
    assert!(scope.has_limit && scope.has_offset && !scope.has_star);
    assert!(scope.mentions.contains(&column("c", "name")));
}

#[test]
fn queries_inside_others_have_a_scope_of_their_own_that_knows_the_one_around_it() {
    let shape = shape(
        "WITH recent AS (SELECT customer_id FROM orders WHERE created_at > $1) \
         SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.total > $2) \
         AND c.id IN (SELECT customer_id FROM recent)",
    )
    .unwrap();
    assert_eq!(shape.scopes[0].parent, None);
    assert!(shape.scopes[0].has_star);
    assert!(shape.scopes.iter().skip(1).all(|scope| scope.parent == Some(0)), "{:#?}", shape.scopes);
    let joins = |scope: &Scope| {
        scope.conditions.contains(&Condition::Join { left: column("o", "customer_id"), right: column("c", "id") })
    };
    assert!(shape.scopes.iter().any(joins));
}

#[test]
fn a_subquery_whose_value_stands_in_an_expression_is_told_from_those_that_become_joins() {
    for (text, is_scalar) in [
        ("SELECT (SELECT max(i.at) FROM items i WHERE i.order_id = o.id) FROM orders o", true),
        (
            "SELECT id FROM orders o WHERE total > (SELECT avg(x.total) FROM orders x WHERE x.customer_id = o.customer_id)",
            true,
        ),
        ("SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM items i WHERE i.order_id = o.id)", false),
        ("SELECT id FROM orders o WHERE o.id IN (SELECT i.order_id FROM items i)", false),
        (
            "SELECT o.id FROM orders o JOIN LATERAL (SELECT i.at FROM items i WHERE i.order_id = o.id LIMIT 1) l ON true",
            false,
        ),
    ] {
        let shape = shape(text).unwrap();
        assert_eq!(shape.scopes.len(), 2, "{text}");
        assert_eq!((shape.scopes[0].is_scalar, shape.scopes[1].is_scalar), (false, is_scalar), "{text}");
    }
}

#[test]
fn writes_are_told_from_reads_and_everything_else() {
    for (text, verb) in [
        ("UPDATE orders SET status = $1 WHERE id = $2", Verb::Update),
        ("DELETE FROM orders WHERE created_at < $1", Verb::Delete),
        ("INSERT INTO orders (a) VALUES ($1)", Verb::Insert),
        ("VACUUM orders", Verb::Other),
        ("SELECT 1; DROP TABLE orders", Verb::Other),
        ("", Verb::Other),
    ] {
        assert_eq!(shape(text).unwrap().verb, verb, "{text}");
    }
}

#[test]
fn what_is_no_sql_or_too_long_is_one_sentence() {
    assert!(shape("SELEC 1").unwrap_err().to_string().starts_with("Postgres does not understand it"));
    assert!(matches!(shape("SELECT 1\0; DROP TABLE x"), Err(Unparsed::Refused(_))));
    let long = format!("SELECT {}", "1,".repeat(TEXT_BYTES_MAX));
    assert_eq!(shape(&long), Err(Unparsed::TooLong(long.len())));
    let deep = format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let _ = shape(&deep);
    let nested = format!("SELECT {}1", "- ".repeat(30_000));
    let _ = shape(&nested);
}

#[test]
fn a_constant_with_its_type_in_front_can_be_prepared() {
    assert_eq!(
        preparable("SELECT date $1 - interval $2, 'interval $3' FROM t WHERE interval_days = $4 AND a > Timestamp $5"),
        "SELECT $1::date - $2::interval, 'interval $3' FROM t WHERE interval_days = $4 AND a > $5::Timestamp"
    );
    assert_eq!(preparable("SELECT $1"), "SELECT $1");
}

/// A comment between any two words of a statement goes, and the statement stays what it was to the parser.
#[test]
fn what_is_written_down_of_a_statement_is_the_statement_without_its_comments() {
    const STATEMENTS: [&str; 5] = [
        "SELECT o.id, \"odd -- name\" FROM orders o WHERE o.note = E'it\\'s /* no */' AND total > $1 ORDER BY 2 DESC",
        "INSERT INTO notes (body) VALUES ($$ -- no $$), ($a$ /* no */ $a$), ('it''s -- no')",
        "UPDATE stock SET left_over = left_over - $1 WHERE sku = $2 AND left_over >= - $1",
        "WITH recent AS (SELECT id FROM orders WHERE at > now() - interval '1 day') DELETE FROM carts USING recent WHERE carts.id = recent.id",
        "SELECT a.x / b.y * 2 FROM a JOIN b ON a.id = b.id AND a.tags @> '{\"--\": 1}'",
    ];
    const COMMENTS: [&str; 4] =
        ["/* canary */", "-- canary 'x\n", "/* a /* canary */ $1 */", "/*controller='canary',action=\"*/"];
    let mut tried = 0;
    for text in STATEMENTS {
        let of = |text: &str| pg_query::fingerprint(text, 0, 0).unwrap().hex;
        for token in pg_query::scan(text).unwrap().tokens {
            for comment in COMMENTS {
                let (before, after) = text.split_at(usize::try_from(token.start).unwrap());
                let commented = format!("{before} {comment} {after}");
                assert_eq!(of(&commented), of(text), "the parser takes it for a comment: {commented}");
                let written = domain::performance::wording::kept(&commented);
                assert!(!written.contains("canary"), "{written}");
                assert_eq!(of(&written), of(text), "{commented}\n{written}");
                tried += 1;
            }
        }
    }
    assert!(tried > 300, "{tried}");
}
