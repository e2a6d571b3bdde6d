//! A server on which nothing is wrong, as the adapter would tell of it.

use domain::observed::Observed;
use domain::performance::catalog::{Catalog, ColumnFacts, IndexFacts, Table};
use domain::performance::index::IndexState;
use domain::performance::vitals::{Activity, Ages, Checkpoints, Group, Look, Name, Sequences, Sessions, Setting};
use domain::resource::Live;
use jiff::Timestamp;
use std::collections::BTreeMap;
use testkit::World;

/// A name as SQL writes it.
pub fn name(plain: &str) -> Name {
    Name { plain: plain.to_owned(), sql: format!("\"{plain}\"") }
}

/// One look at it.
pub fn calm(at: Timestamp) -> Look {
    let group = Group { user: "shop".into(), application: "api".into(), state: "idle".into(), count: 9.0 };
    let setting = |value: &str| Setting { value: value.to_owned(), unit: None, source: "default".to_owned() };
    Look {
        at,
        database: name("shop"),
        sessions: Observed::Known(Sessions {
            limit: 97.0,
            open: 10.0,
            own_limit: None,
            own: 10.0,
            groups: vec![group],
            busy: Vec::new(),
        }),
        prepared: Observed::Known(Vec::new()),
        slots: Observed::Known(Vec::new()),
        activity: Observed::Known(Activity {
            reset_s: None,
            commits: 1e6,
            rollbacks: 0.0,
            hit: 1e8,
            read: 1e3,
            read_ms: 0.0,
            temp_files: 0.0,
            temp_bytes: 0.0,
            deadlocks: 0.0,
            bytes: 1e8,
        }),
        checkpoints: Observed::Known(Checkpoints { reset_s: None, timed: 9.0, requested: 0.0, log_bytes: 1e9 }),
        ages: Observed::Known(Ages {
            oldest: name("shop"),
            transactions: 1e6,
            multixacts: 1.0,
            freeze_max: 2e8,
            multixact_freeze_max: 4e8,
        }),
        tables: Observed::Known(Vec::new()),
        sequences: Observed::Known(Sequences { nearest: Vec::new(), unread: 0.0 }),
        spills: Observed::Known(Vec::new()),
        settings: Observed::Known(BTreeMap::from([("autovacuum".to_owned(), setting("on"))])),
    }
}

/// Tables and indexes of the shop's database, as its world has them; so many of a million orders have changed since they were analyzed.
pub fn catalog(world: &World, modified: f64) -> Catalog {
    let column = |name: &str, distinct| ColumnFacts {
        name: name.to_owned(),
        type_name: "int4".to_owned(),
        distinct: Some(distinct),
        width: Some(4.0),
    };
    let index = |name: &str, key: &str, is_constraint| IndexFacts {
        name: name.to_owned(),
        method: "btree".to_owned(),
        keys: vec![Some(key.to_owned())],
        includes: Vec::new(),
        is_partial: false,
        is_constraint,
        is_valid: true,
        scans: 1_000.0,
        bytes: 1e7,
        definition: format!("CREATE INDEX {name} ON public.orders USING btree ({key})"),
    };
    let mut indexes = vec![index("orders_pkey", "id", true)];
    for resource in world.resources() {
        if let Live::Index(there) = &resource.live
            && there.state != IndexState::Absent
        {
            indexes.push(IndexFacts {
                is_valid: there.state == IndexState::Valid,
                ..index(&there.name, "customer_id", false)
            });
        }
    }
    let orders = Table {
        schema: "public".to_owned(),
        name: "orders".to_owned(),
        rows: 1e6,
        bytes: 1e8,
        is_partitioned: false,
        writes: 1e6,
        modified_since_analyze: if is_analyzed(world, world.now()) { 0.0 } else { modified },
        seq_scans: 1e4,
        columns: vec![column("id", 1e6), column("customer_id", 5e4), column("total", 1e3)],
        indexes,
    };
    let items = Table {
        name: "items".to_owned(),
        rows: 1e3,
        modified_since_analyze: 0.0,
        bytes: 1e5,
        columns: vec![column("id", 1e3), column("name", 1e3)],
        indexes: vec![index("items_pkey", "id", true)],
        ..orders.clone()
    };
    Catalog {
        server_version: 150_018,
        search_path: vec!["public".to_owned()],
        tables: vec![orders, items],
        extensions: vec!["hypopg".to_owned()],
        oldest_transaction_s: None,
    }
}

/// Whether the orders were analyzed before a moment.
pub fn is_analyzed(world: &World, at: Timestamp) -> bool {
    world.ledger().iter().any(|write| write.at <= at && matches!(write.after, Live::Statistics(_)))
}
