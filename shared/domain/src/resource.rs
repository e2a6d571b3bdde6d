//! Resources of an application and the state they are in.

mod analytics;
mod compute;
mod engines;
mod hidden;
mod schedule;
mod storage;
mod stored;

pub use analytics::{SearchDomain, SearchNodes, SearchStorage, Warehouse};
pub use compute::{Fleet, Instance, Service, Task};
pub use engines::connections_max;
pub use schedule::{OffHours, START as OFF_HOURS_START, STOP as OFF_HOURS_STOP, ScheduledAction, Sizes};
pub use storage::{
    Address, DELETE_AFTER_TAG, DiskSnapshot, FINAL_SNAPSHOT_TAG, FREE_SERVICES, FinalSnapshot, GP3_IOPS_INCLUDED,
    GP3_MIBPS_INCLUDED, InterfaceEndpoint, LogGroup, Machine, NatGateway, Volume,
};
pub use stored::{Alarm, Bucket, Image, ImageRepository, ImageSnapshot, Secret, UntaggedImages, Upload, Watched};

use crate::ids::ResourceId;
use crate::performance::index::Index;
use crate::performance::statistics::TableStatistics;
use litemap::LiteMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Tags of a resource, by key.
pub type Tags = LiteMap<String, String>;

/// One resource as found, with its live state at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// ARN, or `kind/name`.
    pub id: ResourceId,
    /// The short name a person knows it by.
    pub name: String,
    /// Its tags. What looks like a secret by its key is not written down.
    #[serde(serialize_with = "hidden::written")]
    pub tags: Tags,
    /// The state it is in.
    pub live: Live,
}

/// The tag that forbids any change to a resource, whatever its value (except `false`).
pub const PROTECTED_TAG: &str = "maintainer:protected";
/// The tag by which an owner says that a group bears the sudden loss of members.
pub const FAULT_TOLERANT_TAG: &str = "maintainer:fault-tolerant";
/// The tag that assigns a resource to an application.
pub const APP_TAG: &str = "maintainer:app";

impl Resource {
    /// The kind of resource.
    pub fn kind(&self) -> ResourceKind {
        self.live.kind()
    }

    /// True when its owner has forbidden changes by tag.
    pub fn is_protected(&self) -> bool {
        self.tags.get(PROTECTED_TAG).is_some_and(|value| value != "false")
    }
}

/// Kinds of resources the maintainer knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// EC2 Auto Scaling group with its instances.
    AutoScalingGroup,
    /// ECS service.
    EcsService,
    /// Target group behind an Application Load Balancer.
    TargetGroup,
    /// Application Load Balancer.
    LoadBalancer,
    /// Lambda function.
    Function,
    /// API Gateway REST or HTTP API.
    Api,
    /// RDS or Aurora instance.
    Database,
    /// ElastiCache node or replication group.
    Cache,
    /// SQS queue.
    Queue,
    /// DynamoDB table.
    Table,
    /// CloudFront distribution.
    Distribution,
    /// EBS volume.
    Volume,
    /// EBS snapshot.
    DiskSnapshot,
    /// Elastic IP address.
    Address,
    /// CloudWatch Logs log group.
    LogGroup,
    /// EC2 instance of its own.
    Machine,
    /// NAT gateway.
    NatGateway,
    /// Network Load Balancer.
    NetworkLoadBalancer,
    /// Classic Load Balancer.
    ClassicLoadBalancer,
    /// VPC endpoint of type Interface.
    InterfaceEndpoint,
    /// Machine image (AMI) of the account's own.
    Image,
    /// Repository of container images (ECR).
    ImageRepository,
    /// Secret of Secrets Manager.
    Secret,
    /// S3 bucket.
    Bucket,
    /// CloudWatch alarm on a metric.
    Alarm,
    /// Provisioned Redshift cluster.
    Warehouse,
    /// Domain of OpenSearch or Elasticsearch.
    SearchDomain,
    /// Index of a Postgres table.
    Index,
    /// What the planner of Postgres knows of a table.
    Statistics,
    /// A custom metric named in the configuration.
    Custom,
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AutoScalingGroup => "Auto Scaling group",
            Self::EcsService => "ECS service",
            Self::TargetGroup => "target group",
            Self::LoadBalancer => "load balancer",
            Self::Function => "Lambda function",
            Self::Api => "API",
            Self::Database => "database",
            Self::Cache => "cache",
            Self::Queue => "queue",
            Self::Table => "table",
            Self::Distribution => "distribution",
            Self::Volume => "volume",
            Self::DiskSnapshot => "snapshot",
            Self::Address => "address",
            Self::LogGroup => "log group",
            Self::Machine => "instance",
            Self::NatGateway => "NAT gateway",
            Self::NetworkLoadBalancer => "Network Load Balancer",
            Self::ClassicLoadBalancer => "Classic Load Balancer",
            Self::InterfaceEndpoint => "interface endpoint",
            Self::Image => "machine image",
            Self::ImageRepository => "image repository",
            Self::Secret => "secret",
            Self::Bucket => "bucket",
            Self::Alarm => "alarm",
            Self::Warehouse => "warehouse",
            Self::SearchDomain => "search domain",
            Self::Index => "index",
            Self::Statistics => "table's statistics",
            Self::Custom => "custom metric",
        })
    }
}

/// Live state by kind: what rules, guards, capture and undo need, nothing more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Live {
    /// See [`Fleet`].
    AutoScalingGroup(Fleet),
    /// See [`Service`].
    EcsService(Service),
    /// Metrics dimensions of a target group.
    TargetGroup {
        /// `targetgroup/name/id`, the CloudWatch dimension.
        target_group: String,
        /// `app/name/id`, the CloudWatch dimension.
        load_balancer: String,
    },
    /// Metrics dimension of a load balancer.
    LoadBalancer {
        /// `app/name/id`, the CloudWatch dimension.
        load_balancer: String,
    },
    /// A Lambda function.
    Function,
    /// An API Gateway API.
    Api {
        /// Value of the CloudWatch dimension: `ApiName` of a REST API (`/restapis/` in the ARN), `ApiId` of an HTTP API.
        dimension: String,
    },
    /// See [`Database`].
    Database(Database),
    /// See [`Cache`].
    Cache(Cache),
    /// An SQS queue.
    Queue,
    /// A DynamoDB table.
    Table,
    /// A CloudFront distribution.
    Distribution,
    /// See [`Volume`].
    Volume(Volume),
    /// See [`DiskSnapshot`].
    DiskSnapshot(DiskSnapshot),
    /// See [`Address`].
    Address(Address),
    /// See [`LogGroup`].
    LogGroup(LogGroup),
    /// See [`Machine`].
    Machine(Machine),
    /// See [`NatGateway`].
    NatGateway(NatGateway),
    /// A Network Load Balancer.
    NetworkLoadBalancer,
    /// A Classic Load Balancer.
    ClassicLoadBalancer,
    /// See [`InterfaceEndpoint`].
    InterfaceEndpoint(InterfaceEndpoint),
    /// See [`Image`].
    Image(Image),
    /// See [`ImageRepository`].
    ImageRepository(ImageRepository),
    /// See [`Secret`].
    Secret(Secret),
    /// See [`Bucket`].
    Bucket(Bucket),
    /// See [`Alarm`].
    Alarm(Alarm),
    /// See [`Warehouse`].
    Warehouse(Warehouse),
    /// See [`SearchDomain`].
    SearchDomain(SearchDomain),
    /// See [`Index`].
    Index(Index),
    /// See [`TableStatistics`].
    Statistics(TableStatistics),
    /// A metric named in the configuration.
    Custom(CustomMetric),
}

impl Live {
    /// The kind of this state.
    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::AutoScalingGroup(_) => ResourceKind::AutoScalingGroup,
            Self::EcsService(_) => ResourceKind::EcsService,
            Self::TargetGroup { .. } => ResourceKind::TargetGroup,
            Self::LoadBalancer { .. } => ResourceKind::LoadBalancer,
            Self::Function => ResourceKind::Function,
            Self::Api { .. } => ResourceKind::Api,
            Self::Database(_) => ResourceKind::Database,
            Self::Cache(_) => ResourceKind::Cache,
            Self::Queue => ResourceKind::Queue,
            Self::Table => ResourceKind::Table,
            Self::Distribution => ResourceKind::Distribution,
            Self::Volume(_) => ResourceKind::Volume,
            Self::DiskSnapshot(_) => ResourceKind::DiskSnapshot,
            Self::Address(_) => ResourceKind::Address,
            Self::LogGroup(_) => ResourceKind::LogGroup,
            Self::Machine(_) => ResourceKind::Machine,
            Self::NatGateway(_) => ResourceKind::NatGateway,
            Self::NetworkLoadBalancer => ResourceKind::NetworkLoadBalancer,
            Self::ClassicLoadBalancer => ResourceKind::ClassicLoadBalancer,
            Self::InterfaceEndpoint(_) => ResourceKind::InterfaceEndpoint,
            Self::Image(_) => ResourceKind::Image,
            Self::ImageRepository(_) => ResourceKind::ImageRepository,
            Self::Secret(_) => ResourceKind::Secret,
            Self::Bucket(_) => ResourceKind::Bucket,
            Self::Alarm(_) => ResourceKind::Alarm,
            Self::Warehouse(_) => ResourceKind::Warehouse,
            Self::SearchDomain(_) => ResourceKind::SearchDomain,
            Self::Index(_) => ResourceKind::Index,
            Self::Statistics(_) => ResourceKind::Statistics,
            Self::Custom(_) => ResourceKind::Custom,
        }
    }
}

/// An RDS or Aurora instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// `postgres`, `mysql`, `aurora-postgresql` …
    pub engine: String,
    /// `db.t4g.medium` …
    pub instance_class: String,
    /// Connections it accepts, where known.
    pub connections_max: Option<f64>,
    /// Size of its storage in bytes; none for Aurora, which grows.
    pub storage_bytes: Option<f64>,
    /// Memory in bytes, where the class is known.
    pub memory_bytes: Option<f64>,
}

/// An ElastiCache node or replication group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// `redis`, `valkey` or `memcached`.
    pub engine: String,
    /// Host of the primary endpoint.
    pub host: String,
    /// Port of the primary endpoint.
    pub port: u16,
    /// Encryption in transit is on.
    pub tls: bool,
    /// Cache cluster ids of the nodes, the CloudWatch dimension.
    pub nodes: Vec<String>,
}

/// A metric of the application's own, as named in the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CustomMetric {
    /// CloudWatch namespace.
    pub namespace: String,
    /// Metric name.
    pub metric: String,
    /// Dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// Statistic, for example `Average` or `p95`.
    pub stat: String,
    /// Level that is still good.
    pub good: f64,
    /// Level that is as bad as it gets; below `good` where higher is better.
    pub bad: f64,
}
