//! By which dimensions CloudWatch knows a resource.

use super::{Quantity, Source};
use crate::resource::{Live, Resource};
use std::borrow::Cow;

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

#[cfg(test)]
mod tests {
    use super::super::SOURCES;
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
