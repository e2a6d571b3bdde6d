//! A server on which nothing is wrong, for the tests of the rules.

use super::super::advisor::Work;
use super::super::catalog::{Catalog, ColumnFacts, IndexFacts, Table};
use super::super::policy::Policy;
use super::super::profile::Used;
use super::super::shape::{Column, Comparison, Condition, Relation, Scope, Shape, Verb};
use super::super::vitals::*;
use super::{Seen, find};
use crate::finding::Finding;
use crate::observed::{Missing, Observed};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Longest summary of a finding with ordinary names: a notice shows no more.
const SUMMARY_CHARS_MAX: usize = 300;

/// What one rule finds in the vitals.
pub fn rule(name: &str, vitals: &Vitals) -> Vec<Finding> {
    told(name, vitals, &Catalog::default(), &[])
}

/// What one rule finds in statements of 900 seconds.
pub fn rule_on(name: &str, catalog: &Catalog, work: &[Work]) -> Vec<Finding> {
    told(name, &vitals(), catalog, work)
}

/// What one rule finds in vitals and statements of 900 seconds.
pub fn told(name: &str, vitals: &Vitals, catalog: &Catalog, work: &[Work]) -> Vec<Finding> {
    let seen =
        Seen { database: "orders", catalog, work, window_s: 900.0, vitals, counted_days: None, has_replica: false };
    let found = find(&seen, &Policy::default());
    for finding in &found {
        assert!(finding.summary.chars().count() <= SUMMARY_CHARS_MAX, "a notice would cut it: {}", finding.summary);
    }
    found.into_iter().filter(|finding| finding.rule.as_str() == name).collect()
}

/// A part that could not be read.
pub fn missing<T>() -> Observed<T> {
    Observed::Missing(Missing::Denied("pg_monitor to the user that reads".to_owned()))
}

/// A name as an identifier.
pub fn name(plain: &str) -> Name {
    Name { plain: plain.to_owned(), sql: format!("\"{}\"", plain.replace('.', "\".\"")) }
}

/// A name as a string.
pub fn text(plain: &str) -> Name {
    Name { plain: plain.to_owned(), sql: format!("'{}'", plain.replace('\'', "''")) }
}

/// A session of the application, in a state for so many seconds.
pub fn busy(pid: i32, state: &str, state_s: f64) -> Busy {
    Busy {
        pid,
        since: "2026-01-01T00:00:00.123456Z".to_owned(),
        user: "shop".to_owned(),
        application: "api".to_owned(),
        state: state.to_owned(),
        transaction_s: Some(state_s),
        state_s: Some(state_s),
        holds_back: 5.0,
        blocked_by: Vec::new(),
        waits_s: None,
    }
}

/// A table with so many rows and dead ones.
pub fn table(plain: &str, rows: f64, dead: f64) -> TableState {
    TableState {
        name: name(&format!("public.{plain}")),
        rows,
        dead,
        bytes: 100.0 * rows.max(0.0),
        vacuumed_s: Some(86_400.0),
        analyzed_s: Some(86_400.0),
        is_vacuumed: false,
        rule: VacuumRule { is_on: true, base: 50.0, share: 0.2, most: None },
        age: Age { transactions: 1e8, freeze_max: 2e8 },
        heap_hit: 1e6,
        heap_read: 1e4,
        index_hit: 1e6,
        index_read: 1e4,
    }
}

/// A sequence of eight bytes that feeds a column of so many.
pub fn sequence(column_bytes: f64, last: f64) -> Sequence {
    Sequence {
        name: name("public.orders_id_seq"),
        table: name("public.orders"),
        column: name("id"),
        column_bytes,
        last,
        end: 9.2e18,
        cycles: false,
    }
}

fn look(at: Timestamp) -> Look {
    let sessions = Sessions {
        limit: 100.0,
        open: 20.0,
        own_limit: None,
        own: 20.0,
        groups: vec![Group { user: "shop".into(), application: "api".into(), state: "idle".into(), count: 18.0 }],
        busy: Vec::new(),
    };
    let settings = [
        ("shared_buffers", "16384", Some("8kB")),
        ("work_mem", "4096", Some("kB")),
        ("max_wal_size", "1024", Some("MB")),
        ("checkpoint_timeout", "300", Some("s")),
        ("autovacuum", "on", None),
        ("track_counts", "on", None),
    ];
    let mut look = Look {
        at,
        database: name("shop"),
        sessions: Observed::Known(sessions),
        prepared: Observed::Known(Vec::new()),
        slots: Observed::Known(Vec::new()),
        activity: Observed::Known(Activity {
            reset_s: None,
            commits: 1e6,
            rollbacks: 10.0,
            hit: 1e7,
            read: 1e5,
            read_ms: 0.0,
            temp_files: 0.0,
            temp_bytes: 0.0,
            deadlocks: 0.0,
            bytes: 1e9,
        }),
        checkpoints: Observed::Known(Checkpoints { reset_s: None, timed: 100.0, requested: 2.0, log_bytes: 1e12 }),
        ages: Observed::Known(Ages {
            oldest: name("shop"),
            transactions: 1e8,
            multixacts: 1e6,
            freeze_max: 2e8,
            multixact_freeze_max: 4e8,
        }),
        tables: Observed::Known(vec![table("orders", 1e6, 1_000.0)]),
        sequences: Observed::Known(Sequences { nearest: vec![sequence(8.0, 1e6)], unread: 0.0 }),
        spills: Observed::Known(vec![Spill { statement: 7, bytes: 0.0 }]),
        settings: Observed::Known(BTreeMap::new()),
    };
    for (name, value, unit) in settings {
        set(&mut look, name, value, unit);
    }
    look
}

/// A calm server over fifteen minutes.
pub fn vitals() -> Vitals {
    let opened = look(Timestamp::from_second(1_767_225_600).unwrap());
    let mut closed = Look { at: opened.at + SignedDuration::from_secs(900), ..opened.clone() };
    if let (Observed::Known(activity), Observed::Known(spills)) = (&mut closed.activity, &mut closed.spills) {
        (activity.commits, activity.hit, activity.read) =
            (activity.commits + 9e4, activity.hit + 1e5, activity.read + 100.0);
        spills[0].bytes = 1e6;
    }
    Vitals { opened: Observed::Known(opened), closed: Observed::Known(closed) }
}

/// Changes the look at the beginning.
pub fn opened(vitals: &mut Vitals, change: impl Fn(&mut Look)) {
    let Observed::Known(look) = &mut vitals.opened else { panic!("it is known") };
    change(look);
}

/// Changes the look at the end.
pub fn closed(vitals: &mut Vitals, change: impl Fn(&mut Look)) {
    let Observed::Known(look) = &mut vitals.closed else { panic!("it is known") };
    change(look);
}

/// The sessions at the end.
pub fn with_busy(vitals: &mut Vitals, busy: Vec<Busy>) {
    closed(vitals, |look| {
        let Observed::Known(sessions) = &mut look.sessions else { panic!("they are known") };
        sessions.busy.clone_from(&busy);
    });
}

/// The tables at both ends.
pub fn tables(vitals: &mut Vitals, tables: Vec<TableState>) {
    opened(vitals, |look| look.tables = Observed::Known(tables.clone()));
    closed(vitals, |look| look.tables = Observed::Known(tables.clone()));
}

/// The counters at the end.
pub fn did(vitals: &mut Vitals, change: impl Fn(&mut Activity)) {
    closed(vitals, |look| {
        let Observed::Known(activity) = &mut look.activity else { panic!("they are known") };
        change(activity);
    });
}

/// The checkpoints of the window.
pub fn checkpointed(vitals: &mut Vitals, requested: f64, timed: f64, log_bytes: f64) {
    let Observed::Known(before) = vitals.opened.known().unwrap().checkpoints.clone() else { panic!("they are known") };
    closed(vitals, |look| {
        look.checkpoints = Observed::Known(Checkpoints {
            reset_s: before.reset_s,
            timed: before.timed + timed,
            requested: before.requested + requested,
            log_bytes: before.log_bytes + log_bytes,
        });
    });
}

/// A setting of the server.
pub fn set(look: &mut Look, name: &str, value: &str, unit: Option<&str>) {
    let Observed::Known(settings) = &mut look.settings else { panic!("they are known") };
    let (value, unit) = (value.to_owned(), unit.map(str::to_owned));
    settings.insert(name.to_owned(), Setting { value, unit, source: "default".to_owned() });
}

/// Orders with a key.
pub fn catalog() -> Catalog {
    let column = |name: &str| ColumnFacts { name: name.into(), type_name: "int4".into(), distinct: None, width: None };
    let key = IndexFacts {
        name: "orders_pkey".into(),
        method: "btree".into(),
        keys: vec![Some("id".into())],
        includes: Vec::new(),
        is_partial: false,
        is_constraint: true,
        is_valid: true,
        scans: 1.0,
        bytes: 1e6,
        definition: String::new(),
    };
    let orders = Table {
        schema: "public".into(),
        name: "orders".into(),
        rows: 1e6,
        bytes: 1e8,
        is_partitioned: false,
        writes: 0.0,
        modified_since_analyze: 0.0,
        seq_scans: 0.0,
        columns: vec![column("id"), column("total")],
        indexes: vec![key],
    };
    Catalog { search_path: vec!["public".into()], tables: vec![orders], ..Catalog::default() }
}

/// `SELECT total FROM orders WHERE <column> = $1`.
pub fn lookup(column: &str, calls: f64, mean_ms: f64) -> Work {
    let text = format!("SELECT total FROM orders WHERE {column} = $1");
    let used = Used { id: 7, text, calls, mean_ms, sd_ms: 0.0, rows: 1.0, blocks: 3.0 };
    let column = Column { of: None, name: column.into() };
    let scope = Scope {
        relations: vec![Relation { schema: None, name: "orders".into(), alias: "orders".into() }],
        conditions: vec![Condition::Compare { column, how: Comparison::Equal, wrapped: None }],
        ..Scope::default()
    };
    Work { used, shape: Shape { verb: Verb::Select, scopes: vec![scope] } }
}

#[test]
fn a_calm_server_has_no_findings() {
    let catalog = catalog();
    let (work, vitals) = ([lookup("id", 1e5, 0.1)], vitals());
    let seen = Seen {
        database: "orders",
        catalog: &catalog,
        work: &work,
        window_s: 900.0,
        vitals: &vitals,
        counted_days: Some(90.0),
        has_replica: false,
    };
    assert_eq!(find(&seen, &Policy::default()), []);
}
