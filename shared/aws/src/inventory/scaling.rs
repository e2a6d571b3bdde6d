//! Smallest and largest task counts of ECS services, as their owner has set them in Application Auto Scaling.
//!
//! The SDK's client and not a signed request of our own: regions, partitions, retries and time-outs are then those of every
//! other call, and one operation of a client adds about 0.1 MB to a packed function.

use crate::errors::port_error;
use aws_sdk_applicationautoscaling::Client;
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalableTarget, ServiceNamespace};
use domain::resource::Service;
use engine::ports::{PortError, PortResult};
use std::collections::BTreeMap;

/// Services that one call asks about, and the largest page of its answer.
const PER_CALL: usize = 50;
const PAGE: i32 = 50;
const ACTION: &str = "application-autoscaling:DescribeScalableTargets";

/// The bounds of services, by `cluster/service`; a service without a scalable target has none.
pub(crate) type Bounds = BTreeMap<String, (u32, u32)>;

/// Bounds of these services, `cluster/service` each.
///
/// # Errors
/// When they can't be read: then nobody knows whether there are any.
pub(crate) async fn bounds(client: &Client, services: &[String]) -> PortResult<Bounds> {
    let mut bounds = Bounds::new();
    for some in services.chunks(PER_CALL) {
        let ids = some.iter().map(|service| format!("service/{service}")).collect();
        let mut pages = client
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .set_resource_ids(Some(ids))
            .max_results(PAGE)
            .into_paginator()
            .items()
            .send();
        while let Some(target) = pages.next().await {
            let target = target.map_err(|error| port_error(ACTION, &some.join(", "), &error))?;
            bounds.extend(of_target(&target));
        }
    }
    Ok(bounds)
}

fn of_target(target: &ScalableTarget) -> Option<(String, (u32, u32))> {
    let service = target.resource_id().strip_prefix("service/")?;
    let count = |capacity: i32| u32::try_from(capacity).unwrap_or(0);
    Some((service.to_owned(), (count(target.min_capacity()), count(target.max_capacity()))))
}

/// Notes the bounds of a service, or why they are not known.
pub(crate) fn note(service: &mut Service, name: &str, bounds: &PortResult<Bounds>) {
    match bounds {
        Ok(bounds) => service.bounds = bounds.get(&format!("{}/{name}", service.cluster)).copied(),
        Err(error) => service.bounds_missing = Some(PortError::missing(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Service as Scripted};
    use domain::observed::Missing;

    fn service() -> Service {
        Service {
            cluster: "shop".to_owned(),
            desired: 2,
            running: 2,
            deployment_in_progress: false,
            last_deployment_at: None,
            bounds: None,
            bounds_missing: None,
            min_healthy_pct: 100,
            max_pct: 200,
            fargate_task: None,
            tasks: domain::observed::Observed::Known(Vec::new()),
        }
    }

    #[tokio::test]
    async fn services_are_asked_about_in_batches_and_every_page_is_read() {
        let scripted = Scripted::new(|number, body| {
            let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
            assert_eq!(
                (&asked["ServiceNamespace"], &asked["ScalableDimension"]),
                (&"ecs".into(), &"ecs:service:DesiredCount".into())
            );
            let target = |id: &str| {
                serde_json::json!({"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount", "RoleARN": "r",
                    "ResourceId": id, "MinCapacity": 2, "MaxCapacity": 6, "CreationTime": 1.0})
            };
            let answer = match number {
                0 => serde_json::json!({"ScalableTargets": [target("service/shop/s0")], "NextToken": "more"}),
                1 => serde_json::json!({"ScalableTargets": [target("service/shop/s1")]}),
                _ => serde_json::json!({"ScalableTargets": [target("service/shop/s50")]}),
            };
            Answer(200, answer.to_string().into_bytes())
        });
        let names: Vec<String> = (0..51).map(|number| format!("shop/s{number}")).collect();
        let found = bounds(&scripted.clients().scaling(), &names).await.unwrap();
        assert_eq!((scripted.requests(), found.len()), (3, 3));
        let (mut bounded, mut free) = (service(), service());
        note(&mut bounded, "s50", &Ok(found.clone()));
        note(&mut free, "s2", &Ok(found));
        assert_eq!((bounded.bounds, free.bounds), (Some((2, 6)), None));
    }

    #[tokio::test]
    async fn fault_bounds_that_could_not_be_read_are_missing_and_never_none() {
        let scripted = Scripted::new(|_, _| Answer(429, Vec::new()));
        let answer = bounds(&scripted.clients().scaling(), &["shop/worker".to_owned()]).await;
        let mut unread = service();
        note(&mut unread, "worker", &answer);
        assert_eq!((unread.bounds, unread.bounds_missing), (None, Some(Missing::Throttled)));
    }

    #[tokio::test]
    async fn without_services_nobody_is_asked() {
        let scripted = Scripted::new(|_, _| Answer(429, Vec::new()));
        assert!(bounds(&scripted.clients().scaling(), &[]).await.unwrap().is_empty());
        assert_eq!(scripted.requests(), 0);
    }
}
