//! Builds an index and drops it again, and analyzes a table, as the user that owns the tables.
//!
//! A build dies with its session, and leaves an index that every write maintains and no query uses. So: what this call has left it takes
//! away itself before it says that nothing was changed; where it can't (the connection is gone), it says that the outcome is unknown, and the
//! live state shows the unfinished index, which is then undone like any other. While a session of ours still builds, the undo ends it first.

use crate::connect::{Session, connect};
use crate::ddl;
use crate::errors::{has_ended, port_error};
use crate::read::configured;
use async_trait::async_trait;
use config::Database;
use domain::change::{Action, Change};
use domain::guard::Cleared;
use domain::performance::index::{Index, IndexSpec, IndexState};
use domain::performance::statistics::{StatisticsState, TableStatistics};
use domain::resource::{Live, Resource};
use engine::ports::{Actuator as Port, PortError, PortResult, Secrets};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::error::SqlState;

/// Seconds kept for cleaning up after a build that did not end in time.
const CLEAN_UP_S: f64 = 45.0;
/// Seconds kept for the answer to a statement that leaves nothing behind.
const ANSWER_S: f64 = 5.0;
/// Milliseconds that an analysis waits for the lock of its table: while it waits, others wait behind it.
const LOCK_MS: u32 = 5_000;
/// Seconds between two looks at how far a build is.
const PROGRESS_S: u64 = 5;
/// Seconds that dropping waits for queries that use the index.
const DROP_S: u32 = 30;
/// Seconds that a build waits for autovacuum to finish with the table: asking for the table's lock would cancel its work.
const AUTOVACUUM_S: f64 = 60.0;
/// A table with an index of a name, and what else is at work there.
const LIVE: &str = "SELECT pg_table_size(t.oid)::float8, \
    (SELECT i.indisvalid AND i.indisready FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
     WHERE c.relname = $3 AND c.relnamespace = t.relnamespace), \
    coalesce((SELECT max(extract(epoch FROM clock_timestamp() - a.xact_start)) FROM pg_stat_activity a \
     WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.xact_start IS NOT NULL \
     AND a.backend_type = 'client backend' AND a.pid NOT IN (SELECT pid FROM pg_stat_progress_create_index)), 0)::float8, \
    (SELECT string_agg(DISTINCT l.mode, ', ') FROM pg_locks l WHERE l.relation = t.oid AND l.pid <> pg_backend_pid() \
     AND l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')), \
    EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.relation = t.oid \
     AND l.mode = 'ShareUpdateExclusiveLock' AND a.backend_type = 'autovacuum worker'), \
    CASE WHEN t.reltuples > 0 THEN t.reltuples ELSE coalesce(s.n_live_tup, 0) END::float8, \
    coalesce(s.n_mod_since_analyze, 0)::float8, \
    pg_has_role(current_user, t.relowner, 'USAGE') \
      OR pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') \
      OR CASE WHEN current_setting('server_version_num')::int >= 170000 THEN has_table_privilege(t.oid, 'MAINTAIN') ELSE false END, \
    quote_ident(pg_get_userbyid(t.relowner)), quote_ident(current_user) \
    FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = t.oid \
    WHERE n.nspname = $1 AND t.relname = $2";
/// Sessions that build an index of this name.
const BUILDERS: &str = "SELECT p.pid FROM pg_stat_progress_create_index p JOIN pg_class c ON c.oid = p.index_relid \
    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND p.pid <> pg_backend_pid()";
const PROGRESS: &str = "SELECT p.phase, p.blocks_done::float8, p.blocks_total::float8 FROM pg_stat_progress_create_index p \
    WHERE p.pid = $1";

/// See [`engine::ports::Actuator`].
pub struct Actuator<'a> {
    databases: &'a BTreeMap<String, Database>,
    secrets: &'a dyn Secrets,
    deadline: Instant,
}

impl<'a> Actuator<'a> {
    /// Acts on these databases, with so many seconds left before the platform ends the process.
    pub fn new(databases: &'a BTreeMap<String, Database>, secrets: &'a dyn Secrets, left_s: f64) -> Self {
        Self { databases, secrets, deadline: Instant::now() + Duration::from_secs_f64(left_s.max(0.0)) }
    }

    fn left_s(&self) -> f64 {
        self.deadline.saturating_duration_since(Instant::now()).as_secs_f64()
    }

    async fn open(&self, name: &str) -> PortResult<Session> {
        let database = configured(self.databases, name)?;
        let Some(secret) = &database.change_secret else {
            return Err(PortError::Denied {
                operation: format!("connect to {name}"),
                permission: "the user that owns the tables: name its secret in change_secret".to_owned(),
            });
        };
        let user = self.secrets.read(secret).await?;
        connect(name, database, &user).await
    }

    async fn build(&self, database: &str, spec: &IndexSpec, text: &str) -> PortResult<()> {
        let session = self.open(database).await?;
        let operation = format!("build {} in {database}", spec.name());
        let budget_s = (self.left_s() - CLEAN_UP_S).max(1.0);
        // No time-out for locks: it would end the build while it waits for older transactions, and leave an index that is not valid.
        let limits = format!("SET lock_timeout = 0; SET statement_timeout = {}", whole_ms(budget_s));
        session.client.batch_execute(&limits).await.map_err(|error| port_error(&operation, &error))?;
        // So that a build whose process has died ends by itself; version 13 has no such setting.
        let _ = session.client.batch_execute("SET client_connection_check_interval = '2s'").await;
        let built = watched(self, database, &session, text).await;
        let Err(error) = built else { return Ok(()) };
        if !has_ended(&error) {
            return Err(port_error(&operation, &error));
        }
        // The server has answered: nobody builds any more. What is left goes now, so that nothing was changed.
        match drop_left(&session, spec).await {
            Ok(()) => Err(as_refused(&operation, &error)),
            Err(left) => Err(PortError::Unknown {
                operation,
                why: format!("{}; an unfinished index is left: {left}", as_refused("it", &error)),
            }),
        }
    }

    /// One statement that holds for all or nothing: what ends in the middle has changed nothing.
    async fn analyze(&self, database: &str, schema: &str, table: &str) -> PortResult<()> {
        let session = self.open(database).await?;
        let operation = format!("analyze {schema}.{table} in {database}");
        let budget_s = (self.left_s() - ANSWER_S).max(1.0);
        let limits = format!("SET lock_timeout = {LOCK_MS}; SET statement_timeout = {}", whole_ms(budget_s));
        session.client.batch_execute(&limits).await.map_err(|error| port_error(&operation, &error))?;
        let text = ddl::analyze_table(schema, table);
        session.client.batch_execute(&text).await.map_err(|error| as_refused(&operation, &error))
    }
}

#[async_trait]
impl Port for Actuator<'_> {
    async fn live(&self, resource: &Resource) -> PortResult<Resource> {
        let (database, schema, table, index) = match &resource.live {
            Live::Index(index) => (&index.database, &index.schema, &index.table, index.name.as_str()),
            Live::Statistics(of) => (&of.database, &of.schema, &of.table, ""),
            other => {
                return Err(PortError::Rejected {
                    operation: format!("read {} before a change", resource.id),
                    why: format!("the performance cycle changes nothing on a {}", other.kind()),
                });
            }
        };
        let session = self.open(database).await?;
        let operation = format!("read {schema}.{table} of {database}");
        let until = Instant::now() + Duration::from_secs_f64(AUTOVACUUM_S.min(self.left_s() / 4.0));
        loop {
            let (seen, is_vacuumed) = found(&session, &operation, schema, table, index).await?;
            let live = seen.live(&resource.live, &operation)?;
            let waits = match &live {
                Live::Index(index) => index.state == IndexState::Absent,
                // Autovacuum may be renewing just these.
                Live::Statistics(of) => of.state() == StatisticsState::Stale,
                _ => false,
            };
            if waits && is_vacuumed && Instant::now() < until {
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
            return Ok(Resource { live, ..resource.clone() });
        }
    }

    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()> {
        match &cleared.change().action {
            Action::CreateIndex { database, index } => {
                let text = ddl::create_index(index).ok_or_else(|| not_ours(cleared.change()))?;
                self.build(database, index, &text).await
            }
            Action::AnalyzeTable { database, schema, table } => self.analyze(database, schema, table).await,
            action => Err(PortError::Rejected {
                operation: action.to_string(),
                why: "the performance cycle makes no such change".to_owned(),
            }),
        }
    }

    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()> {
        let (Action::CreateIndex { database, index }, Live::Index(before)) = (&change.action, prior) else {
            return Err(not_ours(change));
        };
        if before.state != IndexState::Absent {
            return Err(PortError::Rejected {
                operation: format!("undo \"{}\"", change.action),
                why: "it was there before the change".to_owned(),
            });
        }
        let session = self.open(database).await?;
        let operation = format!("drop {} in {database}", index.name());
        end_builders(&session, index, &operation).await?;
        drop_left(&session, index).await.map_err(|error| as_refused(&operation, &error))
    }
}

/// Runs the build and tells how far it is, over a second session, which is not needed for it.
async fn watched(
    actuator: &Actuator<'_>,
    database: &str,
    session: &Session,
    text: &str,
) -> Result<(), tokio_postgres::Error> {
    let pid = session.client.query_one("SELECT pg_backend_pid()", &[]).await.ok().and_then(|row| row.try_get(0).ok());
    let build = session.client.batch_execute(text);
    tokio::pin!(build);
    let mut watcher: Option<Session> = None;
    loop {
        tokio::select! {
            ended = &mut build => return ended,
            () = tokio::time::sleep(Duration::from_secs(PROGRESS_S)) => {
                if watcher.is_none() {
                    watcher = actuator.open(database).await.ok();
                }
                if let (Some(watcher), Some(pid)) = (&watcher, pid) {
                    tell_progress(watcher, pid).await;
                }
            }
        }
    }
}

async fn tell_progress(watcher: &Session, pid: i32) {
    if let Ok(Some(row)) = watcher.client.query_opt(PROGRESS, &[&pid]).await {
        let phase: String = row.try_get(0).unwrap_or_default();
        let (done, total): (f64, f64) = (row.try_get(1).unwrap_or(0.0), row.try_get(2).unwrap_or(0.0));
        let done_pct = if total > 0.0 { 100.0 * done / total } else { 0.0 };
        tracing::info!(phase, done_pct, "building the index");
    }
}

/// A table and an index of it as they are.
struct Found {
    index: IndexState,
    table_bytes: f64,
    oldest_transaction_s: f64,
    busy: Option<String>,
    rows: f64,
    modified: f64,
    /// Why the user of this session may not analyze the table: the command that lets it.
    lacking: Option<String>,
}

impl Found {
    /// What was asked for, as it is now.
    fn live(self, of: &Live, operation: &str) -> PortResult<Live> {
        match of {
            // The server only warns of a table that it leaves out.
            Live::Statistics(_) if self.lacking.is_some() => {
                Err(PortError::Denied { operation: operation.to_owned(), permission: self.lacking.unwrap_or_default() })
            }
            Live::Statistics(of) => Ok(Live::Statistics(TableStatistics {
                rows: self.rows,
                modified: self.modified,
                busy: self.busy,
                ..of.clone()
            })),
            Live::Index(of) => Ok(Live::Index(Index {
                state: self.index,
                table_bytes: self.table_bytes,
                oldest_transaction_s: self.oldest_transaction_s,
                busy: self.busy,
                ..of.clone()
            })),
            other => Ok(other.clone()),
        }
    }
}

/// A table with an index of this name, and whether autovacuum is at work on it.
async fn found(
    session: &Session,
    operation: &str,
    schema: &str,
    table: &str,
    index: &str,
) -> PortResult<(Found, bool)> {
    let row = session
        .client
        .query_opt(LIVE, &[&schema, &table, &index])
        .await
        .map_err(|error| port_error(operation, &error))?;
    let Some(row) = row else {
        let what = format!("the table {schema}.{table}");
        return Err(PortError::Gone { operation: operation.to_owned(), what });
    };
    let is_valid: Option<bool> = row.try_get(1).unwrap_or_default();
    let index = match is_valid {
        None => IndexState::Absent,
        Some(true) => IndexState::Valid,
        Some(false) => IndexState::Invalid,
    };
    let (held, is_vacuumed): (Option<String>, bool) =
        (row.try_get(3).unwrap_or_default(), row.try_get(4).unwrap_or_default());
    let work = if is_vacuumed { "autovacuum" } else { "other work" };
    let (owner, user): (String, String) = (row.try_get(8).unwrap_or_default(), row.try_get(9).unwrap_or_default());
    // Not known is not fresh.
    let unread = |error: tokio_postgres::Error| port_error(operation, &error);
    let found = Found {
        index,
        table_bytes: row.try_get(0).unwrap_or(f64::MAX),
        oldest_transaction_s: row.try_get(2).unwrap_or(f64::MAX),
        busy: held.map(|mode| format!("{work} on the table ({mode})")),
        rows: row.try_get(5).map_err(unread)?,
        modified: row.try_get(6).map_err(unread)?,
        lacking: (!row.try_get(7).unwrap_or(false)).then(|| format!("GRANT {owner} TO {user}")),
    };
    Ok((found, is_vacuumed))
}

/// Ends the sessions that still build this index: those of a process of ours that has died.
async fn end_builders(session: &Session, index: &IndexSpec, operation: &str) -> PortResult<()> {
    let failed = |error: tokio_postgres::Error| port_error(operation, &error);
    let builders = session.client.query(BUILDERS, &[&index.schema, &index.name()]).await.map_err(failed)?;
    for row in &builders {
        let pid: i32 = row.try_get(0).unwrap_or_default();
        session.client.execute("SELECT pg_terminate_backend($1)", &[&pid]).await.map_err(failed)?;
        tracing::info!(pid, "ended a session that was still building the index");
    }
    Ok(())
}

/// Drops the index if it is there, valid or not. A session that used it may still be ending: waited for, within bounds.
async fn drop_left(session: &Session, index: &IndexSpec) -> Result<(), tokio_postgres::Error> {
    let Some(text) = ddl::drop_index(&index.schema, &index.name()) else { return Ok(()) };
    let limits = format!("SET statement_timeout = {}; SET lock_timeout = 0", u64::from(DROP_S) * 1_000);
    session.client.batch_execute(&limits).await?;
    session.client.batch_execute(&text).await
}

/// A refusal in words; what a time-out means is said.
fn as_refused(operation: &str, error: &tokio_postgres::Error) -> PortError {
    match error.code() {
        Some(&SqlState::QUERY_CANCELED) => PortError::Rejected {
            operation: operation.to_owned(),
            why: "it did not end within the time of one call".to_owned(),
        },
        Some(&SqlState::DISK_FULL) => {
            PortError::Rejected { operation: operation.to_owned(), why: "the disk of the database is full".to_owned() }
        }
        _ => port_error(operation, error),
    }
}

fn not_ours(change: &Change) -> PortError {
    PortError::Rejected {
        operation: change.action.to_string(),
        why: "the performance cycle makes no such change, or it has no way back".to_owned(),
    }
}

fn whole_ms(seconds: f64) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least a second, at most a day")]
    let ms = (seconds.min(86_400.0) * 1_000.0) as u64;
    ms
}
