//! What a server is asked. Every statement is constant, and the same for versions 13 to 18: a column that an older one lacks is read by its
//! name from the row as JSON, and is then nothing.

/// A part that takes long is left out: there are a dozen of them, and a function has minutes.
pub(super) const LIMITS: &str = "SET statement_timeout = '5s'";
/// Version, whether we see what others do, and the database.
pub(super) const RIGHTS: &str = "SELECT current_setting('server_version_num')::int4, \
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), current_database()::text";
/// Sessions that are open and may be. Some are reserved: for superusers, and from version 16 for a role.
pub(super) const CONNECTIONS: &str = "SELECT (current_setting('max_connections')::int4 \
      - current_setting('superuser_reserved_connections')::int4 \
      - coalesce(current_setting('reserved_connections', true)::int4, 0))::float8, \
    count(*)::float8, \
    (SELECT nullif(datconnlimit, -1)::float8 FROM pg_database WHERE datname = current_database() AND datconnlimit >= -1), \
    (count(*) FILTER (WHERE datname = current_database()))::float8 \
    FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
/// Sessions by user, application and state.
pub(super) const GROUPS: &str = "SELECT coalesce(usename, '')::text, coalesce(application_name, '')::text, coalesce(state, '')::text, \
    count(*)::float8 FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() \
    GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT 20";
/// Sessions of this database in a transaction, who waits for a lock, and who holds it, wherever. Our own are left out unless they hold up
/// others. Since when one waits is told from version 14 on.
pub(super) const BUSY: &str = "WITH waiting AS (SELECT pid, pg_blocking_pids(pid) AS by FROM pg_stat_activity \
      WHERE wait_event_type = 'Lock' AND datname = current_database()), \
    seen AS (SELECT a.pid, a.backend_start, a.usename, a.application_name, a.state, a.xact_start, a.state_change, \
      coalesce(greatest(age(a.backend_xmin), age(a.backend_xid)), 0) AS holds_back, coalesce(w.by, '{}') AS by, \
      (SELECT max(extract(epoch FROM clock_timestamp() - (to_jsonb(l) ->> 'waitstart')::timestamptz)) FROM pg_locks l \
       WHERE l.pid = a.pid AND NOT l.granted) AS waits, \
      a.pid IN (SELECT unnest(by) FROM waiting) AS holds \
      FROM pg_stat_activity a LEFT JOIN waiting w ON w.pid = a.pid WHERE a.pid <> pg_backend_pid()) \
    SELECT s.pid, to_char(s.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), coalesce(s.usename, '')::text, \
    coalesce(s.application_name, '')::text, coalesce(s.state, '')::text, \
    extract(epoch FROM clock_timestamp() - s.xact_start)::float8, extract(epoch FROM clock_timestamp() - s.state_change)::float8, \
    s.holds_back::float8, s.by, s.waits::float8 \
    FROM seen s JOIN pg_stat_activity a USING (pid) \
    WHERE s.holds OR s.by <> '{}' \
      OR (a.datname = current_database() AND a.backend_type = 'client backend' AND s.xact_start IS NOT NULL \
          AND coalesce(s.application_name, '') <> $1) \
    ORDER BY s.holds OR s.by <> '{}' DESC, s.xact_start LIMIT 100";
/// Transactions that were prepared here.
pub(super) const PREPARED: &str = "SELECT gid::text, extract(epoch FROM clock_timestamp() - prepared)::float8, age(transaction)::float8 \
    FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared LIMIT 20";
/// Slots of the server with what it keeps for them; those of a session end with it.
pub(super) const SLOTS: &str = "SELECT slot_name::text, coalesce(slot_type, '')::text, active, \
    coalesce(greatest(pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, \
      restart_lsn), 0), 0)::float8, \
    coalesce(greatest(age(xmin), age(catalog_xmin)), 0)::float8, coalesce(wal_status = 'lost', false) \
    FROM pg_replication_slots WHERE NOT temporary ORDER BY 4 DESC LIMIT 50";
/// Counters of this database.
pub(super) const ACTIVITY: &str = "SELECT extract(epoch FROM stats_reset)::float8, xact_commit::float8, xact_rollback::float8, \
    blks_hit::float8, blks_read::float8, blk_read_time::float8, temp_files::float8, temp_bytes::float8, deadlocks::float8, \
    pg_database_size(datid)::float8 FROM pg_stat_database WHERE datname = current_database()";
/// Checkpoints up to version 16.
pub(super) const BGWRITER: &str = "SELECT extract(epoch FROM stats_reset)::float8, checkpoints_timed::float8, checkpoints_req::float8, \
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, '0/0')::float8 \
    FROM pg_stat_bgwriter";
/// Checkpoints from version 17 on.
pub(super) const CHECKPOINTER: &str = "SELECT extract(epoch FROM stats_reset)::float8, num_timed::float8, num_requested::float8, \
    pg_wal_lsn_diff(CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, '0/0')::float8 \
    FROM pg_stat_checkpointer";
/// The oldest database of the server.
pub(super) const AGES: &str = "SELECT datname::text, age(datfrozenxid)::float8, \
    (SELECT max(mxid_age(datminmxid)) FROM pg_database)::float8, \
    current_setting('autovacuum_freeze_max_age')::float8, current_setting('autovacuum_multixact_freeze_max_age')::float8 \
    FROM pg_database ORDER BY age(datfrozenxid) DESC, datname = current_database() DESC LIMIT 1";
/// Tables that stand out: the 100 with the most dead rows, the 20 oldest, the 50 of which the most was ever read. Of its own settings a
/// table has what was set; what is stored beside it (TOAST) is vacuumed apart, and may be older.
pub(super) const TABLES: &str = "WITH all_of AS (SELECT c.oid, n.nspname, c.relname, c.reltuples, c.relpages, c.reloptions, \
      coalesce(s.n_dead_tup, 0) AS dead, greatest(s.last_vacuum, s.last_autovacuum) AS vacuumed, \
      greatest(s.last_analyze, s.last_autoanalyze) AS analyzed, \
      coalesce(greatest(age(nullif(c.relfrozenxid, '0')), age(nullif(t.relfrozenxid, '0'))), 0) AS old, \
      coalesce(i.heap_blks_hit, 0) AS heap_hit, coalesce(i.heap_blks_read, 0) AS heap_read, \
      coalesce(i.idx_blks_hit, 0) AS index_hit, coalesce(i.idx_blks_read, 0) AS index_read \
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_class t ON t.oid = c.reltoastrelid \
      LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid LEFT JOIN pg_statio_all_tables i ON i.relid = c.oid \
      WHERE c.relkind IN ('r', 'm')), \
    ranked AS (SELECT a.*, row_number() OVER (ORDER BY dead DESC, oid) AS by_dead, row_number() OVER (ORDER BY old DESC, oid) AS by_age, \
      row_number() OVER (ORDER BY heap_read + index_read DESC, oid) AS by_read FROM all_of a) \
    SELECT r.nspname::text, r.relname::text, r.reltuples::float8, r.dead::float8, \
    (r.relpages::float8 * current_setting('block_size')::float8), \
    extract(epoch FROM clock_timestamp() - r.vacuumed)::float8, extract(epoch FROM clock_timestamp() - r.analyzed)::float8, \
    EXISTS (SELECT FROM pg_stat_progress_vacuum p WHERE p.relid = r.oid), \
    coalesce(o.is_on, true), \
    coalesce(o.base, current_setting('autovacuum_vacuum_threshold')::float8), \
    coalesce(o.share, current_setting('autovacuum_vacuum_scale_factor')::float8), \
    coalesce(o.most, current_setting('autovacuum_vacuum_max_threshold', true)::float8), \
    r.old::float8, \
    least(o.freeze, current_setting('autovacuum_freeze_max_age')::float8), \
    r.heap_hit::float8, r.heap_read::float8, r.index_hit::float8, r.index_read::float8 \
    FROM ranked r LEFT JOIN LATERAL (SELECT \
      bool_and(option_value::bool) FILTER (WHERE option_name = 'autovacuum_enabled') AS is_on, \
      max(option_value::float8) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS base, \
      max(option_value::float8) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS share, \
      max(option_value::float8) FILTER (WHERE option_name = 'autovacuum_vacuum_max_threshold') AS most, \
      max(option_value::float8) FILTER (WHERE option_name = 'autovacuum_freeze_max_age') AS freeze \
      FROM pg_options_to_table(r.reloptions)) o ON true \
    WHERE r.by_dead <= 100 OR r.by_age <= 20 OR r.by_read <= 50 ORDER BY r.dead DESC, r.oid";
/// Sequences whose last number we may not read.
pub(super) const SEQUENCES_UNREAD: &str = "SELECT count(*)::float8 FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid \
    WHERE c.relpersistence <> 't' AND NOT has_sequence_privilege(s.seqrelid, 'SELECT, USAGE')";
/// Sequences with the columns that take their numbers, as owner or by default, those nearest to their end first. A type over another
/// (`DOMAIN`) is as wide as that.
pub(super) const SEQUENCES: &str = "WITH fed AS ( \
      SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS number FROM pg_depend d \
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i') \
      UNION SELECT d.refobjid, f.adrelid, f.adnum FROM pg_depend d JOIN pg_attrdef f ON f.oid = d.objid \
      WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass), \
    of_column AS (SELECT q.nspname AS sequence_schema, c.relname AS sequence_name, n.nspname, r.relname, a.attname, \
      (SELECT typlen FROM pg_type WHERE oid = coalesce(nullif(t.typbasetype, 0), t.oid)) AS bytes, \
      CASE WHEN has_sequence_privilege(s.seqrelid, 'SELECT, USAGE') THEN pg_sequence_last_value(s.seqrelid) END AS last, \
      CASE WHEN s.seqincrement > 0 THEN s.seqmax ELSE s.seqmin END AS ends, s.seqcycle \
      FROM pg_sequence s JOIN fed f ON f.sequence = s.seqrelid JOIN pg_class c ON c.oid = s.seqrelid \
      JOIN pg_namespace q ON q.oid = c.relnamespace JOIN pg_class r ON r.oid = f.relation \
      JOIN pg_namespace n ON n.oid = r.relnamespace \
      JOIN pg_attribute a ON a.attrelid = f.relation AND a.attnum = f.number JOIN pg_type t ON t.oid = a.atttypid \
      WHERE c.relpersistence <> 't' AND coalesce(nullif(t.typbasetype, 0), t.oid) IN \
        ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)) \
    SELECT sequence_schema::text, sequence_name::text, nspname::text, relname::text, attname::text, bytes::float8, last::float8, \
    ends::float8, seqcycle FROM of_column WHERE last IS NOT NULL \
    ORDER BY abs(last::float8) / greatest(least(abs(ends::float8), power(2, 8 * bytes - 1)), 1) DESC, 1, 2, 3, 4, 5 LIMIT 50";
/// Statements of this database that write to temporary files.
pub(super) const SPILLS: &str = "SELECT queryid, (sum(temp_blks_written) * current_setting('block_size')::float8)::float8 \
    FROM pg_stat_statements(false) WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
    AND queryid IS NOT NULL AND temp_blks_written > 0 GROUP BY queryid ORDER BY 2 DESC LIMIT 50";
/// Settings that rules look at, with where each comes from. What our own session has set for itself is left out: its value is the one before.
pub(super) const SETTINGS: &str = "SELECT name::text, reset_val::text, unit::text, \
    (CASE source WHEN 'session' THEN 'not told' ELSE source END)::text FROM pg_settings WHERE name IN \
    ('autovacuum', 'autovacuum_max_workers', 'autovacuum_naptime', 'autovacuum_vacuum_cost_delay', 'autovacuum_vacuum_cost_limit', \
     'autovacuum_vacuum_scale_factor', 'autovacuum_vacuum_threshold', 'checkpoint_completion_target', 'checkpoint_timeout', \
     'effective_cache_size', 'hot_standby_feedback', 'idle_in_transaction_session_timeout', 'lock_timeout', 'maintenance_work_mem', \
     'max_connections', 'max_slot_wal_keep_size', 'max_wal_size', 'random_page_cost', 'shared_buffers', 'statement_timeout', \
     'track_counts', 'track_io_timing', 'work_mem') ORDER BY 1";
