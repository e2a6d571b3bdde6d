//! Changes of the cost cycle, read back from the services.

use crate::actuator::{apply, change, unread};
use crate::{Cloud, later};
use aws::CostActuator;
use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification, VolumeType};
use domain::change::Action;
use domain::resource::{Address, DELETE_AFTER_TAG, DiskSnapshot, FINAL_SNAPSHOT_TAG, Live, LogGroup, Resource, Volume};
use domain::settle::{self, Effect};
use engine::ports::{Actuator as _, PortError};
use std::time::Duration;

/// Polls of a condition before it is taken for false.
const POLLS_MAX: u32 = 100;

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:ec2:us-east-1:000000000000:{kind}/{name}")
}

/// What is known of a thing before it is read: its kind and its name.
fn volume(name: &str) -> Resource {
    let live = Volume {
        volume_type: String::new(),
        size_gib: 0,
        iops: None,
        throughput_mibps: None,
        attached_to: Vec::new(),
        is_modifying: false,
        delete_after: None,
        final_snapshot: None,
    };
    unread(&arn("volume", name), name, Live::Volume(live))
}

fn address(name: &str) -> Resource {
    let live = Address { public_ip: String::new(), associated_with: None, delete_after: None };
    unread(&arn("elastic-ip", name), name, Live::Address(live))
}

fn snapshot(name: &str) -> Resource {
    let live = DiskSnapshot {
        volume: String::new(),
        volume_exists: true,
        size_gib: 0,
        images: Vec::new(),
        has_policy: false,
        delete_after: None,
    };
    unread(&arn("snapshot", name), name, Live::DiskSnapshot(live))
}

fn disk(resource: &Resource) -> &Volume {
    let Live::Volume(volume) = &resource.live else { panic!("{:?}", resource.live) };
    volume
}

impl Cloud {
    pub(crate) fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.config)
    }

    pub(crate) fn cost_actuator(&self) -> CostActuator {
        CostActuator::new(&self.clients, self.clock)
    }

    /// A new gp2 volume of 500 GiB that belongs to the application.
    pub(crate) async fn gp2_volume(&self) -> String {
        let tag = Tag::builder().key("maintainer:app").value(&self.name).build();
        let tags = TagSpecification::builder().resource_type(ResourceType::Volume).tags(tag).build();
        let request = self.ec2().create_volume().availability_zone("us-east-1a").size(500).tag_specifications(tags);
        request.volume_type(VolumeType::Gp2).send().await.unwrap().volume_id.unwrap()
    }

    /// Marks something of EC2 for a day that is over.
    async fn mark_in_the_past(&self, name: &str) {
        let tag = Tag::builder().key(DELETE_AFTER_TAG).value("2020-01-31").build();
        self.ec2().create_tags().resources(name).tags(tag).send().await.unwrap();
    }

    /// The mark that something of EC2 carries, from EC2 itself.
    async fn mark_of(&self, name: &str) -> Option<String> {
        let filters = [("resource-id", name), ("key", DELETE_AFTER_TAG)];
        let filters = filters.map(|(key, value)| Filter::builder().name(key).values(value).build());
        let tags = self.ec2().describe_tags().set_filters(Some(filters.to_vec())).send().await.unwrap().tags.unwrap();
        tags.into_iter().next().map(|tag| tag.value.unwrap())
    }

    /// Final snapshots of a volume, from EC2 itself.
    async fn final_snapshots(&self, volume: &str) -> Vec<String> {
        let filter = Filter::builder().name(format!("tag:{FINAL_SNAPSHOT_TAG}")).values(volume).build();
        let found = self.ec2().describe_snapshots().filters(filter).send().await.unwrap().snapshots.unwrap();
        found.into_iter().map(|snapshot| snapshot.snapshot_id.unwrap()).collect()
    }
}

/// Reads a volume until the condition holds.
async fn volume_where(actuator: &CostActuator, volume: &Resource, holds: impl Fn(&Volume) -> bool) -> Resource {
    let mut last = None;
    for _ in 0..POLLS_MAX {
        let read = actuator.live(volume).await.unwrap();
        if holds(disk(&read)) {
            return read;
        }
        last = Some(read);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the condition never held: {last:?}");
}

#[tokio::test]
async fn a_volume_becomes_gp3_and_can_not_go_back_before_it_has_rested() {
    let Some(cloud) = Cloud::connect("volume type").await else { return };
    let (actuator, name) = (cloud.cost_actuator(), cloud.gp2_volume().await);
    let before = actuator.live(&volume(&name)).await.unwrap();
    assert_eq!(before.tags.get("maintainer:app"), Some(&cloud.name), "tags are read with the state");
    let live = disk(&before);
    assert_eq!(
        (live.volume_type.as_str(), live.size_gib, live.iops, live.is_modifying),
        ("gp2", 500, Some(1_500), false)
    );
    let action = Action::SetVolumeType {
        volume: name.clone(),
        volume_type: "gp3".to_owned(),
        iops: 3_000,
        throughput_mibps: 250,
    };
    let set = change(action.clone(), &before);
    apply(&cloud, &actuator, &set, &before.live).await.unwrap();
    let during = actuator.live(&before).await.unwrap();
    assert_eq!(settle::effect(&action, &before.live, &during.live), Effect::Happened, "under way counts as made");
    assert!(disk(&during).is_modifying);
    let again = apply(&cloud, &actuator, &set, &before.live).await;
    assert!(matches!(again, Err(PortError::Conflict { .. })), "{again:?}");
    let found = cloud.ec2().describe_volumes().volume_ids(&name);
    for poll in 0.. {
        let volume = found.clone().send().await.unwrap().volumes.unwrap().remove(0);
        if volume.volume_type == Some(VolumeType::Gp3) {
            assert_eq!((volume.iops, volume.throughput), (Some(3_000), Some(250)));
            break;
        }
        assert!(poll < POLLS_MAX, "the volume never became gp3");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let undo = actuator.restore(&set, &before.live).await;
    assert!(matches!(undo, Err(PortError::Conflict { .. })), "{undo:?}");
}

#[tokio::test]
async fn a_volume_is_marked_copied_and_deleted_and_each_step_but_the_last_goes_back() {
    let Some(cloud) = Cloud::connect("volume deletion").await else { return };
    let (actuator, name) = (cloud.cost_actuator(), cloud.gp2_volume().await);
    let before = actuator.live(&volume(&name)).await.unwrap();

    let delete_after = later(cloud.now(), 14 * 86_400);
    let mark = change(Action::MarkForDeletion { arn: before.id.to_string(), delete_after }, &before);
    apply(&cloud, &actuator, &mark, &before.live).await.unwrap();
    assert_eq!(cloud.mark_of(&name).await, Some(delete_after.to_string()));
    assert_eq!(disk(&actuator.live(&before).await.unwrap()).delete_after, Some(delete_after));
    actuator.restore(&mark, &before.live).await.unwrap();
    assert_eq!(cloud.mark_of(&name).await, None);

    let copy = change(Action::SnapshotVolume { volume: name.clone() }, &before);
    apply(&cloud, &actuator, &copy, &before.live).await.unwrap();
    apply(&cloud, &actuator, &copy, &before.live).await.unwrap();
    assert_eq!(cloud.final_snapshots(&name).await.len(), 1, "twice is once");
    actuator.restore(&copy, &before.live).await.unwrap();
    assert!(cloud.final_snapshots(&name).await.is_empty());
    apply(&cloud, &actuator, &copy, &before.live).await.unwrap();

    cloud.mark_in_the_past(&name).await;
    let is_backed_up = |live: &Volume| live.final_snapshot.as_ref().is_some_and(|snapshot| snapshot.is_complete);
    let ready = volume_where(&actuator, &before, is_backed_up).await;
    let delete = change(Action::DeleteVolume { volume: name.clone() }, &ready);
    apply(&cloud, &actuator, &delete, &ready.live).await.unwrap();
    let gone = actuator.live(&before).await;
    assert!(matches!(gone, Err(PortError::Gone { .. })), "{gone:?}");
    let undo = actuator.restore(&delete, &ready.live).await;
    assert!(matches!(undo, Err(PortError::Rejected { .. })), "{undo:?}");
    assert_eq!(cloud.final_snapshots(&name).await.len(), 1, "the copy stays");
}

#[tokio::test]
async fn a_snapshot_is_deleted_unless_an_image_is_made_from_it() {
    let Some(cloud) = Cloud::connect("snapshot").await else { return };
    let (actuator, name) = (cloud.cost_actuator(), cloud.gp2_volume().await);
    let taken = cloud.ec2().create_snapshot().volume_id(&name).send().await.unwrap().snapshot_id.unwrap();
    cloud.mark_in_the_past(&taken).await;
    let before = actuator.live(&snapshot(&taken)).await.unwrap();
    let Live::DiskSnapshot(live) = &before.live else { panic!("{before:?}") };
    assert_eq!((live.volume.as_str(), live.volume_exists, live.size_gib), (name.as_str(), true, 500));
    assert!(live.images.is_empty() && live.delete_after.is_some());

    let disk = aws_sdk_ec2::types::EbsBlockDevice::builder().snapshot_id(&taken).build();
    let disk = aws_sdk_ec2::types::BlockDeviceMapping::builder().device_name("/dev/xvda").ebs(disk).build();
    let request = cloud.ec2().register_image().name(&cloud.name).root_device_name("/dev/xvda");
    let image = request.block_device_mappings(disk).send().await.unwrap().image_id.unwrap();
    let held = actuator.live(&before).await.unwrap();
    assert!(matches!(&held.live, Live::DiskSnapshot(live) if live.images == [image.clone()]), "{held:?}");
    let delete = change(Action::DeleteDiskSnapshot { snapshot: taken.clone() }, &before);
    let refused = apply(&cloud, &actuator, &delete, &before.live).await;
    assert!(matches!(refused, Err(PortError::Conflict { .. })), "{refused:?}");
    cloud.ec2().deregister_image().image_id(image).send().await.unwrap();
    apply(&cloud, &actuator, &delete, &before.live).await.unwrap();
    let gone = actuator.live(&before).await;
    assert!(matches!(gone, Err(PortError::Gone { .. })), "{gone:?}");
    let again = apply(&cloud, &actuator, &delete, &before.live).await;
    assert!(matches!(again, Err(PortError::Gone { .. })), "{again:?}");
}

#[tokio::test]
async fn an_address_is_marked_and_given_back() {
    let Some(cloud) = Cloud::connect("address").await else { return };
    let actuator = cloud.cost_actuator();
    let name = cloud.ec2().allocate_address().send().await.unwrap().allocation_id.unwrap();
    let before = actuator.live(&address(&name)).await.unwrap();
    assert!(
        matches!(&before.live, Live::Address(live) if live.associated_with.is_none() && live.delete_after.is_none())
    );
    cloud.mark_in_the_past(&name).await;
    let marked = actuator.live(&before).await.unwrap();
    let release = change(Action::ReleaseAddress { allocation: name.clone() }, &marked);
    apply(&cloud, &actuator, &release, &marked.live).await.unwrap();
    let gone = actuator.live(&before).await;
    assert!(matches!(gone, Err(PortError::Gone { .. })), "{gone:?}");
}

#[tokio::test]
async fn the_events_of_a_log_group_expire() {
    let Some(cloud) = Cloud::connect("log retention").await else { return };
    let (actuator, name) = (cloud.cost_actuator(), format!("/{}/web", cloud.name));
    let logs = aws_sdk_cloudwatchlogs::Client::new(&cloud.config);
    for name in [name.clone(), format!("{name}-2")] {
        logs.create_log_group().log_group_name(name).tags("maintainer:app", &cloud.name).send().await.unwrap();
    }
    let id = format!("arn:aws:logs:us-east-1:000000000000:log-group:{name}");
    let live = Live::LogGroup(LogGroup { retention_days: None, stored_bytes: 0 });
    let before = actuator.live(&unread(&id, &name, live)).await.unwrap();
    assert_eq!(before.tags.get("maintainer:app"), Some(&cloud.name), "tags are read with the state");
    let action = Action::SetLogRetention { group: name.clone(), days: 30 };
    let set = change(action.clone(), &before);
    apply(&cloud, &actuator, &set, &before.live).await.unwrap();
    let after = actuator.live(&before).await.unwrap();
    assert!(matches!(&after.live, Live::LogGroup(live) if live.retention_days == Some(30)), "{after:?}");
    assert_eq!(settle::effect(&action, &before.live, &after.live), Effect::Happened);
    logs.delete_log_group().log_group_name(&name).send().await.unwrap();
    let gone = actuator.live(&before).await;
    assert!(matches!(gone, Err(PortError::Gone { .. })), "{gone:?}");
}
