//! Creates the resources of one application through AWS's own operations, all tagged for it.
//!
//! The web group has a launch configuration instead of a launch template: the maintainer looks at neither.

use super::StudioError;
use super::planted;
use super::publish::publish;
use crate::cloud::Cloud;
use crate::model::{Datum, Names, Params, Value};
use crate::scenario::{Calendar, Disk, Fleet};
use aws_sdk_ec2::types::{InstanceType, ResourceType, TagSpecification, VolumeType};
use aws_sdk_ecs::types::{Compatibility, ContainerDefinition, KeyValuePair, LaunchType, NetworkMode, PropagateTags};
use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, ProtocolEnum};
use aws_sdk_ssm::types::{DocumentFormat, DocumentType};
use domain::resource::APP_TAG;
use jiff::{SignedDuration, Timestamp};

/// What was created.
#[derive(Clone, Debug, PartialEq)]
pub struct Resources {
    /// Names and CloudWatch dimensions.
    pub names: Names,
    /// Port of the application's real Redis.
    pub cache_port: u16,
    /// Port of its real Postgres, where it has one.
    pub postgres_port: Option<u16>,
}

/// Database class; its 4 GiB accept about 450 connections.
const DATABASE_CLASS: &str = "db.t4g.medium";
/// Size of the database's storage in GiB.
const STORAGE_GIB: i32 = 100;

/// The names of an application's resources; the load balancer's dimensions are known once it is created.
pub fn names_of(app: &str) -> Names {
    Names {
        target_group: String::new(),
        load_balancer: String::new(),
        group: format!("{app}-web"),
        cluster: app.to_owned(),
        service: format!("{app}-worker"),
        queue: format!("{app}-jobs"),
        cache: format!("{app}-cache"),
        database: format!("{app}-db"),
    }
}

/// Creates everything.
///
/// # Errors
/// When the cloud refuses a call.
pub async fn create(cloud: &Cloud, app: &str, params: &Params, cache_port: u16) -> Result<Resources, StudioError> {
    let mut names = names_of(app);
    let target_group = load_balancer(cloud, app, &mut names).await?;
    web_group(cloud, app, &names, params, &target_group).await?;
    workers(cloud, app, &names, params).await?;
    queue(cloud, app, &names).await?;
    cache(cloud, app, &names, cache_port).await?;
    database(cloud, app, &names).await?;
    Ok(Resources { names, cache_port, postgres_port: None })
}

/// Creates the disks of a scenario; attached ones share a machine that belongs to nobody's fleet.
///
/// # Errors
/// When the cloud refuses a call.
pub async fn disks(cloud: &Cloud, app: &str, disks: &[Disk]) -> Result<(), StudioError> {
    let mut host = None;
    for (disk, letter) in disks.iter().zip('f'..='p') {
        let tag = |key: &str, value: &str| aws_sdk_ec2::types::Tag::builder().key(key).value(value).build();
        let tags = TagSpecification::builder()
            .resource_type(ResourceType::Volume)
            .tags(tag(APP_TAG, app))
            .tags(tag("Name", &disk.name))
            .tags(tag(planted::TAG.0, planted::TAG.1))
            .build();
        let operation = "CreateVolume";
        let made = cloud
            .ec2()
            .create_volume()
            .availability_zone(format!("{}a", cloud.state.region))
            .volume_type(VolumeType::from(disk.volume_type.as_str()))
            .size(disk.size_gib)
            .tag_specifications(tags)
            .send()
            .await
            .map_err(StudioError::call(operation, &disk.name))?;
        let volume = made.volume_id().ok_or_else(|| StudioError::incomplete(operation, &disk.name, "an id"))?;
        if disk.attached {
            if host.is_none() {
                host = Some(machine(cloud, app).await?);
            }
            let attach = cloud.ec2().attach_volume().volume_id(volume).device(format!("/dev/sd{letter}"));
            let attached = attach.set_instance_id(host.clone()).send().await;
            attached.map_err(StudioError::call("AttachVolume", &disk.name))?;
        }
    }
    Ok(())
}

/// Creates the change calendars of a scenario.
///
/// # Errors
/// When the cloud refuses a call.
pub async fn calendars(cloud: &Cloud, app: &str, calendars: &[Calendar]) -> Result<(), StudioError> {
    let now_s = cloud.clock.now_s();
    let stamp = |at_s: f64| {
        let at = SignedDuration::try_from_secs_f64(at_s).ok().and_then(|at| Timestamp::from_duration(at).ok());
        at.unwrap_or(Timestamp::MAX).strftime("%Y%m%dT%H%M%SZ").to_string()
    };
    for calendar in calendars {
        let name = format!("{app}-{}", calendar.name);
        let (from, to) = (stamp(now_s - 3_600.0), stamp(now_s + 60.0 * calendar.closed_for_min));
        let content = format!(
            "BEGIN:VCALENDAR\nPRODID:-//AWS//Change Calendar 1.0//EN\nVERSION:2.0\nX-CALENDAR-TYPE:DEFAULT_OPEN\n\
             BEGIN:VEVENT\nUID:{name}\nDTSTAMP:{from}\nSUMMARY:no changes\nDTSTART:{from}\nDTEND:{to}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let create = cloud.ssm().create_document().name(&name).content(content);
        let create = create.document_type(DocumentType::ChangeCalendar).document_format(DocumentFormat::Text);
        create.send().await.map_err(StudioError::call("CreateDocument", &name))?;
    }
    Ok(())
}

/// Creates the fleets of a scenario, and publishes what CloudWatch would still have of them.
///
/// # Errors
/// When the cloud refuses a call.
pub async fn fleets(cloud: &Cloud, app: &str, fleets: &[Fleet]) -> Result<(), StudioError> {
    for fleet in fleets {
        let name = format!("{app}-{}", fleet.name);
        let mut tags = vec![(APP_TAG, app)];
        tags.extend(fleet.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        group(cloud, &name, (fleet.size, fleet.size, fleet.size), None, &tags).await?;
        if fleet.office_hours {
            publish(cloud, office_hours(cloud.clock.now_s(), &name)).await?;
        }
    }
    Ok(())
}

/// Hours of thirty days.
const HISTORY_H: u32 = 720;

/// The hottest CPU of each hour of thirty days until this moment, seconds since 1970.
fn office_hours(until_s: f64, group: &str) -> Vec<(f64, Datum)> {
    let hour = |ago: u32| {
        let at_s = until_s - until_s.rem_euclid(3_600.0) - 3_600.0 * f64::from(ago);
        // The epoch was a Thursday; Monday is 0.
        let (day, hour) = ((at_s / 86_400.0).floor() + 3.0, (at_s.rem_euclid(86_400.0) / 3_600.0).floor());
        let is_busy = day.rem_euclid(7.0) < 5.0 && (14.0..22.0).contains(&hour);
        let datum = Datum {
            namespace: "AWS/EC2",
            metric: "CPUUtilization",
            dimensions: vec![("AutoScalingGroupName", group.to_owned())],
            unit: "Percent",
            value: Value::One(if is_busy { 60.0 } else { 3.0 }),
        };
        (at_s, datum)
    };
    (1..=HISTORY_H).map(hour).collect()
}

/// A machine of its own.
async fn machine(cloud: &Cloud, app: &str) -> Result<String, StudioError> {
    let operation = "RunInstances";
    let run = cloud.ec2().run_instances().image_id("ami-00000001").instance_type(InstanceType::T3Micro);
    let made = run.min_count(1).max_count(1).send().await.map_err(StudioError::call(operation, app))?;
    let id = made.instances().first().and_then(|instance| instance.instance_id());
    id.map(str::to_owned).ok_or_else(|| StudioError::incomplete(operation, app, "an id"))
}

async fn load_balancer(cloud: &Cloud, app: &str, names: &mut Names) -> Result<String, StudioError> {
    let elb = cloud.elb();
    let tag = || aws_sdk_elasticloadbalancingv2::types::Tag::builder().key(APP_TAG).value(app).build();
    let operation = "CreateTargetGroup";
    let made = elb
        .create_target_group()
        .name(app)
        .protocol(ProtocolEnum::Http)
        .port(80)
        .vpc_id("vpc-00000001")
        .tags(tag())
        .send()
        .await
        .map_err(StudioError::call(operation, app))?;
    let target_group = made
        .target_groups()
        .first()
        .and_then(|group| group.target_group_arn())
        .ok_or_else(|| StudioError::incomplete(operation, app, "an ARN"))?
        .to_owned();
    let operation = "CreateLoadBalancer";
    let made = elb
        .create_load_balancer()
        .name(app)
        .subnets("subnet-a")
        .subnets("subnet-b")
        .tags(tag())
        .send()
        .await
        .map_err(StudioError::call(operation, app))?;
    let balancer = made
        .load_balancers()
        .first()
        .and_then(|balancer| balancer.load_balancer_arn())
        .ok_or_else(|| StudioError::incomplete(operation, app, "an ARN"))?
        .to_owned();
    let forward = Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(&target_group).build();
    elb.create_listener()
        .load_balancer_arn(&balancer)
        .protocol(ProtocolEnum::Http)
        .port(80)
        .default_actions(forward)
        .send()
        .await
        .map_err(StudioError::call("CreateListener", app))?;
    names.target_group = after(&target_group, ":").to_owned();
    names.load_balancer = after(&balancer, "loadbalancer/").to_owned();
    Ok(target_group)
}

/// The rest of an ARN after the last occurrence of a mark.
fn after<'a>(arn: &'a str, mark: &str) -> &'a str {
    arn.rsplit_once(mark).map_or(arn, |(_, rest)| rest)
}

async fn web_group(
    cloud: &Cloud,
    app: &str,
    names: &Names,
    params: &Params,
    target_group: &str,
) -> Result<(), StudioError> {
    let size = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let web = &params.web;
    let sizes = (size(web.min), size(web.max), size(web.servers));
    group(cloud, &names.group, sizes, Some(target_group), &[(APP_TAG, app), planted::TAG]).await
}

/// An Auto Scaling group with these smallest, largest and wanted sizes.
async fn group(
    cloud: &Cloud,
    name: &str,
    (min, max, desired): (i32, i32, i32),
    target_group: Option<&str>,
    tags: &[(&str, &str)],
) -> Result<(), StudioError> {
    let scaling = cloud.autoscaling();
    scaling
        .create_launch_configuration()
        .launch_configuration_name(name)
        .image_id("ami-00000001")
        .instance_type("t4g.small")
        .user_data(planted::USER_DATA)
        .send()
        .await
        .map_err(StudioError::call("CreateLaunchConfiguration", name))?;
    let tag = |(key, value): &(&str, &str)| {
        aws_sdk_autoscaling::types::Tag::builder()
            .key(*key)
            .value(*value)
            .resource_id(name)
            .resource_type("auto-scaling-group")
            .propagate_at_launch(true)
            .build()
    };
    scaling
        .create_auto_scaling_group()
        .auto_scaling_group_name(name)
        .launch_configuration_name(name)
        .min_size(min)
        .max_size(max)
        .desired_capacity(desired)
        .set_target_group_arns(target_group.map(|arn| vec![arn.to_owned()]))
        .availability_zones(format!("{}a", cloud.state.region))
        .availability_zones(format!("{}b", cloud.state.region))
        .set_tags(Some(tags.iter().map(tag).collect()))
        .send()
        .await
        .map_err(StudioError::call("CreateAutoScalingGroup", name))?;
    Ok(())
}

async fn workers(cloud: &Cloud, app: &str, names: &Names, params: &Params) -> Result<(), StudioError> {
    let ecs = cloud.ecs();
    let tag = || aws_sdk_ecs::types::Tag::builder().key(APP_TAG).value(app).build();
    ecs.create_cluster()
        .cluster_name(&names.cluster)
        .send()
        .await
        .map_err(StudioError::call("CreateCluster", &names.cluster))?;
    let variable = KeyValuePair::builder().name(planted::VARIABLE.0).value(planted::VARIABLE.1).build();
    let container = ContainerDefinition::builder().name("worker").image("shop/worker:1").memory(512);
    let container = container.environment(variable).build();
    ecs.register_task_definition()
        .family(&names.service)
        .container_definitions(container)
        .requires_compatibilities(Compatibility::Fargate)
        .network_mode(NetworkMode::Awsvpc)
        .cpu("512")
        .memory("1024")
        .send()
        .await
        .map_err(StudioError::call("RegisterTaskDefinition", &names.service))?;
    ecs.create_service()
        .cluster(&names.cluster)
        .service_name(&names.service)
        .task_definition(&names.service)
        .launch_type(LaunchType::Fargate)
        .desired_count(i32::try_from(params.workers.tasks).unwrap_or(i32::MAX))
        .tags(tag())
        .tags(aws_sdk_ecs::types::Tag::builder().key(planted::TAG.0).value(planted::TAG.1).build())
        .propagate_tags(PropagateTags::Service)
        .send()
        .await
        .map_err(StudioError::call("CreateService", &names.service))?;
    Ok(())
}

async fn queue(cloud: &Cloud, app: &str, names: &Names) -> Result<(), StudioError> {
    let created =
        cloud.sqs().create_queue().queue_name(&names.queue).tags(APP_TAG, app).tags(planted::TAG.0, planted::TAG.1);
    let created = created.send().await;
    created.map(drop).map_err(StudioError::call("CreateQueue", &names.queue))
}

async fn cache(cloud: &Cloud, app: &str, names: &Names, port: u16) -> Result<(), StudioError> {
    let created = cloud
        .elasticache()
        .create_cache_cluster()
        .cache_cluster_id(&names.cache)
        .engine("redis")
        .cache_node_type("cache.t4g.small")
        .num_cache_nodes(1)
        .port(i32::from(port))
        .tags(aws_sdk_elasticache::types::Tag::builder().key(APP_TAG).value(app).build())
        .send()
        .await;
    created.map(drop).map_err(StudioError::call("CreateCacheCluster", &names.cache))
}

async fn database(cloud: &Cloud, app: &str, names: &Names) -> Result<(), StudioError> {
    let created = cloud
        .rds()
        .create_db_instance()
        .db_instance_identifier(&names.database)
        .db_instance_class(DATABASE_CLASS)
        .engine("postgres")
        .allocated_storage(STORAGE_GIB)
        .master_username("studio")
        .master_user_password("metrics-only")
        .tags(aws_sdk_rds::types::Tag::builder().key(APP_TAG).value(app).build())
        .tags(aws_sdk_rds::types::Tag::builder().key(planted::TAG.0).value(planted::TAG.1).build())
        .send()
        .await;
    created.map(drop).map_err(StudioError::call("CreateDBInstance", &names.database))
}
