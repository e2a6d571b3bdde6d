//! Where CloudWatch keeps each quantity of each kind.

use super::Quantity;
use crate::resource::ResourceKind;

/// Where a quantity is published.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Quantity.
    pub quantity: Quantity,
    /// Kind of resource.
    pub kind: ResourceKind,
    /// CloudWatch namespace.
    pub namespace: &'static str,
    /// Metrics; several are added up.
    pub metrics: &'static [&'static str],
    /// Statistic of a period.
    pub stat: &'static str,
    /// Dimension whose value is the name of the resource.
    pub dimension: &'static str,
}

/// Every quantity of every kind.
pub const SOURCES: &[Source] = &[
    Source {
        quantity: Quantity::DiskOps,
        kind: ResourceKind::Volume,
        namespace: "AWS/EBS",
        metrics: &["VolumeReadOps", "VolumeWriteOps"],
        stat: "Sum",
        dimension: "VolumeId",
    },
    Source {
        quantity: Quantity::CpuPct,
        kind: ResourceKind::AutoScalingGroup,
        namespace: "AWS/EC2",
        metrics: &["CPUUtilization"],
        stat: "Maximum",
        dimension: "AutoScalingGroupName",
    },
    Source {
        quantity: Quantity::MemoryPct,
        kind: ResourceKind::AutoScalingGroup,
        namespace: "CWAgent",
        metrics: &["mem_used_percent"],
        stat: "Maximum",
        dimension: "AutoScalingGroupName",
    },
    Source {
        quantity: Quantity::CpuPct,
        kind: ResourceKind::Machine,
        namespace: "AWS/EC2",
        metrics: &["CPUUtilization"],
        stat: "Maximum",
        dimension: "InstanceId",
    },
    Source {
        quantity: Quantity::MemoryPct,
        kind: ResourceKind::Machine,
        namespace: "CWAgent",
        metrics: &["mem_used_percent"],
        stat: "Maximum",
        dimension: "InstanceId",
    },
    Source {
        quantity: Quantity::NetworkBytes,
        kind: ResourceKind::Machine,
        namespace: "AWS/EC2",
        metrics: &["NetworkIn", "NetworkOut"],
        stat: "Sum",
        dimension: "InstanceId",
    },
    Source {
        quantity: Quantity::NatBytes,
        kind: ResourceKind::NatGateway,
        namespace: "AWS/NATGateway",
        metrics: &["BytesOutToDestination", "BytesInFromSource"],
        stat: "Sum",
        dimension: "NatGatewayId",
    },
    Source {
        quantity: Quantity::LogBytes,
        kind: ResourceKind::LogGroup,
        namespace: "AWS/Logs",
        metrics: &["IncomingBytes"],
        stat: "Sum",
        dimension: "LogGroupName",
    },
    // A request counts as such once a target is chosen; redirects and fixed answers have none.
    Source {
        quantity: Quantity::Requests,
        kind: ResourceKind::LoadBalancer,
        namespace: "AWS/ApplicationELB",
        metrics: &["RequestCount", "HTTP_Redirect_Count", "HTTP_Fixed_Response_Count"],
        stat: "Sum",
        dimension: "LoadBalancer",
    },
    Source {
        quantity: Quantity::BalancerBytes,
        kind: ResourceKind::LoadBalancer,
        namespace: "AWS/ApplicationELB",
        metrics: &["ProcessedBytes"],
        stat: "Sum",
        dimension: "LoadBalancer",
    },
    Source {
        quantity: Quantity::Requests,
        kind: ResourceKind::NetworkLoadBalancer,
        namespace: "AWS/NetworkELB",
        metrics: &["NewFlowCount"],
        stat: "Sum",
        dimension: "LoadBalancer",
    },
    Source {
        quantity: Quantity::BalancerBytes,
        kind: ResourceKind::NetworkLoadBalancer,
        namespace: "AWS/NetworkELB",
        metrics: &["ProcessedBytes"],
        stat: "Sum",
        dimension: "LoadBalancer",
    },
    Source {
        quantity: Quantity::Requests,
        kind: ResourceKind::ClassicLoadBalancer,
        namespace: "AWS/ELB",
        metrics: &["RequestCount"],
        stat: "Sum",
        dimension: "LoadBalancerName",
    },
    Source {
        quantity: Quantity::BalancerBytes,
        kind: ResourceKind::ClassicLoadBalancer,
        namespace: "AWS/ELB",
        metrics: &["EstimatedProcessedBytes"],
        stat: "Sum",
        dimension: "LoadBalancerName",
    },
    Source {
        quantity: Quantity::CpuPct,
        kind: ResourceKind::Database,
        namespace: "AWS/RDS",
        metrics: &["CPUUtilization"],
        stat: "Maximum",
        dimension: "DBInstanceIdentifier",
    },
    Source {
        quantity: Quantity::Connections,
        kind: ResourceKind::Database,
        namespace: "AWS/RDS",
        metrics: &["DatabaseConnections"],
        stat: "Maximum",
        dimension: "DBInstanceIdentifier",
    },
    Source {
        quantity: Quantity::FreeableBytes,
        kind: ResourceKind::Database,
        namespace: "AWS/RDS",
        metrics: &["FreeableMemory"],
        stat: "Minimum",
        dimension: "DBInstanceIdentifier",
    },
    Source {
        quantity: Quantity::CpuPct,
        kind: ResourceKind::Cache,
        namespace: "AWS/ElastiCache",
        metrics: &["CPUUtilization"],
        stat: "Maximum",
        dimension: "CacheClusterId",
    },
    Source {
        quantity: Quantity::MemoryPct,
        kind: ResourceKind::Cache,
        namespace: "AWS/ElastiCache",
        metrics: &["DatabaseMemoryUsagePercentage"],
        stat: "Maximum",
        dimension: "CacheClusterId",
    },
    Source {
        quantity: Quantity::Connections,
        kind: ResourceKind::Cache,
        namespace: "AWS/ElastiCache",
        metrics: &["CurrConnections"],
        stat: "Maximum",
        dimension: "CacheClusterId",
    },
    // Redis and Valkey publish the first four, Memcached the others.
    Source {
        quantity: Quantity::Commands,
        kind: ResourceKind::Cache,
        namespace: "AWS/ElastiCache",
        metrics: &["GetTypeCmds", "SetTypeCmds", "EvalBasedCmds", "PubSubBasedCmds", "CmdGet", "CmdSet"],
        stat: "Sum",
        dimension: "CacheClusterId",
    },
    Source {
        quantity: Quantity::ReadUnits,
        kind: ResourceKind::Table,
        namespace: "AWS/DynamoDB",
        metrics: &["ConsumedReadCapacityUnits"],
        stat: "Sum",
        dimension: "TableName",
    },
    Source {
        quantity: Quantity::WriteUnits,
        kind: ResourceKind::Table,
        namespace: "AWS/DynamoDB",
        metrics: &["ConsumedWriteCapacityUnits"],
        stat: "Sum",
        dimension: "TableName",
    },
    Source {
        quantity: Quantity::ReadCapacity,
        kind: ResourceKind::Table,
        namespace: "AWS/DynamoDB",
        metrics: &["ProvisionedReadCapacityUnits"],
        stat: "Average",
        dimension: "TableName",
    },
    Source {
        quantity: Quantity::WriteCapacity,
        kind: ResourceKind::Table,
        namespace: "AWS/DynamoDB",
        metrics: &["ProvisionedWriteCapacityUnits"],
        stat: "Average",
        dimension: "TableName",
    },
];
