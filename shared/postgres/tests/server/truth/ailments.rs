//! What is broken, each beside something that only looks so.

use super::bench::{Bench, LIMIT};
use domain::text::line;

/// Rows of 60 bytes.
async fn rows(bench: &Bench, table: &str, count: u32, settings: &str) {
    bench.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, a int, note text) {settings}")).await;
    bench.run(&format!("INSERT INTO {table} SELECT n, n, repeat('n', 20) FROM generate_series(1, {count}) n")).await;
    bench.run(&format!("ANALYZE {table}")).await;
}

/// Deletes those whose number leaves a rest under `part` in ten.
async fn delete(bench: &Bench, table: &str, part: u32) {
    bench.run(&format!("DELETE FROM {table} WHERE id % 10 < {part}")).await;
    bench.run(&format!("ANALYZE {table}")).await;
}

/// What is there when the window begins.
pub async fn before(bench: &mut Bench) {
    if bench.is_broken() {
        bench.run("SELECT pg_create_physical_replication_slot('forgotten', true)").await;
        bench.expect("stuck_slot", "slot/forgotten");
    }
    vacuum(bench).await;
    indexes(bench).await;
    sequences(bench).await;
    bench.run("CREATE TABLE looked (id int PRIMARY KEY, note text)").await;
    bench.run("INSERT INTO looked SELECT n, 'x' FROM generate_series(1, 1000) n").await;
    bench.run("ANALYZE looked").await;
    bench.run("CREATE TABLE large (note text)").await;
    bench.run("INSERT INTO large SELECT repeat('l', 1000) FROM generate_series(1, 40000) n").await;
    bench.run("VACUUM ANALYZE large").await;
    let columns = |n: u32| (0..n).map(|c| format!(", c{c} text DEFAULT repeat('w', 40)")).collect::<String>();
    for (table, more) in [("wide", 12), ("narrow", 2)] {
        bench.run(&format!("CREATE TABLE {table} (id int PRIMARY KEY, of int{})", columns(more))).await;
        bench.run(&format!("INSERT INTO {table} (id, of) SELECT n, n % 500 FROM generate_series(1, 12000) n")).await;
        bench.run(&format!("VACUUM ANALYZE {table}")).await;
    }
    sessions(bench).await;
}

async fn vacuum(bench: &mut Bench) {
    let breaks = !bench.wraps;
    let (off, quoted) = bench.name("queue");
    let is_broken = bench.is_broken() && breaks;
    rows(bench, &quoted, if is_broken { 30_000 } else { 3_000 }, "WITH (autovacuum_enabled = off)").await;
    delete(bench, &quoted, 8).await;
    if is_broken {
        bench.expect("autovacuum_off", &line(&format!("public.{off}")));
    }
    let (late, quoted) = bench.name("late");
    let is_broken = bench.is_broken() && breaks;
    rows(bench, &quoted, if is_broken { 30_000 } else { 1_000 }, "").await;
    delete(bench, &quoted, 9).await;
    if is_broken {
        bench.expect("autovacuum_lag", &line(&format!("public.{late}")));
    }
    // Between once and twice what autovacuum comes for, and late because somebody wanted it so.
    let (_, quoted) = bench.name("busy");
    rows(bench, &quoted, 100_000, "").await;
    delete(bench, &quoted, 2).await;
    let (_, quoted) = bench.name("history");
    rows(bench, &quoted, 30_000, "WITH (autovacuum_vacuum_scale_factor = 0.9)").await;
    delete(bench, &quoted, 4).await;
    let (stale, quoted) = bench.name("grown");
    rows(bench, &quoted, 30_000, "").await;
    let is_broken = bench.is_broken() && breaks;
    let more = if is_broken { 12_000 } else { 3_000 };
    bench.run(&format!("INSERT INTO {quoted} SELECT n, n, 'x' FROM generate_series(30001, 30000 + {more}) n")).await;
    if is_broken {
        bench.expect("stale_statistics", &format!("public.{stale}"));
    }
}

async fn indexes(bench: &mut Bench) {
    let (_, quoted) = bench.name("indexed");
    rows(bench, &quoted, 60_000, "").await;
    // Both look alike until one is used.
    bench
        .run(&format!("CREATE INDEX indexed_one ON {quoted} (a); CREATE INDEX indexed_two ON {quoted} ((a + 1))"))
        .await;
    let (scans_one, scans_two) = (!bench.is_broken(), true);
    for (scans, by) in [(scans_one, "a = 7"), (scans_two, "a + 1 = 7")] {
        if scans {
            bench
                .run(&format!("SET enable_seqscan = off; SELECT count(*) FROM (SELECT id FROM {quoted} WHERE {by}) x"))
                .await;
        }
    }
    bench.run("RESET enable_seqscan").await;
    if !scans_one {
        bench.expect("unused_index", "public.indexed_one");
    }
    let (_, quoted) = bench.name("twice");
    rows(bench, &quoted, 100, "").await;
    bench.run(&format!("CREATE INDEX twice_longer ON {quoted} (a, note)")).await;
    if bench.is_broken() {
        bench.run(&format!("CREATE INDEX twice_shorter ON {quoted} (a)")).await;
        bench.expect("redundant_index", "public.twice_shorter");
    }
    bench.run(&format!("CREATE UNIQUE INDEX twice_unique ON {quoted} (id, a)")).await;
    if bench.is_broken() {
        let text = format!("CREATE UNIQUE INDEX CONCURRENTLY twice_dead ON {quoted} (note)");
        assert!(bench.shop.owner.batch_execute(&text).await.is_err(), "all notes are the same");
        bench.expect("invalid_index", "public.twice_dead");
    }
}

async fn sequences(bench: &mut Bench) {
    // Type of the column, what its sequence is, the last number, and whether it is near its end.
    let kinds = [
        ("int", "int", 2_000_000_000_i64, true),
        ("int", "int", 1_000_000_000, false),
        ("bigint", "bigint", 2_140_000_000, false),
        ("int", "bigint", 1_900_000_000, true),
        ("smallint", "smallint", 31_000, true),
        ("smallint", "smallint", 20_000, false),
        ("bigint", "int", 2_100_000_000, true),
        ("int", "int CYCLE", 2_147_000_000, false),
    ];
    for (column, of, last, is_near) in kinds {
        if is_near && !bench.is_broken() {
            continue;
        }
        let ((table, quoted), (_, sequence)) = (bench.name("numbered"), bench.name("numbers"));
        bench.run(&format!("CREATE SEQUENCE {sequence} AS {of}")).await;
        let default = sequence.replace('\'', "''");
        let owned = if bench.random.bool() {
            format!("ALTER SEQUENCE {sequence} OWNED BY {quoted}.\"n o\"")
        } else {
            String::new()
        };
        bench
            .run(&format!(
                "CREATE TABLE {quoted} (\"n o\" {column} DEFAULT nextval('{default}'::regclass)); {owned}; \
                 SELECT setval('{default}', {last})"
            ))
            .await;
        if is_near {
            bench.expect("sequence_overflow", &line(&format!("public.{table}.n o")));
        }
    }
}

async fn sessions(bench: &mut Bench) {
    let age = |column: &str, application: &str| {
        format!(
            "(SELECT min(clock_timestamp() - {column}) > interval '1.2 s' FROM pg_stat_activity WHERE application_name = '{application}')"
        )
    };
    if bench.wraps {
        let holder = bench.session("holder").await;
        holder.batch_execute("BEGIN; SELECT pg_current_xact_id()").await.unwrap();
        bench.kept.push(holder);
        bench.until(&age("state_change", "holder"));
        bench.expect("idle_in_transaction", "sessions/shop/holder");
        bench.run("DO $$ BEGIN FOR n IN 1..160000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$").await;
        bench.expect("wraparound", "wraparound/transactions");
    }
    // One that is idle without a transaction looks the same to whoever only counts idle sessions.
    let calm = bench.session("calm").await;
    calm.query("SELECT 1", &[]).await.unwrap();
    bench.kept.push(calm);
    if bench.is_broken() {
        let idle = bench.session("forgetful").await;
        idle.batch_execute("BEGIN; SELECT 1").await.unwrap();
        bench.kept.push(idle);
        bench.until(&age("state_change", "forgetful"));
        bench.expect("idle_in_transaction", "sessions/shop/forgetful");
    }
    if bench.is_broken() {
        let holder = bench.session("migration").await;
        holder.batch_execute("BEGIN; UPDATE looked SET note = 'held' WHERE id = 1").await.unwrap();
        let works = bench.random.bool();
        for number in 0..bench.random.usize(1..3) {
            let waiter = bench.session(&format!("waiter{number}")).await;
            tokio::spawn(async move { waiter.execute("UPDATE looked SET note = 'late' WHERE id = 1", &[]).await });
        }
        bench.expect("blocked_sessions", "sessions/shop/migration");
        bench.until(
            "(SELECT count(*) > 0 AND bool_and(clock_timestamp() - waitstart > interval '1.2 s') FROM pg_locks WHERE NOT granted)",
        );
        if works {
            tokio::spawn(async move { holder.execute("SELECT pg_sleep(600)", &[]).await });
            bench.until(&age("xact_start", "migration"));
            bench.expect("long_transaction", "sessions/shop/migration");
        } else {
            bench.kept.push(holder);
            bench.until(&age("state_change", "migration"));
            bench.expect("idle_in_transaction", "sessions/shop/migration");
        }
    }
    if bench.is_broken() {
        let client = bench.session("coordinator").await;
        client
            .batch_execute("BEGIN; UPDATE looked SET note = 'both' WHERE id = 2; PREPARE TRANSACTION 'it''s lost'")
            .await
            .unwrap();
        bench.until("(SELECT bool_and(clock_timestamp() - prepared > interval '1.2 s') FROM pg_prepared_xacts)");
        bench.expect("long_transaction", "prepared/it's lost");
    }
    let is_full = bench.is_broken();
    let wanted = if is_full { LIMIT * 9 / 10 } else { LIMIT / 2 };
    while bench.holds(&format!("count(*) < {wanted} FROM pg_stat_activity WHERE backend_type = 'client backend'")).await
    {
        let client = bench.session("pool").await;
        bench.kept.push(client);
    }
    if is_full {
        bench.expect("connections_near_limit", "connections");
    }
}

/// What happens in the window.
pub async fn meanwhile(bench: &mut Bench) {
    let client = bench.kept.pop().unwrap();
    let breaks = bench.breaks;
    let counters = "FROM pg_stat_database WHERE datname = 'shop'";
    let before = bench.shop.owner.query_one(&format!("SELECT temp_bytes, blks_read {counters}"), &[]).await.unwrap();
    let (temp, read): (i64, i64) = (before.get(0), before.get(1));
    let sorted = if breaks.memory { 600_000 } else { 60_000 };
    let sort = format!(
        "SELECT count(*) FROM (SELECT repeat(md5(n::text), 2) AS t FROM generate_series(1, {sorted}) n ORDER BY 1) s"
    );
    client.query(&sort, &[]).await.unwrap();
    if breaks.memory {
        bench.until(&format!("temp_bytes - {temp} > 33554432 {counters}"));
        bench.expect("temp_files", "work_mem");
    }
    for _ in 0..if breaks.cache { 8 } else { 1 } {
        client.query("SELECT count(*) FROM large", &[]).await.unwrap();
    }
    if breaks.cache {
        bench.until(&format!("blks_read - {read} > 20000 {counters}"));
        bench.expect("low_cache_hit", "cache");
    }
    let lookup = client.prepare("SELECT note FROM looked WHERE id = $1").await.unwrap();
    for number in 0..if breaks.lookups { 4_000 } else { 5 } {
        client.query(&lookup, &[&(number % 1_000)]).await.unwrap();
    }
    client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    if breaks.lookups {
        let id = "SELECT queryid FROM pg_stat_statements WHERE query LIKE 'SELECT note FROM looked%'";
        let id: i64 = bench.shop.owner.query_one(id, &[]).await.unwrap().get(0);
        bench.expect("many_small_lookups", &format!("statement/{id}"));
    }
    queries(bench, &client).await;
    waiting(bench, breaks.deadlock).await;
    checkpoints(bench, breaks.log).await;
    // A reader that has just gone: nothing is kept for it yet.
    bench.run("SELECT pg_create_physical_replication_slot('fresh', true)").await;
    bench.kept.push(client);
}

/// Queries that ask for too much or in a roundabout way, each beside one that only looks so.
async fn queries(bench: &mut Bench, client: &tokio_postgres::Client) {
    // Each statement, the rule that it breaks where it is asked, and how often it is asked.
    let asked = [
        ("SELECT n.id, n.of FROM narrow n WHERE n.id > $1", "unbounded_result", 25),
        ("SELECT n.id, n.c0 FROM narrow n WHERE n.id > $1", "", 1),
        ("SELECT n.id, n.c1 FROM narrow n WHERE n.id > $1 LIMIT 11000", "", 25),
        ("SELECT * FROM wide w WHERE w.id > $1 LIMIT 5000", "wide_select", 25),
        ("SELECT * FROM narrow n WHERE n.id > $1 LIMIT 5000", "", 25),
        ("SELECT w.id, w.c3 FROM wide w WHERE w.id > $1 LIMIT 5000", "", 25),
        (
            "SELECT n.id, (SELECT count(*) FROM wide w WHERE w.of = n.of) FROM narrow n WHERE n.id > $1 ORDER BY n.id LIMIT 30",
            "correlated_subquery",
            2,
        ),
        (
            "SELECT n.id FROM narrow n WHERE n.id > $1 AND EXISTS (SELECT FROM wide w WHERE w.of = n.of) ORDER BY n.c1 LIMIT 30",
            "",
            2,
        ),
        ("SELECT n.id, (SELECT count(*) FROM wide w) FROM narrow n WHERE n.id > $1 ORDER BY n.c1 LIMIT 30", "", 2),
    ];
    for (text, rule, times) in asked {
        if !rule.is_empty() && !bench.is_broken() {
            continue;
        }
        let statement = client.prepare(text).await.unwrap();
        for _ in 0..times {
            client.query(&statement, &[&0_i32]).await.unwrap();
        }
        if !rule.is_empty() {
            // The server puts a parameter in the place of the number behind LIMIT.
            let begins = text.split(" LIMIT").next().unwrap();
            let id = "SELECT queryid FROM pg_stat_statements WHERE starts_with(query, $1)";
            let id: i64 = bench.shop.owner.query_one(id, &[&begins]).await.unwrap().get(0);
            bench.expect(rule, &format!("statement/{id}"));
        }
    }
}

/// Two transactions that take two rows in turn: in another order each, or in the same.
async fn waiting(bench: &mut Bench, crossed: bool) {
    let (one, two) = (bench.session("one").await, bench.session("two").await);
    let take = |row: u32| format!("UPDATE looked SET note = 'taken' WHERE id = {row}");
    one.batch_execute(&format!("BEGIN; {}", take(3))).await.unwrap();
    let (first, second) = if crossed { (4, 3) } else { (3, 4) };
    if crossed {
        two.batch_execute(&format!("BEGIN; {}", take(first))).await.unwrap();
        let (took, waited) = (take(first), take(second));
        let ends = tokio::join!(one.batch_execute(&took), two.batch_execute(&waited));
        assert!(ends.0.is_err() != ends.1.is_err(), "the server ends one of them: {ends:?}");
        bench.until("deadlocks > 0 FROM pg_stat_database WHERE datname = 'shop'");
        bench.expect("deadlocks", "deadlocks");
    } else {
        let waited = format!("BEGIN; {}; {}", take(first), take(second));
        let goes_on = format!("{}; ROLLBACK", take(second));
        let ends = tokio::join!(two.batch_execute(&waited), one.batch_execute(&goes_on));
        assert!(ends.0.is_ok() && ends.1.is_ok(), "{ends:?}");
    }
    for client in [one, two] {
        client.batch_execute("ROLLBACK").await.unwrap();
        client.batch_execute("SELECT pg_stat_force_next_flush()").await.unwrap();
    }
}

/// A log that fills, or checkpoints that a person asks for.
async fn checkpoints(bench: &mut Bench, fills: bool) {
    if !fills {
        bench.run("CHECKPOINT").await;
        bench.run("CHECKPOINT").await;
        bench.run("CHECKPOINT").await;
        bench.run("CHECKPOINT").await;
        return;
    }
    let row = bench.shop.owner.query_one("SELECT checkpoints_req FROM pg_stat_bgwriter", &[]).await.unwrap();
    let before: i64 = row.get(0);
    while bench.holds(&format!("checkpoints_req - {before} < 5 FROM pg_stat_bgwriter")).await {
        bench.run("SELECT pg_logical_emit_message(false, 'fill', repeat('x', 4000000))").await;
    }
    bench.expect("checkpoints_requested", "max_wal_size");
}
