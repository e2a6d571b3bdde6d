//! Looks at a server besides its statements: sessions, locks, vacuum, sequences, memory, checkpoints, settings. Each part is asked for itself,
//! so that one that is refused takes no other along. Texts of other people's queries are never read: they hold values.

use crate::connect::{APPLICATION_NAME, Session};
use crate::errors::port_error;
use crate::names::{literal, of_database, of_schema};
use crate::read::get;
use domain::observed::{Missing, Observed};
use domain::performance::vitals::{
    Activity, Age, Ages, Busy, Checkpoints, Group, Look, Prepared, Sequence, Sequences, Sessions, Setting, Slot, Spill,
    TableState, VacuumRule,
};
use engine::ports::{PortError, PortResult};
use jiff::Timestamp;
use std::collections::BTreeMap;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;

mod statements;

use statements as sql;

/// Version from which checkpoints have a view of their own.
const CHECKPOINTER: i32 = 170_000;
/// What a user lacks who sees nothing of other sessions.
const MONITOR: &str = "pg_monitor to the user that reads: GRANT pg_monitor TO <user>";

/// The part that the extension `pg_stat_statements` tells.
const SPILLS: &str = "temporary files of statements";

/// Who we are, and what we may see.
struct Rights {
    version: i32,
    sees_all: bool,
    database: String,
}

/// One look at the server of a database.
pub(crate) async fn look(session: &Session, name: &str, at: Timestamp) -> PortResult<Look> {
    let asked = match session.client.batch_execute(sql::LIMITS).await {
        Ok(()) => session.client.query_one(sql::RIGHTS, &[]).await,
        Err(error) => Err(error),
    };
    let row = asked.map_err(|error| port_error(&format!("look at the server of {name}"), &error))?;
    let rights = Rights { version: get(&row, 0), sees_all: get(&row, 1), database: get(&row, 2) };
    let from = Asking { session, name };
    let checkpoints = if rights.version >= CHECKPOINTER { sql::CHECKPOINTER } else { sql::BGWRITER };
    let look = Look {
        at,
        database: of_database(&rights.database),
        sessions: sessions(&from, &rights).await,
        prepared: from.all("prepared transactions", sql::PREPARED, &[], prepared).await,
        slots: from.all("replication slots", sql::SLOTS, &[], slot).await,
        activity: from.one("counters", sql::ACTIVITY, activity).await,
        checkpoints: from.one("checkpoints", checkpoints, checkpoint).await,
        ages: from.one("ages of transactions", sql::AGES, ages).await,
        tables: from.all("vacuum of tables", sql::TABLES, &[], table).await,
        sequences: sequences(&from).await,
        spills: match rights.sees_all {
            true => from.all(SPILLS, sql::SPILLS, &[], spill).await,
            false => Observed::Missing(Missing::Denied(MONITOR.to_owned())),
        },
        settings: from.all("settings", sql::SETTINGS, &[], setting).await.map(BTreeMap::from_iter),
    };
    // A session that broke has read nothing after that: the look is not whole, and is tried again.
    match session.client.simple_query("").await {
        Ok(_) => Ok(look),
        Err(error) => Err(port_error(&format!("look at the server of {name}"), &error)),
    }
}

/// The session that asks.
struct Asking<'a> {
    session: &'a Session,
    name: &'a str,
}

impl Asking<'_> {
    /// Every row of one part.
    async fn all<T>(
        &self,
        what: &str,
        text: &str,
        values: &[&(dyn ToSql + Sync)],
        read: fn(&Row) -> T,
    ) -> Observed<Vec<T>> {
        match self.session.client.query(text, values).await {
            Ok(rows) => Observed::Known(rows.iter().map(read).collect()),
            Err(error) => Observed::Missing(self.missing(what, &error)),
        }
    }

    /// The one row of a part.
    async fn one<T>(&self, what: &str, text: &str, read: fn(&Row) -> T) -> Observed<T> {
        match self.session.client.query_opt(text, &[]).await {
            Ok(Some(row)) => Observed::Known(read(&row)),
            Ok(None) => Observed::Missing(Missing::NoData),
            Err(error) => Observed::Missing(self.missing(what, &error)),
        }
    }

    fn missing(&self, what: &str, error: &tokio_postgres::Error) -> Missing {
        let operation = format!("read {what} of {}", self.name);
        let why = match error.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                PortError::Denied { operation, permission: format!("{MONITOR} ({})", said(error)) }.missing()
            }
            Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_FUNCTION) if is_of_extension(what) => {
                Missing::NotPublished("CREATE EXTENSION pg_stat_statements in this database".to_owned())
            }
            Some(&SqlState::QUERY_CANCELED) => Missing::Failed(format!("{operation}: it took more than five seconds")),
            _ => port_error(&operation, error).missing(),
        };
        tracing::warn!(database = self.name, "{what}: {why}");
        why
    }
}

/// Whether this part is told by an extension and not by the server itself.
fn is_of_extension(what: &str) -> bool {
    what == SPILLS
}

fn said(error: &tokio_postgres::Error) -> String {
    domain::text::line(error.as_db_error().map_or("refused", |refused| refused.message()))
}

async fn sessions(from: &Asking<'_>, rights: &Rights) -> Observed<Sessions> {
    // Without the right the server shows all sessions and hides what they do: as if none did anything.
    if !rights.sees_all {
        return Observed::Missing(Missing::Denied(MONITOR.to_owned()));
    }
    let mut sessions = match from.one("sessions", sql::CONNECTIONS, connections).await {
        Observed::Known(sessions) => sessions,
        Observed::Missing(why) => return Observed::Missing(why),
    };
    let groups = from.all("sessions", sql::GROUPS, &[], group).await;
    let busy = from.all("sessions", sql::BUSY, &[&APPLICATION_NAME], busy).await;
    match (groups, busy) {
        (Observed::Known(groups), Observed::Known(busy)) => {
            (sessions.groups, sessions.busy) = (groups, busy);
            Observed::Known(sessions)
        }
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}

/// A column that takes the numbers of several sequences, or a sequence that feeds several columns, has a row each.
async fn sequences(from: &Asking<'_>) -> Observed<Sequences> {
    let unread = from.one("sequences", sql::SEQUENCES_UNREAD, |row| get::<f64>(row, 0)).await;
    match (unread, from.all("sequences", sql::SEQUENCES, &[], sequence).await) {
        (Observed::Known(unread), Observed::Known(nearest)) => Observed::Known(Sequences { nearest, unread }),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}

fn connections(row: &Row) -> Sessions {
    Sessions {
        limit: get(row, 0),
        open: get(row, 1),
        own_limit: get(row, 2),
        own: get(row, 3),
        groups: Vec::new(),
        busy: Vec::new(),
    }
}

fn group(row: &Row) -> Group {
    Group { user: get(row, 0), application: get(row, 1), state: get(row, 2), count: get(row, 3) }
}

fn busy(row: &Row) -> Busy {
    Busy {
        pid: get(row, 0),
        since: get(row, 1),
        user: get(row, 2),
        application: get(row, 3),
        state: get(row, 4),
        transaction_s: get(row, 5),
        state_s: get(row, 6),
        holds_back: get(row, 7),
        blocked_by: get(row, 8),
        waits_s: get(row, 9),
    }
}

fn prepared(row: &Row) -> Prepared {
    Prepared { name: literal(&get::<String>(row, 0)), age_s: get(row, 1), holds_back: get(row, 2) }
}

fn slot(row: &Row) -> Slot {
    Slot {
        name: literal(&get::<String>(row, 0)),
        kind: get(row, 1),
        is_active: get(row, 2),
        kept_bytes: get(row, 3),
        holds_back: get(row, 4),
        is_lost: get(row, 5),
    }
}

fn activity(row: &Row) -> Activity {
    Activity {
        reset_s: get(row, 0),
        commits: get(row, 1),
        rollbacks: get(row, 2),
        hit: get(row, 3),
        read: get(row, 4),
        read_ms: get(row, 5),
        temp_files: get(row, 6),
        temp_bytes: get(row, 7),
        deadlocks: get(row, 8),
        bytes: get(row, 9),
    }
}

fn checkpoint(row: &Row) -> Checkpoints {
    Checkpoints { reset_s: get(row, 0), timed: get(row, 1), requested: get(row, 2), log_bytes: get(row, 3) }
}

fn ages(row: &Row) -> Ages {
    Ages {
        oldest: of_database(&get::<String>(row, 0)),
        transactions: get(row, 1),
        multixacts: get(row, 2),
        freeze_max: get(row, 3),
        multixact_freeze_max: get(row, 4),
    }
}

fn table(row: &Row) -> TableState {
    TableState {
        name: of_schema(&get::<String>(row, 0), &get::<String>(row, 1)),
        rows: get(row, 2),
        dead: get(row, 3),
        bytes: get(row, 4),
        vacuumed_s: get(row, 5),
        analyzed_s: get(row, 6),
        is_vacuumed: get(row, 7),
        rule: VacuumRule { is_on: get(row, 8), base: get(row, 9), share: get(row, 10), most: get(row, 11) },
        age: Age { transactions: get(row, 12), freeze_max: get(row, 13) },
        heap_hit: get(row, 14),
        heap_read: get(row, 15),
        index_hit: get(row, 16),
        index_read: get(row, 17),
    }
}

fn sequence(row: &Row) -> Sequence {
    Sequence {
        name: of_schema(&get::<String>(row, 0), &get::<String>(row, 1)),
        table: of_schema(&get::<String>(row, 2), &get::<String>(row, 3)),
        column: of_database(&get::<String>(row, 4)),
        column_bytes: get(row, 5),
        last: get(row, 6),
        end: get(row, 7),
        cycles: get(row, 8),
    }
}

fn spill(row: &Row) -> Spill {
    Spill { statement: get(row, 0), bytes: get(row, 1) }
}

fn setting(row: &Row) -> (String, Setting) {
    (get(row, 0), Setting { value: get(row, 1), unit: get(row, 2), source: get(row, 3) })
}
