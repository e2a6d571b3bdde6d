//! IAM actions by method of an adapter.
//!
//! The adapters declare what they need as a whole; a function that calls only some of the methods must get only the
//! actions of these.

use crate::repository;
use aws::permissions::{self, Needs};
use domain::execution::Cycle;
use std::collections::BTreeSet;

/// An action and what it concerns.
pub type Grant = (&'static str, &'static str);

/// What one method of an adapter needs.
pub struct Method {
    /// Adapter, by the name of its module.
    pub adapter: &'static str,
    /// Method of its port.
    pub method: &'static str,
    /// Actions, each with what it concerns.
    pub grants: &'static [Grant],
}

const APPROVALS: &str = "approvals table";
const APPLICATION: &str = "application";
const ARTIFACTS: &str = "artifacts bucket";
const CHANGES: &str = "changes table";
const CONFIG: &str = "configuration bucket";
const EXECUTIONS: &str = "workflow_executions table";
const LEASES: &str = "leases table";
const RESULTS: &str = "optimization_results table";
/// The secret of the user that reads a database.
pub const DATABASE_SECRET: &str = "database secret";
/// The secret of the user that owns its tables: whoever may read it can change the database.
pub const OWNER_SECRET: &str = "database owner secret";

const fn row(adapter: &'static str, method: &'static str, grants: &'static [Grant]) -> Method {
    Method { adapter, method, grants }
}

/// Every method of every adapter but the actuators', whose actions stand beside the changes.
const TABLE: &[Method] = &[
    row(
        "approvals",
        "ask",
        &[("dynamodb:PutItem", APPROVALS), ("dynamodb:UpdateItem", APPROVALS), ("dynamodb:GetItem", APPROVALS)],
    ),
    row("approvals", "read", &[("dynamodb:GetItem", APPROVALS)]),
    row("approvals", "close", &[("dynamodb:UpdateItem", APPROVALS), ("dynamodb:GetItem", APPROVALS)]),
    row("approvals", "since", &[("dynamodb:Query", APPROVALS)]),
    row("approvals", "open", &[("dynamodb:Query", APPROVALS)]),
    row("artifacts", "put", &[("s3:PutObject", ARTIFACTS)]),
    // Without the list S3 answers "access denied" where a document is only absent.
    row("artifacts", "get", &[("s3:GetObject", ARTIFACTS), ("s3:ListBucket", ARTIFACTS)]),
    row("prices", "read", &[("ecs:DescribeTaskDefinition", APPLICATION), ("pricing:GetProducts", "price list")]),
    row("billing", "read", &[("ce:GetCostAndUsage", "bill"), ("ce:GetSavingsPlansPurchaseRecommendation", "bill")]),
    row("calendars", "state", &[("ssm:GetCalendarState", "change calendars")]),
    row("savings_book", "note", &[("dynamodb:UpdateItem", RESULTS)]),
    row("circuit", "close", &[("dynamodb:UpdateItem", LEASES)]),
    row("circuit", "closed_at", &[("dynamodb:GetItem", LEASES)]),
    row("config_source", "fetch", &[("s3:GetObject", CONFIG), ("s3:ListBucket", CONFIG)]),
    row("dead_letters", "park", &[("sqs:SendMessage", "dead-letter queue")]),
    row(
        "episodes",
        "join",
        &[("dynamodb:UpdateItem", LEASES), ("dynamodb:PutItem", LEASES), ("dynamodb:GetItem", LEASES)],
    ),
    row("episodes", "mark_started", &[("dynamodb:UpdateItem", LEASES)]),
    row("episodes", "open", &[("dynamodb:GetItem", LEASES)]),
    row("episodes", "close", &[("dynamodb:DeleteItem", LEASES)]),
    row("episodes", "replace", &[("dynamodb:UpdateItem", LEASES), ("dynamodb:DeleteItem", LEASES)]),
    row("episodes", "arrive", &[("dynamodb:UpdateItem", LEASES)]),
    row("episodes", "remember", &[("dynamodb:UpdateItem", LEASES)]),
    row(
        "estates",
        "survey",
        &[
            ("application-autoscaling:DescribeScalableTargets", APPLICATION),
            ("autoscaling:DescribeAutoScalingGroups", APPLICATION),
            ("autoscaling:DescribeInstanceRefreshes", APPLICATION),
            ("autoscaling:DescribeLaunchConfigurations", APPLICATION),
            ("autoscaling:DescribeScheduledActions", APPLICATION),
            ("cloudwatch:DescribeAlarms", APPLICATION),
            ("dynamodb:DescribeTable", APPLICATION),
            ("dynamodb:ListTables", APPLICATION),
            ("ec2:DescribeAddresses", APPLICATION),
            ("ec2:DescribeImages", APPLICATION),
            ("ec2:DescribeInstances", APPLICATION),
            ("ec2:DescribeLaunchTemplateVersions", APPLICATION),
            ("ec2:DescribeNatGateways", APPLICATION),
            ("ec2:DescribeRouteTables", APPLICATION),
            ("ec2:DescribeSnapshots", APPLICATION),
            ("ec2:DescribeSpotPriceHistory", APPLICATION),
            ("ec2:DescribeVolumes", APPLICATION),
            ("ec2:DescribeVolumesModifications", APPLICATION),
            ("ec2:DescribeVpcEndpoints", APPLICATION),
            ("ecr:DescribeImages", APPLICATION),
            ("ecr:DescribeRepositories", APPLICATION),
            ("ecr:GetLifecyclePolicy", APPLICATION),
            ("ecr:GetRepositoryPolicy", APPLICATION),
            ("ecs:DescribeServices", APPLICATION),
            ("ecs:DescribeTaskDefinition", APPLICATION),
            ("ecs:DescribeTasks", APPLICATION),
            ("ecs:ListClusters", APPLICATION),
            ("ecs:ListServices", APPLICATION),
            ("ecs:ListTasks", APPLICATION),
            ("elasticache:DescribeCacheClusters", APPLICATION),
            ("elasticache:DescribeReplicationGroups", APPLICATION),
            ("elasticloadbalancing:DescribeInstanceHealth", APPLICATION),
            ("elasticloadbalancing:DescribeLoadBalancers", APPLICATION),
            ("elasticloadbalancing:DescribeTargetGroups", APPLICATION),
            ("elasticloadbalancing:DescribeTargetHealth", APPLICATION),
            ("es:DescribeDomains", APPLICATION),
            ("es:ListDomainNames", APPLICATION),
            ("lambda:ListFunctions", APPLICATION),
            ("lambda:ListProvisionedConcurrencyConfigs", APPLICATION),
            ("logs:DescribeLogGroups", APPLICATION),
            ("rds:DescribeDBInstances", APPLICATION),
            ("redshift:DescribeClusters", APPLICATION),
            ("redshift:DescribeDataShares", APPLICATION),
            ("s3:GetLifecycleConfiguration", APPLICATION),
            ("s3:GetMetricsConfiguration", APPLICATION),
            ("s3:ListAllMyBuckets", APPLICATION),
            ("s3:ListBucketMultipartUploads", APPLICATION),
            ("s3:ListMultipartUploadParts", APPLICATION),
            ("secretsmanager:ListSecrets", APPLICATION),
            ("tag:GetResources", APPLICATION),
        ],
    ),
    row("executions", "open", &[("dynamodb:PutItem", EXECUTIONS), ("dynamodb:GetItem", EXECUTIONS)]),
    row("executions", "read", &[("dynamodb:GetItem", EXECUTIONS)]),
    row("executions", "unclosed", &[("dynamodb:Query", EXECUTIONS)]),
    row("executions", "newest", &[("dynamodb:Query", EXECUTIONS)]),
    row("executions", "save", &[("dynamodb:PutItem", EXECUTIONS)]),
    row("executions", "result", &[("dynamodb:PutItem", RESULTS)]),
    row(
        "inventory",
        "discover",
        &[
            ("application-autoscaling:DescribeScalableTargets", APPLICATION),
            ("autoscaling:DescribeAutoScalingGroups", APPLICATION),
            ("autoscaling:DescribeInstanceRefreshes", APPLICATION),
            ("ecs:DescribeServices", APPLICATION),
            ("ecs:DescribeTasks", APPLICATION),
            ("ecs:ListTasks", APPLICATION),
            ("elasticache:DescribeCacheClusters", APPLICATION),
            ("elasticache:DescribeReplicationGroups", APPLICATION),
            ("elasticloadbalancing:DescribeLoadBalancers", APPLICATION),
            ("elasticloadbalancing:DescribeTargetGroups", APPLICATION),
            ("rds:DescribeDBInstances", APPLICATION),
            ("tag:GetResources", APPLICATION),
        ],
    ),
    row("inventory", "tagged_apps", &[("tag:GetTagValues", APPLICATION), ("autoscaling:DescribeTags", APPLICATION)]),
    row("inventory", "alarm_tags", &[("cloudwatch:ListTagsForResource", APPLICATION)]),
    row(
        "journal",
        "intend",
        &[("dynamodb:PutItem", CHANGES), ("dynamodb:GetItem", CHANGES), ("dynamodb:UpdateItem", LEASES)],
    ),
    row("journal", "advance", &[("dynamodb:PutItem", CHANGES), ("dynamodb:GetItem", CHANGES)]),
    row("journal", "since", &[("dynamodb:Query", CHANGES)]),
    row("leases", "acquire", &[("dynamodb:UpdateItem", LEASES)]),
    row("leases", "renew", &[("dynamodb:UpdateItem", LEASES)]),
    row("leases", "take_over", &[("dynamodb:UpdateItem", LEASES)]),
    row("leases", "release", &[("dynamodb:UpdateItem", LEASES)]),
    row("liveness", "life", &[("states:DescribeExecution", "executions")]),
    row("leases", "holder", &[("dynamodb:GetItem", LEASES)]),
    row("notifier", "notify", &[("sns:Publish", "topic and event bus"), ("events:PutEvents", "topic and event bus")]),
    row("places", "inventory", &[("sts:AssumeRole", "member role")]),
    row("places", "to_read", &[("sts:AssumeRole", "member role")]),
    row("places", "to_change", &[("sts:AssumeRole", "member role for changes")]),
    row("runs", "newest", &[("states:ListExecutions", "state machine")]),
    row("secrets", "read", &[("secretsmanager:GetSecretValue", DATABASE_SECRET)]),
    row("signing_key", "read", &[("secretsmanager:GetSecretValue", "signing key")]),
    row("starter", "start", &[("states:StartExecution", "state machine")]),
    row("performance_starter", "start", &[("states:StartExecution", "state machine")]),
    row("switch", "read", &[("ssm:GetParameter", "kill switch parameter")]),
    row("telemetry", "read", &[("cloudwatch:GetMetricData", APPLICATION)]),
    row("telemetry", "alarms", &[("cloudwatch:DescribeAlarms", APPLICATION), ("tag:GetResources", APPLICATION)]),
    row("unit_prices", "list", &[("pricing:GetProducts", "price list")]),
    row("waker", "wake", &[("states:SendTaskSuccess", "state machine")]),
    row("watch", "roll", &[("dynamodb:GetItem", LEASES)]),
    row("watch", "call", &[("dynamodb:UpdateItem", LEASES)]),
    row("watch", "known", &[("dynamodb:UpdateItem", LEASES)]),
    row("watch", "looked", &[("dynamodb:UpdateItem", LEASES)]),
    row("watch", "told", &[("dynamodb:UpdateItem", LEASES)]),
    row("watch", "forget", &[("dynamodb:DeleteItem", LEASES), ("dynamodb:UpdateItem", LEASES)]),
];

/// The cycle whose changes an actuator makes.
fn cycle(adapter: &str) -> Option<Cycle> {
    match adapter {
        "actuator" => Some(Cycle::Health),
        "cost_actuator" => Some(Cycle::Cost),
        _ => None,
    }
}

/// Methods of an adapter.
pub fn methods(adapter: &str) -> Vec<&'static str> {
    if cycle(adapter).is_some() {
        return vec!["live", "apply", "restore"];
    }
    TABLE.iter().filter(|row| row.adapter == adapter).map(|row| row.method).collect()
}

/// What these methods of an adapter need.
pub fn grants(adapter: &str, methods: &BTreeSet<&str>) -> BTreeSet<Grant> {
    if let Some(cycle) = cycle(adapter) {
        let of_cycle = domain::changes::TABLE.iter().filter(|spec| spec.cycles.contains(&cycle));
        let of_changes = of_cycle.flat_map(|spec| spec.permissions);
        return of_changes.map(|action| (*action, APPLICATION)).collect();
    }
    let called = TABLE.iter().filter(|row| row.adapter == adapter && methods.contains(row.method));
    called.flat_map(|row| row.grants.iter().copied()).collect()
}

/// What an adapter declares.
fn declared(adapter: &str) -> BTreeSet<Grant> {
    let of_adapter = |needs: &&Needs| needs.adapter == adapter;
    let table = permissions::TABLE.iter().filter(of_adapter);
    table.flat_map(|needs| needs.actions.iter().map(|action| (*action, needs.on))).collect()
}

#[test]
fn the_methods_of_an_adapter_need_what_it_declares_and_nothing_else() {
    let adapters: BTreeSet<&str> = TABLE.iter().map(|row| row.adapter).collect();
    for adapter in &adapters {
        let of_methods = grants(adapter, &methods(adapter).into_iter().collect());
        assert_eq!(of_methods, declared(adapter), "{adapter}: methods on the left, PERMISSIONS on the right");
    }
    let declared: BTreeSet<&str> = permissions::TABLE.iter().map(|needs| needs.adapter).collect();
    assert_eq!(declared, adapters, "adapters that declare something");
}

#[test]
fn the_table_has_every_method_of_the_ports() {
    let ports = ["application", "bill", "databases", "people", "records", "runs"]
        .map(|part| crate::repository::text(&format!("shared/engine/src/ports/{part}.rs")))
        .concat();
    for (name, adapter) in [
        ("Artifacts", "artifacts"),
        ("ConfigSource", "config_source"),
        ("DeadLetters", "dead_letters"),
        ("Episodes", "episodes"),
        ("Executions", "executions"),
        ("Inventory", "inventory"),
        ("Journal", "journal"),
        ("Leases", "leases"),
        ("Notifier", "notifier"),
        ("Starter", "starter"),
        ("Starter", "performance_starter"),
        ("Switch", "switch"),
        ("Telemetry", "telemetry"),
        ("Watch", "watch"),
        ("Actuator", "actuator"),
        ("Actuator", "cost_actuator"),
        ("Billing", "billing"),
        ("Secrets", "secrets"),
        ("Estates", "estates"),
        ("UnitPrices", "unit_prices"),
    ] {
        let start = ports.find(&format!("pub trait {name}:")).unwrap_or_else(|| panic!("no port {name}"));
        let body = &ports[start..];
        let body = &body[..body.find("\n}").unwrap()];
        let mut declared: BTreeSet<&str> = crate::repository::after(body, "async fn ").into_iter().collect();
        if name == "Telemetry" {
            // Alarms are a port of their own, which the same adapter serves.
            declared.insert("alarms");
        }
        assert_eq!(declared, methods(adapter).into_iter().collect(), "{name}");
    }
}

/// What a benchmark counts is what the functions can call.
#[test]
fn the_benchmark_counts_the_calls_of_every_client() {
    let clients = repository::text("Cargo.toml");
    let clients = clients.lines().filter_map(|line| line.strip_prefix("aws-sdk-")?.split(' ').next());
    let helper = repository::text("tests/bench/functions.py");
    let counted = helper.split("SERVICES = (").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
    let counted: Vec<String> =
        counted.split(',').map(|name| name.trim().trim_matches('"').replace('_', "").to_ascii_lowercase()).collect();
    let missing: Vec<&str> = clients.filter(|client| !counted.iter().any(|name| name.starts_with(client))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
