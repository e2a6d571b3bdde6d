//! Where CloudWatch keeps each quantity of each kind.

use super::Quantity;
use crate::resource::{Live, Resource, ResourceKind};
use std::borrow::Cow;

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

/// The dimensions by which CloudWatch knows a resource in a source: its name, and what else a metric is published with.
///
/// S3 publishes what is stored by its class, and requests by a filter of the bucket's owner (Amazon S3 User Guide, "Amazon S3 metrics and
/// dimensions"). PrivateLink publishes by four dimensions at once (AWS PrivateLink, "Endpoint metrics and dimensions"), ECS by service and
/// cluster ("Amazon ECS CloudWatch metrics"), Redshift queries by how long they lasted ("Performance data in Amazon Redshift"), OpenSearch by account
/// and domain ("Monitoring OpenSearch cluster metrics with Amazon CloudWatch").
pub fn dimensions(source: &Source, resource: &Resource) -> Vec<(Cow<'static, str>, String)> {
    let mut found = vec![(Cow::Borrowed(source.dimension), resource.name.clone())];
    if let Live::InterfaceEndpoint(endpoint) = &resource.live {
        let more = [("Endpoint Type", "Interface"), ("Service Name", &endpoint.service), ("VPC Id", &endpoint.vpc)];
        found.extend(more.map(|(name, value)| (Cow::Borrowed(name), value.to_owned())));
    }
    if let Live::Bucket(bucket) = &resource.live {
        let of_all = bucket.request_metrics.clone().unwrap_or_default();
        found.push(match source.quantity {
            Quantity::ObjectBytes => (Cow::Borrowed("StorageType"), "StandardStorage".to_owned()),
            Quantity::Objects => (Cow::Borrowed("StorageType"), "AllStorageTypes".to_owned()),
            _ => (Cow::Borrowed("FilterId"), of_all),
        });
    }
    if source.quantity == Quantity::Queries {
        found.push((Cow::Borrowed("latency"), "short".to_owned()));
    }
    if let Live::SearchDomain(domain) = &resource.live {
        found.push((Cow::Borrowed("ClientId"), domain.client.clone()));
    }
    if let Live::EcsService(service) = &resource.live {
        found.push((Cow::Borrowed("ClusterName"), service.cluster.clone()));
    }
    found
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
        quantity: Quantity::EndpointBytes,
        kind: ResourceKind::InterfaceEndpoint,
        namespace: "AWS/PrivateLinkEndpoints",
        metrics: &["BytesProcessed"],
        stat: "Sum",
        dimension: "VPC Endpoint Id",
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
        quantity: Quantity::Connections,
        kind: ResourceKind::Warehouse,
        namespace: "AWS/Redshift",
        metrics: &["DatabaseConnections"],
        stat: "Maximum",
        dimension: "ClusterIdentifier",
    },
    Source {
        quantity: Quantity::Queries,
        kind: ResourceKind::Warehouse,
        namespace: "AWS/Redshift",
        metrics: &["QueriesCompletedPerSecond"],
        stat: "Maximum",
        dimension: "ClusterIdentifier",
    },
    Source {
        quantity: Quantity::Searches,
        kind: ResourceKind::SearchDomain,
        namespace: "AWS/ES",
        metrics: &["SearchRate"],
        stat: "Maximum",
        dimension: "DomainName",
    },
    Source {
        quantity: Quantity::Indexings,
        kind: ResourceKind::SearchDomain,
        namespace: "AWS/ES",
        metrics: &["IndexingRate"],
        stat: "Maximum",
        dimension: "DomainName",
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
    Source {
        quantity: Quantity::ObjectBytes,
        kind: ResourceKind::Bucket,
        namespace: "AWS/S3",
        metrics: &["BucketSizeBytes"],
        stat: "Average",
        dimension: "BucketName",
    },
    Source {
        quantity: Quantity::Objects,
        kind: ResourceKind::Bucket,
        namespace: "AWS/S3",
        metrics: &["NumberOfObjects"],
        stat: "Average",
        dimension: "BucketName",
    },
    Source {
        quantity: Quantity::DownloadedBytes,
        kind: ResourceKind::Bucket,
        namespace: "AWS/S3",
        metrics: &["BytesDownloaded"],
        stat: "Sum",
        dimension: "BucketName",
    },
    // Of the hottest task, in per cent of its size.
    Source {
        quantity: Quantity::CpuPct,
        kind: ResourceKind::EcsService,
        namespace: "AWS/ECS",
        metrics: &["CPUUtilization"],
        stat: "Maximum",
        dimension: "ServiceName",
    },
    Source {
        quantity: Quantity::MemoryPct,
        kind: ResourceKind::EcsService,
        namespace: "AWS/ECS",
        metrics: &["MemoryUtilization"],
        stat: "Maximum",
        dimension: "ServiceName",
    },
    // Lambda Insights (CloudWatch User Guide, "Metrics collected by Lambda Insights") publishes where its extension is on.
    Source {
        quantity: Quantity::Invocations,
        kind: ResourceKind::Function,
        namespace: "AWS/Lambda",
        metrics: &["Invocations"],
        stat: "Sum",
        dimension: "FunctionName",
    },
    Source {
        quantity: Quantity::LongestMs,
        kind: ResourceKind::Function,
        namespace: "AWS/Lambda",
        metrics: &["Duration"],
        stat: "Maximum",
        dimension: "FunctionName",
    },
    Source {
        quantity: Quantity::BusyMs,
        kind: ResourceKind::Function,
        namespace: "AWS/Lambda",
        metrics: &["Duration"],
        stat: "Sum",
        dimension: "FunctionName",
    },
    Source {
        quantity: Quantity::UsedMb,
        kind: ResourceKind::Function,
        namespace: "LambdaInsights",
        metrics: &["used_memory_max"],
        stat: "Maximum",
        dimension: "function_name",
    },
    Source {
        quantity: Quantity::GivenMb,
        kind: ResourceKind::Function,
        namespace: "LambdaInsights",
        metrics: &["total_memory"],
        stat: "Maximum",
        dimension: "function_name",
    },
    Source {
        quantity: Quantity::CpuMs,
        kind: ResourceKind::Function,
        namespace: "LambdaInsights",
        metrics: &["cpu_total_time"],
        stat: "Sum",
        dimension: "function_name",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::fixture::{item, volume};
    use crate::resource::InterfaceEndpoint;

    fn of(resource: &Resource) -> Vec<(Cow<'static, str>, String)> {
        let source = SOURCES.iter().find(|source| source.kind == resource.kind()).unwrap();
        dimensions(source, resource)
    }

    #[test]
    fn a_resource_is_asked_for_by_its_name_and_what_else_it_publishes_with() {
        let disk = item("volume/vol-1", Live::Volume(volume("gp3", 8, &[]))).resource;
        assert_eq!(of(&disk), [(Cow::Borrowed("VolumeId"), "vol-1".to_owned())]);
        let live = InterfaceEndpoint {
            vpc: "vpc-1".to_owned(),
            service: "com.amazonaws.eu-central-1.logs".to_owned(),
            subnets: 1,
            is_available: true,
            is_requester_managed: false,
            is_cross_region: false,
            has_private_dns: true,
        };
        let mut found = of(&item("vpc-endpoint/vpce-1", Live::InterfaceEndpoint(live)).resource);
        found.sort();
        let expected = [
            ("Endpoint Type", "Interface"),
            ("Service Name", "com.amazonaws.eu-central-1.logs"),
            ("VPC Endpoint Id", "vpce-1"),
            ("VPC Id", "vpc-1"),
        ];
        assert_eq!(found, expected.map(|(name, value)| (Cow::Borrowed(name), value.to_owned())));
    }

    #[test]
    fn a_service_is_asked_for_by_its_cluster_too() {
        let live: Live =
            serde_json::from_value(serde_json::json!({"kind": "ecs_service", "cluster": "shop", "desired": 1,
            "running": 1, "deployment_in_progress": false, "last_deployment_at": null, "bounds": null}))
            .unwrap();
        let expected = [("ServiceName", "web"), ("ClusterName", "shop")];
        let expected = expected.map(|(name, value)| (Cow::Borrowed(name), value.to_owned()));
        assert_eq!(of(&item("service/web", live).resource), expected);
    }

    #[test]
    fn a_warehouse_is_asked_for_short_queries_and_a_search_domain_by_its_account() {
        let warehouse: Live =
            serde_json::from_value(serde_json::json!({"kind": "warehouse", "node_type": "ra3.xlplus",
            "nodes": 2, "is_available": true, "is_multi_az": false, "is_shared": false}))
            .unwrap();
        let search: Live =
            serde_json::from_value(serde_json::json!({"kind": "search_domain", "client": "111122223333",
            "engine": "OpenSearch_2.19", "nodes": [], "storage": null, "is_steady": true, "has_warm": false}))
            .unwrap();
        let of = |id: &str, live: &Live, quantity: Quantity| {
            let source = SOURCES.iter().find(|of| of.kind == live.kind() && of.quantity == quantity).unwrap();
            let found = dimensions(source, &item(id, live.clone()).resource).into_iter();
            found.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
        };
        assert_eq!(of("cluster/facts", &warehouse, Quantity::Connections), ["ClusterIdentifier=facts"]);
        assert_eq!(of("cluster/facts", &warehouse, Quantity::Queries), ["ClusterIdentifier=facts", "latency=short"]);
        for quantity in [Quantity::Searches, Quantity::Indexings] {
            assert_eq!(of("domain/logs", &search, quantity), ["DomainName=logs", "ClientId=111122223333"]);
        }
    }
}
