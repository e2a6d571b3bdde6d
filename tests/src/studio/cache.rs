//! The application's side of its cache: it asks for its warm set, stores what it misses, and one day a faulty job fills
//! the memory with entries that nobody asks for.

use crate::model::{CacheParams, CacheSeen};
use crate::redis::{Redis, RedisError, Reply};

/// Bytes of an entry.
const ENTRY_BYTES: usize = 1_024;
/// Junk entries written at once; the server says when it is full.
const JUNK_BATCH: usize = 500;
/// Junk entries at most: far more than the server's memory holds.
const JUNK_MAX: usize = 50_000;

/// Fills the warm set, as the application has done over the past days.
///
/// # Errors
/// When the server does not answer.
pub fn warm_up(port: u16, params: &CacheParams) -> Result<(), RedisError> {
    let value = "w".repeat(ENTRY_BYTES);
    let commands: Vec<[String; 3]> =
        (0..params.entries).map(|entry| ["SET".to_owned(), key(entry), value.clone()]).collect();
    Redis::connect(port)?.call(&commands).map(drop)
}

/// One minute of the application's look-ups: how much of the warm set was there; what was missing is stored again, as
/// fast as the application can and as far as the server takes it.
pub fn visit(port: u16, params: &CacheParams) -> CacheSeen {
    look_up(port, params).unwrap_or(CacheSeen { warm_share: 0.0, memory_pct: 0.0, evictions: 0.0, reachable: false })
}

fn look_up(port: u16, params: &CacheParams) -> Result<CacheSeen, RedisError> {
    let mut redis = Redis::connect(port)?;
    let gets: Vec<[String; 2]> = (0..params.entries).map(|entry| ["GET".to_owned(), key(entry)]).collect();
    let found = redis.call(&gets)?;
    let missing: Vec<u32> =
        (0..).zip(&found).filter(|(_, reply)| !matches!(reply, Reply::Text(_))).map(|(entry, _)| entry).collect();
    let entries = f64::from(params.entries.max(1));
    let warm_share = 1.0 - f64::from(u32::try_from(missing.len()).unwrap_or(u32::MAX)) / entries;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a small count")]
    let refill = (params.refill_share_per_min * entries).ceil().max(0.0) as usize;
    let value = "w".repeat(ENTRY_BYTES);
    let sets: Vec<[String; 3]> =
        missing.into_iter().take(refill).map(|entry| ["SET".to_owned(), key(entry), value.clone()]).collect();
    redis.call(&sets)?;
    let info = redis.call(&[["INFO", "memory"]])?;
    let memory_pct = match info.first() {
        Some(Reply::Text(text)) => memory_pct(&String::from_utf8_lossy(text)),
        _ => 0.0,
    };
    Ok(CacheSeen { warm_share, memory_pct, evictions: 0.0, reachable: true })
}

/// A faulty job: the application's entries go, junk fills the memory to the last byte.
///
/// # Errors
/// When the server does not answer.
pub fn poison(port: u16, params: &CacheParams) -> Result<(), RedisError> {
    let mut redis = Redis::connect(port)?;
    let dels: Vec<[String; 2]> = (0..params.entries).map(|entry| ["DEL".to_owned(), key(entry)]).collect();
    redis.call(&dels)?;
    let value = "j".repeat(ENTRY_BYTES);
    for batch in 0..JUNK_MAX / JUNK_BATCH {
        let sets: Vec<[String; 3]> = (0..JUNK_BATCH)
            .map(|index| ["SET".to_owned(), format!("report:{}", batch * JUNK_BATCH + index), value.clone()])
            .collect();
        if redis.call(&sets)?.iter().any(|reply| matches!(reply, Reply::Refused(_))) {
            break;
        }
    }
    Ok(())
}

/// Number of keys in the cache.
///
/// # Errors
/// When the server does not answer.
pub fn junk_left(port: u16) -> Result<bool, RedisError> {
    let replies = Redis::connect(port)?.call(&[["EXISTS", "report:0"]])?;
    Ok(replies == [Reply::Number(1)])
}

fn key(entry: u32) -> String {
    format!("page:{entry}")
}

fn memory_pct(info: &str) -> f64 {
    let field = |name: &str| -> Option<f64> {
        info.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(':')?.parse().ok())
    };
    match (field("used_memory"), field("maxmemory")) {
        (Some(used), Some(max)) if max > 0.0 => (100.0 * used / max).min(100.0),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redis::RedisServer;

    fn visits(port: u16, minutes: u32) -> CacheSeen {
        let mut seen = CacheSeen::default();
        for _ in 0..minutes {
            seen = visit(port, &CacheParams::default());
        }
        seen
    }

    #[test]
    fn a_poisoned_cache_stays_useless_until_it_is_emptied_and_then_fills_again() {
        let server = RedisServer::start("poison", None).unwrap();
        let (port, params) = (server.port(), CacheParams::default());
        warm_up(port, &params).unwrap();
        assert_eq!(visits(port, 1).warm_share, 1.0);
        poison(port, &params).unwrap();
        let poisoned = visits(port, 10);
        assert!(poisoned.warm_share < 0.05 && poisoned.memory_pct > 95.0, "{poisoned:?}");
        Redis::connect(port).unwrap().call(&[["FLUSHALL"]]).unwrap();
        assert!(!junk_left(port).unwrap());
        assert!(visits(port, 2).warm_share < 0.5, "a cold cache needs minutes");
        let warm = visits(port, 5);
        assert!(warm.warm_share == 1.0 && warm.memory_pct < 60.0, "{warm:?}");
    }

    #[test]
    fn a_cache_that_does_not_answer_is_unreachable_and_not_empty() {
        let port = RedisServer::start("gone", None).unwrap().port();
        assert!(!visits(port, 1).reachable);
    }
}
