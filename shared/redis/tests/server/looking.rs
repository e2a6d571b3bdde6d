//! What a look sees, what it costs the server, and what never leaves it.

use crate::shop::{Shop, batch, set};
use domain::observed::Observed;
use domain::performance::cache::{Ends, Lookups};
use engine::ports::Caches as _;
use std::collections::BTreeMap;

/// Commands that a look may be seen to make, on a server of any size: a thousand keys with four questions each, in steps of 25.
const COMMANDS_MAX: f64 = 4_200.0;
/// Microseconds that all of them may take on the server together. On an idle machine they take 3,000.
const US_MAX: f64 = 60_000.0;

fn counters(info: &str) -> BTreeMap<String, (f64, f64)> {
    let number = |values: &str, name: &str| {
        values.split(',').find_map(|one| one.strip_prefix(&format!("{name}="))?.parse::<f64>().ok()).unwrap_or_default()
    };
    let of = |line: &str| {
        let (name, values) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        Some((name.to_owned(), (number(values, "calls"), number(values, "usec"))))
    };
    info.lines().filter_map(of).collect()
}

#[tokio::test]
async fn our_own_load_is_small_and_bounded_and_changes_nothing() {
    let Some(shop) = Shop::open(&["--maxmemory-policy", "allkeys-lfu"]).await else { return };
    let mut client = shop.client().await;
    batch(&mut client, (0..20_000).map(|number| set(&format!("cart:{number}"), 50, Some(3_600)))).await;
    shop.run::<()>(redis::cmd("CONFIG").arg("RESETSTAT")).await;
    let freq: i64 = shop.run(redis::cmd("OBJECT").arg("FREQ").arg("cart:7")).await;
    let look = shop.look().await.unwrap();
    let info: String = shop.run(redis::cmd("INFO").arg("commandstats")).await;
    let did = counters(&info);
    let (mut calls, mut us) = (0.0, 0.0);
    for (name, (count, took)) in &did {
        println!("  {name:<16}{count:>8.0} calls{took:>10.0} us");
        calls += count;
        us += took;
    }
    println!("a look at 20,000 keys: {calls:.0} commands, {us:.0} us of the server");
    assert!(calls <= COMMANDS_MAX && us <= US_MAX, "{calls} {us}");
    let ours = [
        "auth",
        "client|setname",
        "config|get",
        "config|resetstat",
        "info",
        "memory|usage",
        "object|freq",
        "pttl",
        "scan",
        "slowlog|get",
        "type",
    ];
    let others: Vec<&String> = did.keys().filter(|name| !ours.contains(&name.as_str())).collect();
    assert!(others.is_empty(), "{others:?}");
    let Observed::Known(sampled) = &look.keys else { panic!("{:?}", look.keys) };
    assert!(sampled.keys.len() == 1_000 && !sampled.is_whole, "{}", sampled.keys.len());
    assert!(sampled.keys.iter().all(|key| key.frequency.is_some() && key.idle_s.is_none()));
    // To be asked about is not to be used.
    let later: i64 = shop.run(redis::cmd("OBJECT").arg("FREQ").arg("cart:7")).await;
    assert!(later <= freq, "{freq} {later}");
    let keys: f64 = shop.run(&redis::cmd("DBSIZE")).await;
    assert_eq!(keys, 20_000.0);
}

#[tokio::test]
async fn our_own_lookups_are_not_taken_for_the_applications() {
    let Some(shop) = Shop::open(&[]).await else { return };
    let mut client = shop.client().await;
    batch(&mut client, (0..500).map(|number| set(&format!("cart:{number}"), 50, Some(3_600)))).await;
    let opened = Observed::Known(shop.look().await.unwrap());
    let get = |name: String| {
        let mut command = redis::cmd("GET");
        command.arg(name);
        command
    };
    batch(&mut client, (0..30).map(|number| get(format!("cart:{number}")))).await;
    batch(&mut client, (0..7).map(|number| get(format!("gone:{number}")))).await;
    let ends = Ends { opened, closed: Observed::Known(shop.look().await.unwrap()) };
    let did = ends.did().unwrap();
    assert_eq!(did.lookups(), Some(Lookups { hits: 30.0, misses: 7.0 }));
    // Ours between the looks are INFO, and what let the second in.
    let commands = did.commands().unwrap();
    assert!((37.0..=42.0).contains(&commands), "{commands}");
}

#[tokio::test]
async fn hostile_names_and_large_values_are_looked_at_and_never_leave() {
    let Some(shop) = Shop::open(&[]).await else { return };
    let long = format!("canary:{}", "n".repeat(3_000));
    let names: Vec<Vec<u8>> = vec![
        b"canary\r\n*1\r\n$8\r\nFLUSHALL\r\n".to_vec(),
        b"user:ada.canary@example.com".to_vec(),
        "korb:läden\u{202e}canary9".as_bytes().to_vec(),
        b"\xff\xfe\x00canary\"'`$(id)".to_vec(),
        b"".to_vec(),
        long.into_bytes(),
        b"canary1'; DROP TABLE x; --".to_vec(),
    ];
    for name in &names {
        shop.run::<()>(redis::cmd("SET").arg(name).arg("canary-of-a-value")).await;
    }
    shop.run::<()>(&set("page:42", 1_048_576, None)).await;
    for kind in [
        "HSET big:hash f canary-of-a-value",
        "RPUSH big:list a",
        "SADD big:set a",
        "ZADD big:sorted 1 a",
        "XADD big:stream * f v",
    ] {
        let mut words = kind.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(words.collect::<Vec<_>>());
        shop.run::<redis::Value>(&command).await;
    }
    let look = shop.look().await.unwrap();
    assert_eq!(look.missing(), []);
    let Observed::Known(sampled) = &look.keys else { panic!("they are known") };
    assert_eq!((sampled.keys.len(), sampled.skipped, sampled.is_whole), (names.len() + 5, 1.0, true));
    let mut kinds: Vec<&str> = sampled.keys.iter().map(|key| key.kind.as_str()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds, ["hash", "list", "set", "stream", "string", "zset"]);
    assert!(sampled.keys.iter().any(|key| key.bytes > 1_048_576.0 && key.pattern == "page:*"));
    let kept = format!("{look:?}");
    for secret in ["canary9", "canary1", "canary-of-a-value", "@example", "\u{202e}", "FLUSHALL\r", "127.0.0.1"] {
        assert!(!kept.contains(secret), "{secret} is kept: {kept}");
    }
    let keys: f64 = shop.run(&redis::cmd("DBSIZE")).await;
    assert_eq!(keys, names.len() as f64 + 6.0, "nothing was executed");
}

#[tokio::test]
async fn what_lies_in_other_databases_is_said() {
    let Some(shop) = Shop::open(&[]).await else { return };
    let mut client = shop.client().await;
    let pipe = redis::pipe().cmd("SELECT").arg(3).cmd("SET").arg("a").arg("b").query_async::<()>(&mut client).await;
    pipe.unwrap();
    let look = shop.look().await.unwrap();
    assert!(look.beyond()[0].starts_with("keys in db3"), "{:?}", look.beyond());
}

#[tokio::test]
async fn names_that_would_fill_the_memory_are_not_read_and_take_nothing_else_along() {
    let Some(shop) = Shop::open(&[]).await else { return };
    let mut client = shop.client().await;
    batch(&mut client, (0..24).map(|number| set(&format!("{number}{}", "n".repeat(1_000_000)), 1, None))).await;
    let look = shop.look().await.unwrap();
    let missing = look.missing();
    assert!(
        missing.len() == 1 && missing[0].1.to_string().contains("larger than what is read in one look"),
        "{missing:?}"
    );
    assert!(look.settings.known().is_some() && look.info.keyspace().keys == 24.0);
}

#[tokio::test]
async fn a_service_without_config_is_looked_at_all_the_same() {
    let Some(server) = testkit::redis::RedisServer::start(&["--rename-command", "CONFIG", ""]) else { return };
    let cache = config::Cache {
        host: "127.0.0.1".to_owned(),
        port: server.port(),
        read_secret: None,
        tls: config::Tls::Off,
        ca_pem: None,
        instance: Some("shop-carts".to_owned()),
    };
    let caches = BTreeMap::from([("carts".to_owned(), cache)]);
    let look =
        maintainer_redis::Caches::new(&caches, &crate::shop::USERS, &crate::shop::Now).look("carts").await.unwrap();
    let missing = look.missing();
    assert!(missing.len() == 1 && missing[0].1.to_string().contains("does not offer the command"), "{missing:?}");
    assert_eq!(look.info.policy(), "noeviction", "INFO tells it");
}
