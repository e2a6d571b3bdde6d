//! Reads `SLOWLOG GET`: number, time, microseconds, arguments, address and name of the client. Of the arguments only the name of the command
//! and the pattern of its key are kept.

use crate::connect::CLIENT_NAME;
use domain::performance::cache::{Slow, SlowLog, patterns};
use redis::Value;

/// Entries that are asked for: what a server keeps, unless somebody has set more.
pub(crate) const ENTRIES_MAX: usize = 128;
/// Characters of the name of a command: those of modules are long.
const COMMAND_CHARS_MAX: usize = 40;
/// Commands whose first argument is the name of one key.
const WITH_KEY: [&str; 50] = [
    "APPEND",
    "BITCOUNT",
    "DEL",
    "DUMP",
    "EXPIRE",
    "GET",
    "GETDEL",
    "GETEX",
    "GETRANGE",
    "GETSET",
    "HDEL",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HMGET",
    "HMSET",
    "HSCAN",
    "HSET",
    "HVALS",
    "INCR",
    "LINDEX",
    "LINSERT",
    "LPOS",
    "LPUSH",
    "LRANGE",
    "LREM",
    "LTRIM",
    "PFCOUNT",
    "RESTORE",
    "RPUSH",
    "SADD",
    "SCARD",
    "SDIFF",
    "SET",
    "SETEX",
    "SETRANGE",
    "SINTER",
    "SMEMBERS",
    "SORT",
    "SREM",
    "SSCAN",
    "SUNION",
    "UNLINK",
    "XADD",
    "XRANGE",
    "XREVRANGE",
    "ZADD",
    "ZRANGE",
    "ZRANGEBYSCORE",
    "ZREVRANGE",
];

/// What the server answered, without our own commands.
pub(crate) fn parse(answer: &Value) -> SlowLog {
    let Value::Array(all) = answer else { return SlowLog::default() };
    let newest = all.iter().filter_map(|entry| integer(parts(entry)?.first()?)).max();
    let (mut entries, mut keys): (Vec<Slow>, Vec<(usize, &[u8])>) = (Vec::new(), Vec::new());
    for entry in all.iter().take(ENTRIES_MAX) {
        let Some((slow, key)) = read(entry) else { continue };
        if let Some(key) = key {
            keys.push((entries.len(), key));
        }
        entries.push(slow);
    }
    let named = patterns(keys.iter().map(|(_, key)| *key));
    for ((at, _), pattern) in keys.iter().zip(named) {
        entries[*at].on = Some(pattern);
    }
    SlowLog { newest, entries }
}

/// An entry, with the name of its key.
fn read(entry: &Value) -> Option<(Slow, Option<&[u8]>)> {
    let entry = parts(entry)?;
    let (id, us, arguments) = (integer(entry.first()?)?, integer(entry.get(2)?)?, parts(entry.get(3)?)?);
    if entry.get(5).and_then(bytes) == Some(CLIENT_NAME.as_bytes()) {
        return None;
    }
    let name = String::from_utf8_lossy(bytes(arguments.first()?)?).to_ascii_uppercase();
    let is_of_name = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let command: String = name.chars().filter(is_of_name).take(COMMAND_CHARS_MAX).collect();
    let key = WITH_KEY.contains(&command.as_str()).then(|| arguments.get(1).and_then(bytes)).flatten();
    let slow = Slow { id, command, us: us as f64, arguments: count(arguments), on: None };
    Some((slow, key))
}

/// Arguments besides the name. The server keeps 32 and says in the last how many there are besides: `... (7 more arguments)`.
fn count(arguments: &[Value]) -> f64 {
    let more = arguments.last().and_then(bytes).and_then(|last| {
        let last = std::str::from_utf8(last).ok()?;
        last.strip_prefix("... (")?.strip_suffix(" more arguments)")?.parse::<f64>().ok()
    });
    arguments.len() as f64 - 1.0 + more.map_or(0.0, |more| more - 1.0)
}

pub(crate) fn parts(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(parts) => Some(parts),
        _ => None,
    }
}

pub(crate) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

pub(crate) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: i64, arguments: &[&str], client: &str) -> Value {
        let text = |text: &&str| Value::BulkString(text.as_bytes().to_vec());
        let arguments = Value::Array(arguments.iter().map(text).collect());
        Value::Array(vec![
            Value::Int(id),
            Value::Int(1_700_000_000),
            Value::Int(25_000),
            arguments,
            text(&"10.0.0.1:5"),
            text(&client),
        ])
    }

    #[test]
    fn of_the_arguments_the_name_of_the_command_their_number_and_the_pattern_of_the_key_are_kept() {
        let log = parse(&Value::Array(vec![
            entry(9, &["scan", "0"], CLIENT_NAME),
            entry(8, &["set", "user:ada.l@example.com", "canary"], "api"),
            entry(7, &["eval", "return 'canary'", "1", "canary"], ""),
            entry(6, &["mget", "a", "... (970 more arguments)"], ""),
            Value::Nil,
        ]));
        let commands: Vec<&str> = log.entries.iter().map(|slow| slow.command.as_str()).collect();
        assert_eq!((log.newest, commands), (Some(9), vec!["SET", "EVAL", "MGET"]));
        assert_eq!(log.entries[2].arguments, 971.0);
        assert!(log.entries[0].on.as_ref().is_some_and(|on| on.starts_with("user:")) && log.entries[1].on.is_none());
        let kept = format!("{log:?}");
        assert!(!kept.contains("canary") && !kept.contains('@') && !kept.contains("10.0.0.1"), "{kept}");
    }

    #[test]
    fn what_is_no_log_is_empty() {
        assert_eq!(parse(&Value::Nil), SlowLog::default());
    }
}
