//! What nobody uses: addresses, snapshots, stopped instances, NAT gateways.

use super::{a_machine, claims, tagged};
use crate::change::Action;
use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, found, history, item, unread, volume};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{Address, DiskSnapshot, FINAL_SNAPSHOT_TAG, Live, Machine, NatGateway};
use std::collections::BTreeSet;

fn address(associated_with: Option<&str>, unused_days: Option<i64>, mark_days: Option<i64>) -> Item {
    let live = Address {
        public_ip: "203.0.113.7".to_owned(),
        associated_with: associated_with.map(str::to_owned),
        delete_after: mark_days.map(days_ago),
    };
    let it = item("elastic-ip/eipalloc-1", Live::Address(live));
    Item { unused_since: unused_days.map(days_ago), ..it }
}

#[test]
fn an_address_counts_as_unused_after_two_weeks_without_association() {
    for (associated, days, is_found) in [
        (None, Some(14), true),
        (None, Some(13), false),
        (None, None, false),
        (Some("i-stopped"), Some(30), false),
        (Some("eni-1"), None, false),
    ] {
        assert_eq!(claims("unassociated_address", vec![address(associated, days, None)], vec![]), is_found, "{days:?}");
    }
    let of = |mark| found(vec![address(None, Some(30), mark)], vec![]).remove(0);
    assert!(matches!(of(None).remedy, Remedy::Change { action: Action::MarkForDeletion { .. } }));
    assert!(matches!(of(Some(-1)).remedy, Remedy::Wait { .. }));
    assert!(matches!(
        of(Some(0)).remedy,
        Remedy::Change { action: Action::ReleaseAddress { allocation } } if allocation == "eipalloc-1"
    ));
    // 0.005 USD x 730 h.
    assert_eq!(of(None).saving, Observed::Known(Saving::exactly(UsdMicros(3_650_000))));
}

fn snapshot(age_days: i64, change: impl Fn(&mut DiskSnapshot)) -> Item {
    let mut live = DiskSnapshot {
        volume: "vol-gone".to_owned(),
        volume_exists: false,
        size_gib: 500,
        images: Vec::new(),
        has_policy: false,
        delete_after: None,
    };
    change(&mut live);
    Item { created_at: Some(days_ago(age_days)), ..item("snapshot/snap-1", Live::DiskSnapshot(live)) }
}

#[test]
fn a_snapshot_is_an_orphan_when_it_is_old_and_nothing_needs_it() {
    let is = |it: Item| claims("orphaned_snapshot", vec![it], vec![]);
    assert!(is(snapshot(90, |_| ())) && !is(snapshot(89, |_| ())));
    assert!(!is(snapshot(400, |it| it.volume_exists = true)));
    assert!(!is(snapshot(400, |it| it.images.push("ami-1".to_owned()))));
    assert!(!is(snapshot(400, |it| it.has_policy = true)));
    assert!(!is(snapshot(400, |it| it.volume = "vol-ffffffff".to_owned())), "a copy of another Region's");
    assert!(!is(tagged(snapshot(400, |_| ()), FINAL_SNAPSHOT_TAG, "vol-gone")), "a backup of ours");
    assert!(!is(Item { created_at: None, ..snapshot(400, |_| ()) }), "its age is not known");
    let seen = |days| Item { unused_since: Some(days_ago(days)), ..snapshot(400, |_| ()) };
    assert!(!is(seen(13)) && is(seen(14)), "its volume went a short time ago");
}

#[test]
fn an_orphan_is_marked_then_deleted_and_saves_at_most_its_whole_size() {
    let of =
        |mark: Option<i64>| found(vec![snapshot(400, |it| it.delete_after = mark.map(days_ago))], vec![]).remove(0);
    assert!(matches!(of(None).remedy, Remedy::Change { action: Action::MarkForDeletion { .. } }));
    assert!(matches!(of(Some(-1)).remedy, Remedy::Wait { .. }));
    assert!(matches!(of(Some(0)).remedy, Remedy::Change { action: Action::DeleteDiskSnapshot { .. } }));
    // 500 GiB x 0.054 USD.
    let (low, likely, high) = (UsdMicros(0), UsdMicros(13_500_000), UsdMicros(27_000_000));
    assert_eq!(of(None).saving, Observed::Known(Saving { low, likely, high }));
    let chain = |number| Item {
        resource: crate::resource::Resource {
            id: format!("snapshot/snap-{number}").as_str().into(),
            ..snapshot(400, |_| ()).resource
        },
        ..snapshot(400, |_| ())
    };
    let all = found((0..3).map(chain).collect(), vec![]);
    let likely: UsdMicros = all.iter().filter_map(|it| it.saving.known()).map(|saving| saving.likely).sum();
    assert_eq!((all.len(), likely), (3, UsdMicros(13_500_000)), "snapshots of one volume share its blocks");
}

/// A stopped machine with a disk, and the hours of the history in which it ran.
fn stopped(days: i64, ran: impl Fn(i64) -> bool) -> (Vec<Item>, Vec<Usage>) {
    let live = Machine { is_running: false, since: Some(days_ago(days)), ..a_machine("m5.large") };
    let machine = item("instance/i-1", Live::Machine(live));
    let usage = history(&machine, Quantity::CpuPct, |hour| ran(hour).then_some(50.0));
    let disk = item("volume/vol-1", Live::Volume(volume("gp3", 200, &["i-1"])));
    (vec![machine, disk], vec![usage])
}

#[test]
fn a_machine_counts_as_stopped_for_good_when_it_never_ran_in_the_history() {
    let is = |(items, usage): (Vec<Item>, Vec<Usage>)| claims("stopped_machine", items, usage);
    assert!(is(stopped(60, |_| false)) && is(stopped(14, |_| false)) && !is(stopped(13, |_| false)));
    assert!(!is(stopped(20, |hour| hour < 240)), "it was stopped within the history");
    assert!(!is(stopped(14, |hour| hour % 168 == 9)), "it starts on Mondays");
    let (items, _) = stopped(60, |_| false);
    assert!(!is((items.clone(), vec![unread(&items[0], Quantity::CpuPct)])), "not read is not unused");
    assert!(!is((items, Vec::new())));
    let (mut items, usage) = stopped(60, |_| false);
    if let Live::Machine(machine) = &mut items[0].resource.live {
        machine.since = None;
    }
    assert!(!is((items, usage)), "since when is not known");
}

#[test]
fn the_advice_for_a_stopped_machine_keeps_its_disks_as_an_image() {
    let (items, usage) = stopped(60, |_| false);
    let one = found(items.clone(), usage.clone()).remove(0);
    let Remedy::Advice { what } = &one.remedy else { panic!("{one:?}") };
    let order =
        ["create-image --instance-id i-1", "image-available", "terminate-instances", "delete-volume --volume-id vol-1"];
    let places: Vec<usize> = order.iter().map(|part| what.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{what}");
    // 200 GiB: 19.04 USD of gp3 less 10.80 USD of a full snapshot, or less nothing.
    let Observed::Known(saving) = one.saving else { panic!() };
    assert_eq!((saving.low, saving.high), (UsdMicros(8_240_000), UsdMicros(19_040_000)));
    let no_disk = found(items[..1].to_vec(), usage).remove(0);
    assert!(no_disk.saving.is_missing(), "the size of its disk is not known, so nothing is claimed");
}

fn nat(created_days: Option<i64>, bytes: impl Fn(i64) -> Option<f64>) -> (Vec<Item>, Vec<Usage>) {
    let live =
        NatGateway { vpc: "vpc-1".to_owned(), has_routes: true, is_private: false, gateway_endpoints: BTreeSet::new() };
    let it = Item { created_at: created_days.map(days_ago), ..item("natgateway/nat-1", Live::NatGateway(live)) };
    let usage = history(&it, Quantity::NatBytes, bytes);
    (vec![it], vec![usage])
}

#[test]
fn a_nat_gateway_is_idle_when_no_hour_has_more_than_keep_alives() {
    let is = |(items, usage): (Vec<Item>, Vec<Usage>)| claims("idle_nat_gateway", items, usage);
    assert!(is(nat(Some(365), |_| Some(15_000.0))) && is(nat(Some(365), |_| None)) && is(nat(Some(14), |_| None)));
    assert!(is(nat(Some(365), |_| Some(1_048_576.0))) && !is(nat(Some(365), |_| Some(1_048_577.0))));
    assert!(!is(nat(Some(365), |hour| Some(if hour == 500 { 5e8 } else { 0.0 }))), "once a month");
    assert!(!is(nat(Some(13), |_| None)), "too young");
    assert!(!is(nat(None, |_| None)) && is(nat(None, |_| Some(0.0))), "of unknown age its history must say so");
    let (items, _) = nat(Some(365), |_| None);
    assert!(!is((items.clone(), vec![unread(&items[0], Quantity::NatBytes)])));
    let (items, usage) = nat(Some(365), |_| None);
    assert!(!is((vec![tagged(items[0].clone(), "role", "standby")], usage)));
    let (items, usage) = nat(Some(365), |_| None);
    let one = found(items, usage).remove(0);
    assert_eq!(one.saving, Observed::Known(Saving::exactly(UsdMicros(37_960_000))));
    assert!(
        matches!(&one.remedy, Remedy::Advice { what } if what.contains("delete-nat-gateway --nat-gateway-id nat-1"))
    );
}
