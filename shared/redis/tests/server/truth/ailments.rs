//! What is broken in how a cache is used, each with what only looks so. Each has a server of its own.

use super::Outcome;
use super::bench::Bench;
use crate::shop::set;
use redis::Cmd;

pub fn get(name: String) -> Cmd {
    let mut command = redis::cmd("GET");
    command.arg(name);
    command
}

/// Lookups that miss; or sessions, lookups that are few, a restart, a cache that is being filled.
pub async fn lookups(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &[]).await?;
    bench.batch((0..400).map(|number| set(&format!("session:{number}"), 60, None))).await;
    let alike = bench.random.usize(0..4);
    bench.open().await;
    let missing = |number: u32| get(format!("price:{number}"));
    let stored = |number: u32| get(format!("session:{}", number % 400));
    let misses = 200 + bench.random.u32(0..100);
    match (bench.is_broken, alike) {
        (true, _) => {
            bench.batch((0..300).map(stored).chain((0..misses).map(missing))).await;
            bench.expect("cache_low_hit_rate", "lookups");
        }
        (false, 0) => bench.batch((0..misses).map(stored)).await,
        (false, 1) => bench.batch((0..3).map(missing)).await,
        (false, 2) => {
            bench.shop.server.restart();
            bench.shop.admit().await;
            bench.client = bench.shop.client().await;
            bench.batch((0..misses).map(missing)).await;
        }
        (false, _) => {
            let filled = (0..500).flat_map(|number| {
                [missing(number), set(&format!("price:{number}"), 60, Some(600 + 9 * u64::from(number)))]
            });
            bench.batch(filled).await;
        }
    }
    Some(bench.close("lookups").await)
}

/// Commands that hold up all others; or the same on little, or before the window.
pub async fn slowness(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &["--enable-debug-command", "yes"]).await?;
    let (which, is_before) = (bench.random.usize(0..3), bench.random.bool());
    let is_large = bench.is_broken || is_before;
    let count = if is_large { 600_000 } else { 100 };
    let (command, name) = match which {
        0 => {
            bench.run::<()>(&format!("DEBUG POPULATE {count} part 10")).await;
            (redis::cmd("KEYS").arg("nothing:*").to_owned(), "KEYS")
        }
        1 => {
            let rounds = if is_large { 6_000_000 } else { 100 };
            let script = format!("local t = 0 for i = 1, {rounds} do t = t + i end return t");
            (redis::cmd("EVAL").arg(script).arg(0).to_owned(), "EVAL")
        }
        _ => {
            let add = |from: u32| {
                let mut command = redis::cmd("SADD");
                command.arg("tags").arg((from..from + 1_000).map(|number| format!("t{number}")).collect::<Vec<_>>());
                command
            };
            bench.batch((0..count / 3 / 1_000).map(|part| add(part * 1_000))).await;
            (redis::cmd("SMEMBERS").arg("tags").to_owned(), "SMEMBERS")
        }
    };
    if which == 2 && is_large {
        bench.expect("cache_big_keys", "keys/tags");
    }
    if !bench.is_broken {
        command.query_async::<redis::Value>(&mut bench.client).await.unwrap();
    }
    bench.open().await;
    if bench.is_broken {
        // How long it takes is the machine's affair; that it took long is what is to be found.
        let mut slow = 0;
        for _ in 0..40 {
            command.query_async::<redis::Value>(&mut bench.client).await.unwrap();
            let log: Vec<Vec<redis::Value>> = bench.run("SLOWLOG GET 128").await;
            let is_of = |entry: &&Vec<redis::Value>| {
                format!("{:?}", entry[3]).contains(&format!("{:?}", redis::Value::BulkString(name.into())))
            };
            slow = log.iter().filter(is_of).count();
            if slow >= 3 {
                break;
            }
        }
        assert!(slow >= 3, "{name} is too fast here");
        bench.expect("cache_slow_commands", &format!("command/{name}"));
    }
    Some(bench.close("slowness").await)
}

/// A key that everybody asks for; or keys that are asked for alike, or nobody counts.
pub async fn heat(seed: u64) -> Option<Outcome> {
    let policy = if seed.is_multiple_of(2) { "allkeys-lfu" } else { "volatile-lfu" };
    let mut bench = Bench::start(seed, &["--maxmemory-policy", policy]).await?;
    let is_counted = bench.is_broken || bench.random.bool();
    if !is_counted {
        bench.run::<()>("CONFIG SET maxmemory-policy allkeys-lru").await;
    }
    bench.batch((0..200).map(|number| set(&format!("item:{number}"), 100, None))).await;
    bench.batch([set("settings", 100, None)].into_iter()).await;
    bench.open().await;
    let one = bench.is_broken || !is_counted;
    let asked = |number: u32| {
        if one && !number.is_multiple_of(4) {
            get("settings".to_owned())
        } else {
            get(format!("item:{}", number % 200))
        }
    };
    bench.batch((0..20_000).map(asked)).await;
    if bench.is_broken {
        bench.expect("cache_hot_keys", "keys/settings");
    }
    Some(bench.close("heat").await)
}

/// Keys that expire together; or one after another, or within moments.
pub async fn ends(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &[]).await?;
    let (ttl, is_short) = (300 + bench.random.u64(0..3_000), bench.random.bool());
    let alone = (0..200).map(|number| set(&format!("page:{number}"), 100, Some(400 + 17 * number)));
    bench.batch(alone).await;
    let count = 700 + bench.random.u64(0..300);
    let left: Vec<u64> = match (bench.is_broken, is_short) {
        (true, _) => vec![ttl; usize::try_from(count).unwrap()],
        (false, true) => vec![20; usize::try_from(count).unwrap()],
        (false, false) => (0..count).map(|_| ttl + bench.random.u64(0..ttl / 4)).collect(),
    };
    bench
        .batch((0..).zip(&left).map(|(number, left): (u32, &u64)| set(&format!("price:{number}"), 100, Some(*left))))
        .await;
    bench.open().await;
    if bench.is_broken {
        bench.expect("cache_stampede", "keys/price:*");
    }
    Some(bench.close("ends").await)
}

/// Connections up to the limit, or one for each command; or as many that work.
pub async fn connections(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &["--maxclients", "40"]).await?;
    let (is_full, churns) = if bench.is_broken {
        [(true, false), (false, true), (true, true)][bench.random.usize(0..3)]
    } else {
        (false, false)
    };
    let mut kept = Vec::new();
    for _ in 0..if is_full { 35 } else { 20 } {
        let mut client = bench.shop.client().await;
        redis::cmd("PING").query_async::<()>(&mut client).await.unwrap();
        kept.push(client);
    }
    bench.open().await;
    for _ in 0..30 {
        let mut client = bench.shop.client().await;
        for _ in 0..if churns { 1 } else { 20 } {
            redis::cmd("PING").query_async::<()>(&mut client).await.unwrap();
        }
        drop(client);
        let most = if is_full { 37.0 } else { 22.0 };
        bench.until("a closed connection", async |bench| bench.info("connected_clients").await <= most).await;
    }
    if is_full {
        bench.expect("cache_connections", "connections");
    }
    if churns {
        bench.expect("cache_connections", "connects");
    }
    Some(bench.close("connections").await)
}

/// A disk that can't be written; or one that can.
pub async fn disks(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &[]).await?;
    bench.run::<()>("SET a b").await;
    let directory = bench.shop.server.directory().to_owned();
    if bench.is_broken {
        std::fs::remove_dir_all(&directory).unwrap();
    }
    redis::cmd("CONFIG").arg("SET").arg("save").arg("3600 1").query_async::<()>(&mut bench.client).await.unwrap();
    bench.open().await;
    bench.run::<redis::Value>("BGSAVE").await;
    bench.until("a snapshot", async |bench| bench.info("rdb_bgsave_in_progress").await == 0.0).await;
    let wrote = redis::cmd("SET").arg("a").arg("c").query_async::<()>(&mut bench.client).await;
    assert!(wrote.is_err() || !bench.is_broken);
    if bench.is_broken {
        bench.expect("cache_persistence", "persistence/rdb_last_bgsave_status");
    }
    Some(bench.close("disks").await)
}

/// A replica whose primary is gone; or that follows.
pub async fn copies(seed: u64) -> Option<Outcome> {
    let mut primary = testkit::redis::RedisServer::start(&["--repl-diskless-sync-delay", "0"])?;
    let mut bench = Bench::start(seed, &[]).await?;
    bench.run::<()>(&format!("REPLICAOF 127.0.0.1 {}", primary.port())).await;
    let up = async |bench: &mut Bench, state: &str| {
        let info: String = bench.run("INFO replication").await;
        info.contains(&format!("master_link_status:{state}"))
    };
    bench.until("a link", async |bench| up(bench, "up").await).await;
    bench.open().await;
    if bench.is_broken {
        primary.kill();
        bench.until("no link", async |bench| up(bench, "down").await).await;
        bench.expect("cache_replica_lag", "replica");
    }
    Some(bench.close("copies").await)
}
