//! The examination of the model: each remedy really heals its sickness, and a wrong one does not.

use super::*;

/// A world of healthy instances, all old, with three tasks.
fn world(servers: usize) -> World {
    let instances = (0..servers)
        .map(|index| InstanceSeen { id: format!("i-{index:02}"), age_min: 10_000.0, in_service: true })
        .collect();
    World {
        instances,
        desired: u32::try_from(servers).unwrap(),
        service: ServiceSeen { desired: 3, running: 3, ages_min: vec![14_400.0; 3] },
        cache: CacheSeen::default(),
        query_ms: None,
    }
}

/// Means over the last five of `minutes` minutes.
struct Seen {
    p95_ms: f64,
    cpu_pct: f64,
    error_pct: f64,
    memory_pct: f64,
    depth: f64,
    db_cpu_pct: f64,
}

fn live(app: &mut App, world: &World, events: &[Event], from: u32, minutes: u32) -> Seen {
    let mut last = Vec::new();
    for minute in from..from + minutes {
        let minute = f64::from(minute);
        last.push(app.step(world, &effects_at(events, minute), minute));
    }
    let window = &last[last.len().saturating_sub(5)..];
    let mean = |of: &dyn Fn(&Sample) -> f64| window.iter().map(of).sum::<f64>() / 5.0;
    let servers = |sample: &Sample, of: fn(&ServerMinute) -> f64| {
        sample.servers.iter().map(of).sum::<f64>() / f64::from(sample.in_service)
    };
    Seen {
        p95_ms: mean(&|sample| sample.latency.p95_ms()),
        cpu_pct: mean(&|sample| servers(sample, |server| server.cpu_pct)),
        error_pct: mean(&|sample| 100.0 * sample.errors_5xx / sample.requests),
        memory_pct: mean(&|sample| servers(sample, |server| server.memory_pct)),
        depth: mean(&|sample| sample.queue.depth),
        db_cpu_pct: mean(&|sample| sample.database.cpu_pct),
    }
}

fn app() -> App {
    App::new(Params::default(), 7)
}

fn one(happens: Happening) -> Vec<Event> {
    vec![Event { at_min: 0.0, for_min: None, first_change: None, weekly: false, happens }]
}

fn well(seen: &Seen) -> bool {
    seen.p95_ms < 200.0 && seen.error_pct < 0.1 && seen.cpu_pct < 70.0 && seen.memory_pct < 75.0 && seen.depth < 1_000.0
}

#[test]
fn a_healthy_application_meets_every_objective_all_day() {
    let mut app = app();
    for hour in 0..24 {
        let seen = live(&mut app, &world(4), &[], 60 * hour, 60);
        assert!(well(&seen), "hour {hour}: p95 {} errors {} cpu {}", seen.p95_ms, seen.error_pct, seen.cpu_pct);
    }
}

#[test]
fn more_servers_heal_a_load_surge_and_a_restart_does_not() {
    let events = one(Happening::Load { factor: 2.1, over_min: 3.0 });
    let mut app = app();
    let sick = live(&mut app, &world(4), &events, 0, 20);
    assert!(sick.cpu_pct > 85.0 && sick.p95_ms > 300.0, "cpu {} p95 {}", sick.cpu_pct, sick.p95_ms);
    let mut restarted = world(4);
    restarted.instances.iter_mut().for_each(|instance| instance.age_min = 0.0);
    assert!(!well(&live(&mut app.clone(), &restarted, &events, 20, 10)));
    assert!(well(&live(&mut app, &world(7), &events, 20, 10)));
}

#[test]
fn a_restart_heals_a_leak_and_more_servers_do_not() {
    let events = one(Happening::Leak { pct_per_min: 0.5 });
    let mut app = app();
    let sick = live(&mut app, &world(4), &events, 0, 100);
    assert!(sick.memory_pct > 90.0 && sick.p95_ms > 200.0, "memory {} p95 {}", sick.memory_pct, sick.p95_ms);
    let mut scaled = world(6);
    for instance in &mut scaled.instances[4..] {
        instance.age_min = 0.0;
    }
    assert!(!well(&live(&mut app.clone(), &scaled, &events, 100, 10)), "the old servers still leak");
    let mut restarted = world(4);
    restarted.instances.iter_mut().for_each(|instance| instance.age_min = 5.0);
    assert!(well(&live(&mut app, &restarted, &events, 100, 10)));
}

#[test]
fn replacing_the_sick_instance_heals_and_replacing_another_does_not() {
    let events = one(Happening::SickInstance { index: 1, slowdown: 8.0, error_pct: 20.0 });
    let mut app = app();
    let sick = live(&mut app, &world(4), &events, 0, 10);
    assert!(sick.p95_ms > 1_000.0 && sick.error_pct > 3.0, "p95 {} errors {}", sick.p95_ms, sick.error_pct);
    let mut wrong = world(4);
    wrong.instances[2].id = "i-99".to_owned();
    assert!(!well(&live(&mut app.clone(), &wrong, &events, 10, 10)));
    let mut right = world(4);
    right.instances[1].id = "i-99".to_owned();
    assert!(well(&live(&mut app, &right, &events, 10, 10)));
}

#[test]
fn a_warm_cache_heals_a_cold_one_and_more_servers_do_not() {
    let mut app = app();
    let mut cold = world(4);
    cold.cache.warm_share = 0.02;
    let sick = live(&mut app, &cold, &[], 0, 15);
    assert!(sick.p95_ms > 1_000.0 && sick.db_cpu_pct > 95.0, "p95 {} db {}", sick.p95_ms, sick.db_cpu_pct);
    let mut scaled = world(7);
    scaled.cache.warm_share = 0.02;
    assert!(!well(&live(&mut app.clone(), &scaled, &[], 15, 10)));
    assert!(well(&live(&mut app, &world(4), &[], 15, 10)));
}

#[test]
fn more_tasks_heal_a_backlog() {
    let events = one(Happening::Messages { factor: 2.4 });
    let mut app = app();
    let sick = live(&mut app, &world(4), &events, 0, 10);
    assert!(sick.depth > 2_000.0, "depth {}", sick.depth);
    let mut scaled = world(4);
    scaled.service = ServiceSeen { desired: 5, running: 5, ages_min: vec![14_400.0; 5] };
    assert!(well(&live(&mut app, &scaled, &events, 10, 10)));
}

#[test]
fn more_servers_make_a_contended_database_worse() {
    let events = one(Happening::Database { capacity_factor: 1.0, contention_factor: 40.0 });
    let mut app = app();
    let sick = live(&mut app, &world(4), &events, 0, 15);
    assert!(sick.p95_ms > 1_000.0 && sick.cpu_pct > 85.0, "p95 {} cpu {}", sick.p95_ms, sick.cpu_pct);
    let scaled = live(&mut app, &world(6), &events, 15, 15);
    assert!(scaled.p95_ms > 1.2 * sick.p95_ms, "p95 {} → {}", sick.p95_ms, scaled.p95_ms);
    assert!(scaled.error_pct > sick.error_pct, "errors {} → {}", sick.error_pct, scaled.error_pct);
    assert!(scaled.cpu_pct > 85.0, "cpu {}", scaled.cpu_pct);
    let undone = live(&mut app, &world(4), &events, 30, 15);
    assert!((undone.p95_ms / sick.p95_ms - 1.0).abs() < 0.1, "p95 {} → {}", sick.p95_ms, undone.p95_ms);
}

#[test]
fn nothing_in_reach_heals_a_failing_dependency() {
    let events = one(Happening::Dependency { latency_ms: 1_500.0, error_pct: 20.0 });
    let mut app = app();
    for servers in [4, 6, 10] {
        let mut fresh = world(servers);
        fresh.instances.iter_mut().for_each(|instance| instance.age_min = 5.0);
        let seen = live(&mut app, &fresh, &events, 0, 20);
        assert!(seen.p95_ms > 1_000.0 && seen.error_pct > 5.0, "{servers}: p95 {}", seen.p95_ms);
        assert!(seen.cpu_pct < 70.0, "waiting for others costs no CPU: {}", seen.cpu_pct);
    }
}

#[test]
fn the_same_seed_lives_the_same_life() {
    let events = one(Happening::Load { factor: 1.5, over_min: 0.0 });
    let (mut one, mut other) = (app(), app());
    for minute in 0..30 {
        let minute = f64::from(minute);
        let effects = effects_at(&events, minute);
        assert_eq!(one.step(&world(4), &effects, minute), other.step(&world(4), &effects, minute));
    }
}
