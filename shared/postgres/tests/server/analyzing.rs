//! What is renewed of what the planner knows, and when it is left alone.

use crate::building::{Bench, LEFT_S, end};
use crate::shop::{Shop, USERS};
use async_trait::async_trait;
use domain::change::Action;
use domain::guard::Refusal;
use domain::performance::statistics::{StatisticsState, TableStatistics};
use domain::resource::{Live, Resource};
use engine::act::ChangeResult;
use engine::ports::{Actuator as _, Credentials, PortError, PortResult, Secrets};
use maintainer_postgres::Actuator;
use std::sync::Arc;
use testkit::postgres::SHOP;
use testkit::{World, build};

/// As a plan has it.
fn planned(schema: &str, table: &str) -> (Resource, Action) {
    let (database, schema, table) = ("orders".to_owned(), schema.to_owned(), table.to_owned());
    let of = TableStatistics {
        database: database.clone(),
        schema: schema.clone(),
        table: table.clone(),
        rows: 6e4,
        modified: 2e4,
        busy: None,
    };
    let resource = build::resource(&format!("statistics/orders/{schema}.{table}"), &table, Live::Statistics(of));
    (resource, Action::AnalyzeTable { database, schema, table })
}

/// A third of the orders are open all at once, and autovacuum does not look.
async fn changed(name: &str) -> Shop {
    let shop = Shop::open(name).await;
    shop.owner.batch_execute("ALTER TABLE orders SET (autovacuum_enabled = off)").await.unwrap();
    shop.owner.batch_execute("UPDATE orders SET status = 'open' WHERE id <= 20000").await.unwrap();
    shop
}

async fn seen(actuator: &Actuator<'_>, resource: &Resource) -> TableStatistics {
    // The server counts what a transaction has modified a moment after its end.
    for _ in 0..200 {
        let Live::Statistics(live) = actuator.live(resource).await.unwrap().live else { panic!() };
        if live.modified >= 20_000.0 {
            return live;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the server has counted nothing")
}

/// Rows that the planner expects to be open.
async fn expected(shop: &Shop) -> f64 {
    let plan = shop.owner.query("EXPLAIN SELECT * FROM orders WHERE status = 'open'", &[]).await.unwrap();
    let text: String = plan[0].get(0);
    text.split("rows=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_table_of_which_much_has_changed_is_analyzed_once_and_the_planner_knows_it() {
    let shop = changed("analyzed").await;
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let (resource, action) = planned("public", "orders");
    let before = seen(&actuator, &resource).await;
    assert_eq!((before.state(), before.rows), (StatisticsState::Stale, 60_000.0), "{before:?}");
    assert!(expected(&shop).await < 3_000.0, "it plans by what was");
    let world = Arc::new(World::of(Vec::new()));
    let bench = Bench::making(&world, "run-1", resource.clone(), action).await;
    let report = bench.act(&actuator).await;
    assert!(matches!(end(&report), ChangeResult::Applied { .. }), "{report:?}");
    assert!(expected(&shop).await > 18_000.0, "{}", expected(&shop).await);
    let Live::Statistics(after) = actuator.live(&resource).await.unwrap().live else { panic!() };
    assert_eq!(after.state(), StatisticsState::Fresh, "{after:?}");
    // Another run whose plan is older finds nothing to do.
    let (resource, action) = planned("public", "orders");
    let other = Bench::making(&Arc::new(World::of(Vec::new())), "run-2", resource, action).await;
    let report = other.act(&actuator).await;
    assert!(matches!(end(&report), ChangeResult::Refused { refusal: Refusal::NothingToDo { .. }, .. }), "{report:?}");
}

#[tokio::test]
async fn a_table_that_something_else_works_on_is_left_alone() {
    let shop = changed("worked").await;
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let (resource, action) = planned("public", "orders");
    seen(&actuator, &resource).await;
    let other = shop.server.session(testkit::postgres::OWNER, "shop").await;
    other.batch_execute("BEGIN; LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE").await.unwrap();
    let world = Arc::new(World::of(Vec::new()));
    let bench = Bench::making(&world, "run-1", resource, action).await;
    let report = bench.act(&actuator).await;
    assert!(matches!(end(&report), ChangeResult::Refused { refusal: Refusal::Busy { .. }, .. }), "{report:?}");
    assert!(expected(&shop).await < 3_000.0, "nothing was changed");
}

/// The application's own user as the one that changes.
struct NotTheOwner;

#[async_trait]
impl Secrets for NotTheOwner {
    async fn read(&self, _: &str) -> PortResult<Credentials> {
        Ok(Credentials { username: SHOP.0.to_owned(), password: SHOP.1.to_owned() })
    }
}

#[tokio::test]
async fn who_does_not_own_the_table_is_told_what_to_grant() {
    let shop = changed("owned").await;
    let (resource, _) = planned("public", "orders");
    let actuator = Actuator::new(&shop.databases, &NotTheOwner, LEFT_S);
    let refused = actuator.live(&resource).await.unwrap_err();
    let PortError::Denied { permission, .. } = &refused else { panic!("{refused:?}") };
    assert_eq!(permission, "GRANT owner TO shop");
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let (nowhere, _) = planned("public", "no_such_table");
    let gone = actuator.live(&nowhere).await.unwrap_err();
    assert!(matches!(gone, PortError::Gone { .. }), "{gone:?}");
}

#[tokio::test]
async fn promise_p15_hostile_names_are_analyzed_as_names() {
    let shop = Shop::open("analyzednames").await;
    let (schema, table) = ("sales\"; DROP TABLE orders; --", "\u{d6}rd\u{e8}rs \u{202e}'$1");
    shop.owner
        .batch_execute(&format!(
            "CREATE SCHEMA \"{0}\"; CREATE TABLE \"{0}\".\"{table}\" (a int) WITH (autovacuum_enabled = off); \
             INSERT INTO \"{0}\".\"{table}\" SELECT n FROM generate_series(1, 30000) n",
            schema.replace('"', "\"\"")
        ))
        .await
        .unwrap();
    let actuator = Actuator::new(&shop.databases, &USERS, LEFT_S);
    let (resource, action) = planned(schema, table);
    seen(&actuator, &resource).await;
    let world = Arc::new(World::of(Vec::new()));
    let report = Bench::making(&world, "run-1", resource, action).await.act(&actuator).await;
    assert!(matches!(end(&report), ChangeResult::Applied { .. }), "{report:?}");
    let orders: i64 = shop.owner.query_one("SELECT count(*) FROM orders", &[]).await.unwrap().get(0);
    assert_eq!(orders, i64::from(crate::shop::ORDERS));
}
