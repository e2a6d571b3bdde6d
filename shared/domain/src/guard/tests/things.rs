//! Guards on disks, addresses and logs, on both sides of their bounds.

use crate::change::Action;
use crate::guard::Refusal;
use crate::guard::things::scope;
use crate::resource::{Address, DiskSnapshot, FinalSnapshot, Live, LogGroup, Volume};
use jiff::{SignedDuration, Timestamp};

const NOW: Timestamp = Timestamp::constant(1_767_571_200, 0);

fn in_s(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

fn volume() -> Volume {
    Volume {
        volume_type: "gp2".to_owned(),
        size_gib: 2_000,
        iops: Some(6_000),
        throughput_mibps: None,
        attached_to: Vec::new(),
        is_modifying: false,
        delete_after: None,
        final_snapshot: None,
    }
}

fn says(action: &Action, live: Live) -> Result<(), Refusal> {
    scope(action, &live, NOW).expect("a change of such a thing")
}

fn gp3(iops: u32, throughput_mibps: u32) -> Action {
    Action::SetVolumeType { volume: "v".to_owned(), volume_type: "gp3".to_owned(), iops, throughput_mibps }
}

#[test]
fn a_volume_never_gets_less_than_it_has_or_than_its_type_includes() {
    let of = |action: Action, volume: Volume| says(&action, Live::Volume(volume));
    assert_eq!(of(gp3(6_000, 125), volume()), Ok(()));
    assert!(matches!(of(gp3(5_999, 125), volume()), Err(Refusal::LessThanToday { wanted: 5_999, floor: 6_000, .. })));
    let small = Volume { iops: Some(300), ..volume() };
    assert!(matches!(of(gp3(2_999, 125), small.clone()), Err(Refusal::LessThanToday { floor: 3_000, .. })));
    assert!(matches!(of(gp3(3_000, 124), small), Err(Refusal::LessThanToday { floor: 125, .. })));
    let busy = Volume { is_modifying: true, ..volume() };
    assert!(matches!(of(gp3(6_000, 125), busy), Err(Refusal::Busy { .. })));
    let done = Volume { volume_type: "gp3".to_owned(), ..volume() };
    assert!(matches!(of(gp3(6_000, 125), done), Err(Refusal::NothingToDo { .. })));
}

#[test]
fn only_what_nothing_uses_is_marked_once_and_for_a_day_to_come() {
    let mark = |delete_after| Action::MarkForDeletion { arn: "v".to_owned(), delete_after };
    assert_eq!(says(&mark(in_s(1)), Live::Volume(volume())), Ok(()));
    assert!(matches!(says(&mark(NOW), Live::Volume(volume())), Err(Refusal::Grace { .. })), "no time to keep it");
    let used = Volume { attached_to: vec!["i-1".to_owned()], ..volume() };
    assert!(matches!(says(&mark(in_s(1)), Live::Volume(used)), Err(Refusal::InUse { by }) if by == "i-1"));
    let marked = Volume { delete_after: Some(in_s(9)), ..volume() };
    assert!(matches!(says(&mark(in_s(1)), Live::Volume(marked)), Err(Refusal::NothingToDo { .. })));
    let address = |associated_with: Option<&str>| {
        let associated_with = associated_with.map(str::to_owned);
        Live::Address(Address { public_ip: "192.0.2.1".to_owned(), associated_with, delete_after: None })
    };
    assert_eq!(says(&mark(in_s(1)), address(None)), Ok(()));
    assert!(matches!(says(&mark(in_s(1)), address(Some("i-2"))), Err(Refusal::InUse { .. })));
    assert!(scope(&mark(in_s(1)), &Live::Queue, NOW).is_none(), "a queue can't be marked");
}

#[test]
fn a_volume_is_deleted_unused_marked_after_its_grace_and_copied_whole() {
    let delete = Action::DeleteVolume { volume: "v".to_owned() };
    let copy = |is_complete| Some(FinalSnapshot { id: "snap".to_owned(), is_complete });
    let ready = || Volume { delete_after: Some(NOW), final_snapshot: copy(true), ..volume() };
    let of = |volume: Volume| says(&delete, Live::Volume(volume));
    assert_eq!(of(ready()), Ok(()));
    assert_eq!(of(Volume { delete_after: None, ..ready() }), Err(Refusal::NotMarked), "its owner keeps it");
    assert!(matches!(of(Volume { delete_after: Some(in_s(1)), ..ready() }), Err(Refusal::Grace { .. })));
    assert!(matches!(of(Volume { final_snapshot: None, ..ready() }), Err(Refusal::NoBackup { .. })));
    assert!(matches!(of(Volume { final_snapshot: copy(false), ..ready() }), Err(Refusal::NoBackup { .. })));
    let used = Volume { attached_to: vec!["i-1".to_owned()], ..ready() };
    assert!(matches!(of(used), Err(Refusal::InUse { .. })), "attached since it was planned");
}

#[test]
fn copies_snapshots_and_addresses_have_the_same_terms() {
    let copy = Action::SnapshotVolume { volume: "v".to_owned() };
    assert_eq!(says(&copy, Live::Volume(volume())), Ok(()));
    let copied = Volume { final_snapshot: Some(FinalSnapshot { id: "s".to_owned(), is_complete: false }), ..volume() };
    assert!(matches!(says(&copy, Live::Volume(copied)), Err(Refusal::NothingToDo { .. })));
    let snapshot = |images: Vec<String>, delete_after| {
        Live::DiskSnapshot(DiskSnapshot {
            volume: "v".to_owned(),
            volume_exists: false,
            size_gib: 8,
            images,
            has_policy: false,
            delete_after,
        })
    };
    let delete = Action::DeleteDiskSnapshot { snapshot: "s".to_owned() };
    assert_eq!(says(&delete, snapshot(Vec::new(), Some(NOW))), Ok(()));
    assert_eq!(says(&delete, snapshot(Vec::new(), None)), Err(Refusal::NotMarked));
    assert!(matches!(says(&delete, snapshot(vec!["ami-1".to_owned()], Some(NOW))), Err(Refusal::InUse { .. })));
    let address = |delete_after| {
        Live::Address(Address { public_ip: "192.0.2.1".to_owned(), associated_with: None, delete_after })
    };
    let release = Action::ReleaseAddress { allocation: "a".to_owned() };
    assert_eq!(says(&release, address(Some(NOW))), Ok(()));
    assert!(matches!(says(&release, address(Some(in_s(60)))), Err(Refusal::Grace { .. })));
}

#[test]
fn retention_is_only_made_shorter_and_never_nothing() {
    let keep = |days| Action::SetLogRetention { group: "g".to_owned(), days };
    let group = |retention_days| Live::LogGroup(LogGroup { retention_days, stored_bytes: 1 });
    assert_eq!(says(&keep(90), group(None)), Ok(()));
    assert_eq!(says(&keep(90), group(Some(91))), Ok(()));
    assert!(matches!(says(&keep(90), group(Some(90))), Err(Refusal::NothingToDo { .. })));
    assert!(matches!(says(&keep(0), group(None)), Err(Refusal::LessThanToday { .. })));
}
