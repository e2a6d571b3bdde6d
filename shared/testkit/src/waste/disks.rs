//! Disks and their snapshots.

use super::{Draft, HOURS, Made};
use domain::cost::usage::Quantity;
use domain::resource::{DiskSnapshot, FINAL_SNAPSHOT_TAG, FinalSnapshot, Live, Volume};
use jiff::SignedDuration;

const UNATTACHED: &str = "unattached_volume";
const GP2: &str = "gp2_volume";
const ORPHAN: &str = "orphaned_snapshot";
const IO: &str = "oversized_volume_io";

pub(super) fn add(made: &mut Made) {
    detached(made);
    attached(made);
    bought(made);
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

/// What the busiest minute of each hour had, and whether it was short of it, by the hour.
struct Io {
    ops: f64,
    mibps: f64,
}

/// A disk in use with so many operations and MiB a second bought.
fn with_io(made: &mut Made, kind: &str, iops: u32, mibps: Option<u32>) -> Draft {
    let size = made.rng.u32(200..2_000);
    let mut draft = disk(made, kind, size, &["i-0"]);
    if let Live::Volume(volume) = &mut draft.item.resource.live {
        (volume.iops, volume.throughput_mibps) = (Some(iops), mibps);
    }
    draft
}

impl Draft {
    /// With what it did in the busiest minute of each hour; `short` says in which hours it was asked for more than it has.
    fn did(self, made: &mut Made, io: impl Fn(i64) -> Io, short: impl Fn(i64) -> bool) -> Self {
        let mut rng = made.rng.fork();
        let each: Vec<Io> = (0..HOURS)
            .map(|hour| {
                let part = if hour == HOURS / 2 { 1.0 } else { 0.5 + 0.5 * rng.f64() };
                let Io { ops, mibps } = io(hour);
                Io { ops: part * ops, mibps: part * mibps }
            })
            .collect();
        let at = |hour: i64| &each[usize::try_from(hour).expect("an hour")];
        let was_short = |hour| Some(f64::from(u8::from(short(hour))));
        self.history(made, Quantity::BusiestOps, |hour| Some(at(hour).ops * 60.0))
            .history(made, Quantity::BusiestBytes, |hour| Some(at(hour).mibps * 1_048_576.0 * 60.0))
            .history(made, Quantity::OpsExceeded, was_short)
            .history(made, Quantity::BytesExceeded, was_short)
    }
}

fn bought(made: &mut Made) {
    let iops = made.rng.u32(6_000..16_000);
    let draft = with_io(made, "gp3", iops, Some(125)).did(made, |_| Io { ops: 900.0, mibps: 20.0 }, |_| false);
    made.waste(IO, "never more than what gp3 includes", draft);
    let draft = with_io(made, "gp3", 3_000, Some(500)).did(made, |_| Io { ops: 900.0, mibps: 90.0 }, |_| false);
    made.waste(IO, "throughput that nobody uses", draft);
    let kind = ["io1", "io2"][made.rng.usize(0..2)];
    let draft =
        with_io(made, kind, iops, None).did(made, |_| Io { ops: 0.2 * f64::from(iops), mibps: 30.0 }, |_| false);
    made.waste(IO, "a fifth of what was provisioned", draft);

    let used = f64::from(iops);
    let draft = with_io(made, "gp3", iops, Some(125)).did(made, |_| Io { ops: 0.7 * used, mibps: 20.0 }, |_| false);
    made.innocent(IO, "used in its busiest minute", draft);
    let nightly = |hour: i64| Io { ops: if hour % 24 == 3 { 0.9 * used } else { 100.0 }, mibps: 20.0 };
    let draft = with_io(made, "gp3", iops, Some(125)).did(made, nightly, |_| false);
    made.innocent(IO, "bought for the backup at night", draft);
    let at = made.rng.i64(0..HOURS);
    let draft = with_io(made, "gp3", iops, Some(125)).did(made, |_| Io { ops: 900.0, mibps: 20.0 }, |hour| hour == at);
    made.innocent(IO, "short in one minute of the month", draft);
    let draft = with_io(made, "gp3", 3_000, Some(125)).did(made, |_| Io { ops: 10.0, mibps: 1.0 }, |_| false);
    made.innocent(IO, "nothing was bought", draft);
    let draft = with_io(made, "gp3", iops, Some(125)).history(made, Quantity::BusiestOps, |_| None);
    let draft = draft.history(made, Quantity::OpsExceeded, |_| None);
    made.innocent(IO, "on an instance of which EBS does not tell", draft);
    let draft = with_io(made, "gp3", iops, Some(125)).unread(Quantity::BusiestOps).unread(Quantity::OpsExceeded);
    made.innocent(IO, "metrics denied", draft);
    let mut draft = with_io(made, "io2", iops, None).did(made, |_| Io { ops: 10.0, mibps: 1.0 }, |_| false);
    if let Live::Volume(volume) = &mut draft.item.resource.live {
        volume.attached_to.push("i-1".to_owned());
    }
    made.innocent(IO, "shared by two instances", draft);
    let draft = with_io(made, "io1", iops, None).did(made, |_| Io { ops: 10.0, mibps: 1.0 }, |_| false);
    let draft = made.kept(draft);
    made.innocent(IO, "kept by tag, or on standby", draft);
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
