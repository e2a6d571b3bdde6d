use crate::shop::{Now, ORDERS, Shop, USERS};
use domain::performance::window;
use engine::ports::{Databases as _, PortError};
use maintainer_postgres::Databases;

#[tokio::test]
async fn a_window_holds_what_the_application_asked_and_nothing_of_ours() {
    let shop = Shop::open("reading").await;
    let databases = Databases::new(&shop.databases, &USERS, &Now);
    shop.traffic(3).await;
    let first = databases.sample("orders", false).await.unwrap();
    shop.traffic(25).await;
    let second = databases.sample("orders", true).await.unwrap();
    let found = window(&first, &second);
    let found = found.known().unwrap();
    let orders = found.statements.iter().find(|used| used.text.contains("FROM orders WHERE customer_id")).unwrap();
    assert_eq!(orders.calls.round(), 25.0);
    assert!(orders.mean_ms > 0.5, "{orders:?}: the table is read whole");
    assert_eq!(found.statements[0].id, orders.id, "what takes the most time comes first");
    assert!(found.statements.iter().all(|used| !used.text.contains("pg_stat")), "{found:#?}");
    shop.owner.execute("SELECT pg_stat_statements_reset()", &[]).await.unwrap();
    let third = databases.sample("orders", true).await.unwrap();
    assert!(window(&second, &third).known().is_none(), "a reset in between leaves nothing known");
}

#[tokio::test]
async fn the_catalog_has_tables_columns_and_indexes_with_what_they_enforce() {
    let shop = Shop::open("catalog").await;
    let databases = Databases::new(&shop.databases, &USERS, &Now);
    // The server counts what a session has written a moment later.
    let catalog = loop {
        let catalog = databases.catalog("orders").await.unwrap();
        if catalog.table(None, "orders").unwrap().writes >= f64::from(ORDERS) {
            break catalog;
        }
        shop.owner.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    };
    assert!((130_000..200_000).contains(&catalog.server_version), "{}", catalog.server_version);
    assert!(catalog.has("hypopg") && catalog.has("pg_stat_statements"));
    let orders = catalog.table(None, "orders").unwrap();
    assert!((orders.rows - f64::from(ORDERS)).abs() < 1_000.0, "{}", orders.rows);
    assert!(orders.bytes > 1e6);
    let customer = orders.column("customer_id").unwrap();
    assert_eq!(customer.type_name, "int4");
    assert!(customer.distinct.unwrap() > 500.0, "{customer:?}");
    let primary = orders.indexes.iter().find(|index| index.name == "orders_pkey").unwrap();
    assert!(primary.is_constraint && primary.is_valid && primary.keys == [Some("id".to_owned())], "{primary:?}");
    let closing = orders.indexes.iter().find(|index| index.name == "orders_closing").unwrap();
    assert!(!closing.is_constraint && closing.definition.contains("USING btree (created_at)"), "{closing:?}");
}

#[tokio::test]
async fn what_is_lacking_is_one_sentence_with_the_command_that_grants_it() {
    let shop = Shop::open("lacking").await;
    let databases = Databases::new(&shop.databases, &USERS, &Now);
    shop.traffic(1).await;
    shop.owner.batch_execute("REVOKE pg_monitor FROM reader").await.unwrap();
    let refused = databases.sample("orders", true).await.unwrap_err();
    assert!(refused.to_string().contains("GRANT pg_monitor TO"), "{refused}");
    shop.owner.batch_execute("GRANT pg_monitor TO reader; DROP EXTENSION pg_stat_statements").await.unwrap();
    let refused = databases.sample("orders", true).await.unwrap_err();
    assert!(matches!(refused, PortError::Rejected { .. }), "{refused:?}");
    assert!(refused.to_string().contains("CREATE EXTENSION pg_stat_statements"), "{refused}");
}
