//! Disks and their snapshots.

use super::{Draft, HOURS, Made};
use domain::cost::usage::Quantity;
use domain::resource::{DiskSnapshot, FINAL_SNAPSHOT_TAG, FinalSnapshot, Live, Volume};
use jiff::SignedDuration;

const UNATTACHED: &str = "unattached_volume";
const GP2: &str = "gp2_volume";
const ORPHAN: &str = "orphaned_snapshot";

pub(super) fn add(made: &mut Made) {
    detached(made);
    attached(made);
    snapshots(made);
}

/// A disk of this size, attached or not.
pub(super) fn disk(made: &mut Made, volume_type: &str, size_gib: u32, attached_to: &[&str]) -> Draft {
    let volume = Volume {
        volume_type: volume_type.to_owned(),
        size_gib,
        iops: (volume_type == "gp2").then(|| (size_gib * 3).clamp(100, 16_000)),
        throughput_mibps: None,
        attached_to: attached_to.iter().map(|name| (*name).to_owned()).collect(),
        is_modifying: false,
        delete_after: None,
        final_snapshot: None,
    };
    made.draft("ec2", "volume/", "vol-", Live::Volume(volume))
}

/// A disk that was last used so many hours ago, and was seen detached for so many days.
fn left(made: &mut Made, quiet_hours: i64, unused_days: i64) -> Draft {
    let (kind, size) = (["gp2", "gp3"][made.rng.usize(0..2)], made.rng.u32(20..2_000));
    let ops = made.rng.f64() * 1e5;
    let since = made.days_ago(unused_days);
    disk(made, kind, size, &[])
        .unused_since(Some(since))
        .history(made, Quantity::DiskOps, |hour| (hour < HOURS - quiet_hours).then_some(ops))
}

fn detached(made: &mut Made) {
    let days = made.rng.i64(14..400);
    let draft = left(made, (days * 24).min(HOURS), days);
    made.waste(UNATTACHED, "detached for weeks", draft);
    let mut draft = left(made, HOURS, 60);
    if let Live::Volume(volume) = &mut draft.item.resource.live {
        volume.delete_after = Some(made.some_days_ago(-14..14));
        let is_complete = made.rng.bool();
        volume.final_snapshot = made.rng.bool().then(|| FinalSnapshot { id: "snap-final".to_owned(), is_complete });
    }
    made.waste(UNATTACHED, "marked earlier", draft);

    let five_minutes_ago = made.now - SignedDuration::from_mins(5);
    let draft = left(made, 0, 0).unused_since(Some(five_minutes_ago));
    made.innocent(UNATTACHED, "detached five minutes ago", draft);
    let draft = left(made, 13 * 24, 13);
    made.innocent(UNATTACHED, "detached for 13 days", draft);
    let draft = left(made, 2 * 24, 40);
    made.innocent(UNATTACHED, "attached for an hour two days ago", draft);
    let draft = left(made, HOURS, 5);
    made.innocent(UNATTACHED, "seen attached five days ago, without any operation", draft);
    let draft = left(made, HOURS, 60).unused_since(None);
    made.innocent(UNATTACHED, "never looked at before", draft);
    let mut draft = left(made, HOURS, 60);
    draft.usage.clear();
    made.innocent(UNATTACHED, "metrics denied", draft.unread(Quantity::DiskOps));
    let mut draft = left(made, HOURS, 60);
    draft.usage.clear();
    made.innocent(UNATTACHED, "no history was read", draft);
    let since = made.days_ago(6);
    let size = made.rng.u32(20..2_000);
    let monthly = disk(made, "gp3", size, &[])
        .unused_since(Some(since))
        .history(made, Quantity::DiskOps, |hour| (hour % 168 == 20).then_some(5e4));
    made.innocent(UNATTACHED, "attached once a week for the backup", monthly);
    let draft = left(made, HOURS, 60);
    let draft = made.kept(draft);
    made.innocent(UNATTACHED, "kept by tag", draft);
}

fn attached(made: &mut Made) {
    let size = if made.rng.bool() { made.rng.u32(60..170) } else { made.rng.u32(300..3_000) };
    let draft = disk(made, "gp2", size, &["i-0"]);
    made.waste(GP2, "in use", draft);
    let draft = disk(made, "gp2", 500, &["i-0"]).tag("role", "standby");
    made.waste(GP2, "of a standby: as good and cheaper all the same", draft);
    let size = made.rng.u32(20..2_000);
    let draft = disk(made, "gp3", size, &["i-0"]);
    made.innocent(GP2, "gp3 already", draft);
    let size = made.rng.u32(171..250);
    let draft = disk(made, "gp2", size, &["i-0"]);
    made.innocent(GP2, "its throughput would cost more than its size saves", draft);
    let draft = disk(made, "gp2", 8, &["i-0"]);
    made.innocent(GP2, "too small to be worth it", draft);
    let draft = disk(made, "gp2", 500, &["i-0"]).tag("maintainer:protected", "true");
    made.innocent(GP2, "protected", draft);
    let five_minutes_ago = made.now - SignedDuration::from_mins(5);
    let draft = disk(made, "gp2", 500, &[]).unused_since(Some(five_minutes_ago));
    made.innocent(GP2, "between two machines", draft);
}

/// A snapshot of this age whose volume is gone.
fn snapshot(made: &mut Made, age_days: i64, change: impl FnOnce(&mut DiskSnapshot)) -> Draft {
    let mut snapshot = DiskSnapshot {
        volume: format!("vol-gone{:08x}", made.number),
        volume_exists: false,
        size_gib: made.rng.u32(40..2_000),
        images: Vec::new(),
        has_policy: false,
        delete_after: None,
    };
    change(&mut snapshot);
    let created = made.days_ago(age_days);
    made.draft("ec2", "snapshot/", "snap-", Live::DiskSnapshot(snapshot)).created(Some(created))
}

fn snapshots(made: &mut Made) {
    let age = made.rng.i64(90..1_500);
    let draft = snapshot(made, age, |_| ());
    made.waste(ORPHAN, "its volume is long gone", draft);
    let mark = made.some_days_ago(-14..14);
    let draft = snapshot(made, 400, |it| it.delete_after = Some(mark));
    made.waste(ORPHAN, "marked earlier", draft);

    let age = made.rng.i64(0..89);
    let draft = snapshot(made, age, |_| ());
    made.innocent(ORPHAN, "young", draft);
    let draft = snapshot(made, 400, |it| it.images.push("ami-1".to_owned()));
    made.innocent(ORPHAN, "an image is made from it", draft);
    let draft = snapshot(made, 400, |it| it.has_policy = true);
    made.innocent(ORPHAN, "of AWS Backup", draft);
    let draft = snapshot(made, 400, |it| it.volume_exists = true);
    made.innocent(ORPHAN, "its volume is there", draft);
    let draft = snapshot(made, 400, |it| it.volume = "vol-ffffffff".to_owned());
    made.innocent(ORPHAN, "a copy for another Region's failure", draft);
    let draft = snapshot(made, 400, |_| ()).tag(FINAL_SNAPSHOT_TAG, "vol-1");
    made.innocent(ORPHAN, "the backup of a deleted volume", draft);
    let since = made.days_ago(3);
    let draft = snapshot(made, 400, |_| ()).unused_since(Some(since));
    made.innocent(ORPHAN, "its volume went three days ago", draft);
    let draft = snapshot(made, 400, |_| ()).created(None);
    made.innocent(ORPHAN, "of unknown age", draft);
    let draft = snapshot(made, 400, |_| ());
    let draft = made.kept(draft);
    made.innocent(ORPHAN, "kept by tag", draft);
}
