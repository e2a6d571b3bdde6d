//! Images, secrets, uploads, cold objects and alarms.

use super::{claims, tagged};
use crate::cost::estate::{Estate, Item};
use crate::cost::fixture::{days_ago, estate, found, history, item, unread};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::cost::usage::{Quantity, Usage};
use crate::cost::{Opportunity, Policy, PriceBook};
use crate::resource::{Alarm, Bucket, Image, ImageSnapshot, Live, Secret, Upload, Watched};

const GIB: f64 = 1_073_741_824.0;

/// Several of it, so that small savings add up.
fn many(it: &Item) -> Vec<Item> {
    let copy = |number: u32| {
        let mut copy = it.clone();
        copy.resource.id = crate::ids::ResourceId::new(format!("{}-{number}", it.resource.id));
        copy
    };
    (0..20).map(copy).collect()
}

fn is(rule: &str, it: Item) -> bool {
    claims(rule, many(&it), Vec::new())
}

fn text(one: &Opportunity) -> String {
    match &one.remedy {
        Remedy::Advice { what } => what.clone(),
        other => panic!("{other:?}"),
    }
}

fn secret(change: impl Fn(&mut Secret)) -> Item {
    let mut live = Secret {
        last_accessed: Some(days_ago(200)),
        last_changed: Some(days_ago(300)),
        is_owned_by_service: false,
        is_rotated: false,
        is_replica: false,
    };
    change(&mut live);
    item("secret/shop-old", Live::Secret(live))
}

#[test]
fn a_secret_is_unused_when_nobody_has_read_or_changed_it_for_a_quarter() {
    let of = |change: fn(&mut Secret)| is("unused_secret", secret(change));
    assert!(of(|_| ()));
    assert!(of(|it| it.last_accessed = Some(days_ago(90))) && !of(|it| it.last_accessed = Some(days_ago(89))));
    assert!(of(|it| it.last_changed = Some(days_ago(90))) && !of(|it| it.last_changed = Some(days_ago(89))));
    assert!(of(|it| (it.last_accessed, it.last_changed) = (None, None)), "never read");
    let aged = |days: Option<i64>| {
        let it = secret(|it| (it.last_accessed, it.last_changed) = (None, None));
        is("unused_secret", Item { created_at: days.map(days_ago), ..it })
    };
    assert!(aged(Some(90)) && !aged(Some(89)) && !aged(None), "just made, or of no known age");
    assert!(
        !of(|it| it.is_owned_by_service = true) && !of(|it| it.is_rotated = true) && !of(|it| it.is_replica = true)
    );
    assert!(!is("unused_secret", tagged(secret(|_| ()), "do-not-delete", "true")));
    let one = found(many(&secret(|_| ())), Vec::new()).remove(0);
    assert_eq!(one.saving.known(), Some(&Saving::exactly(UsdMicros(400_000))));
    assert!(text(&one).contains("--recovery-window-in-days 30") && text(&one).contains("restore-secret"), "{one:?}");
}

fn image(change: impl Fn(&mut Image)) -> Item {
    let mut live = Image {
        title: "shop-2024".to_owned(),
        snapshots: vec![
            ImageSnapshot { id: "snap-1".to_owned(), size_gib: 100 },
            ImageSnapshot { id: "snap-2".to_owned(), size_gib: 50 },
        ],
        last_launched: Some(days_ago(200)),
        used_by: Vec::new(),
        is_public: false,
        is_disabled: false,
        has_policy: false,
    };
    change(&mut live);
    item("image/ami-1", Live::Image(live))
}

#[test]
fn an_image_is_unused_when_nothing_names_it_and_nothing_was_launched_from_it_for_a_quarter() {
    let of = |change: fn(&mut Image)| claims("unused_image", vec![image(change)], Vec::new());
    assert!(of(|_| ()) && of(|it| it.last_launched = None));
    assert!(of(|it| it.last_launched = Some(days_ago(90))) && !of(|it| it.last_launched = Some(days_ago(89))));
    assert!(
        !of(|it| it.used_by = vec!["lt-1".to_owned()])
            && !of(|it| it.is_public = true)
            && !of(|it| it.has_policy = true)
    );
    let aged = |days: Option<i64>| {
        let it = image(|it| it.last_launched = None);
        claims("unused_image", vec![Item { created_at: days.map(days_ago), ..it }], Vec::new())
    };
    assert!(aged(Some(90)) && !aged(Some(89)) && !aged(None));
    assert!(!claims("unused_image", vec![tagged(image(|_| ()), "role", "standby")], Vec::new()));
}

#[test]
fn an_image_saves_its_own_snapshots_and_is_disabled_first() {
    let one = found(vec![image(|_| ())], Vec::new()).remove(0);
    // 150 GiB x 0.054 USD at most, half of it likely.
    let saving = one.saving.known().unwrap();
    assert_eq!((saving.low.0, saving.likely.0, saving.high.0), (0, 4_050_000, 8_100_000));
    let order = [
        "launchPermission",
        "disable-image --image-id ami-1",
        "deregister-image --image-id ami-1",
        "snapshot-id snap-1",
        "snap-2",
    ];
    let places: Vec<usize> = order.iter().map(|part| text(&one).find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{one:?}");
    let disabled = found(vec![image(|it| it.is_disabled = true)], Vec::new()).remove(0);
    assert!(!text(&disabled).contains("disable-image") && disabled.summary.contains("disabled"), "{disabled:?}");
    let mut other = image(|it| it.snapshots.truncate(1));
    other.resource.id = crate::ids::ResourceId::from("image/ami-2");
    let both = found(vec![image(|_| ()), other], Vec::new());
    assert_eq!(both.len(), 1, "what both are made of is no saving of one: {both:?}");
    assert_eq!(both[0].saving.known().unwrap().high, UsdMicros(2_700_000));
}

fn bucket(change: impl Fn(&mut Bucket)) -> Item {
    let upload = |days, bytes| Upload { initiated: days_ago(days), bytes };
    let mut live = Bucket {
        uploads: vec![upload(400, Some(80 << 30)), upload(30, None), upload(13, Some(1 << 40))],
        ends_uploads: false,
        has_lifecycle: false,
        rules: 0,
        request_metrics: Some("all".to_owned()),
    };
    change(&mut live);
    item("bucket/shop-files", Live::Bucket(live))
}

#[test]
fn uploads_are_abandoned_after_two_weeks_unless_a_rule_ends_them() {
    let of = |change: fn(&mut Bucket)| found(vec![bucket(change)], Vec::new());
    let one = of(|_| ()).remove(0);
    assert_eq!(one.rule.as_str(), "abandoned_upload");
    // 80 GiB x 0.0245 USD; that of 13 days is under way, and that of 30 days was not added up.
    assert_eq!(one.saving.known(), Some(&Saving::exactly(UsdMicros(1_960_000))));
    assert!(one.summary.contains("2 upload(s)") && one.summary.contains("and 1 that were not added up"), "{one:?}");
    assert!(
        text(&one).contains("\"DaysAfterInitiation\":14") && !text(&one).contains("get-bucket-lifecycle"),
        "{one:?}"
    );
    let beside = of(|it| it.rules = 2).remove(0);
    assert!(text(&beside).contains("2 rule(s)") && text(&beside).contains("get-bucket-lifecycle"), "{beside:?}");
    assert!(of(|it| it.ends_uploads = true).is_empty());
    assert!(of(|it| it.uploads.remove(0).bytes = None).is_empty(), "nothing is known to be saved");
    assert!(of(|it| it.uploads.drain(..2).for_each(drop)).is_empty(), "under way");
}

/// A bucket of so many GiB and objects, of which some were read each day, beginning so many days ago.
fn stored(gib: f64, objects: f64, read_gib_day: f64, since_days: i64) -> (Vec<Item>, Vec<Usage>) {
    let it = bucket(|it| it.uploads.clear());
    let daily = |value: f64| move |hour: i64| (hour % 24 == 0).then_some(value);
    let usage = vec![
        history(&it, Quantity::ObjectBytes, daily(gib * GIB)),
        history(&it, Quantity::Objects, daily(objects)),
        history(&it, Quantity::DownloadedBytes, move |hour| {
            (hour >= 720 - 24 * since_days && hour % 24 == 0).then_some(read_gib_day * GIB)
        }),
    ];
    (vec![it], usage)
}

#[test]
fn a_bucket_is_cold_when_its_own_metrics_say_that_most_of_it_was_not_read_in_a_month() {
    let cold = |gib, objects, read, since| {
        let (items, usage) = stored(gib, objects, read, since);
        claims("cold_bucket", items, usage)
    };
    assert!(cold(1_000.0, 1e5, 1.0, 30));
    assert!(cold(1_000.0, 1e5, 16.6, 30) && !cold(1_000.0, 1e5, 16.7, 30), "half of it a month");
    assert!(cold(1_000.0, 1e5, 1.0, 14) && !cold(1_000.0, 1e5, 1.0, 13), "metrics that are younger");
    let without_prices = |objects| {
        let (items, usage) = stored(1_000.0, objects, 1.0, 30);
        !crate::cost::rules::find(&Estate { items, usage, ..estate() }, &Policy::default(), &PriceBook::default())
            .is_empty()
    };
    assert!(without_prices(8.1e6) && !without_prices(8.2e6), "objects of 128 KiB and less");
    assert!(!cold(1_000.0, 1e5, 1.0, 0), "no request in a month is no sign that they are counted");
    let (items, usage) = stored(1_000.0, 1e5, 1.0, 30);
    assert!(!claims("cold_bucket", items.clone(), usage[..2].to_vec()), "not read");
    let denied = unread(&items[0], Quantity::DownloadedBytes);
    assert!(!claims("cold_bucket", items, vec![usage[0].clone(), usage[1].clone(), denied]));
    let (_, usage) = stored(1_000.0, 1e5, 1.0, 30);
    let ruled = bucket(|it| (it.uploads, it.has_lifecycle) = (Vec::new(), true));
    assert!(!claims("cold_bucket", vec![ruled], usage), "its owner has rules for it");
}

#[test]
fn a_cold_bucket_saves_the_difference_of_two_tiers_less_what_watching_costs() {
    let (items, usage) = stored(1_000.0, 1e5, 10.0, 30);
    let one = found(items, usage).remove(0);
    // 700 GiB x 0.011 USD less 100,000 x 0.0000025; at most as if the same 10 GiB were read each day.
    let saving = one.saving.known().unwrap();
    assert_eq!((saving.low.0, saving.likely.0, saving.high.0), (7_450_000, 7_450_000, 10_750_000));
    assert!(text(&one).contains("INTELLIGENT_TIERING") && text(&one).contains("100000 objects"), "{one:?}");
    let (items, usage) = stored(10.0, 7e4, 0.0, 30);
    assert!(found(items, usage).is_empty(), "watching would cost more than it saves");
}

fn alarm(change: impl Fn(&mut Alarm)) -> Item {
    let watched = Watched { dimension: "InstanceId".to_owned(), name: "i-1".to_owned(), exists: false };
    let mut live =
        Alarm { metrics: 1, is_high_resolution: false, without_data_since: Some(days_ago(60)), watched: Some(watched) };
    change(&mut live);
    item("alarm/shop-web-1-cpu", Live::Alarm(live))
}

#[test]
fn an_alarm_is_dead_when_what_it_watches_was_looked_up_and_is_gone() {
    let of = |change: fn(&mut Alarm)| is("dead_alarm", alarm(change));
    assert!(of(|_| ()));
    assert!(
        of(|it| it.without_data_since = Some(days_ago(14))) && !of(|it| it.without_data_since = Some(days_ago(13)))
    );
    assert!(!of(|it| it.without_data_since = None), "it has data");
    assert!(!of(|it| it.watched = None), "nobody can tell");
    assert!(!of(|it| it.watched.as_mut().unwrap().exists = true), "stopped, or quiet");
    let mut scaling = alarm(|_| ());
    scaling.resource.name = "TargetTracking-web-AlarmLow-1".to_owned();
    assert!(!is("dead_alarm", scaling));
    let mut hostile = alarm(|it| it.metrics = 10);
    hostile.resource.name = "cpu'; reboot; '".to_owned();
    let one = found(vec![hostile], Vec::new()).remove(0);
    assert!(text(&one).ends_with(r"delete-alarms --alarm-names 'cpu'\''; reboot; '\'''"), "a name is a word: {one:?}");
    let saving = |change: fn(&mut Alarm)| found(many(&alarm(change)), Vec::new())[0].saving.known().unwrap().likely.0;
    assert_eq!(
        (saving(|_| ()), saving(|it| it.metrics = 3), saving(|it| it.is_high_resolution = true)),
        (100_000, 300_000, 300_000)
    );
}
