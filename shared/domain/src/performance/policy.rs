//! Thresholds of the performance cycle.

use serde::{Deserialize, Serialize};

/// Thresholds of the performance cycle, with the reason for each default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PerformancePolicy"))]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Seconds of normal traffic that are measured before and after a change. Default 900: the specification's 15 minutes.
    pub window_s: u32,
    /// A query that takes longer on average, in milliseconds, is slow. Default 100: the budget of a query.
    pub slow_query_ms: f64,
    /// A query that takes more than this share of all time spent in the database, in per cent, is worth an index even when it is not
    /// slow. Default 20: so much the least gain that counts would give back.
    pub heavy_query_pct: f64,
    /// Time of the database that an index for such queries must save, in milliseconds an hour. Default 36,000: one per cent of a core.
    pub saves_ms_hour_min: f64,
    /// Executions of a statement that a window must hold, before and after. Default 20: fewer say little of their mean.
    pub calls_min: f64,
    /// Least improvement that counts, in per cent of the time that the queries of a change took. Default 20: the specification's.
    pub improvement_pct_min: f64,
    /// 95th percentile of users' response times that is good enough, in milliseconds. Default 500: the specification's.
    pub target_p95_ms: f64,
    /// A response time that got worse by so many per cent, for certain, takes the change back. Default 10: as in the cost cycle.
    pub loss_pct_max: f64,
    /// Iterations that changed something, a day. Default 3: the specification's.
    pub iterations_per_day_max: u32,
    /// Largest index that is built, in bytes. Default 10 GiB: about what builds within a quarter of an hour.
    pub index_bytes_max: f64,
    /// Indexes that no query has used for so many days are told. Default 30: a job that runs once a month has run.
    pub unused_days: u32,
    /// Share of the sessions that a server takes that may be open, in per cent. Default 80: the specification's.
    pub connections_pct_max: f64,
    /// Seconds for which a session may sit idle in a transaction. Default 300: no application thinks for five minutes.
    pub idle_in_transaction_s: u32,
    /// Seconds that a transaction may take. Default 3,600: what a report or a nightly job takes is less.
    pub long_transaction_s: u32,
    /// Seconds for which a session may wait for a lock. Default 30: about as long as users wait for a page.
    pub blocked_s: u32,
    /// Dead rows of a table in multiples of those from which autovacuum comes. Default 2: at one it comes, at two it does not keep up.
    pub autovacuum_lag_max: f64,
    /// Share of the numbers of a sequence or its column that may be used, in per cent. Default 80: the rest leaves time to widen it.
    pub sequence_pct_max: f64,
    /// Share of the blocks that should be found in the server's memory, in per cent. Default 90: below, disks decide how fast it is.
    pub cache_hit_pct_min: f64,
    /// Bytes that may be written to temporary files in an hour. Default 10 GiB: three megabytes a second, written and read again.
    pub temp_bytes_hour_max: f64,
    /// Bytes of the log that a replication slot which nobody reads may keep. Default 1 GiB: a reader that restarts catches up with that.
    pub slot_bytes_max: f64,
    /// Times a second that a statement may look up a single row. Default 500: what a page needs is asked in one statement.
    pub lookups_per_s_max: f64,
    /// Deadlocks an hour that an application bears. Default 2: each is a request that failed.
    pub deadlocks_hour_max: f64,
    /// Rows that a query without LIMIT may return each time. Default 10,000: no page shows more.
    pub rows_returned_max: f64,
    /// Bytes an hour that `SELECT *` of wide rows may carry to the application. Default 1 GiB: 300 kB a second.
    pub star_bytes_hour_max: f64,
    /// Share of the lookups in a cache that should find their key, in per cent. Default 80: below, one request in five still goes to what
    /// is behind it.
    pub cache_found_pct_min: f64,
    /// Lookups a second from which that share says something. Default 10: 9,000 in a window of 15 minutes.
    pub cache_lookups_s_min: f64,
    /// Seconds after its start for which a cache is being filled, and misses are no fault. Default 3,600.
    pub cache_warm_s: u32,
    /// Share of its memory that a cache may use when it can't make room, in per cent. Default 80: the specification's.
    pub cache_memory_pct_max: f64,
    /// Memory that a cache holds beyond what it uses, in per cent of that. Default 50: the specification's.
    pub cache_fragmentation_pct_max: f64,
    /// Bytes from which fragmentation or swapping counts. Default 100 MiB: for less Redis does not begin to defragment
    /// (`active-defrag-ignore-bytes`).
    pub cache_waste_bytes_min: f64,
    /// A command of a cache that takes longer, in milliseconds, holds up all others. Default 10: as in `slowlog-log-slower-than`.
    pub cache_slow_ms: f64,
    /// A value in a cache that is larger, in bytes, is big; lists and streams, of which only the ends are read, may be ten times as large.
    /// Default 1 MiB: it takes as long as thousands of ordinary answers.
    pub cache_big_key_bytes: f64,
    /// Share of the lookups that may go to one key, in per cent. Default 20: more nodes do not help against that.
    pub cache_hot_key_pct: f64,
    /// Commands a second from which a hot key counts. Default 1,000: a node does a hundred times as many.
    pub cache_hot_ops_s_min: f64,
    /// Share of the memory of keys that may have no TTL where they are in the way, in per cent. Default 50.
    pub cache_without_ttl_pct_max: f64,
    /// Keys that may expire in the same five seconds. Default 500: a hundred requests a second go to what is behind all at once.
    pub cache_stampede_keys_min: f64,
    /// Connections that clients open a second. Default 10: with pools there are a few an hour.
    pub cache_connects_s_max: f64,
    /// Seconds that a replica of a cache may be behind. Default 10: it answers once a second.
    pub cache_replica_lag_s_max: f64,
    /// Milliseconds until the first byte of a page, on an open connection. Default 600: from there on Lighthouse calls a server slow.
    pub page_ttfb_ms_max: f64,
    /// Bytes that a page and all it loads may take on the wire. Default 2,700,000: from there on
    /// Lighthouse marks it down; a slow phone (1.6 Mbit/s) takes 14 seconds for them.
    pub page_bytes_max: f64,
    /// Bytes of scripts on the wire. Default 512,000: a phone of the middle takes about a second to parse and start more.
    pub page_script_bytes_max: f64,
    /// Bytes of style sheets on the wire. Default 102,400: nothing is painted before they are all there and parsed.
    pub page_style_bytes_max: f64,
    /// Files that a page may load. Default 100: beyond, the order in which they come decides, not the line.
    pub page_requests_max: f64,
    /// Seconds for which browsers should keep scripts, styles, images and fonts. Default 2,592,000: 30 days, Lighthouse's.
    pub page_cache_s_min: f64,
    /// Seconds for which a page itself may be shown without asking. Default 3,600: who comes back within the hour may see the old one.
    pub page_html_cache_s_max: f64,
    /// Bytes that a file must save to be told. Default 4,096: Lighthouse's, about a packet train.
    pub page_saves_bytes_min: f64,
    /// Bytes that compressing a file must save to be told. Default 1,400: Lighthouse's, less fits into one packet either way.
    pub page_compress_bytes_min: f64,
    /// Elements of a page. Default 1,400: from there on Lighthouse tells them.
    pub page_elements_max: f64,
    /// Files that one server may send over HTTP/1.1. Default 6: so many connections a browser opens, the next file waits.
    pub page_http1_requests_max: f64,
    /// Images that a page may load at once. Default 6: about what the first screen shows.
    pub page_eager_images_max: f64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            window_s: 900,
            slow_query_ms: 100.0,
            heavy_query_pct: 20.0,
            saves_ms_hour_min: 36_000.0,
            calls_min: 20.0,
            improvement_pct_min: 20.0,
            target_p95_ms: 500.0,
            loss_pct_max: 10.0,
            iterations_per_day_max: 3,
            index_bytes_max: 10_737_418_240.0,
            unused_days: 30,
            connections_pct_max: 80.0,
            idle_in_transaction_s: 300,
            long_transaction_s: 3_600,
            blocked_s: 30,
            autovacuum_lag_max: 2.0,
            sequence_pct_max: 80.0,
            cache_hit_pct_min: 90.0,
            temp_bytes_hour_max: 10_737_418_240.0,
            slot_bytes_max: 1_073_741_824.0,
            lookups_per_s_max: 500.0,
            deadlocks_hour_max: 2.0,
            rows_returned_max: 10_000.0,
            star_bytes_hour_max: 1_073_741_824.0,
            cache_found_pct_min: 80.0,
            cache_lookups_s_min: 10.0,
            cache_warm_s: 3_600,
            cache_memory_pct_max: 80.0,
            cache_fragmentation_pct_max: 50.0,
            cache_waste_bytes_min: 104_857_600.0,
            cache_slow_ms: 10.0,
            cache_big_key_bytes: 1_048_576.0,
            cache_hot_key_pct: 20.0,
            cache_hot_ops_s_min: 1_000.0,
            cache_without_ttl_pct_max: 50.0,
            cache_stampede_keys_min: 500.0,
            cache_connects_s_max: 10.0,
            cache_replica_lag_s_max: 10.0,
            page_ttfb_ms_max: 600.0,
            page_bytes_max: 2_700_000.0,
            page_script_bytes_max: 512_000.0,
            page_style_bytes_max: 102_400.0,
            page_requests_max: 100.0,
            page_cache_s_min: 2_592_000.0,
            page_html_cache_s_max: 3_600.0,
            page_saves_bytes_min: 4_096.0,
            page_compress_bytes_min: 1_400.0,
            page_elements_max: 1_400.0,
            page_http1_requests_max: 6.0,
            page_eager_images_max: 6.0,
        }
    }
}

impl Policy {
    /// What is wrong with these numbers: the key, and what would be right.
    pub fn check(&self) -> Vec<(&'static str, String)> {
        // Written out, so that a new threshold does not pass unchecked.
        let Self {
            window_s,
            slow_query_ms,
            heavy_query_pct,
            saves_ms_hour_min,
            calls_min,
            improvement_pct_min,
            target_p95_ms,
            loss_pct_max,
            iterations_per_day_max,
            index_bytes_max,
            unused_days,
            connections_pct_max,
            idle_in_transaction_s,
            long_transaction_s,
            blocked_s,
            autovacuum_lag_max,
            sequence_pct_max,
            cache_hit_pct_min,
            temp_bytes_hour_max,
            slot_bytes_max,
            lookups_per_s_max,
            deadlocks_hour_max,
            rows_returned_max,
            star_bytes_hour_max,
            cache_found_pct_min,
            cache_lookups_s_min,
            cache_warm_s,
            cache_memory_pct_max,
            cache_fragmentation_pct_max,
            cache_waste_bytes_min,
            cache_slow_ms,
            cache_big_key_bytes,
            cache_hot_key_pct,
            cache_hot_ops_s_min,
            cache_without_ttl_pct_max,
            cache_stampede_keys_min,
            cache_connects_s_max,
            cache_replica_lag_s_max,
            page_ttfb_ms_max,
            page_bytes_max,
            page_script_bytes_max,
            page_style_bytes_max,
            page_requests_max,
            page_cache_s_min,
            page_html_cache_s_max,
            page_saves_bytes_min,
            page_compress_bytes_min,
            page_elements_max,
            page_http1_requests_max,
            page_eager_images_max,
        } = *self;
        let whole = [
            ("window_s", window_s, 60, 3_600),
            ("iterations_per_day_max", iterations_per_day_max, 1, 24),
            ("unused_days", unused_days, 1, 365),
            ("idle_in_transaction_s", idle_in_transaction_s, 1, 86_400),
            ("long_transaction_s", long_transaction_s, 1, 604_800),
            ("blocked_s", blocked_s, 1, 86_400),
            ("cache_warm_s", cache_warm_s, 0, 604_800),
        ];
        let shares = [
            ("heavy_query_pct", heavy_query_pct, 0.0, 100.0),
            ("improvement_pct_min", improvement_pct_min, 0.0, 99.0),
            ("loss_pct_max", loss_pct_max, 0.0, 100.0),
            ("calls_min", calls_min, 2.0, 1_000_000.0),
            ("saves_ms_hour_min", saves_ms_hour_min, 0.0, 3_600_000.0),
            ("connections_pct_max", connections_pct_max, 1.0, 100.0),
            ("autovacuum_lag_max", autovacuum_lag_max, 1.0, 1_000.0),
            ("sequence_pct_max", sequence_pct_max, 1.0, 100.0),
            ("cache_hit_pct_min", cache_hit_pct_min, 0.0, 100.0),
            ("deadlocks_hour_max", deadlocks_hour_max, 0.0, 1_000_000.0),
            ("cache_found_pct_min", cache_found_pct_min, 0.0, 100.0),
            ("cache_memory_pct_max", cache_memory_pct_max, 1.0, 100.0),
            ("cache_fragmentation_pct_max", cache_fragmentation_pct_max, 1.0, 10_000.0),
            ("cache_hot_key_pct", cache_hot_key_pct, 1.0, 100.0),
            ("cache_without_ttl_pct_max", cache_without_ttl_pct_max, 0.0, 100.0),
            ("cache_replica_lag_s_max", cache_replica_lag_s_max, 1.0, 86_400.0),
        ];
        let above_nothing = [
            ("slow_query_ms", slow_query_ms),
            ("target_p95_ms", target_p95_ms),
            ("index_bytes_max", index_bytes_max),
            ("temp_bytes_hour_max", temp_bytes_hour_max),
            ("slot_bytes_max", slot_bytes_max),
            ("lookups_per_s_max", lookups_per_s_max),
            ("rows_returned_max", rows_returned_max),
            ("star_bytes_hour_max", star_bytes_hour_max),
            ("cache_lookups_s_min", cache_lookups_s_min),
            ("cache_waste_bytes_min", cache_waste_bytes_min),
            ("cache_slow_ms", cache_slow_ms),
            ("cache_big_key_bytes", cache_big_key_bytes),
            ("cache_hot_ops_s_min", cache_hot_ops_s_min),
            ("cache_stampede_keys_min", cache_stampede_keys_min),
            ("cache_connects_s_max", cache_connects_s_max),
            ("page_ttfb_ms_max", page_ttfb_ms_max),
            ("page_bytes_max", page_bytes_max),
            ("page_script_bytes_max", page_script_bytes_max),
            ("page_style_bytes_max", page_style_bytes_max),
            ("page_requests_max", page_requests_max),
            ("page_cache_s_min", page_cache_s_min),
            ("page_html_cache_s_max", page_html_cache_s_max),
            ("page_saves_bytes_min", page_saves_bytes_min),
            ("page_compress_bytes_min", page_compress_bytes_min),
            ("page_elements_max", page_elements_max),
            ("page_http1_requests_max", page_http1_requests_max),
            ("page_eager_images_max", page_eager_images_max),
        ];
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        wrong.extend(
            whole
                .into_iter()
                .filter(|(_, value, min, max)| !(min..=max).contains(&value))
                .map(|(key, value, min, max)| (key, format!("must be from {min} to {max}, not {value}"))),
        );
        wrong.extend(
            shares
                .into_iter()
                .filter(|(_, value, min, max)| !(min..=max).contains(&value))
                .map(|(key, value, min, max)| (key, format!("must be from {min} to {max}, not {value}"))),
        );
        wrong.extend(
            above_nothing
                .into_iter()
                .filter(|(_, value)| !(*value > 0.0 && value.is_finite()))
                .map(|(key, value)| (key, format!("must be more than 0, not {value}"))),
        );
        wrong
    }
}
