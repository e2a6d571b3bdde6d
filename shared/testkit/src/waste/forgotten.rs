//! Machine images, secrets, buckets, alarms.

use super::{Draft, HOURS, Made};
use domain::cost::usage::Quantity;
use domain::resource::{Alarm, Bucket, Image, ImageSnapshot, Live, Secret, Upload, Watched};

const GIB: f64 = 1_073_741_824.0;

pub(super) fn add(made: &mut Made) {
    secrets(made);
    images(made);
    uploads(made);
    objects(made);
    alarms(made);
}

fn secret(made: &mut Made, change: impl Fn(&mut Secret)) -> Draft {
    let mut live = Secret {
        last_accessed: Some(made.some_days_ago(90..900)),
        last_changed: Some(made.some_days_ago(90..900)),
        is_owned_by_service: false,
        is_rotated: false,
        is_replica: false,
    };
    change(&mut live);
    made.draft("secretsmanager", "secret:", "key-", Live::Secret(live))
}

fn secrets(made: &mut Made) {
    const RULE: &str = "unused_secret";
    let draft = secret(made, |_| ());
    made.waste(RULE, "of a supplier whose contract has ended", draft);
    let draft = secret(made, |it| it.last_accessed = None);
    made.waste(RULE, "made for something that never came", draft);
    let lately = made.some_days_ago(0..90);
    let draft = secret(made, |it| it.last_accessed = Some(lately));
    made.innocent(RULE, "read by the closing of the quarter", draft);
    let draft = secret(made, |it| (it.last_accessed, it.last_changed) = (None, Some(lately)));
    made.innocent(RULE, "renewed, to be used from next month on", draft);
    let draft = secret(made, |it| (it.last_accessed, it.last_changed) = (None, None)).created(Some(lately));
    made.innocent(RULE, "just made", draft);
    let draft = secret(made, |it| it.is_rotated = true);
    made.innocent(RULE, "rotated", draft);
    let draft = secret(made, |it| it.is_owned_by_service = true);
    made.innocent(RULE, "of a database, which looks after it", draft);
    let draft = secret(made, |it| it.is_replica = true);
    made.innocent(RULE, "a copy for the failure of a Region", draft);
    let draft = secret(made, |_| ());
    let draft = made.kept(draft);
    made.innocent(RULE, "kept by tag", draft);
}

fn image(made: &mut Made, change: impl Fn(&mut Image)) -> Draft {
    made.number += 1;
    let mut live = Image {
        title: format!("build-{}", made.number),
        // Each has its own: what several are made of is no saving of one.
        snapshots: vec![ImageSnapshot {
            id: format!("snap-of-image-{}", made.number),
            size_gib: made.rng.u32(60..500),
        }],
        last_launched: Some(made.some_days_ago(90..900)),
        used_by: Vec::new(),
        is_public: false,
        is_disabled: made.rng.bool(),
        has_policy: false,
    };
    change(&mut live);
    made.draft("ec2", "image/", "ami-", Live::Image(live))
}

fn images(made: &mut Made) {
    const RULE: &str = "unused_image";
    let draft = image(made, |_| ());
    made.waste(RULE, "of a release of last year", draft);
    let draft = image(made, |it| it.last_launched = None);
    made.waste(RULE, "of a build that was never launched", draft);
    let lately = made.some_days_ago(0..90);
    let draft = image(made, |it| it.last_launched = Some(lately));
    made.innocent(RULE, "launched once a quarter", draft);
    let draft = image(made, |it| it.last_launched = None).created(Some(lately));
    made.innocent(RULE, "of the release of this month", draft);
    let draft = image(made, |it| it.used_by = vec!["lt-0a".to_owned()]);
    made.innocent(RULE, "of a fleet that stands at zero", draft);
    let draft = image(made, |it| it.used_by = vec!["i-0b".to_owned()]);
    made.innocent(RULE, "a server that has run for a year", draft);
    let draft = image(made, |it| it.is_public = true);
    made.innocent(RULE, "for everybody", draft);
    let draft = image(made, |it| it.has_policy = true);
    made.innocent(RULE, "made by AWS Backup", draft);
    let draft = image(made, |_| ());
    let draft = made.kept(draft);
    made.innocent(RULE, "kept by tag", draft);
}

fn bucket(made: &mut Made, change: impl Fn(&mut Bucket)) -> Draft {
    let rules = made.rng.u32(0..3);
    let mut live = Bucket { rules, ..Bucket::default() };
    change(&mut live);
    made.draft("s3", "", "files-", Live::Bucket(live)).created(None)
}

fn uploads(made: &mut Made) {
    const RULE: &str = "abandoned_upload";
    let upload = |made: &mut Made, days: std::ops::Range<i64>| Upload {
        initiated: made.some_days_ago(days),
        bytes: Some(made.rng.u64(50..500) << 30),
    };
    let (old, other, young) = (upload(made, 14..900), upload(made, 14..900), upload(made, 0..14));
    let draft = bucket(made, |it| it.uploads = vec![old.clone(), other.clone()]);
    made.waste(RULE, "an import that broke down", draft);
    let draft = bucket(made, |it| it.uploads = vec![old.clone(), young.clone()]);
    made.waste(RULE, "one that broke down, one under way", draft);
    let draft = bucket(made, |it| it.uploads = vec![young.clone()]);
    made.innocent(RULE, "a backup under way", draft);
    let draft = bucket(made, |it| (it.uploads, it.ends_uploads) = (vec![old.clone()], true));
    made.innocent(RULE, "a rule ends them", draft);
    let draft = bucket(made, |it| it.uploads = vec![Upload { bytes: Some(1 << 20), ..old.clone() }]);
    made.put(RULE, super::Verdict::Waste, "a small one, beside large ones", draft);
    let draft = bucket(made, |it| it.uploads = vec![old.clone()]);
    let draft = made.kept(draft);
    made.innocent(RULE, "kept by tag", draft);
    let draft = bucket(made, |_| ());
    made.innocent(RULE, "without any", draft);
}

/// With so many GiB in objects of 4 MiB, and a share of them read each day.
fn full(made: &mut Made, draft: Draft, share: f64, since_days: i64) -> Draft {
    let gib = 500.0 + made.rng.f64() * 50_000.0;
    let daily = |value: f64| move |hour: i64| (hour % 24 == 0).then_some(value);
    let draft = draft.history(made, Quantity::ObjectBytes, daily(gib * GIB));
    let draft = draft.history(made, Quantity::Objects, daily(gib * 256.0));
    draft.history(made, Quantity::DownloadedBytes, |hour| {
        (hour >= HOURS - 24 * since_days && hour % 24 == 0).then_some(gib * GIB * share)
    })
}

fn objects(made: &mut Made) {
    const RULE: &str = "cold_bucket";
    let counted = |it: &mut Bucket| it.request_metrics = Some("all".to_owned());
    let draft = bucket(made, counted);
    let draft = full(made, draft, 0.001, 30);
    made.waste(RULE, "pictures of years, of which the newest are read", draft);
    let draft = bucket(made, counted);
    let draft = full(made, draft, 0.01, 15);
    made.waste(RULE, "counted for two weeks", draft);
    let draft = bucket(made, counted);
    let draft = full(made, draft, 0.2, 30);
    made.innocent(RULE, "all of it read each week", draft);
    let draft = bucket(made, counted);
    let draft = full(made, draft, 0.001, 13);
    made.innocent(RULE, "counted since last week", draft);
    let draft = bucket(made, counted);
    let draft = full(made, draft, 0.001, 0);
    made.innocent(RULE, "nothing counted", draft);
    let draft = bucket(made, counted).unread(Quantity::DownloadedBytes);
    made.innocent(RULE, "metrics denied", draft);
    let draft = bucket(made, |it| (it.request_metrics, it.has_lifecycle) = (Some("all".to_owned()), true));
    made.innocent(RULE, "its owner has rules for it", draft);
    let draft = bucket(made, |_| ());
    made.innocent(RULE, "requests are not counted", draft);
}

fn alarm(made: &mut Made, change: impl Fn(&mut Alarm)) -> Draft {
    let dimension = ["InstanceId", "VolumeId", "AutoScalingGroupName", "DBInstanceIdentifier"][made.rng.usize(0..4)];
    let watched = Watched { dimension: dimension.to_owned(), name: "gone".to_owned(), exists: false };
    let mut live = Alarm {
        metrics: 1,
        is_high_resolution: made.rng.bool(),
        without_data_since: Some(made.some_days_ago(14..900)),
        watched: Some(watched),
    };
    change(&mut live);
    made.draft("cloudwatch", "alarm:", "cpu-", Live::Alarm(live))
}

fn alarms(made: &mut Made) {
    const RULE: &str = "dead_alarm";
    for story in ["on a host that was replaced", "on a database that was deleted", "on a fleet of a test"] {
        let draft = alarm(made, |it| it.is_high_resolution = true);
        made.waste(RULE, story, draft);
    }
    let draft = alarm(made, |it| it.watched.as_mut().unwrap().exists = true);
    made.innocent(RULE, "on a host that is stopped", draft);
    let draft = alarm(made, |it| it.watched = None);
    made.innocent(RULE, "on errors, of which there are none", draft);
    let lately = made.some_days_ago(0..14);
    let draft = alarm(made, |it| it.without_data_since = Some(lately));
    made.innocent(RULE, "on a host that went last week", draft);
    let draft = alarm(made, |it| it.without_data_since = None);
    made.innocent(RULE, "with data", draft);
    let mut draft = alarm(made, |_| ());
    draft.item.resource.name.insert_str(0, "TargetTracking-");
    made.innocent(RULE, "of a scaling policy", draft);
    let draft = alarm(made, |_| ());
    let draft = made.kept(draft);
    made.innocent(RULE, "kept by tag", draft);
}
