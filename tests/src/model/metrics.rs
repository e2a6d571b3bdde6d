//! One minute of measurements as the datapoints that AWS would publish: namespaces, names, dimensions, units.

use super::app::Sample;
use super::web::ServerMinute;

/// What the resources of an application are called in CloudWatch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Names {
    /// `targetgroup/name/id`.
    pub target_group: String,
    /// `app/name/id`.
    pub load_balancer: String,
    /// Auto Scaling group.
    pub group: String,
    /// ECS cluster.
    pub cluster: String,
    /// ECS service.
    pub service: String,
    /// SQS queue.
    pub queue: String,
    /// ElastiCache node.
    pub cache: String,
    /// RDS instance.
    pub database: String,
}

/// A datapoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Datum {
    /// CloudWatch namespace.
    pub namespace: &'static str,
    /// Metric name.
    pub metric: &'static str,
    /// Names and values of the dimensions.
    pub dimensions: Vec<(&'static str, String)>,
    /// CloudWatch unit.
    pub unit: &'static str,
    /// The value.
    pub value: Value,
}

/// The value of a datapoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number.
    One(f64),
    /// Numbers with how often each was seen.
    Spread(Vec<(f64, f64)>),
}

const ELB: &str = "AWS/ApplicationELB";
const EC2: &str = "AWS/EC2";
const AGENT: &str = "CWAgent";
const ASG: &str = "AWS/AutoScaling";
const ECS: &str = "AWS/ECS";
const INSIGHTS: &str = "ECS/ContainerInsights";
const RDS: &str = "AWS/RDS";
const CACHE: &str = "AWS/ElastiCache";
const SQS: &str = "AWS/SQS";

/// Disk in use on every instance: the model has no law for it, so it stands still.
const DISK_PCT: f64 = 41.0;
/// Memory that the database leaves to the operating system, in bytes.
const DB_FREEABLE_BYTES: f64 = 1.4e9;
/// Storage that the database has left, in bytes.
const DB_FREE_STORAGE_BYTES: f64 = 62.0e9;

/// All datapoints of a minute.
pub fn data(names: &Names, sample: &Sample) -> Vec<Datum> {
    let mut out = Vec::with_capacity(48);
    load_balancer(&mut out, names, sample);
    fleet(&mut out, names, sample);
    for server in &sample.servers {
        instance(&mut out, server);
    }
    service(&mut out, names, sample);
    database(&mut out, names, sample);
    cache(&mut out, names, sample);
    queue(&mut out, names, sample);
    out
}

fn push(
    out: &mut Vec<Datum>,
    namespace: &'static str,
    metric: &'static str,
    unit: &'static str,
    dims: &[(&'static str, &str)],
    value: Value,
) {
    let dimensions = dims.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    out.push(Datum { namespace, metric, dimensions, unit, value });
}

fn load_balancer(out: &mut Vec<Datum>, names: &Names, sample: &Sample) {
    let group = [("TargetGroup", names.target_group.as_str()), ("LoadBalancer", names.load_balancer.as_str())];
    let balancer = [("LoadBalancer", names.load_balancer.as_str())];
    let answered = sample.requests - sample.lb_errors_5xx;
    if answered > 0.0 && !sample.latency.points.is_empty() {
        let spread = sample
            .latency
            .points
            .iter()
            .map(|(ms, share)| (ms / 1_000.0, (share * answered).round().max(1.0)))
            .collect();
        push(out, ELB, "TargetResponseTime", "Seconds", &group, Value::Spread(spread));
        push(out, ELB, "RequestCount", "Count", &group, Value::One(answered));
    }
    push(out, ELB, "RequestCount", "Count", &balancer, Value::One(sample.requests));
    // AWS publishes error counts only when they are not zero.
    for (metric, dims, value) in [
        ("HTTPCode_Target_5XX_Count", group.as_slice(), sample.errors_5xx),
        ("HTTPCode_Target_4XX_Count", group.as_slice(), sample.errors_4xx),
        ("HTTPCode_ELB_5XX_Count", balancer.as_slice(), sample.lb_errors_5xx),
    ] {
        if value > 0.0 {
            push(out, ELB, metric, "Count", dims, Value::One(value));
        }
    }
    let healthy = f64::from(sample.in_service.saturating_sub(sample.unhealthy));
    push(out, ELB, "HealthyHostCount", "Count", &group, Value::One(healthy));
    push(out, ELB, "UnHealthyHostCount", "Count", &group, Value::One(f64::from(sample.unhealthy)));
}

fn fleet(out: &mut Vec<Datum>, names: &Names, sample: &Sample) {
    let dims = [("AutoScalingGroupName", names.group.as_str())];
    push(out, ASG, "GroupDesiredCapacity", "None", &dims, Value::One(f64::from(sample.desired)));
    push(out, ASG, "GroupInServiceInstances", "None", &dims, Value::One(f64::from(sample.in_service)));
    if sample.servers.is_empty() {
        return;
    }
    let each =
        |of: fn(&ServerMinute) -> f64| Value::Spread(sample.servers.iter().map(|server| (of(server), 1.0)).collect());
    push(out, EC2, "CPUUtilization", "Percent", &dims, each(|server| server.cpu_pct));
    push(out, AGENT, "mem_used_percent", "Percent", &dims, each(|server| server.memory_pct));
    push(out, AGENT, "disk_used_percent", "Percent", &dims, each(|_| DISK_PCT));
}

fn instance(out: &mut Vec<Datum>, server: &ServerMinute) {
    let dims = [("InstanceId", server.id.as_str())];
    push(out, EC2, "CPUUtilization", "Percent", &dims, Value::One(server.cpu_pct));
    push(out, EC2, "StatusCheckFailed", "Count", &dims, Value::One(0.0));
    push(out, AGENT, "mem_used_percent", "Percent", &dims, Value::One(server.memory_pct));
    push(out, AGENT, "disk_used_percent", "Percent", &dims, Value::One(DISK_PCT));
}

fn service(out: &mut Vec<Datum>, names: &Names, sample: &Sample) {
    let dims = [("ClusterName", names.cluster.as_str()), ("ServiceName", names.service.as_str())];
    push(out, INSIGHTS, "RunningTaskCount", "Count", &dims, Value::One(f64::from(sample.service.running)));
    push(out, INSIGHTS, "DesiredTaskCount", "Count", &dims, Value::One(f64::from(sample.service.desired)));
    if sample.service.running > 0 {
        push(out, ECS, "CPUUtilization", "Percent", &dims, Value::One(sample.queue.cpu_pct));
    }
    if !sample.tasks_memory_pct.is_empty() {
        let each = sample.tasks_memory_pct.iter().map(|pct| (*pct, 1.0)).collect();
        push(out, ECS, "MemoryUtilization", "Percent", &dims, Value::Spread(each));
    }
}

fn database(out: &mut Vec<Datum>, names: &Names, sample: &Sample) {
    let dims = [("DBInstanceIdentifier", names.database.as_str())];
    let disk_s = 0.001 + 0.004 * sample.database.cpu_pct / 100.0;
    for (metric, unit, value) in [
        ("CPUUtilization", "Percent", sample.database.cpu_pct),
        ("DatabaseConnections", "Count", sample.database.connections.round()),
        ("FreeableMemory", "Bytes", DB_FREEABLE_BYTES),
        ("FreeStorageSpace", "Bytes", DB_FREE_STORAGE_BYTES),
        ("ReadLatency", "Seconds", disk_s),
        ("WriteLatency", "Seconds", 1.5 * disk_s),
    ] {
        push(out, RDS, metric, unit, &dims, Value::One(value));
    }
}

fn cache(out: &mut Vec<Datum>, names: &Names, sample: &Sample) {
    if !sample.cache.reachable {
        return;
    }
    let dims = [("CacheClusterId", names.cache.as_str())];
    for (metric, unit, value) in [
        ("CacheHits", "Count", sample.hits),
        ("CacheMisses", "Count", sample.misses),
        ("Evictions", "Count", sample.cache.evictions),
        ("DatabaseMemoryUsagePercentage", "Percent", sample.cache.memory_pct),
        ("EngineCPUUtilization", "Percent", 4.0 + (sample.hits + sample.misses) / 5_000.0),
    ] {
        push(out, CACHE, metric, unit, &dims, Value::One(value));
    }
}

fn queue(out: &mut Vec<Datum>, names: &Names, sample: &Sample) {
    let dims = [("QueueName", names.queue.as_str())];
    for (metric, unit, value) in [
        ("ApproximateNumberOfMessagesVisible", "Count", sample.queue.depth.round()),
        ("ApproximateAgeOfOldestMessage", "Seconds", sample.queue.oldest_s.round()),
        ("NumberOfMessagesSent", "Count", sample.queue.sent.round()),
        ("NumberOfMessagesDeleted", "Count", sample.queue.deleted.round()),
    ] {
        push(out, SQS, metric, unit, &dims, Value::One(value));
    }
}
