//! What the adapter sees of a server, with which rights.

use crate::shop::{Now, Shop, USERS};
use domain::observed::{Missing, Observed};
use domain::performance::vitals::Look;
use engine::ports::Databases as _;
use maintainer_postgres::Databases;

async fn look(shop: &Shop) -> Look {
    Databases::new(&shop.databases, &USERS, &Now).look("orders").await.unwrap()
}

#[tokio::test]
async fn a_look_is_what_the_server_says_itself() {
    let shop = Shop::with("looking", &["autovacuum_naptime=1h", "max_prepared_transactions=2"]).await;
    let hostile = "Ord\"ers; DROP TABLE x; --\u{202e}";
    let quoted = postgres_protocol::escape::escape_identifier(hostile);
    for statement in [
        format!(
            "CREATE TABLE {quoted} (id int GENERATED ALWAYS AS IDENTITY (START 5) PRIMARY KEY, note text) \
             WITH (autovacuum_enabled = off, autovacuum_vacuum_scale_factor = 0.5, autovacuum_vacuum_threshold = 7)"
        ),
        format!("INSERT INTO {quoted} (note) SELECT 'n' FROM generate_series(1, 1000)"),
        format!("ANALYZE {quoted}"),
        format!("DELETE FROM {quoted} WHERE id % 2 = 0"),
        "ALTER DATABASE shop CONNECTION LIMIT 30".to_owned(),
    ] {
        shop.owner.batch_execute(&statement).await.unwrap();
    }
    let seen = loop {
        shop.owner.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
        let seen = look(&shop).await;
        let tables = seen.tables.known().unwrap();
        if tables.iter().any(|table| table.name.plain.contains("Ord") && table.dead >= 500.0) {
            break seen;
        }
    };
    assert_eq!(seen.missing(), []);
    let tables = seen.tables.known().unwrap();
    let table = tables.iter().find(|table| table.name.plain.contains("Ord")).unwrap();
    assert_eq!(table.name.sql, "\"public\".U&\"Ord\"\"ers; DROP TABLE x; --\\202E\"");
    assert_eq!((table.rows, table.dead, table.rule.is_on), (1_000.0, 500.0, false));
    assert_eq!(table.vacuum_threshold(), 507.0, "its own settings");
    assert!(table.bytes > 8_000.0 && table.vacuumed_s.is_none() && table.analyzed_s.unwrap() < 600.0, "{table:?}");
    assert_eq!(table.age.freeze_max, 2e8);
    assert!(table.age.transactions > 0.0 && table.age.transactions < 1e6);
    let orders = tables.iter().find(|table| table.name.plain == "public.orders").unwrap();
    assert!(
        orders.rule.is_on && orders.vacuum_threshold() == 50.0 + 0.2 * orders.rows && orders.hit() > 0.0,
        "{orders:?}"
    );
    let sessions = seen.sessions.known().unwrap();
    assert_eq!((sessions.limit, sessions.own_limit), (57.0, Some(30.0)));
    assert!(sessions.open >= 1.0 && sessions.own >= 1.0 && sessions.groups[0].count >= 1.0, "{sessions:?}");
    let sequences = seen.sequences.known().unwrap();
    assert_eq!((sequences.nearest.len(), sequences.unread), (1, 0.0));
    let sequence = &sequences.nearest[0];
    assert_eq!((sequence.column_bytes, sequence.last, sequence.end), (4.0, 1_004.0, 2_147_483_647.0));
    assert_eq!(sequence.column.sql, "\"id\"");
    let activity = seen.activity.known().unwrap();
    assert!(activity.commits > 0.0 && activity.hit > 0.0 && activity.bytes > 1e6, "{activity:?}");
    assert!(seen.checkpoints.known().unwrap().log_bytes > 1e6);
    let ages = seen.ages.known().unwrap();
    assert!(ages.transactions > 0.0 && ages.multixact_freeze_max == 4e8, "{ages:?}");
    assert_eq!((seen.number("shared_buffers"), seen.number("work_mem")), (Some(67_108_864.0), Some(4_194_304.0)));
    let settings = seen.settings.known().unwrap();
    assert_eq!(
        (settings["shared_buffers"].source.as_str(), settings["work_mem"].source.as_str()),
        ("command line", "default")
    );
    assert_eq!(
        settings["idle_in_transaction_session_timeout"].value, "0",
        "the server's, not that of a session that reads"
    );
}

#[tokio::test]
async fn a_part_that_may_not_be_read_takes_no_other_along() {
    let shop = Shop::open("unlooked").await;
    let revoke =
        "REVOKE pg_monitor, pg_read_all_data FROM reader; CREATE SEQUENCE hidden; DROP EXTENSION pg_stat_statements";
    shop.owner.batch_execute(revoke).await.unwrap();
    let seen = look(&shop).await;
    let missing: Vec<String> = seen.missing().iter().map(|(what, why)| format!("{what}: {why}")).collect();
    assert_eq!(missing.len(), 2, "{missing:#?}");
    assert!(missing.iter().all(|why| why.contains("GRANT pg_monitor TO <user>")), "{missing:#?}");
    assert!(missing[0].starts_with("sessions") && missing[1].starts_with("statements that spill"), "{missing:#?}");
    assert!(seen.tables.known().is_some_and(|tables| !tables.is_empty()), "what everybody may see is seen");
    assert_eq!(seen.sequences.known().unwrap().unread, 1.0, "it is counted, not taken for unused");
    shop.owner.batch_execute("GRANT pg_monitor TO reader").await.unwrap();
    let seen = look(&shop).await;
    let Observed::Missing(Missing::NotPublished(why)) = &seen.spills else { panic!("{:?}", seen.spills) };
    assert!(why.contains("CREATE EXTENSION pg_stat_statements"), "{why}");
    assert_eq!(seen.missing().len(), 1);
}
