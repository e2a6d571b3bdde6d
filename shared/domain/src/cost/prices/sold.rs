//! What is sold: by which name the bill and the price list know it, and by which unit.

use crate::resource::ResourceKind;
use serde::{Deserialize, Serialize};

/// Hours that AWS bills for a month, on average over a year.
pub const HOURS_PER_MONTH: f64 = 730.0;
/// Something that is paid for by what exists, by hour or by month.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "sold", content = "of")]
pub enum Sold {
    /// A GiB of an EBS volume of this type, a month.
    VolumeGib(String),
    /// An I/O operation a second of a volume of this type beyond what is included, a month.
    VolumeIops(String),
    /// A MiB a second of a volume of this type beyond what is included, a month.
    VolumeMibps(String),
    /// A GiB of an EBS snapshot, a month.
    SnapshotGib,
    /// An Elastic IP address that nothing uses, an hour.
    IdleAddressHour,
    /// A GiB of stored logs, a month.
    LogGib,
    /// An EC2 instance of this type, an hour, on demand, Linux.
    InstanceHour(String),
    /// A NAT gateway, an hour.
    NatGatewayHour,
    /// A GB that a NAT gateway processes.
    NatGatewayGib,
    /// An interface endpoint in one zone, an hour.
    InterfaceEndpointHour,
    /// A load balancer, an hour, without its capacity units.
    LoadBalancerHour(Balancer),
    /// A database instance, an hour, on demand.
    DatabaseHour(DatabaseClass),
    /// A GiB of a database's storage, a month.
    DatabaseGib {
        /// `gp2`, `gp3`, `io1`, `io2` or `standard`.
        storage_type: String,
        /// In two zones.
        is_multi_az: bool,
    },
    /// A GiB of a database's snapshots beyond what is free, a month.
    DatabaseSnapshotGib,
    /// A node of a cache, an hour, on demand. The bill does not tell engines of a type apart.
    CacheHour {
        /// `cache.r6g.large`.
        node_type: String,
        /// `redis`, `valkey` or `memcached`.
        engine: String,
    },
    /// A GB of container images, a month.
    ImageRepositoryGib,
    /// A node of a warehouse of this type, an hour, on demand.
    WarehouseHour(String),
    /// A node of a search domain of this type, an hour, on demand.
    SearchHour(String),
    /// A GiB of the volumes of a search domain, a month: `gp2` or `gp3`.
    SearchGib(String),
    /// A secret, a month.
    Secret,
    /// A metric that an alarm looks at, a month.
    AlarmMetric {
        /// With a resolution under a minute.
        is_high_resolution: bool,
    },
    /// A GiB of objects in this storage class, a month.
    ObjectGib(StorageClass),
    /// An object that Intelligent-Tiering watches, a month.
    TieredObject,
    /// A unit of read capacity of a table, an hour.
    ReadCapacityHour,
    /// A unit of write capacity of a table, an hour.
    WriteCapacityHour,
    /// A request unit of reads, on demand.
    ReadRequest,
    /// A request unit of writes, on demand.
    WriteRequest,
    /// A processor of a task on Fargate, an hour, on demand, Linux.
    TaskVcpuHour {
        /// On arm64.
        is_arm: bool,
    },
    /// A GB of memory of a task on Fargate, an hour, on demand, Linux.
    TaskGbHour {
        /// On arm64.
        is_arm: bool,
    },
    /// A GB-second of a Lambda function, on demand; at most the first and dearest step.
    FunctionGbSecond {
        /// On arm64.
        is_arm: bool,
    },
    /// An hour of what has a meter of its own, on demand.
    OnDemandHour(Meter),
    /// An hour of the same, reserved: one year, nothing upfront, standard class.
    ReservedHour(Meter),
}

/// What is counted by itself on a bill: a usage type may be of several operating systems or engines, with an operation it is of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Meter {
    /// Usage type without the Region's prefix: `BoxUsage:m5.large`, `InstanceUsage:db.r6g.2xl`, `NodeUsage:cache.r6g.large`.
    pub usage_type: String,
    /// `RunInstances`, `CreateDBInstance:0014`, `CreateCacheCluster:0002` …
    pub operation: String,
}

impl Meter {
    /// True for nodes of a cache.
    pub fn is_cache(&self) -> bool {
        self.usage_type.starts_with("NodeUsage:")
    }

    /// True for EC2 instances.
    pub fn is_instance(&self) -> bool {
        self.usage_type.starts_with("BoxUsage:")
    }
}

/// A class of database instances as it is sold. The bill does not tell engines of a class apart, so a price from it is the
/// mean of those that the account has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DatabaseClass {
    /// `db.r6g.xlarge`.
    pub class: String,
    /// `postgres`, `aurora-mysql` …
    pub engine: String,
    /// With a standby in another zone.
    pub is_multi_az: bool,
    /// With Aurora's I/O-Optimized storage, for which instances cost more.
    pub is_io_optimized: bool,
}

impl DatabaseClass {
    /// RDS shortens `xlarge` to `xl` on bills and in the price list: `InstanceUsage:db.r6g.2xl`.
    fn usage_type(&self) -> String {
        let prefix = match (self.is_multi_az, self.is_io_optimized) {
            (true, _) => "Multi-AZUsage",
            (false, true) => "InstanceUsageIOOptimized",
            (false, false) => "InstanceUsage",
        };
        let class = self.class.strip_suffix("xlarge").map_or_else(|| self.class.clone(), |size| format!("{size}xl"));
        format!("{prefix}:{class}")
    }
}

/// Storage classes of S3 that are told apart here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageClass {
    /// Standard.
    Standard,
    /// Intelligent-Tiering, the tier of what was not read for 30 days.
    Infrequent,
}

/// Load balancers have one usage type and three prices; the bill's is the mean of those that the account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balancer {
    /// Application Load Balancer.
    Application,
    /// Network Load Balancer.
    Network,
    /// Classic Load Balancer.
    Classic,
}

impl Balancer {
    /// The kind that is sold as such.
    pub fn of(kind: ResourceKind) -> Option<Self> {
        match kind {
            ResourceKind::LoadBalancer => Some(Self::Application),
            ResourceKind::NetworkLoadBalancer => Some(Self::Network),
            ResourceKind::ClassicLoadBalancer => Some(Self::Classic),
            _ => None,
        }
    }
}

impl Sold {
    /// How the bill's usage type ends, after the Region's prefix (`EUC1-`; US East (N. Virginia) has none).
    pub fn usage_type(&self) -> String {
        match self {
            Self::VolumeGib(kind) => format!("EBS:VolumeUsage{}", billed(kind)),
            Self::VolumeIops(kind) => format!("EBS:VolumeP-IOPS{}", billed(kind)),
            Self::VolumeMibps(kind) => format!("EBS:VolumeP-Throughput.{kind}"),
            Self::SnapshotGib => "EBS:SnapshotUsage".to_owned(),
            Self::IdleAddressHour => "PublicIPv4:IdleAddress".to_owned(),
            Self::LogGib => "TimedStorage-ByteHrs".to_owned(),
            Self::InstanceHour(kind) => format!("BoxUsage:{kind}"),
            Self::NatGatewayHour => "NatGateway-Hours".to_owned(),
            Self::NatGatewayGib => "NatGateway-Bytes".to_owned(),
            Self::InterfaceEndpointHour => "VpcEndpoint-Hours".to_owned(),
            Self::LoadBalancerHour(_) => "LoadBalancerUsage".to_owned(),
            Self::DatabaseHour(class) => class.usage_type(),
            Self::DatabaseGib { storage_type, is_multi_az } => {
                let zones = if *is_multi_az { "Multi-AZ-" } else { "" };
                format!("RDS:{zones}{}", database_storage(storage_type))
            }
            Self::DatabaseSnapshotGib => "RDS:ChargedBackupUsage".to_owned(),
            Self::CacheHour { node_type, .. } => format!("NodeUsage:{node_type}"),
            Self::ImageRepositoryGib => "TimedStorage-ByteHrs".to_owned(),
            Self::WarehouseHour(kind) => format!("Node:{kind}"),
            Self::SearchHour(kind) => format!("ESInstance:{}", search_node(kind)),
            Self::SearchGib(kind) => format!("ES:{}-Storage", kind.to_ascii_uppercase()),
            Self::Secret => "AWSSecretsManager-Secrets".to_owned(),
            Self::AlarmMetric { is_high_resolution: false } => "CW:AlarmMonitorUsage".to_owned(),
            Self::AlarmMetric { is_high_resolution: true } => "CW:HighResAlarmMonitorUsage".to_owned(),
            Self::ObjectGib(StorageClass::Standard) => "TimedStorage-ByteHrs".to_owned(),
            Self::ObjectGib(StorageClass::Infrequent) => "TimedStorage-INT-IA-ByteHrs".to_owned(),
            Self::TieredObject => "Monitoring-Automation-INT".to_owned(),
            Self::ReadCapacityHour => "ReadCapacityUnit-Hrs".to_owned(),
            Self::WriteCapacityHour => "WriteCapacityUnit-Hrs".to_owned(),
            Self::ReadRequest => "ReadRequestUnits".to_owned(),
            Self::WriteRequest => "WriteRequestUnits".to_owned(),
            Self::TaskVcpuHour { is_arm: false } => "Fargate-vCPU-Hours:perCPU".to_owned(),
            Self::TaskVcpuHour { is_arm: true } => "Fargate-ARM-vCPU-Hours:perCPU".to_owned(),
            Self::TaskGbHour { is_arm: false } => "Fargate-GB-Hours".to_owned(),
            Self::TaskGbHour { is_arm: true } => "Fargate-ARM-GB-Hours".to_owned(),
            Self::FunctionGbSecond { is_arm: false } => "Lambda-GB-Second".to_owned(),
            Self::FunctionGbSecond { is_arm: true } => "Lambda-GB-Second-ARM".to_owned(),
            Self::OnDemandHour(meter) | Self::ReservedHour(meter) => meter.usage_type.clone(),
        }
    }

    /// The service of its lines on the bill: a usage type alone may be of several (logs and S3 both store `TimedStorage-ByteHrs`).
    pub fn service(&self) -> &'static str {
        match self {
            Self::VolumeGib(_)
            | Self::VolumeIops(_)
            | Self::VolumeMibps(_)
            | Self::SnapshotGib
            | Self::NatGatewayGib
            | Self::NatGatewayHour => "EC2 - Other",
            Self::IdleAddressHour | Self::InterfaceEndpointHour => "Amazon Virtual Private Cloud",
            Self::LogGib | Self::AlarmMetric { .. } => "AmazonCloudWatch",
            Self::ImageRepositoryGib => "Amazon EC2 Container Registry (ECR)",
            Self::WarehouseHour(_) => "Amazon Redshift",
            Self::SearchHour(_) | Self::SearchGib(_) => "Amazon OpenSearch Service",
            Self::Secret => "AWS Secrets Manager",
            Self::ObjectGib(_) | Self::TieredObject => "Amazon Simple Storage Service",
            Self::InstanceHour(_) => "Amazon Elastic Compute Cloud - Compute",
            Self::LoadBalancerHour(_) => "Amazon Elastic Load Balancing",
            Self::DatabaseHour(_) | Self::DatabaseGib { .. } | Self::DatabaseSnapshotGib => {
                "Amazon Relational Database Service"
            }
            Self::CacheHour { .. } => "Amazon ElastiCache",
            Self::ReadCapacityHour | Self::WriteCapacityHour | Self::ReadRequest | Self::WriteRequest => {
                "Amazon DynamoDB"
            }
            Self::TaskVcpuHour { .. } | Self::TaskGbHour { .. } => "Amazon Elastic Container Service",
            Self::FunctionGbSecond { .. } => "AWS Lambda",
            Self::OnDemandHour(meter) | Self::ReservedHour(meter) if meter.is_instance() => {
                "Amazon Elastic Compute Cloud - Compute"
            }
            Self::OnDemandHour(meter) | Self::ReservedHour(meter) if meter.is_cache() => "Amazon ElastiCache",
            Self::OnDemandHour(_) | Self::ReservedHour(_) => "Amazon Relational Database Service",
        }
    }

    /// Units of it in one unit of a bill's line: throughput is billed by the GiB a second.
    pub(in crate::cost) fn in_billed(&self, unit: &str) -> f64 {
        if matches!(self, Self::VolumeMibps(_)) && unit.eq_ignore_ascii_case("GiBps-mo") { 1_024.0 } else { 1.0 }
    }

    /// True for what is sold by the hour, false for what is sold by the month, or by use.
    pub fn is_by_hour(&self) -> bool {
        match self {
            Self::IdleAddressHour
            | Self::InstanceHour(_)
            | Self::NatGatewayHour
            | Self::InterfaceEndpointHour
            | Self::LoadBalancerHour(_)
            | Self::DatabaseHour(_)
            | Self::WarehouseHour(_)
            | Self::SearchHour(_)
            | Self::ReadCapacityHour
            | Self::WriteCapacityHour
            | Self::TaskVcpuHour { .. }
            | Self::TaskGbHour { .. }
            | Self::OnDemandHour(_)
            | Self::ReservedHour(_)
            | Self::CacheHour { .. } => true,
            Self::VolumeGib(_)
            | Self::VolumeIops(_)
            | Self::VolumeMibps(_)
            | Self::SnapshotGib
            | Self::NatGatewayGib
            | Self::LogGib
            | Self::ImageRepositoryGib
            | Self::SearchGib(_)
            | Self::Secret
            | Self::AlarmMetric { .. }
            | Self::ObjectGib(_)
            | Self::TieredObject
            | Self::DatabaseGib { .. }
            | Self::ReadRequest
            | Self::WriteRequest
            | Self::FunctionGbSecond { .. }
            | Self::DatabaseSnapshotGib => false,
        }
    }

    /// Units that a month has of it: 730 for what is sold by the hour, else 1.
    pub fn per_month(&self) -> f64 {
        if self.is_by_hour() { HOURS_PER_MONTH } else { 1.0 }
    }

    /// False where another service bills by the same usage type: logs, objects and images are all stored by the hour, and EKS has tasks
    /// on Fargate, too.
    pub(in crate::cost) fn is_told_by_its_usage_type(&self) -> bool {
        !matches!(
            self,
            Self::LogGib
                | Self::ImageRepositoryGib
                | Self::ObjectGib(StorageClass::Standard)
                | Self::TaskVcpuHour { .. }
                | Self::TaskGbHour { .. }
        )
    }
}

/// A type of nodes as the bill calls it: without what names the service.
fn search_node(kind: &str) -> &str {
    kind.strip_suffix(".search").or_else(|| kind.strip_suffix(".elasticsearch")).unwrap_or(kind)
}

/// What RDS calls a type of storage.
fn database_storage(kind: &str) -> String {
    match kind {
        "standard" => "StorageUsage".to_owned(),
        "io1" => "PIOPS-Storage".to_owned(),
        "io2" => "PIOPS-Storage-IO2".to_owned(),
        other => format!("{}-Storage", other.to_ascii_uppercase()),
    }
}

/// What the bill calls a type of volume: `io1` by its older name, the magnetic ones by none.
fn billed(kind: &str) -> String {
    match kind {
        "standard" => String::new(),
        "io1" => ".piops".to_owned(),
        other => format!(".{other}"),
    }
}
