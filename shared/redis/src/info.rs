//! Reads the text of `INFO`: lines of `field:value`, some of which hold several values. What is not listed here is not kept: addresses of
//! clients and replicas stand there, too.

use domain::performance::cache::{Command, Copy, Info, Keyspace};
use domain::text::plain;

/// Fields that are kept.
const FIELDS: [&str; 45] = [
    "active_defrag_running",
    "allocator_active",
    "allocator_allocated",
    "allocator_resident",
    "aof_enabled",
    "aof_last_bgrewrite_status",
    "aof_last_write_status",
    "blocked_clients",
    "connected_clients",
    "connected_slaves",
    "evicted_keys",
    "expired_keys",
    "keyspace_hits",
    "keyspace_misses",
    "lazyfree_pending_objects",
    "loading",
    "master_last_io_seconds_ago",
    "master_link_down_since_seconds",
    "master_link_status",
    "maxclients",
    "maxmemory",
    "maxmemory_policy",
    "mem_allocator",
    "mem_clients_normal",
    "mem_fragmentation_ratio",
    "rdb_bgsave_in_progress",
    "rdb_changes_since_last_save",
    "rdb_last_bgsave_status",
    "redis_mode",
    "redis_version",
    "rejected_connections",
    "role",
    "run_id",
    "server_name",
    "total_commands_processed",
    "total_connections_received",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "total_system_memory",
    "uptime_in_seconds",
    "used_memory",
    "used_memory_dataset",
    "used_memory_peak",
    "used_memory_rss",
    "valkey_version",
];
/// Commands, errors, databases and replicas that are kept of each.
const EACH_MAX: usize = 300;
/// Characters of a value, and of a name that a server makes up.
const VALUE_CHARS_MAX: usize = 64;

/// What the text says.
pub(crate) fn parse(text: &str) -> Info {
    let mut info = Info::default();
    for line in text.lines() {
        let Some((field, value)) = line.trim_end().split_once(':') else { continue };
        if FIELDS.contains(&field) {
            info.fields.insert(field.to_owned(), bounded(value));
        } else if let Some(name) = field.strip_prefix("cmdstat_") {
            if let Some((calls, us)) = number(value, "calls").zip(number(value, "usec"))
                && info.commands.len() < EACH_MAX
            {
                info.commands.insert(bounded(name), Command { calls, us });
            }
        } else if let Some(word) = field.strip_prefix("errorstat_") {
            if let Some(count) = number(value, "count")
                && info.errors.len() < EACH_MAX
            {
                info.errors.insert(bounded(word), count);
            }
        } else if is_numbered(field, "db") {
            if let Some((keys, expires)) = number(value, "keys").zip(number(value, "expires"))
                && info.databases.len() < EACH_MAX
            {
                info.databases.insert(bounded(field), Keyspace { keys, expires });
            }
        } else if is_numbered(field, "slave")
            && let Some((state, lag_s)) = of(value, "state").zip(number(value, "lag"))
            && info.copies.len() < EACH_MAX
        {
            info.copies.push(Copy { state: bounded(state), lag_s });
        }
    }
    info
}

fn is_numbered(field: &str, name: &str) -> bool {
    field.strip_prefix(name).is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()))
}

/// A value of `name=value,name=value`.
fn of<'a>(values: &'a str, name: &str) -> Option<&'a str> {
    values.split(',').find_map(|one| one.split_once('=').filter(|(own, _)| *own == name)).map(|(_, value)| value)
}

fn number(values: &str, name: &str) -> Option<f64> {
    of(values, name)?.parse().ok().filter(|number: &f64| number.is_finite())
}

pub(crate) fn bounded(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_read_and_nothing_else() {
        let info = parse(
            "# Server\r\nredis_version:7.0.15\r\nrun_id:ab12\r\nexecutable:/usr/bin/redis-server\r\nused_memory:1048576\r\n\
             slave0:ip=10.0.0.7,port=6379,state=online,offset=1,lag=3\r\n\
             cmdstat_get:calls=3,usec=12,usec_per_call=4.00,rejected_calls=0,failed_calls=0\r\ncmdstat_config|get:calls=1,usec=9\r\n\
             errorstat_OOM:count=4\r\ndb0:keys=10,expires=4,avg_ttl=5\r\ndb12:keys=1,expires=0,avg_ttl=0\r\ndbfilename:dump.rdb\r\nno colon\r\n",
        );
        assert_eq!((info.text("redis_version"), info.number("used_memory")), (Some("7.0.15"), Some(1_048_576.0)));
        assert_eq!(info.fields.len(), 3);
        assert_eq!(info.commands["get"], Command { calls: 3.0, us: 12.0 });
        assert!(info.commands.contains_key("config|get"));
        assert_eq!(info.errors["OOM"], 4.0);
        assert_eq!(info.keyspace(), Keyspace { keys: 11.0, expires: 4.0 });
        assert_eq!(info.copies, [Copy { state: "online".to_owned(), lag_s: 3.0 }]);
        assert!(!format!("{info:?}").contains("10.0.0.7"));
    }

    #[test]
    fn what_a_server_makes_up_is_bounded() {
        let long = format!(
            "role:{}\r\ncmdstat_{}:calls=1,usec=1\r\ndb0:keys=nan,expires=1\r\n",
            "x".repeat(9_999),
            "y\u{1b}".repeat(999)
        );
        let info = parse(&long);
        assert_eq!(info.text("role").unwrap().len(), VALUE_CHARS_MAX);
        assert!(info.commands.keys().all(|name| name.len() <= VALUE_CHARS_MAX && !name.contains('\u{1b}')));
        assert!(info.databases.is_empty());
    }
}
