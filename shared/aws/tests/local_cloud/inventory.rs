//! Discovery by tag and by list.

use crate::Cloud;
use aws::Inventory;
use config::Selector;
use domain::ids::{AppId, ResourceId};
use domain::observed::Missing;
use domain::resource::{Live, ResourceKind};
use engine::ports::{Discovery, Inventory as _};
use std::collections::BTreeMap;

const TAG: &str = "maintainer:app";

/// What a test needs to know of the application that it set up.
pub(crate) struct Shop {
    pub(crate) group: String,
    pub(crate) cluster: String,
    pub(crate) service: String,
    pub(crate) queue_arn: String,
}

impl Cloud {
    /// An Auto Scaling group of two, an ECS service, a queue, a database, a load balancer with its target group and a
    /// cache, all tagged for an application of this test's name.
    pub(crate) async fn shop(&self) -> Shop {
        let shop = Shop {
            group: format!("{}-web", self.name),
            cluster: format!("{}-cluster", self.name),
            service: format!("{}-worker", self.name),
            queue_arn: self.queue().await,
        };
        let target_group = self.load_balancer().await;
        self.group(&shop.group, &target_group).await;
        self.service(&shop.cluster, &shop.service).await;
        self.database().await;
        self.cache().await;
        shop
    }

    async fn queue(&self) -> String {
        let client = aws_sdk_sqs::Client::new(&self.config);
        let name = format!("{}-jobs", self.name);
        client.create_queue().queue_name(&name).tags(TAG, &self.name).send().await.unwrap();
        format!("arn:aws:sqs:us-east-1:000000000000:{name}")
    }

    async fn load_balancer(&self) -> String {
        use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ProtocolEnum, Tag};
        let client = aws_sdk_elasticloadbalancingv2::Client::new(&self.config);
        let tag = || Tag::builder().key(TAG).value(&self.name).build();
        let name: String = self.name.chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
        let balancer =
            client.create_load_balancer().name(&name).subnets("subnet-1").subnets("subnet-2").tags(tag()).send().await;
        let balancer = balancer.unwrap().load_balancers.unwrap().remove(0).load_balancer_arn.unwrap();
        let request =
            client.create_target_group().name(&name).protocol(ProtocolEnum::Http).port(80).vpc_id("vpc-1").tags(tag());
        let group = request.send().await.unwrap().target_groups.unwrap().remove(0).target_group_arn.unwrap();
        let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(&group).build();
        client
            .create_listener()
            .load_balancer_arn(balancer)
            .protocol(ProtocolEnum::Http)
            .port(80)
            .default_actions(forward)
            .send()
            .await
            .unwrap();
        group
    }

    async fn group(&self, name: &str, target_group: &str) {
        let client = aws_sdk_autoscaling::Client::new(&self.config);
        let configuration = format!("{name}-lc");
        client
            .create_launch_configuration()
            .launch_configuration_name(&configuration)
            .image_id("ami-1")
            .instance_type("t3.micro")
            .send()
            .await
            .unwrap();
        let tag =
            aws_sdk_autoscaling::types::Tag::builder().key(TAG).value(&self.name).propagate_at_launch(true).build();
        client
            .create_auto_scaling_group()
            .auto_scaling_group_name(name)
            .launch_configuration_name(&configuration)
            .min_size(1)
            .max_size(4)
            .desired_capacity(2)
            .availability_zones("us-east-1a")
            .target_group_arns(target_group)
            .tags(tag)
            .send()
            .await
            .unwrap();
    }

    async fn service(&self, cluster: &str, name: &str) {
        use aws_sdk_ecs::types::{ContainerDefinition, Tag};
        let client = aws_sdk_ecs::Client::new(&self.config);
        client.create_cluster().cluster_name(cluster).send().await.unwrap();
        let container = ContainerDefinition::builder().name("worker").image("worker").memory(64).build();
        client.register_task_definition().family(name).container_definitions(container).send().await.unwrap();
        let tag = Tag::builder().key(TAG).value(&self.name).build();
        client
            .create_service()
            .cluster(cluster)
            .service_name(name)
            .task_definition(name)
            .desired_count(1)
            .tags(tag)
            .send()
            .await
            .unwrap();
        self.bound(cluster, name, 1, 4).await;
    }

    /// Bounds a service in Application Auto Scaling.
    pub(crate) async fn bound(&self, cluster: &str, name: &str, min: i32, max: i32) {
        use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
        aws_sdk_applicationautoscaling::Client::new(&self.config)
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .scalable_dimension(ScalableDimension::EcsServiceDesiredCount)
            .resource_id(format!("service/{cluster}/{name}"))
            .min_capacity(min)
            .max_capacity(max)
            .send()
            .await
            .unwrap();
    }

    async fn database(&self) {
        let client = aws_sdk_rds::Client::new(&self.config);
        let tag = aws_sdk_rds::types::Tag::builder().key(TAG).value(&self.name).build();
        client
            .create_db_instance()
            .db_instance_identifier(format!("{}-db", self.name))
            .engine("postgres")
            .db_instance_class("db.t4g.medium")
            .allocated_storage(20)
            .master_username("shop")
            .master_user_password("not-a-secret")
            .tags(tag)
            .send()
            .await
            .unwrap();
    }

    async fn cache(&self) {
        let client = aws_sdk_elasticache::Client::new(&self.config);
        let tag = aws_sdk_elasticache::types::Tag::builder().key(TAG).value(&self.name).build();
        let id = format!("{}-cache", self.name);
        client
            .create_cache_cluster()
            .cache_cluster_id(id)
            .engine("redis")
            .num_cache_nodes(1)
            .cache_node_type("cache.t4g.small")
            .tags(tag)
            .send()
            .await
            .unwrap();
    }
}

/// What was found. Its state moves on with the cloud's clock.
fn ids(found: &Discovery) -> Vec<&ResourceId> {
    found.resources.iter().map(|resource| &resource.id).collect()
}

#[tokio::test]
async fn everything_that_is_tagged_for_an_application_is_found_with_its_state() {
    let Some(cloud) = Cloud::connect("discovery by tag").await else { return };
    let shop = cloud.shop().await;
    let inventory = Inventory::new(&cloud.clients);
    let selector = Selector { tags: BTreeMap::from([(TAG.to_owned(), cloud.name.clone())]), ..Selector::default() };
    let found = inventory.discover(&selector).await.unwrap();
    assert_eq!(found.undiscovered, [], "everything could be read");
    let of = |kind: ResourceKind| {
        found.resources.iter().find(|resource| resource.kind() == kind).unwrap_or_else(|| panic!("no {kind}"))
    };

    let Live::AutoScalingGroup(fleet) = &of(ResourceKind::AutoScalingGroup).live else { panic!() };
    assert_eq!((fleet.min, fleet.max, fleet.desired, fleet.instances.len()), (1, 4, 2, 2));
    let types: Vec<Option<&str>> = fleet.instances.iter().map(|instance| instance.instance_type.as_deref()).collect();
    assert_eq!(types, [Some("t3.micro"); 2]);
    assert_eq!(of(ResourceKind::AutoScalingGroup).name, shop.group);
    let Live::EcsService(service) = &of(ResourceKind::EcsService).live else { panic!() };
    assert_eq!((service.cluster.as_str(), service.desired), (shop.cluster.as_str(), 1));
    assert_eq!((service.bounds, service.min_healthy_pct, service.max_pct), (Some((1, 4)), 100, 200));
    let Live::TargetGroup { target_group, load_balancer } = &of(ResourceKind::TargetGroup).live else { panic!() };
    assert!(
        target_group.starts_with("targetgroup/") && load_balancer.starts_with("app/"),
        "{target_group} {load_balancer}"
    );
    assert_eq!(fleet.target_groups, [of(ResourceKind::TargetGroup).id.clone()]);
    let Live::Database(database) = &of(ResourceKind::Database).live else { panic!() };
    assert_eq!((database.connections_max, database.storage_bytes), (Some(450.0), Some(20.0 * 1_073_741_824.0)));
    let Live::Cache(cache) = &of(ResourceKind::Cache).live else { panic!() };
    assert_eq!(
        (cache.engine.as_str(), cache.nodes.as_slice()),
        ("redis", [format!("{}-cache", cloud.name)].as_slice())
    );
    assert_eq!(of(ResourceKind::Queue).id.as_str(), shop.queue_arn);
    assert!(found.resources.is_sorted_by(|a, b| a.id < b.id));
    assert!(found.resources.iter().all(|resource| resource.tags.get(TAG) == Some(&cloud.name)), "tags come along");

    let apps = inventory.tagged_apps().await.unwrap();
    assert!(apps.contains(&AppId::new(&cloud.name)));
    assert_eq!(ids(&inventory.discover(&selector).await.unwrap()), ids(&found), "the same world, the same order");
}

#[tokio::test]
async fn any_value_of_a_tag_matches_a_star_and_all_tags_must_match() {
    let Some(cloud) = Cloud::connect("discovery by star").await else { return };
    let shop = cloud.shop().await;
    let inventory = Inventory::new(&cloud.clients);
    let mut selector = Selector { tags: BTreeMap::from([(TAG.to_owned(), "*".to_owned())]), ..Selector::default() };
    let found = inventory.discover(&selector).await.unwrap();
    assert!(found.resources.iter().any(|resource| resource.id.as_str() == shop.queue_arn));
    assert!(found.resources.iter().any(|resource| resource.name == shop.group));
    selector.tags.insert("stage".to_owned(), cloud.name.clone());
    assert!(inventory.discover(&selector).await.unwrap().resources.is_empty());
}

#[tokio::test]
async fn what_is_tagged_and_listed_is_found_once() {
    let Some(cloud) = Cloud::connect("tagged and listed").await else { return };
    let shop = cloud.shop().await;
    let inventory = Inventory::new(&cloud.clients);
    let mut selector = Selector { tags: BTreeMap::from([(TAG.to_owned(), cloud.name.clone())]), ..Selector::default() };
    let tagged = inventory.discover(&selector).await.unwrap();
    let listed = [
        shop.queue_arn,
        format!("auto_scaling_group/{}", shop.group),
        format!("ecs_service/{}/{}", shop.cluster, shop.service),
        format!("database/{}-db", cloud.name),
    ];
    selector.resources = listed.iter().map(ResourceId::new).collect();
    assert_eq!(ids(&inventory.discover(&selector).await.unwrap()), ids(&tagged));
}

#[tokio::test]
async fn an_empty_selector_selects_nothing() {
    let Some(cloud) = Cloud::connect("empty selector").await else { return };
    let found = Inventory::new(&cloud.clients).discover(&Selector::default()).await.unwrap();
    assert!(found.resources.is_empty() && found.undiscovered.is_empty());
}

#[tokio::test]
async fn listed_resources_are_found_and_those_that_are_gone_are_named() {
    let Some(cloud) = Cloud::connect("discovery by list").await else { return };
    let shop = cloud.shop().await;
    let list = [
        shop.queue_arn.clone(),
        format!("auto_scaling_group/{}", shop.group),
        format!("arn:aws:ecs:us-east-1:000000000000:service/{}/{}", shop.cluster, shop.service),
        format!("database/{}-db", cloud.name),
        format!("cache/{}-cache", cloud.name),
        "auto_scaling_group/nobody".to_owned(),
        "database/nobody".to_owned(),
        "cache/nobody".to_owned(),
        format!("arn:aws:ecs:us-east-1:000000000000:service/{}/nobody", shop.cluster),
        "target_group/shop".to_owned(),
    ];
    let selector = Selector { resources: list.iter().map(ResourceId::new).collect(), ..Selector::default() };
    let found = Inventory::new(&cloud.clients).discover(&selector).await.unwrap();
    let mut expected: Vec<&str> = list[..5].iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(found.resources.iter().map(|resource| resource.id.as_str()).collect::<Vec<_>>(), expected);
    let gone: Vec<ResourceKind> = found.undiscovered.iter().map(|(kind, _)| *kind).collect();
    let (fleet, service, group) = (ResourceKind::AutoScalingGroup, ResourceKind::EcsService, ResourceKind::TargetGroup);
    assert_eq!(gone, [fleet, service, group, ResourceKind::Database, ResourceKind::Cache]);
    for (kind, missing) in &found.undiscovered {
        match kind {
            ResourceKind::TargetGroup => assert!(matches!(missing, Missing::Failed(why) if why.contains("ARN"))),
            _ => assert_eq!(*missing, Missing::Gone),
        }
    }
    let queue = found.resources.iter().find(|resource| resource.kind() == ResourceKind::Queue).unwrap();
    assert_eq!(queue.tags.get(TAG), Some(&cloud.name), "tags of listed resources are read too");
}
