//! Every rule on both sides of its bounds, and what holds for all of them.

mod balancers;
mod caches;
mod capacity_mode;
mod containers;
mod databases;
mod endpoints;
mod forgotten;
mod functions;
mod load;
mod logs;
mod nat;
mod reserved_capacity;
mod savings_plan;
mod search_domains;
mod services;
mod small;
mod spot;
mod unused;
mod volume_io;
mod warehouses;

use crate::change::Action;
use crate::cost::estate::{Item, Template};
use crate::cost::fixture::{NOW, days_ago, found, history, item, unread, volume};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::Remedy;
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{FinalSnapshot, Fleet, Instance, Live, Machine, PROTECTED_TAG, Volume};

/// A running machine of this type.
fn a_machine(instance_type: &str) -> Machine {
    Machine {
        instance_type: instance_type.to_owned(),
        is_running: true,
        since: Some(days_ago(200)),
        volumes: vec!["vol-1".to_owned()],
        architecture: "x86_64".to_owned(),
    }
}

/// A fleet of this many members of this type, all of them serving.
fn a_fleet(members: u32, instance_type: &str) -> Fleet {
    let member = |number| Instance {
        id: format!("i-{number}"),
        in_service: true,
        healthy: true,
        protected: false,
        instance_type: Some(instance_type.to_owned()),
    };
    Fleet {
        min: 1,
        max: 20,
        desired: members,
        instances: (0..members).map(member).collect(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    }
}

/// True where a rule claims something about these items.
fn claims(rule: &str, items: Vec<Item>, usage: Vec<Usage>) -> bool {
    found(items, usage).iter().any(|one| one.rule.as_str() == rule)
}

/// The same with a tag.
fn tagged(mut it: Item, key: &str, value: &str) -> Item {
    it.resource.tags.insert(key.to_owned(), value.to_owned());
    it
}

/// A volume that was last used some days ago, and seen unused for some days.
fn detached(quiet_days: i64, unused_days: i64) -> (Item, Usage) {
    let mut it = item("volume/vol-1", Live::Volume(volume("gp2", 500, &[])));
    it.unused_since = Some(days_ago(unused_days));
    let usage = history(&it, Quantity::DiskOps, |hour| (hour < 720 - 24 * quiet_days).then_some(10.0));
    (it, usage)
}

fn with(change: impl Fn(&mut Volume)) -> (Item, Usage) {
    let (mut it, usage) = detached(30, 30);
    if let Live::Volume(volume) = &mut it.resource.live {
        change(volume);
    }
    (it, usage)
}

fn remedy((it, usage): (Item, Usage)) -> Option<Remedy> {
    found(vec![it], vec![usage]).pop().map(|opportunity| opportunity.remedy)
}

#[test]
fn a_volume_counts_as_unused_after_two_weeks_by_its_history_and_by_our_memory() {
    for (quiet, unused, is_found) in [(30, 30, true), (15, 14, true), (13, 30, false), (30, 13, false), (0, 30, false)]
    {
        let (it, usage) = detached(quiet, unused);
        assert_eq!(found(vec![it], vec![usage]).len(), usize::from(is_found), "{quiet} {unused}");
    }
    let (it, _) = detached(30, 30);
    let not_read = unread(&it, Quantity::DiskOps);
    assert!(found(vec![it.clone()], vec![not_read]).is_empty(), "not read is not unused");
    assert!(found(vec![it], Vec::new()).is_empty());
    let attached = with(|volume| volume.attached_to = vec!["i-1".to_owned()]);
    assert!(!matches!(remedy(attached), Some(Remedy::Change { action: Action::MarkForDeletion { .. } })));
}

#[test]
fn an_unused_volume_is_marked_then_copied_then_deleted() {
    let mark = remedy(with(|_| ()));
    assert!(
        matches!(&mark, Some(Remedy::Change { action: Action::MarkForDeletion { delete_after, .. } })
        if delete_after.duration_since(NOW).as_hours() == 15 * 24),
        "{mark:?}"
    );
    let marked = |days: i64| move |volume: &mut Volume| volume.delete_after = Some(days_ago(days));
    assert!(matches!(remedy(with(marked(-1))), Some(Remedy::Wait { .. })));
    assert!(matches!(remedy(with(marked(0))), Some(Remedy::Change { action: Action::SnapshotVolume { .. } })));
    let copied = |is_complete| {
        with(move |volume| {
            volume.delete_after = Some(days_ago(1));
            volume.final_snapshot = Some(FinalSnapshot { id: "snap-1".to_owned(), is_complete });
        })
    };
    assert!(matches!(remedy(copied(false)), Some(Remedy::Wait { .. })));
    assert!(matches!(remedy(copied(true)), Some(Remedy::Change { action: Action::DeleteVolume { .. } })));
}

#[test]
fn its_saving_lies_between_that_without_and_that_with_a_full_snapshot() {
    let (it, usage) = detached(30, 30);
    let Observed::Known(saving) = found(vec![it], vec![usage]).remove(0).saving else { panic!("the price is known") };
    assert_eq!((saving.low, saving.high), (UsdMicros(32_500_000), UsdMicros(59_500_000)));
}

#[test]
fn gp2_becomes_gp3_with_at_least_what_it_has() {
    let of = |size_gib, attached: &[&str]| {
        let it = item("volume/vol-1", Live::Volume(volume("gp2", size_gib, attached)));
        found(vec![it], Vec::new()).pop()
    };
    assert!(of(100, &[]).is_none(), "what nobody uses is no matter of its type");
    let small = of(100, &["i-1"]).unwrap();
    assert!(matches!(
        &small.remedy,
        Remedy::Change { action: Action::SetVolumeType { iops: 3_000, throughput_mibps: 128, .. } }
    ));
    // 100 GiB x 0.0238 USD less, 3 MiB/s x 0.048 USD more.
    assert_eq!(small.saving.known().unwrap().likely, UsdMicros(2_236_000));
    let large = of(2_000, &["i-1"]).unwrap();
    assert!(matches!(
        &large.remedy,
        Remedy::Change { action: Action::SetVolumeType { iops: 6_000, throughput_mibps: 250, .. } }
    ));
    assert_eq!(large.saving.known().unwrap().likely, UsdMicros(47_600_000 - 18_000_000 - 6_000_000));
}

#[test]
fn protected_resources_are_left_out_and_managed_ones_get_a_patch() {
    let (mut it, usage) = detached(30, 30);
    it.resource.tags.insert(PROTECTED_TAG.to_owned(), "yes".to_owned());
    assert!(found(vec![it.clone()], vec![usage.clone()]).is_empty());
    it.resource.tags.clear();
    it.managed_by = Some(Template::CloudFormation { stack: "shop".to_owned(), logical_id: "Disk".to_owned() });
    let found = found(vec![it], vec![usage]);
    assert!(matches!(&found[0].remedy, Remedy::Patch { text } if text.contains("shop")), "{found:?}");
}
