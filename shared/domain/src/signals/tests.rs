//! Properties that every row of the table must have.

use super::*;
use crate::ids::ResourceId;
use crate::objective::Objectives;
use crate::resource::{Cache, CustomMetric, Database, Fleet, Instance, Live, Service, Tags};
use crate::signal::Gap;
use std::collections::{BTreeMap, BTreeSet};

fn resource(id: &str, name: &str, live: Live) -> Resource {
    Resource { id: ResourceId::from(id), name: name.to_owned(), tags: Tags::default(), live }
}

fn instance(id: &str) -> Instance {
    Instance { id: id.to_owned(), in_service: true, healthy: true, protected: false, instance_type: None }
}

fn cache(engine: &str, nodes: &[&str]) -> Live {
    Live::Cache(Cache {
        engine: engine.to_owned(),
        host: "h".to_owned(),
        port: 6379,
        tls: false,
        nodes: nodes.iter().map(|node| (*node).to_owned()).collect(),
    })
}

fn database(engine: &str, storage_bytes: Option<f64>) -> Live {
    Live::Database(Database {
        engine: engine.to_owned(),
        instance_class: "db.t4g.medium".to_owned(),
        connections_max: Some(400.0),
        storage_bytes,
        memory_bytes: Some(4e9),
    })
}

/// One resource of each kind and variant that the table distinguishes.
fn world() -> Vec<Resource> {
    let fleet = Fleet {
        min: 1,
        max: 4,
        desired: 2,
        instances: vec![instance("i-1"), instance("i-2")],
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    };
    let service = Service {
        cluster: "shop".to_owned(),
        desired: 1,
        running: 1,
        deployment_in_progress: false,
        last_deployment_at: None,
        bounds: None,
        bounds_missing: None,
        min_healthy_pct: 100,
        max_pct: 200,
        fargate_task: None,
        tasks: crate::observed::Observed::Known(Vec::new()),
    };
    let custom = CustomMetric {
        namespace: "Shop".to_owned(),
        metric: "Orders".to_owned(),
        dimensions: BTreeMap::from([("Stage".to_owned(), "prod".to_owned())]),
        stat: "Sum".to_owned(),
        good: 10.0,
        bad: 0.0,
    };
    vec![
        resource(
            "tg",
            "shop",
            Live::TargetGroup { target_group: "targetgroup/shop/1".to_owned(), load_balancer: "app/shop/1".to_owned() },
        ),
        resource("lb", "shop", Live::LoadBalancer { load_balancer: "app/shop/1".to_owned() }),
        resource("asg", "shop-web", Live::AutoScalingGroup(fleet)),
        resource("ecs", "shop-worker", Live::EcsService(service)),
        resource("fn", "shop-fn", Live::Function),
        resource(
            "arn:aws:apigateway:eu-west-1::/restapis/a",
            "shop-rest",
            Live::Api { dimension: "shop-rest".to_owned() },
        ),
        resource("arn:aws:apigateway:eu-west-1::/apis/b", "b", Live::Api { dimension: "b".to_owned() }),
        resource("db", "shop-db", database("postgres", Some(1e11))),
        resource("au", "shop-aurora", database("aurora-postgresql", None)),
        resource("c1", "shop-cache", cache("redis", &["shop-cache-001"])),
        resource("c2", "shop-mem", cache("memcached", &["shop-mem"])),
        resource("c3", "shop-pair", cache("valkey", &["shop-pair-001", "shop-pair-002"])),
        resource("q", "shop-jobs", Live::Queue),
        resource("t", "shop-orders", Live::Table),
        resource("custom/orders", "orders", Live::Custom(custom)),
    ]
}

#[test]
fn no_resource_fills_two_rows_of_one_id() {
    for resource in world() {
        let ids: Vec<&str> = of_resource(&resource).map(|(spec, _)| spec.id).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{} has a signal twice: {ids:?}", resource.name);
        assert!(!ids.is_empty(), "{} has no signal", resource.name);
    }
}

#[test]
fn every_row_is_filled_by_some_resource_and_by_no_other_kind() {
    let world = world();
    for spec in TABLE {
        assert!(
            world.iter().any(|resource| resource.kind() == spec.kind && !(spec.dimensions)(resource).is_empty()),
            "{} {} is never read",
            spec.id,
            spec.metric
        );
        for other in world.iter().filter(|resource| resource.kind() != spec.kind) {
            assert!((spec.dimensions)(other).is_empty(), "{} is read on a {}", spec.id, other.kind());
        }
    }
}

#[test]
fn rows_of_one_id_differ_only_in_where_the_metric_is_kept() {
    for spec in TABLE {
        for other in TABLE.iter().filter(|other| other.id == spec.id) {
            assert_eq!(
                (spec.title, spec.unit, spec.kind, spec.gap, spec.needs),
                (other.title, other.unit, other.kind, other.gap, other.needs)
            );
        }
    }
}

#[test]
fn every_witness_is_a_signal_of_the_same_kind_and_no_chain_is_a_circle() {
    for spec in TABLE {
        let mut seen = vec![spec.id];
        let mut gap = spec.gap;
        while let Gap::ZeroWhere { witness } = gap {
            let next = super::spec(witness).unwrap_or_else(|| panic!("{} has an unknown witness {witness}", spec.id));
            assert_eq!(next.kind, spec.kind, "{}", spec.id);
            assert!(!seen.contains(&witness), "{} waits for itself", spec.id);
            seen.push(witness);
            gap = next.gap;
        }
    }
}

#[test]
fn every_judge_tells_good_from_bad_with_finite_levels() {
    let objectives = Objectives::default();
    for resource in world() {
        for (spec, _) in of_resource(&resource) {
            if let Some(judge) = spec.judge.and_then(|judge| judge(&resource, &objectives)) {
                assert!(judge.good.is_finite() && judge.bad.is_finite(), "{}", spec.id);
                assert!((judge.good - judge.bad).abs() > 0.0, "{} can't tell good from bad", spec.id);
            }
        }
    }
}

#[test]
fn a_unit_in_the_name_is_the_unit_of_the_signal() {
    for spec in TABLE {
        for (suffix, unit) in [("_ms", "ms"), ("_pct", "%"), ("_bytes", "bytes"), ("_s", "s")] {
            assert!(!spec.id.ends_with(suffix) || spec.unit == unit, "{} is in {}", spec.id, spec.unit);
        }
    }
}

#[test]
fn a_cache_of_one_node_is_read_as_a_whole_and_of_two_by_member() {
    let world = world();
    let members = |name: &str| {
        let resource = world.iter().find(|resource| resource.name == name).unwrap();
        let (_, targets) = of_resource(resource).find(|(spec, _)| spec.id == "cache_hits").unwrap();
        targets.into_iter().map(|target| target.member).collect::<Vec<_>>()
    };
    assert_eq!(members("shop-cache"), [None]);
    assert_eq!(members("shop-pair"), [Some("shop-pair-001".to_owned()), Some("shop-pair-002".to_owned())]);
}

#[test]
fn an_objective_of_zero_judges_nothing() {
    let objectives = Objectives { latency_p95_ms: 0.0, ..Objectives::default() };
    let world = world();
    let judge = spec("latency_p95_ms").unwrap().judge.unwrap();
    assert_eq!(judge(&world[0], &objectives), None);
}

#[test]
fn golden_the_page_about_signals_shows_this_table() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/signals.md")).unwrap();
    let or_configured = |text: &'static str| if text.is_empty() { "as configured" } else { text };
    for spec in TABLE {
        let gap = match spec.gap {
            Gap::Unknown => "unknown".to_owned(),
            Gap::ZeroWhere { witness } => format!("0 where `{witness}` is known"),
        };
        let place = format!(
            "| `{}` | {} | {} | {} |",
            spec.id,
            or_configured(spec.namespace),
            or_configured(spec.metric),
            or_configured(spec.stat)
        );
        let meaning = format!("| {} | {gap} | {} |", spec.unit, spec.needs.unwrap_or_default());
        let row = page.lines().find(|line| line.starts_with(&place) && line.ends_with(&meaning));
        assert!(row.is_some(), "docs/signals.md lacks {place} … {meaning}");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `") && line.matches('|').count() == 9).count();
    assert_eq!(rows, TABLE.len(), "docs/signals.md shows signals that are not in the table");
}
