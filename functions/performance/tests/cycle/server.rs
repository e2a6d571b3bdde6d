//! A server on which nothing is wrong, as the adapter would tell of it.

use domain::observed::Observed;
use domain::performance::vitals::{Activity, Ages, Checkpoints, Group, Look, Name, Sequences, Sessions, Setting};
use jiff::Timestamp;
use std::collections::BTreeMap;

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
