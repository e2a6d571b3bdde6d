//! The estate: all kinds, of an application and of what belongs to none.

use crate::Cloud;
use aws::Estates;
use aws_sdk_ec2::types::{InstanceType, Tag, VpcEndpointType};
use config::Selector;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{APP_TAG, Alarm, Bucket, Live, ResourceKind, Watched};
use engine::ports::{Estates as _, Scope};
use std::collections::BTreeMap;

/// What is kept for later: a secret, a repository with an image that has lost its tag, a warehouse, a search domain, a bucket with an upload that nobody ended, an
/// alarm on an instance that is gone.
struct Kept {
    secret: String,
    repository: String,
    warehouse: String,
    domain: String,
    bucket: String,
    alarm: String,
}

/// What was made, by its names.
struct Made {
    volume: String,
    snapshot: String,
    address: String,
    machine: String,
    gateway: String,
    endpoint: String,
    group: String,
}

impl Cloud {
    async fn tag(&self, names: &[&String], tags: &[(&str, &str)]) {
        let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect();
        let names = names.iter().map(|name| (*name).clone()).collect();
        self.ec2().create_tags().set_resources(Some(names)).set_tags(Some(tags)).send().await.unwrap();
    }

    /// One of each kind; the gateway is the only one with a route.
    async fn things(&self) -> Made {
        let ec2 = self.ec2();
        let volume = self.gp2_volume().await;
        let snapshot = ec2.create_snapshot().volume_id(&volume).send().await.unwrap().snapshot_id.unwrap();
        let address = ec2.allocate_address().send().await.unwrap().allocation_id.unwrap();
        let request = ec2.run_instances().image_id("ami-0c55b159cbfafe1f0").instance_type(InstanceType::T3Micro);
        let run = request.min_count(1).max_count(1).send().await.unwrap();
        let machine = run.instances.unwrap().remove(0).instance_id.unwrap();
        let network = ec2.create_vpc().cidr_block("10.7.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
        let subnet = ec2.create_subnet().vpc_id(&network).cidr_block("10.7.1.0/24").send().await.unwrap();
        let subnet = subnet.subnet.unwrap().subnet_id.unwrap();
        let gateway = ec2.create_nat_gateway().subnet_id(&subnet).send().await.unwrap();
        let gateway = gateway.nat_gateway.unwrap().nat_gateway_id.unwrap();
        let request = ec2.create_vpc_endpoint().vpc_id(&network).service_name("com.amazonaws.us-east-1.logs");
        let request = request.vpc_endpoint_type(VpcEndpointType::Interface).subnet_ids(&subnet);
        let endpoint = request.send().await.unwrap().vpc_endpoint.unwrap().vpc_endpoint_id.unwrap();
        let table = ec2.create_route_table().vpc_id(network).send().await.unwrap();
        let table = table.route_table.unwrap().route_table_id.unwrap();
        let route = ec2.create_route().route_table_id(table).destination_cidr_block("0.0.0.0/0");
        route.nat_gateway_id(&gateway).send().await.unwrap();
        let group = format!("/{}/jobs", self.name);
        let logs = aws_sdk_cloudwatchlogs::Client::new(&self.config);
        logs.create_log_group().log_group_name(&group).send().await.unwrap();
        Made { volume, snapshot, address, machine, gateway, endpoint, group }
    }

    /// All with the tag of the application. The local cloud has no images of one's own.
    async fn kept(&self) -> Kept {
        let (app, ec2) = (self.name.as_str(), self.ec2());
        let secrets = aws_sdk_secretsmanager::Client::new(&self.config);
        let tag = aws_sdk_secretsmanager::types::Tag::builder().key(APP_TAG).value(app).build();
        let secret = format!("{app}/db");
        secrets.create_secret().name(&secret).secret_string("hidden").tags(tag).send().await.unwrap();
        let (repository, warehouse, domain) =
            (self.repository().await, self.warehouse().await, self.search_domain().await);
        let request = ec2.run_instances().image_id("ami-0c55b159cbfafe1f0").instance_type(InstanceType::T3Micro);
        let run = request.min_count(1).max_count(1).send().await.unwrap();
        let machine = run.instances.unwrap().remove(0).instance_id.unwrap();
        ec2.terminate_instances().instance_ids(&machine).send().await.unwrap();
        let bucket = format!("{app}-files");
        let s3 = self.clients.s3();
        s3.create_bucket().bucket(&bucket).send().await.unwrap();
        let tag = aws_sdk_s3::types::Tag::builder().key(APP_TAG).value(app).build().unwrap();
        let tags = aws_sdk_s3::types::Tagging::builder().tag_set(tag).build().unwrap();
        s3.put_bucket_tagging().bucket(&bucket).tagging(tags).send().await.unwrap();
        let all = aws_sdk_s3::types::MetricsConfiguration::builder().id("all").build().unwrap();
        let put = s3.put_bucket_metrics_configuration().bucket(&bucket).id("all").metrics_configuration(all);
        put.send().await.unwrap();
        let upload = s3.create_multipart_upload().bucket(&bucket).key("big").send().await.unwrap().upload_id.unwrap();
        let part = s3.upload_part().bucket(&bucket).key("big").upload_id(&upload).part_number(1);
        part.body(b"some bytes".to_vec().into()).send().await.unwrap();
        let cloudwatch = self.clients.cloudwatch();
        let alarm = format!("{app}-cpu");
        let dimension = aws_sdk_cloudwatch::types::Dimension::builder().name("InstanceId").value(&machine).build();
        let tag = aws_sdk_cloudwatch::types::Tag::builder().key(APP_TAG).value(app).build();
        let request =
            cloudwatch.put_metric_alarm().alarm_name(&alarm).namespace("AWS/EC2").metric_name("CPUUtilization");
        let request = request.statistic(aws_sdk_cloudwatch::types::Statistic::Average).period(60).evaluation_periods(1);
        let request = request.comparison_operator(aws_sdk_cloudwatch::types::ComparisonOperator::GreaterThanThreshold);
        request.threshold(90.0).dimensions(dimension).tags(tag).send().await.unwrap();
        Kept { secret, repository, warehouse, domain, bucket, alarm }
    }

    /// A warehouse of the application.
    async fn warehouse(&self) -> String {
        let name = format!("{}-facts", self.name);
        let tag = aws_sdk_redshift::types::Tag::builder().key(APP_TAG).value(&self.name).build();
        let create = self.clients.redshift().create_cluster().cluster_identifier(&name).node_type("ra3.xlplus");
        create.number_of_nodes(2).master_username("admin").tags(tag).send().await.unwrap();
        name
    }

    /// A search domain of the application.
    async fn search_domain(&self) -> String {
        use aws_sdk_opensearch::types::{ClusterConfig, EbsOptions, OpenSearchPartitionInstanceType, Tag, VolumeType};
        // Names of domains have 28 characters at most.
        let name = self.name.clone();
        let tag = Tag::builder().key(APP_TAG).value(&self.name).build().unwrap();
        let large = OpenSearchPartitionInstanceType::from("r6g.large.search");
        let config = ClusterConfig::builder().instance_type(large).instance_count(2).build();
        let volumes = EbsOptions::builder().ebs_enabled(true).volume_type(VolumeType::Gp3).volume_size(100).build();
        let create = self.clients.opensearch().create_domain().domain_name(&name).cluster_config(config);
        create.ebs_options(volumes).tag_list(tag).send().await.unwrap();
        name
    }

    /// A repository of the application in which a second image has taken the tag of the first.
    async fn repository(&self) -> String {
        let (name, ecr) = (format!("{}/web", self.name), self.clients.ecr());
        let tag = aws_sdk_ecr::types::Tag::builder().key(APP_TAG).value(&self.name).build().unwrap();
        ecr.create_repository().repository_name(&name).tags(tag).send().await.unwrap();
        for build in 0..2 {
            let manifest = format!(r#"{{"schemaVersion": 2, "layers": [], "build": {build}}}"#);
            let put = ecr.put_image().repository_name(&name).image_manifest(manifest).image_tag("latest");
            put.send().await.unwrap();
        }
        name
    }

    async fn survey(&self, scope: Scope) -> Vec<Item> {
        let estates = Estates::new(&self.clients, self.clock, "aws", "000000000000");
        let surveyed = estates.survey(&scope).await.unwrap();
        assert!(surveyed.unread.is_empty(), "{:?}", surveyed.unread);
        surveyed.items
    }
}

fn find<'a>(items: &'a [Item], name: &str) -> Option<&'a Item> {
    items.iter().find(|item| item.resource.name == name)
}

#[tokio::test]
async fn everything_of_an_application_is_found_and_nothing_of_it_is_the_rest() {
    let Some(cloud) = Cloud::connect("estate").await else { return };
    let made = cloud.things().await;
    let names = [&made.snapshot, &made.address, &made.machine, &made.gateway, &made.endpoint];
    let rest = cloud.survey(Scope::Rest).await;
    for name in names.into_iter().chain([&made.group]) {
        assert!(find(&rest, name).is_some(), "{name} belongs to nobody yet");
    }
    assert!(find(&rest, &made.volume).is_none());

    cloud.tag(&names, &[(APP_TAG, &cloud.name), ("terraform", "true")]).await;
    let selector = Selector {
        tags: BTreeMap::from([(APP_TAG.to_owned(), cloud.name.clone())]),
        resources: vec![ResourceId::new(format!("log_group/{}", made.group))],
    };
    let items = cloud.survey(Scope::App(selector)).await;
    let kinds: Vec<(ResourceKind, &str)> =
        items.iter().map(|item| (item.resource.kind(), item.resource.name.as_str())).collect();
    let expected = [
        (ResourceKind::Address, made.address.as_str()),
        (ResourceKind::Machine, &made.machine),
        (ResourceKind::NatGateway, &made.gateway),
        (ResourceKind::DiskSnapshot, &made.snapshot),
        (ResourceKind::Volume, &made.volume),
        (ResourceKind::InterfaceEndpoint, &made.endpoint),
        (ResourceKind::LogGroup, &made.group),
    ];
    assert_eq!(kinds, expected, "by id");
    let of = |name: &str| find(&items, name).unwrap();
    let id = of(&made.volume).resource.id.to_string();
    assert_eq!(id, format!("arn:aws:ec2:us-east-1:000000000000:volume/{}", made.volume));
    let id = of(&made.group).resource.id.to_string();
    assert_eq!(id, format!("arn:aws:logs:us-east-1:000000000000:log-group:{}", made.group));
    assert!(of(&made.snapshot).managed_by.is_some() && of(&made.volume).managed_by.is_none());
    assert!(of(&made.volume).created_at.is_some_and(|at| at <= cloud.now()));
    assert!(matches!(&of(&made.gateway).resource.live, Live::NatGateway(live) if live.has_routes));
    let Live::InterfaceEndpoint(endpoint) = &of(&made.endpoint).resource.live else { panic!("an endpoint") };
    assert_eq!((endpoint.subnets, endpoint.is_available, endpoint.is_cross_region), (1, true, false), "{endpoint:?}");
    let Live::Machine(machine) = &of(&made.machine).resource.live else { panic!("a machine") };
    assert_eq!((machine.instance_type.as_str(), machine.is_running, machine.volumes.len()), ("t3.micro", true, 1));
    let rest = cloud.survey(Scope::Rest).await;
    assert!(names.iter().all(|name| find(&rest, name).is_none()), "nothing of an application is the rest");
    assert!(find(&rest, &made.group).is_some(), "what is listed only carries no tag");
}

#[tokio::test]
async fn what_is_kept_for_later_is_found_with_what_is_known_of_its_use() {
    let Some(cloud) = Cloud::connect("kept").await else { return };
    let kept = cloud.kept().await;
    let tags = BTreeMap::from([(APP_TAG.to_owned(), cloud.name.clone())]);
    let items = cloud.survey(Scope::App(Selector { tags, resources: Vec::new() })).await;
    let of = |name: &str| &find(&items, name).unwrap_or_else(|| panic!("{name} is among {items:#?}")).resource.live;
    let Live::Secret(secret) = of(&kept.secret) else { panic!("a secret") };
    assert!(!secret.is_rotated && !secret.is_owned_by_service && !secret.is_replica, "{secret:?}");
    let Live::ImageRepository(repository) = of(&kept.repository) else { panic!("a repository") };
    let untagged: u32 = repository.untagged.iter().map(|of| of.images).sum();
    assert_eq!((repository.images, untagged), (2, 1), "{repository:?}");
    let is_open = !repository.has_lifecycle && !repository.is_lent && !repository.has_indexes;
    assert!(is_open && !repository.runs_untagged, "{repository:?}");
    let Live::Warehouse(warehouse) = of(&kept.warehouse) else { panic!("a warehouse") };
    assert!(warehouse.is_available && warehouse.nodes == 2 && !warehouse.is_shared, "{warehouse:?}");
    let Live::SearchDomain(domain) = of(&kept.domain) else { panic!("a search domain") };
    let storage = domain.storage.as_ref().map(|of| (of.volume_type.as_str(), of.size_gib));
    assert_eq!((domain.nodes.len(), storage, domain.is_steady), (1, Some(("gp3", 200)), true), "{domain:?}");
    let Live::Bucket(Bucket { uploads, ends_uploads: false, rules: 0, request_metrics: Some(_), .. }) =
        of(&kept.bucket)
    else {
        panic!("{items:#?}")
    };
    assert_eq!(uploads.iter().map(|upload| upload.bytes).collect::<Vec<_>>(), [Some(10)], "{uploads:?}");
    let Live::Alarm(Alarm { watched: Some(Watched { exists: false, .. }), without_data_since: Some(_), .. }) =
        of(&kept.alarm)
    else {
        panic!("the instance is gone: {items:#?}")
    };
    let rest = cloud.survey(Scope::Rest).await;
    let names = [&kept.secret, &kept.repository, &kept.warehouse, &kept.domain, &kept.bucket, &kept.alarm];
    assert!(names.iter().all(|name| find(&rest, name).is_none()), "nothing of an application is the rest");
}

#[tokio::test]
async fn a_stopped_machine_says_since_when_and_a_fleet_is_found_by_its_tag() {
    let Some(cloud) = Cloud::connect("machines and fleets").await else { return };
    let shop = cloud.shop().await;
    let made = cloud.things().await;
    cloud.tag(&[&made.machine], &[(APP_TAG, &cloud.name)]).await;
    cloud.ec2().stop_instances().instance_ids(&made.machine).send().await.unwrap();
    let tags = BTreeMap::from([(APP_TAG.to_owned(), cloud.name.clone())]);
    let items = cloud.survey(Scope::App(Selector { tags, resources: Vec::new() })).await;
    let Live::Machine(machine) = &find(&items, &made.machine).unwrap().resource.live else { panic!("a machine") };
    assert!(!machine.is_running && machine.since.is_some_and(|at| at <= cloud.now()), "{machine:?}");
    let fleet = find(&items, &shop.group).unwrap();
    assert!(matches!(&fleet.resource.live, Live::AutoScalingGroup(fleet) if fleet.desired == 2), "{fleet:?}");
    assert!(find(&cloud.survey(Scope::Rest).await, &shop.group).is_none());
}
