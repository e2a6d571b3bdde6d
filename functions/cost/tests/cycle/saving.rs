//! What the cycle saves, in which order, and what it takes back.

use crate::machine::{Ended, Machine, questions, yes};
use crate::shop::{ADDRESS, Bills, DISK, SPARE, Shop};
use domain::cost::bill::{Bill, Line};
use domain::cost::money::UsdMicros;
use domain::execution::Status;
use domain::ids::ResourceId;
use domain::observed::Observed;
use domain::outcome::Verdict;
use engine::ports::EntryState;
use jiff::civil::date;
use maintainer_cost::analyze::Read;
use maintainer_cost::identify::Decided;
use serde_json::json;

fn run(shop: &Shop, name: &'static str) -> Ended {
    Machine::cost(shop, name).run(json!({"app": "shop"}))
}

#[test]
fn an_old_kind_of_disk_is_changed_and_kept_when_nobody_suffers() {
    let shop = Shop::auto();
    let ended = run(&shop, "cost-1");
    assert_eq!(ended.state, "Saved", "{:?}", ended.path);
    let disk = shop.volume(DISK).unwrap();
    assert_eq!((disk.volume_type.as_str(), disk.iops, disk.throughput_mibps), ("gp3", Some(3_000), Some(250)));
    let entry = &shop.world.journal()[0];
    let outcome = entry.outcome.as_ref().unwrap();
    assert_eq!((entry.state, outcome.verdict), (EntryState::Kept, Verdict::Verified), "{}", outcome.why);
    assert!(outcome.why.contains("same time of day") && outcome.interval.is_some(), "{}", outcome.why);
    let record = shop.record("cost-1");
    assert_eq!((record.status, record.iterations.len()), (Status::Completed, 2), "a second phase has nothing to do");
    assert_eq!((record.iterations[0].applied, record.iterations[0].verified), (1, 1));
    let watched = record.iterations[0].measured_at.unwrap().duration_since(record.iterations[0].at).as_secs();
    assert!(watched >= 86_400, "watched for {watched} s");
    assert_eq!(shop.volume(SPARE).unwrap().delete_after, None, "seen unused for the first time");
    shop.assert_sound("saved");
}

#[test]
fn a_change_that_users_suffer_from_is_taken_back_told_and_not_made_again_for_a_month() {
    let shop = Shop::new("applications:\n  shop:\n    mode: auto\n", 1.3);
    let ended = run(&shop, "cost-1");
    assert_eq!(ended.state, "HandedToPeople", "{:?}", ended.path);
    assert_eq!(shop.volume(DISK).unwrap().volume_type, "gp2");
    let entry = &shop.world.journal()[0];
    assert_eq!((entry.state, entry.outcome.as_ref().unwrap().verdict), (EntryState::Undone, Verdict::Regressed));
    let message = shop.world.messages().pop().unwrap();
    assert!(message.text.contains("suffer") && message.text.contains("vol-db"), "{}", message.text);
    shop.assert_sound("taken back");
    shop.pass_days(7);
    run(&shop, "cost-2");
    assert_eq!(shop.volume(DISK).unwrap().volume_type, "gp2", "it rests for a month");
    shop.pass_days(23);
    run(&shop, "cost-3");
    assert_eq!(shop.world.journal().len(), 2 + 2, "tried again, and what was unused for a month is marked");
    shop.assert_sound("tried again");
}

/// Weeks of the cycle: seen, marked, copied, asked for, deleted.
#[test]
fn what_nobody_uses_is_deleted_after_weeks_a_final_copy_and_a_persons_yes() {
    let shop = Shop::auto();
    run(&shop, "week-0");
    shop.pass_days(7);
    run(&shop, "week-1");
    assert_eq!(shop.volume(SPARE).unwrap().delete_after, None, "seven days are too few");
    shop.pass_days(7);
    assert_eq!(run(&shop, "week-2").state, "Saved");
    let marked = shop.volume(SPARE).unwrap().delete_after.expect("it is marked");
    assert!(marked.duration_since(shop.world.now()).as_hours() > 12 * 24, "its owner has two weeks");
    shop.pass_days(7);
    run(&shop, "week-3");
    assert!(shop.volume(SPARE).unwrap().final_snapshot.is_none(), "the time of grace is not over");
    shop.pass_days(10);
    // Its final copy needs nobody's consent; what can't be undone does, and silence means no.
    let ended = run(&shop, "week-5");
    assert_eq!(ended.state, "HandedToPeople", "nobody has answered: {:?}", ended.path);
    assert!(shop.volume(SPARE).unwrap().final_snapshot.is_some());
    assert_eq!(questions(&shop), 1);
    shop.pass_days(7);
    let asked = Machine::cost(&shop, "week-6").with_people([yes()]).run(json!({"app": "shop"}));
    assert_eq!(asked.state, "Saved", "{:?}", asked.path);
    assert_eq!((shop.volume(SPARE), shop.world.resource(&ResourceId::from(ADDRESS))), (None, None));
    shop.assert_sound("deleted");
}

#[test]
fn whoever_removes_the_mark_keeps_the_resource() {
    let shop = Shop::auto();
    run(&shop, "week-0");
    shop.pass_days(14);
    run(&shop, "week-2");
    assert!(shop.volume(SPARE).unwrap().delete_after.is_some());
    shop.world.edit(&ResourceId::from(SPARE), |resource| {
        if let domain::resource::Live::Volume(volume) = &mut resource.live {
            volume.delete_after = None;
        }
    });
    shop.pass_days(14);
    run(&shop, "week-4");
    assert!(shop.volume(SPARE).unwrap().delete_after.is_none(), "it stays unmarked");
    let decided: Decided = shop.document("week-4", 1, "analysis");
    let line = decided.plan.passed_over.iter().find(|line| line.resource.as_str() == SPARE).unwrap();
    assert!(line.reason.contains("its owner has removed the mark"), "{}", line.reason);
}

#[test]
fn a_run_that_is_told_to_observe_says_what_it_would_do_and_changes_nothing() {
    let shop = Shop::auto();
    let ended = Machine::cost(&shop, "cost-1").run(json!({"app": "shop", "mode": "observe"}));
    assert_eq!(ended.state, "Previewed", "{:?}", ended.path);
    let preview = ended.output["preview"][0].as_str().unwrap();
    assert!(preview.contains("vol-db") && preview.contains("gp3"), "{preview}");
    assert_eq!(shop.volume(DISK).unwrap().volume_type, "gp2");
    assert_eq!(shop.world.journal(), vec![]);
    shop.assert_sound("previewed");
}

#[test]
fn nothing_is_made_cheaper_while_an_alarm_rings() {
    let shop = Shop::auto();
    shop.world.set_alarms(vec![domain::snapshot::Alarm {
        name: "shop-slow".to_owned(),
        state: domain::snapshot::AlarmState::Alarm,
        since: None,
        reason: String::new(),
    }]);
    let started = shop.world.now();
    let ended = run(&shop, "cost-1");
    assert_eq!((ended.state.as_str(), shop.volume(DISK).unwrap().volume_type.as_str()), ("Saved", "gp2"));
    assert_eq!(shop.record("cost-1").iterations[0].refused, 1);
    assert!(shop.world.now().duration_since(started).as_hours() < 1, "nothing was changed, so nothing is watched");
    shop.assert_sound("an incident");
}

fn line(usage_type: &str, cost: i64, quantity: f64) -> Line {
    Line {
        day: date(2026, 1, 1),
        service: "EC2 - Other".to_owned(),
        usage_type: usage_type.to_owned(),
        cost: UsdMicros(cost),
        quantity,
        unit: "GB-Mo".to_owned(),
        is_estimated: false,
    }
}

#[test]
fn the_bill_is_read_once_a_day_and_its_prices_come_before_those_of_the_list() {
    let mut shop = Shop::auto();
    let lines = vec![line("EBS:VolumeUsage.gp2", 900_000, 10.0), line("EBS:VolumeUsage.gp3", 720_000, 10.0)];
    let (from, to) = (date(2025, 12, 1), date(2026, 1, 1));
    let bill = Bill {
        from,
        to,
        currency: "USD".to_owned(),
        lines,
        by_app: Vec::new(),
        on_demand: None,
        plan: Observed::Known(None),
        calls: 2,
    };
    shop.bills = Bills::Fixed(Ok(bill));
    for name in ["cost-1", "cost-2"] {
        Machine::cost(&shop, name).run(json!({"app": "shop", "mode": "observe"}));
    }
    assert_eq!(*shop.asked.lock().unwrap(), 1, "every look at the bill is paid for");
    let read: Read = shop.document("cost-2", 1, "estate");
    assert_eq!(read.bill.known().unwrap().calls, 0, "from the document of the day");
    let decided: Decided = shop.document("cost-2", 1, "analysis");
    // 500 GiB x (0.090 - 0.072) USD, less 125 MiB/s x 0.04 USD that the list knows.
    assert_eq!(decided.opportunities[0].saving.known().unwrap().likely, UsdMicros(4_000_000));
    assert!(decided.analysis.findings[0].summary.contains("4.00 USD a month"));
}

#[test]
fn without_a_bill_the_list_is_enough_and_the_reason_is_kept() {
    let shop = Shop::auto();
    run(&shop, "cost-1");
    let read: Read = shop.document("cost-1", 1, "estate");
    assert!(read.bill.is_missing(), "{:?}", read.bill);
    let decided: Decided = shop.document("cost-1", 1, "analysis");
    assert_eq!(decided.opportunities[0].saving.known().unwrap().likely, UsdMicros(5_000_000));
}

#[test]
fn a_run_that_was_stopped_is_settled_watched_and_judged_by_the_next() {
    let shop = Shop::auto();
    let stopped = Machine::cost(&shop, "cost-1").stopped_at("WatchUsers");
    stopped.run(json!({"app": "shop"}));
    assert_eq!(shop.world.journal()[0].state, EntryState::Applied);
    shop.world.end("cost-1", engine::ports::Life::Stopped);
    let ended = run(&shop, "cost-2");
    assert_eq!(ended.state, "Saved", "{:?}", ended.path);
    assert_eq!(shop.world.journal()[0].state, EntryState::Applied, "not watched for a day yet");
    shop.pass_days(1);
    let ended = run(&shop, "cost-3");
    assert_eq!(ended.state, "Saved", "{:?}", ended.path);
    let entry = &shop.world.journal()[0];
    assert_eq!((entry.state, entry.taken_over_by.as_ref().map(|run| run.as_str())), (EntryState::Kept, Some("cost-3")));
    assert_eq!(shop.record("cost-1").status, Status::Failed);
    shop.assert_sound("stopped");
}

#[test]
fn a_person_rolls_a_saving_back() {
    let shop = Shop::auto();
    run(&shop, "cost-1");
    assert_eq!(shop.volume(DISK).unwrap().volume_type, "gp3");
    let ended = Machine::rollback(&shop, "back-1").run(json!({"execution_id": "cost-1", "remark": "not this disk"}));
    assert_eq!(ended.state, "RolledBack", "{:?}", ended.path);
    assert!(ended.path.contains(&"RollBackSavings".to_owned()), "by the function that may: {:?}", ended.path);
    assert_eq!(shop.volume(DISK).unwrap().volume_type, "gp2");
    shop.assert_sound("rolled back");
}
