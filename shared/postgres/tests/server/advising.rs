//! The advisor with the planner of a real server.

use crate::shop::{Now, Shop, USERS};
use domain::performance::index::IndexSpec;
use domain::performance::{Advisor, Bottleneck, Budget, Policy, Question, Weighs, Work, bottlenecks, matrix, window};
use engine::ports::Databases as _;
use maintainer_postgres::Databases;

const BUDGET: Budget = Budget { indexes_max: 8, bytes_max: 1e9, share_min: 0.02, weighs: Weighs::Time };

/// What is advised for the traffic of a window, where a query of over a millisecond is slow.
async fn advice(shop: &Shop) -> (Vec<Bottleneck>, usize) {
    let databases = Databases::new(&shop.databases, &USERS, &Now);
    let first = databases.sample("orders", false).await.unwrap();
    shop.traffic(25).await;
    let second = databases.sample("orders", true).await.unwrap();
    let window = window(&first, &second);
    let window = window.known().unwrap();
    let catalog = databases.catalog("orders").await.unwrap();
    let work = window.statements.iter().filter_map(|used| {
        let shape = sql::shape(&used.text).ok()?;
        Some(Work { used: used.clone(), shape })
    });
    let mut advisor = Advisor::new(work.collect(), window.seconds, &catalog, BUDGET);
    loop {
        let questions = advisor.questions();
        if questions.is_empty() {
            let policy = Policy { slow_query_ms: 1.0, ..Policy::default() };
            return (bottlenecks("orders", window, &advisor.advice(), &policy), advisor.questions_asked());
        }
        advisor.answer(databases.price("orders", &questions).await.unwrap());
    }
}

#[tokio::test]
async fn the_missing_index_is_found_and_nothing_else() {
    let shop = Shop::open("advising").await;
    let (found, asked) = advice(&shop).await;
    println!("{asked} questions\n{}", matrix(&found));
    let worth: Vec<&Bottleneck> = found.iter().filter(|bottleneck| bottleneck.is_worth_it).collect();
    assert_eq!(worth.len(), 1, "{found:#?}");
    let advised = &worth[0].advised;
    assert_eq!((advised.index.table.as_str(), advised.index.keys[0].column.as_str()), ("orders", "customer_id"));
    assert!(advised.helps[0].cost_after < 0.2 * advised.helps[0].cost_before, "{advised:#?}");
    assert!(advised.bytes > 100_000.0, "{advised:#?}");
    let text = maintainer_postgres::ddl::create_index(&advised.index).unwrap();
    shop.owner.batch_execute(&text).await.unwrap();
    let (found, _) = advice(&shop).await;
    println!("{}", matrix(&found));
    assert!(found.iter().all(|bottleneck| !bottleneck.is_worth_it), "the index is there: {found:#?}");
}

#[tokio::test]
async fn hostile_statements_are_not_priced_and_do_nothing() {
    let shop = Shop::open("hostile").await;
    let databases = Databases::new(&shop.databases, &USERS, &Now);
    let index = IndexSpec::btree("public", "orders", &["customer_id"]);
    let ask = |text: &str| Question { text: text.to_owned(), indexes: vec![index.clone()] };
    let long = format!("SELECT {} 1 FROM orders", "1,".repeat(500_000));
    let questions = [
        ask("SELECT 1; DROP TABLE orders"),
        ask("SELECT 1 FROM orders WHERE note = '\u{202e}\u{1f4a3}'; --"),
        ask("SELECT $1 FROM \"no such; table\"\""),
        ask("DELETE FROM orders"),
        ask("SELECT pg_terminate_backend(pg_backend_pid())"),
        ask("SELECT interval $1"),
        ask(&long),
        ask("SELECT total FROM orders WHERE customer_id = $1"),
    ];
    let priced = databases.price("orders", &questions).await.unwrap();
    assert!(priced[0].is_none() && priced[2].is_none() && priced[5].is_none(), "{priced:?}");
    let last = priced[7].as_ref().unwrap();
    assert_eq!(last.uses, [0], "the planner would use it");
    let left: i64 = shop.owner.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0);
    assert_eq!(left, i64::from(crate::shop::ORDERS));
    assert!(!shop.has_index(&index.name()).await, "it was only thought of");
}

#[tokio::test]
async fn without_the_extension_that_prices_it_says_which_command_brings_it() {
    let shop = Shop::open("unpriced").await;
    shop.owner.batch_execute("DROP EXTENSION hypopg").await.unwrap();
    let question =
        Question { text: "SELECT 1".to_owned(), indexes: vec![IndexSpec::btree("public", "orders", &["customer_id"])] };
    let refused = Databases::new(&shop.databases, &USERS, &Now).price("orders", &[question]).await.unwrap_err();
    assert!(refused.to_string().contains("CREATE EXTENSION hypopg"), "{refused}");
}
