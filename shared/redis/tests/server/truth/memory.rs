//! What is broken in the memory of a cache, each with what only looks so. Each has a server of its own.

use super::Outcome;
use super::ailments::get;
use super::bench::Bench;
use crate::shop::set;
use redis::Cmd;

/// A cache that is too small for what is asked of it; or one that is full of what nobody asks for again.
pub async fn evictions(seed: u64) -> Option<Outcome> {
    let policies = ["allkeys-lru", "allkeys-lfu", "allkeys-random"];
    let policy = policies[usize::try_from(seed % 3).unwrap()];
    let mut bench = Bench::start(seed, &["--maxmemory", "8mb", "--maxmemory-policy", policy]).await?;
    bench.batch((0..12_000).map(|number| set(&format!("page:{number}"), 1_000, None))).await;
    bench.open().await;
    if bench.is_broken {
        // Asked for by chance, and stored after each miss.
        for _ in 0..1_000 {
            let name = format!("page:{}", bench.random.u32(0..20_000));
            let there: Option<String> = get(name.clone()).query_async(&mut bench.client).await.unwrap();
            if there.is_none() {
                set(&name, 1_000, None).query_async::<()>(&mut bench.client).await.unwrap();
            }
        }
        bench.expect("cache_evictions", "memory");
    } else {
        let hot = |number: u32| get(format!("hot:{}", number % 50));
        bench.batch((0..50).map(|number| set(&format!("hot:{number}"), 100, None))).await;
        let once = (0..1_000).map(|number| set(&format!("once:{number}"), 1_000, None));
        bench.batch(once.zip((0..).map(hot)).flat_map(|(once, hot)| [hot, once])).await;
    }
    Some(bench.close("evictions").await)
}

/// Memory that is nearly full and can't make room; or that can, or that has room.
pub async fn limits(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &["--maxmemory", "12mb", "--maxmemory-policy", "noeviction"]).await?;
    let how = bench.random.usize(0..3);
    let values = |count: usize| (0..count).map(|number| set(&format!("row:{number}"), 1_000, None));
    match (bench.is_broken, how) {
        // Writes are refused in the window.
        (true, 0) => {
            bench.batch(values(6_000)).await;
            bench.open().await;
            let mut failed = 0;
            for number in 0..12_000 {
                let wrote = set(&format!("more:{number}"), 1_000, None).query_async::<()>(&mut bench.client).await;
                failed += usize::from(wrote.is_err());
                if failed > 5 {
                    break;
                }
            }
            assert!(failed > 0);
            bench.expect("cache_memory_near_limit", "memory");
            // They never expire, and there are more and more of them.
            bench.expect("cache_keys_without_ttl", "keys/row:*");
        }
        (true, 1) => {
            bench.run::<()>("CONFIG SET maxmemory-policy volatile-ttl").await;
            bench.batch(values(8_500)).await;
            bench.open().await;
            bench.expect("cache_memory_near_limit", "memory");
            bench.expect("cache_keys_without_ttl", "keys/row:*");
        }
        // A queue that is full: its writes fail as well.
        (true, _) => {
            let push = |_| {
                let mut command = redis::cmd("RPUSH");
                command.arg("jobs").arg("x".repeat(1_000));
                command
            };
            bench.batch((0..9_800).map(push)).await;
            bench.until("a full queue", async |bench| bench.info("used_memory").await > 0.82 * 12_582_912.0).await;
            bench.open().await;
            bench.expect("cache_memory_near_limit", "memory");
        }
        (false, 0) => {
            bench.run::<()>("CONFIG SET maxmemory-policy allkeys-lru").await;
            bench.batch(values(12_000)).await;
            bench.open().await;
        }
        (false, 1) => {
            bench.run::<()>("CONFIG SET maxmemory-policy volatile-lru").await;
            let expiring: Vec<Cmd> =
                (0..12_000).map(|number| set(&format!("page:{number}"), 1_000, Some(600 + number))).collect();
            bench.batch(expiring.into_iter()).await;
            bench.open().await;
        }
        (false, _) => {
            bench.batch(values(4_000)).await;
            bench.open().await;
        }
    }
    Some(bench.close("limits").await)
}

/// Memory of which most values are gone; or that is in use, that was freed a moment ago, or so little that it does not matter.
pub async fn fragments(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &["--enable-debug-command", "yes"]).await?;
    let alike = bench.random.usize(0..3);
    let count = 150_000 + bench.random.u32(0..20_000);
    if alike != 2 || bench.is_broken {
        bench.run::<()>(&format!("DEBUG POPULATE {count} part 400")).await;
    }
    if bench.is_broken {
        let gone: Vec<u32> = (0..count).filter(|number| number % 8 != 3).collect();
        for some in gone.chunks(2_000) {
            let names: Vec<String> = some.iter().map(|number| format!("part:{number}")).collect();
            redis::cmd("UNLINK").arg(names).query_async::<()>(&mut bench.client).await.unwrap();
        }
        bench
            .until("fragmentation", async |bench| {
                bench.info("lazyfree_pending_objects").await == 0.0
                    && bench.info("used_memory_rss").await > 1.6 * bench.info("used_memory").await
            })
            .await;
        bench.expect("cache_fragmentation", "memory");
    }
    bench.open().await;
    if !bench.is_broken && alike == 1 {
        bench.run::<()>("FLUSHALL SYNC").await;
    }
    Some(bench.close("fragments").await)
}

/// Values that are large; or nearly, or queues.
pub async fn sizes(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &[]).await?;
    bench.batch((0..300).map(|number| set(&format!("item:{number}"), 200, None))).await;
    bench.batch((0..2).map(|number| set(&format!("nearly:{number}"), 900_000, None))).await;
    let push = |_| {
        let mut command = redis::cmd("RPUSH");
        command.arg("jobs").arg("x".repeat(1_000));
        command
    };
    bench.batch((0..4_000).map(push)).await;
    if bench.is_broken {
        let size = 1_200_000 + bench.random.usize(0..3_000_000);
        bench.batch((0..2).map(|number| set(&format!("report:{number}:\"'\r\n"), size, None))).await;
        bench.expect("cache_big_keys", "keys/report:*:*");
    }
    if bench.is_broken && bench.random.bool() {
        let field = |number: u32| {
            let mut command = redis::cmd("HSET");
            command.arg("profiles").arg(format!("f{number}")).arg("x".repeat(100));
            command
        };
        bench.batch((0..20_000).map(field)).await;
        bench.expect("cache_big_keys", "keys/profiles");
    }
    bench.open().await;
    Some(bench.close("sizes").await)
}

/// Keys that never expire where that is in the way; or where any may be pushed out, where there is room, or in a queue.
pub async fn lives(seed: u64) -> Option<Outcome> {
    let mut bench = Bench::start(seed, &["--maxmemory", "10mb", "--maxmemory-policy", "volatile-lru"]).await?;
    let alike = bench.random.usize(0..3);
    let (staying, policy) = match (bench.is_broken, alike) {
        (true, _) => (4_500, "volatile-lru"),
        (false, 0) => (4_500, "allkeys-lru"),
        (false, 1) => (1_500, "volatile-lru"),
        (false, _) => (0, "volatile-lru"),
    };
    bench.run::<()>(&format!("CONFIG SET maxmemory-policy {policy}")).await;
    bench.batch((0..staying).map(|number| set(&format!("cart:{number}"), 1_000, None))).await;
    bench.batch((0..1_000).map(|number| set(&format!("page:{number}"), 600, Some(600 + 5 * number)))).await;
    if !bench.is_broken && alike == 2 {
        let push = |number: u32| {
            let mut command = redis::cmd("RPUSH");
            command.arg(format!("jobs:{}", number % 40)).arg("x".repeat(1_000));
            command
        };
        bench.batch((0..4_500).map(push)).await;
    }
    bench.open().await;
    if bench.is_broken {
        bench.expect("cache_keys_without_ttl", "keys/cart:*");
    }
    Some(bench.close("lives").await)
}
