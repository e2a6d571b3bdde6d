//! Looks into a database. Reads only: the session can't write, waits for no lock, and gives up soon.

use crate::connect::{Session, connect};
use crate::ddl::hypothetical_index;
use crate::errors::port_error;
use crate::plan;
use crate::vitals;
use async_trait::async_trait;
use config::Database;
use domain::performance::catalog::{Catalog, ColumnFacts, IndexFacts, Table};
use domain::performance::index::IndexSpec;
use domain::performance::vitals::Look;
use domain::performance::{Counter, Priced, Question, Sample};
use engine::ports::{Clock, Databases as Port, PortError, PortResult, Secrets};
use jiff::Timestamp;
use std::collections::BTreeMap;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

/// What holds for a session that reads. The plan of a statement whose values are not known is the generic one.
const READING: &str = "SET default_transaction_read_only = on; SET statement_timeout = '20s'; SET lock_timeout = '1s'; \
    SET idle_in_transaction_session_timeout = '30s'; SET plan_cache_mode = force_generic_plan";
/// Counters by statement, those of our own user left out. A statement that several users ask has several rows.
const STATEMENTS: &str = "SELECT s.queryid, CASE WHEN $1 THEN s.query ELSE '' END AS text, s.calls::float8, s.total_exec_time, \
    s.stddev_exec_time, s.rows::float8, s.shared_blks_hit::float8, s.shared_blks_read::float8 \
    FROM pg_stat_statements($1) s WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND s.userid <> (SELECT oid FROM pg_roles WHERE rolname = current_user)";
const INFO: &str = "SELECT extract(epoch FROM stats_reset)::float8, dealloc::float8 FROM pg_stat_statements_info";
const TABLES: &str = "SELECT c.oid, n.nspname::text, c.relname::text, \
    CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE coalesce(s.n_live_tup, 0) END::float8, pg_table_size(c.oid)::float8, c.relkind = 'p', \
    coalesce(s.n_tup_ins + s.n_tup_upd + s.n_tup_del, 0)::float8, coalesce(s.n_mod_since_analyze, 0)::float8, \
    coalesce(s.seq_scan, 0)::float8 \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid \
    WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence = 'p' \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' \
    ORDER BY c.relpages DESC, c.oid LIMIT 2000";
const COLUMNS: &str = "SELECT a.attrelid, a.attname::text, CASE WHEN t.typtype = 'e' THEN 'enum' ELSE t.typname::text END, \
    s.n_distinct::float8, s.avg_width::float8 \
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid \
    JOIN pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited \
    WHERE a.attrelid = ANY($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum";
const INDEXES: &str = "SELECT i.indrelid, c.relname::text, m.amname::text, i.indnkeyatts::int4, \
    (SELECT array_agg(a.attname::text ORDER BY k.at) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, at) \
     LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number <> 0), \
    i.indpred IS NOT NULL, \
    i.indisunique OR i.indisprimary OR i.indisexclusion OR i.indisreplident OR EXISTS \
      (SELECT 1 FROM pg_constraint o WHERE o.conindid = i.indexrelid), \
    i.indisvalid AND i.indisready, coalesce(s.idx_scan, 0)::float8, pg_relation_size(i.indexrelid)::float8, \
    pg_get_indexdef(i.indexrelid) \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam \
    LEFT JOIN pg_stat_all_indexes s ON s.indexrelid = i.indexrelid WHERE i.indrelid = ANY($1) ORDER BY i.indexrelid";
const SERVER: &str = "SELECT current_setting('server_version_num')::int4, current_schemas(false)::text[], \
    (SELECT coalesce(array_agg(extname::text), '{}') FROM pg_extension), \
    (SELECT max(extract(epoch FROM clock_timestamp() - xact_start))::float8 FROM pg_stat_activity \
     WHERE pid <> pg_backend_pid() AND xact_start < clock_timestamp() - interval '1 second')";
/// Name of what is prepared in a session of ours.
const PREPARED: &str = "maintainer_question";
/// Hypothetical indexes of one session: their numbers come from a range that is never given back.
const HYPOTHETICAL_MAX: usize = 2_000;

/// See [`engine::ports::Databases`].
pub struct Databases<'a> {
    databases: &'a BTreeMap<String, Database>,
    secrets: &'a dyn Secrets,
    clock: &'a dyn Clock,
}

impl<'a> Databases<'a> {
    /// Looks into these databases, as the user of the secret that reads.
    pub fn new(databases: &'a BTreeMap<String, Database>, secrets: &'a dyn Secrets, clock: &'a dyn Clock) -> Self {
        Self { databases, secrets, clock }
    }

    async fn open(&self, name: &str) -> PortResult<Session> {
        let database = configured(self.databases, name)?;
        let user = self.secrets.read(&database.read_secret).await?;
        let session = connect(name, database, &user).await?;
        let set = session.client.batch_execute(READING).await;
        set.map_err(|error| port_error(&format!("begin to read {name}"), &error))?;
        Ok(session)
    }
}

/// The database of this name.
pub(crate) fn configured<'a>(databases: &'a BTreeMap<String, Database>, name: &str) -> PortResult<&'a Database> {
    databases.get(name).ok_or_else(|| PortError::Gone {
        operation: format!("connect to {name}"),
        what: format!("a database {name} of the application, in maintainer.yaml,"),
    })
}

#[async_trait]
impl Port for Databases<'_> {
    async fn sample(&self, database: &str, with_texts: bool) -> PortResult<Sample> {
        let session = self.open(database).await?;
        let operation = format!("read pg_stat_statements of {database}");
        let (reset_at, dropped) = match session.client.query_opt(INFO, &[]).await {
            Ok(Some(row)) => {
                let reset: Option<f64> = get(&row, 0);
                (reset.and_then(moment), get::<Option<f64>>(&row, 1).unwrap_or(0.0))
            }
            // Version 13 does not tell.
            _ => (None, 0.0),
        };
        let rows = session.client.query(STATEMENTS, &[&with_texts]).await;
        let rows = rows.map_err(|error| without_statements(&operation, &error))?;
        let mut statements: BTreeMap<i64, Counter> = BTreeMap::new();
        for row in &rows {
            // What the user may not see has neither number nor text.
            if get::<Option<i64>>(row, 0).is_none() {
                return Err(PortError::Denied {
                    operation,
                    permission: "pg_monitor to the user that reads: GRANT pg_monitor TO <user>".to_owned(),
                });
            }
            let counter = counter(row);
            match statements.get_mut(&counter.id) {
                None => {
                    statements.insert(counter.id, counter);
                }
                Some(there) => *there = together(there, &counter),
            }
        }
        Ok(Sample { at: self.clock.now(), reset_at, dropped, statements: statements.into_values().collect() })
    }

    async fn catalog(&self, database: &str) -> PortResult<Catalog> {
        let session = self.open(database).await?;
        let failed = |error: tokio_postgres::Error| port_error(&format!("read the catalog of {database}"), &error);
        let server = session.client.query_one(SERVER, &[]).await.map_err(failed)?;
        let rows = session.client.query(TABLES, &[]).await.map_err(failed)?;
        let mut tables: Vec<(u32, Table)> = rows.iter().map(|row| (get(row, 0), table(row))).collect();
        let oids: Vec<u32> = tables.iter().map(|(oid, _)| *oid).collect();
        let columns = session.client.query(COLUMNS, &[&oids]).await.map_err(failed)?;
        let indexes = session.client.query(INDEXES, &[&oids]).await.map_err(failed)?;
        let places: BTreeMap<u32, usize> = tables.iter().enumerate().map(|(at, (oid, _))| (*oid, at)).collect();
        for row in &columns {
            if let Some(at) = places.get(&get::<u32>(row, 0)) {
                let table = &mut tables[*at].1;
                table.columns.push(column(row, table.rows));
            }
        }
        for row in &indexes {
            if let Some(at) = places.get(&get::<u32>(row, 0)) {
                tables[*at].1.indexes.push(index(row));
            }
        }
        Ok(Catalog {
            server_version: u32::try_from(get::<i32>(&server, 0)).unwrap_or(0),
            search_path: get(&server, 1),
            extensions: get(&server, 2),
            oldest_transaction_s: get(&server, 3),
            tables: tables.into_iter().map(|(_, table)| table).collect(),
        })
    }

    async fn look(&self, database: &str) -> PortResult<Look> {
        let session = self.open(database).await?;
        vitals::look(&session, database, self.clock.now()).await
    }

    async fn price(&self, database: &str, questions: &[Question]) -> PortResult<Vec<Option<Priced>>> {
        let mut session = self.open(database).await?;
        let (mut priced, mut thought_of) = (Vec::with_capacity(questions.len()), 0);
        for question in questions {
            thought_of += question.indexes.len();
            if thought_of > HYPOTHETICAL_MAX {
                session = self.open(database).await?;
                thought_of = question.indexes.len();
            }
            priced.push(of_one(&session, database, question).await?);
        }
        Ok(priced)
    }
}

/// The price of one statement; an error only where the session is of no more use.
async fn of_one(session: &Session, database: &str, question: &Question) -> PortResult<Option<Priced>> {
    let client = &session.client;
    let operation = format!("price a statement of {database}");
    let mut names: Vec<(String, f64)> = Vec::new();
    if !question.indexes.is_empty() {
        client.execute("SELECT hypopg_reset()", &[]).await.map_err(|error| without_hypopg(&operation, &error))?;
        for index in &question.indexes {
            names.push(think_of(session, &operation, index).await?.unwrap_or_default());
        }
    }
    // As a statement of the extended protocol, which takes exactly one: a text that holds more is refused by the server.
    let text = format!("PREPARE {PREPARED} AS {}", question.text);
    let priced = match client.execute(&text, &[]).await {
        Ok(_) => {
            let plan = explain(session).await;
            client
                .execute(&format!("DEALLOCATE {PREPARED}"), &[])
                .await
                .map_err(|error| port_error(&operation, &error))?;
            plan
        }
        Err(error) => Err(error),
    };
    match priced {
        Ok(Some((cost, used))) => {
            let uses = (0..names.len()).filter(|at| !names[*at].0.is_empty() && used.contains(&names[*at].0)).collect();
            Ok(Some(Priced { cost, uses, bytes: names.into_iter().map(|(_, bytes)| bytes).collect() }))
        }
        Ok(None) => Ok(None),
        Err(error) if error.as_db_error().is_some_and(|refused| *refused.code() != SqlState::ADMIN_SHUTDOWN) => {
            Ok(None)
        }
        Err(error) => Err(port_error(&operation, &error)),
    }
}

/// Name and size of a hypothetical index; `None` for one that can't be.
async fn think_of(session: &Session, operation: &str, index: &IndexSpec) -> PortResult<Option<(String, f64)>> {
    let Some(text) = hypothetical_index(index) else { return Ok(None) };
    let made = session
        .client
        .query_opt(
            "SELECT indexname::text, hypopg_relation_size(indexrelid)::float8 FROM hypopg_create_index($1)",
            &[&text],
        )
        .await;
    match made {
        Ok(row) => Ok(row.map(|row| (get(&row, 0), get(&row, 1)))),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_FUNCTION) => Err(without_hypopg(operation, &error)),
        Err(error) if error.as_db_error().is_some() => Ok(None),
        Err(error) => Err(port_error(operation, &error)),
    }
}

/// The plan of what is prepared, with nothing known of its values.
async fn explain(
    session: &Session,
) -> Result<Option<(f64, std::collections::BTreeSet<String>)>, tokio_postgres::Error> {
    let client = &session.client;
    let values = client
        .query_one(
            "SELECT coalesce(cardinality(parameter_types), 0)::int4 FROM pg_prepared_statements WHERE name = $1",
            &[&PREPARED],
        )
        .await?;
    let values = usize::try_from(get::<i32>(&values, 0)).unwrap_or(0);
    let nulls = if values == 0 { String::new() } else { format!("({})", vec!["NULL"; values].join(", ")) };
    let row = client.query_one(&format!("EXPLAIN (FORMAT JSON) EXECUTE {PREPARED}{nulls}"), &[]).await?;
    let text: Result<serde_json::Value, _> = row.try_get::<_, Json>(0).map(|Json(value)| value);
    Ok(text.ok().as_ref().and_then(plan::read))
}

/// A value of the type `json`.
struct Json(serde_json::Value);

impl<'a> tokio_postgres::types::FromSql<'a> for Json {
    fn from_sql(
        _: &tokio_postgres::types::Type,
        raw: &'a [u8],
    ) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(serde_json::from_slice(raw)?))
    }

    fn accepts(of: &tokio_postgres::types::Type) -> bool {
        *of == tokio_postgres::types::Type::JSON
    }
}

/// What an error says where the extension that counts is not there.
fn without_statements(operation: &str, error: &tokio_postgres::Error) -> PortError {
    let lacking = matches!(
        error.code(),
        Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_FUNCTION | &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE)
    );
    if !lacking {
        return port_error(operation, error);
    }
    PortError::Rejected {
        operation: operation.to_owned(),
        why: "the extension is not there: put pg_stat_statements into shared_preload_libraries (on RDS it is), restart, and run CREATE \
              EXTENSION pg_stat_statements in this database"
            .to_owned(),
    }
}

/// What an error says where the extension that thinks of indexes is not there.
fn without_hypopg(operation: &str, error: &tokio_postgres::Error) -> PortError {
    if error.code() != Some(&SqlState::UNDEFINED_FUNCTION) {
        return port_error(operation, error);
    }
    PortError::Rejected {
        operation: operation.to_owned(),
        why: "the extension that prices indexes is not there: run CREATE EXTENSION hypopg in this database".to_owned(),
    }
}

/// A column of a row by its place; the queries above fix their types.
pub(crate) fn get<'a, T: tokio_postgres::types::FromSql<'a> + Default>(row: &'a Row, at: usize) -> T {
    row.try_get(at).unwrap_or_default()
}

fn moment(seconds: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "a moment in microseconds fits")]
    let micros = (seconds * 1e6).round() as i64;
    Timestamp::from_microsecond(micros).ok()
}

fn counter(row: &Row) -> Counter {
    Counter {
        id: get(row, 0),
        text: get(row, 1),
        calls: get(row, 2),
        total_ms: get(row, 3),
        sd_ms: get(row, 4),
        rows: get(row, 5),
        hit: get(row, 6),
        read: get(row, 7),
    }
}

/// The counters of a statement that two users ask.
fn together(one: &Counter, other: &Counter) -> Counter {
    let calls = one.calls + other.calls;
    let mean = |counter: &Counter| if counter.calls > 0.0 { counter.total_ms / counter.calls } else { 0.0 };
    let apart = mean(one) - mean(other);
    let squares = one.sd_ms * one.sd_ms * one.calls + other.sd_ms * other.sd_ms * other.calls;
    let between = if calls > 0.0 { apart * apart * one.calls * other.calls / calls } else { 0.0 };
    Counter {
        id: one.id,
        text: if one.text.is_empty() { other.text.clone() } else { one.text.clone() },
        calls,
        total_ms: one.total_ms + other.total_ms,
        sd_ms: if calls > 0.0 { ((squares + between) / calls).sqrt() } else { 0.0 },
        rows: one.rows + other.rows,
        hit: one.hit + other.hit,
        read: one.read + other.read,
    }
}

fn table(row: &Row) -> Table {
    Table {
        schema: get(row, 1),
        name: get(row, 2),
        rows: get(row, 3),
        bytes: get(row, 4),
        is_partitioned: get(row, 5),
        writes: get(row, 6),
        modified_since_analyze: get(row, 7),
        seq_scans: get(row, 8),
        columns: Vec::new(),
        indexes: Vec::new(),
    }
}

/// Distinct values below nothing are a share of the rows.
fn column(row: &Row, rows: f64) -> ColumnFacts {
    let distinct: Option<f64> = get(row, 3);
    ColumnFacts {
        name: get(row, 1),
        type_name: get(row, 2),
        distinct: distinct.map(|distinct| if distinct < 0.0 { -distinct * rows } else { distinct }),
        width: get(row, 4),
    }
}

fn index(row: &Row) -> IndexFacts {
    let keys = usize::try_from(get::<i32>(row, 3)).unwrap_or(0);
    let columns: Vec<Option<String>> = get(row, 4);
    let (keys, includes) = columns.split_at(keys.min(columns.len()));
    IndexFacts {
        name: get(row, 1),
        method: get(row, 2),
        keys: keys.to_vec(),
        includes: includes.iter().flatten().cloned().collect(),
        is_partial: get(row, 5),
        is_constraint: get(row, 6),
        is_valid: get(row, 7),
        scans: get(row, 8),
        bytes: get(row, 9),
        definition: get(row, 10),
    }
}
