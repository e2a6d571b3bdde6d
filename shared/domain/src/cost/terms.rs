//! Terms: what a price and a rule need to know of a resource beside its live state, by kind.
//!
//! The health cycle reads live states and needs none of this; the estate alone has it.

use crate::observed::Observed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is bought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "bought")]
pub enum Terms {
    /// See [`BalancerTerms`].
    LoadBalancer(BalancerTerms),
    /// See [`DatabaseTerms`].
    Database(DatabaseTerms),
    /// See [`CacheTerms`].
    Cache(CacheTerms),
    /// See [`TableTerms`].
    Table(TableTerms),
    /// See [`TaskTerms`].
    Task(TaskTerms),
    /// See [`FunctionTerms`].
    Function(FunctionTerms),
    /// See [`FleetTerms`].
    Fleet(FleetTerms),
}

/// An Auto Scaling group as its members are bought. Asked only of groups whose owner calls them fault tolerant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FleetTerms {
    /// The launch template that it starts members from; none where it has a launch configuration, or mixes types already.
    pub template: Option<LaunchTemplate>,
    /// Zones that it starts members in.
    pub zones: u32,
    /// Members on demand, on Linux, on shared hardware, outside of reserved capacity: those whose price a Spot price is the
    /// counterpart of.
    pub plain: u32,
    /// Spot price of an hour by instance type, the mean of the zones that sell it, in millionths of a US dollar.
    pub spot_usd_micros: Observed<BTreeMap<String, f64>>,
}

/// A launch template, as a group names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaunchTemplate {
    /// `lt-…`.
    pub id: String,
    /// `$Default`, `$Latest` or a number.
    pub version: String,
}

/// A load balancer, as it is bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancerTerms {
    /// The name that clients resolve.
    pub dns_name: String,
    /// Targets that are registered in any of its target groups, or instances of a classic one.
    pub targets: u32,
    /// Those of them that its health checks call healthy.
    pub healthy: u32,
}

/// A database instance, as it is bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseTerms {
    /// It runs and nothing is being changed about it.
    pub is_available: bool,
    /// A second one stands by in another zone and is paid for, too.
    pub is_multi_az: bool,
    /// `gp2`, `gp3`, `io1` …, `aurora` or `aurora-iopt1`.
    pub storage_type: String,
    /// Storage in GiB; none for Aurora, which is billed by what it fills.
    pub storage_gib: Option<u32>,
    /// The cluster that it belongs to (Aurora, Multi-AZ clusters).
    pub cluster: Option<String>,
    /// The other instances of that cluster, in the whole account.
    pub peers: Vec<String>,
    /// It is a read replica of another instance or cluster.
    pub is_replica: bool,
    /// Others are read replicas of it.
    pub has_replicas: bool,
    /// Its owner has forbidden to delete it.
    pub has_deletion_protection: bool,
}

impl DatabaseTerms {
    /// Its storage is Aurora's, which belongs to the cluster.
    pub fn is_aurora(&self) -> bool {
        self.storage_type.starts_with("aurora")
    }
}

/// A cache cluster, as it is bought: one node of Redis or Valkey, or all nodes of Memcached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheTerms {
    /// It runs and nothing is being changed about it.
    pub is_available: bool,
    /// `cache.r6g.large`.
    pub node_type: String,
    /// Nodes that are paid for.
    pub nodes: u32,
    /// The replication group that it belongs to.
    pub group: Option<String>,
    /// The other clusters of that group.
    pub peers: Vec<String>,
    /// The group is part of a global one, in which others wait for the failure of a Region.
    pub is_global: bool,
}

/// A table of DynamoDB, as its capacity is bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTerms {
    /// Nothing is being changed about it.
    pub is_active: bool,
    /// What it consumes is paid for; else what is provisioned.
    pub is_on_demand: bool,
    /// When it last became on demand, where it was ever changed to that.
    pub since: Option<Timestamp>,
    /// It has global secondary indexes, which have capacities of their own.
    pub has_indexes: bool,
    /// It is part of a global table.
    pub is_replicated: bool,
    /// It is of the standard class, not that of infrequent access.
    pub is_standard_class: bool,
}

/// A Lambda function, as it is bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionTerms {
    /// Memory that it is given, in MB as Lambda counts them (1,024 of them are a GB).
    pub memory_mb: u32,
    /// Seconds after which an invocation is ended.
    pub timeout_s: u32,
    /// It runs on arm64, which has a price of its own; else on x86-64.
    pub is_arm: bool,
    /// When its code or its configuration was last changed.
    pub changed_at: Option<Timestamp>,
    /// Lambda Insights may measure it: a layer of it is the extension, or it is an image, which may have it within.
    pub may_have_insights: bool,
    /// Some of its concurrency is provisioned, which is paid for otherwise. Asked only where Lambda Insights may measure it.
    pub is_provisioned: bool,
    /// It runs on instances of the account (Lambda Managed Instances), which are paid for by themselves.
    pub has_own_capacity: bool,
}

/// A task of an ECS service on Fargate, as it is bought. Services on instances have none: the instances are paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTerms {
    /// Family and revision of its definition: `web:7`.
    pub definition: String,
    /// CPU units, of which a processor has 1,024.
    pub cpu_units: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// CPU units that its containers reserve for themselves.
    pub containers_units: u32,
    /// Memory in MiB that its containers reserve for themselves.
    pub containers_mib: u32,
    /// It runs on arm64, which has a price of its own; else on x86-64.
    pub is_arm: bool,
    /// It runs on Linux; Windows has other sizes and prices.
    pub is_linux: bool,
    /// No task of the service runs on Fargate Spot.
    pub is_on_demand: bool,
}
