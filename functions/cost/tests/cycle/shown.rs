//! What the bill shows of what was saved, week by week.

use crate::machine::{Machine, yes};
use crate::shop::{ADDRESS, Bills, DISK, SPARE, Shop};
use domain::change::ChangeKind;
use domain::cost::bill::{Bill, Line};
use domain::cost::money::UsdMicros;
use domain::cost::savings::{Basis, ChangeSaving, Savings, Shown};
use domain::ids::ResourceId;
use domain::observed::Observed;
use domain::resource::Live;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::Offset;
use maintainer_cost::identify::Decided;
use serde_json::json;

fn run(shop: &Shop, name: &'static str) -> Savings {
    Machine::cost(shop, name).run(json!({"app": "shop"}));
    shop.document::<Decided>(name, 1, "analysis").savings
}

fn noted(shop: &Shop, kind: ChangeKind) -> ChangeSaving {
    shop.world.savings().into_iter().find(|saving| saving.kind == kind).expect("it is noted")
}

fn shown(saving: &ChangeSaving) -> Shown {
    *saving.verified.known().unwrap_or_else(|| panic!("{:?}", saving.verified))
}

#[test]
fn a_week_later_the_bill_shows_what_was_saved_beside_what_was_promised() {
    let shop = Shop { bills: Bills::Living, ..Shop::auto() };
    let before = run(&shop, "week-0");
    assert_eq!((before.sums.identified.cents(), before.sums.applied, before.changes.len()), (500, UsdMicros(0), 0));
    shop.pass_days(2);
    let soon = run(&shop, "soon");
    assert_eq!((soon.sums.applied.cents(), soon.sums.verified.cents(), soon.sums.open.cents()), (500, 0, 500));
    let why = format!("{:?}", noted(&shop, ChangeKind::SetVolumeType).verified);
    assert!(why.contains("after, 5 and 3 are needed"), "{why}");
    shop.pass_days(5);
    let later = run(&shop, "week-1");
    assert_eq!((later.sums.applied.cents(), later.sums.verified.cents(), later.sums.open.cents()), (500, 500, 0));
    let saving = noted(&shop, ChangeKind::SetVolumeType);
    assert_eq!((saving.execution.as_str(), saving.iteration, saving.applied.cents()), ("week-0", 1, 500));
    assert_eq!((shown(&saving).basis, shown(&saving).saving.low.cents()), (Basis::Application, 500));
    // When the days before it have left the bill, what was shown stays.
    shop.pass_days(28);
    assert_eq!(
        run(&shop, "week-5").changes.iter().filter(|change| change.kind == ChangeKind::SetVolumeType).count(),
        0
    );
    assert_eq!(shown(&noted(&shop, ChangeKind::SetVolumeType)).saving.likely.cents(), 500);
    shop.assert_sound("weeks");
}

#[test]
fn a_saving_that_somebody_has_turned_back_is_not_on_the_bill() {
    let shop = Shop { bills: Bills::Living, ..Shop::auto() };
    run(&shop, "week-0");
    shop.world.edit(&ResourceId::from(DISK), |resource| {
        if let Live::Volume(volume) = &mut resource.live {
            (volume.volume_type, volume.throughput_mibps) = ("gp2".to_owned(), None);
        }
    });
    shop.pass_days(7);
    Machine::cost(&shop, "week-1").run(json!({"app": "shop", "mode": "observe"}));
    let savings = shop.document::<Decided>("week-1", 1, "analysis").savings;
    assert_eq!((savings.sums.applied.cents(), savings.sums.verified.cents()), (500, 0), "{:?}", savings.changes);
    assert!(!shown(&noted(&shop, ChangeKind::SetVolumeType)).is_certain());
}

#[test]
fn what_a_person_has_rolled_back_saves_nothing() {
    let shop = Shop { bills: Bills::Living, ..Shop::auto() };
    run(&shop, "week-0");
    shop.pass_days(7);
    run(&shop, "week-1");
    assert_eq!(shown(&noted(&shop, ChangeKind::SetVolumeType)).saving.likely.cents(), 500);
    Machine::rollback(&shop, "back-1").run(json!({"execution_id": "week-0", "remark": "not this disk"}));
    shop.pass_days(1);
    Machine::cost(&shop, "week-2").run(json!({"app": "shop", "mode": "observe"}));
    let saving = noted(&shop, ChangeKind::SetVolumeType);
    assert_eq!((saving.identified.cents(), saving.applied.cents()), (500, 0));
    assert!(saving.verified.is_missing(), "{:?}", saving.verified);
}

#[test]
fn what_is_deleted_is_gone_from_the_bill() {
    let shop = Shop { bills: Bills::Living, ..Shop::auto() };
    for name in ["week-0", "week-2", "week-4"] {
        Machine::cost(&shop, name).run(json!({"app": "shop"}));
        shop.pass_days(16);
    }
    let asked = Machine::cost(&shop, "week-6").with_people([yes()]);
    asked.run(json!({"app": "shop"}));
    assert_eq!((shop.volume(SPARE), shop.world.resource(&ResourceId::from(ADDRESS))), (None, None));
    shop.pass_days(7);
    run(&shop, "week-7");
    assert_eq!(shown(&noted(&shop, ChangeKind::DeleteVolume)).saving.likely.cents(), 5_000);
    assert_eq!(shown(&noted(&shop, ChangeKind::ReleaseAddress)).saving.likely.cents(), 365);
}

/// Ten dollars a day, and twenty in the last week.
fn steep(today: Date) -> Bill {
    let line = |ago: i64| Line {
        day: today.checked_sub(ago.days()).unwrap(),
        service: "EC2 - Other".to_owned(),
        usage_type: "NatGateway-Bytes".to_owned(),
        cost: UsdMicros(if ago <= 7 { 20_000_000 } else { 10_000_000 }),
        quantity: 1.0,
        unit: "GB".to_owned(),
        is_estimated: false,
    };
    let from = today.checked_sub(30.days()).unwrap();
    let lines = (1..=30).rev().map(line).collect();
    Bill {
        from,
        to: today,
        currency: "USD".to_owned(),
        lines,
        by_app: Vec::new(),
        on_demand: None,
        plan: Observed::Known(None),
        calls: 2,
    }
}

/// A run that is answered measures again in the same iteration, and told people a second time.
#[test]
fn regression_a_run_that_asks_people_tells_them_of_the_bill_once() {
    let mut shop = Shop::new("applications:\n  shop:\n    mode: approve\n", 1.0);
    let today = Offset::UTC.to_datetime(shop.world.now()).date();
    shop.bills = Bills::Fixed(Ok(steep(today)));
    let asked = Machine::cost(&shop, "cost-1").with_people([yes()]).run(json!({"app": "shop"}));
    assert_eq!(asked.path.iter().filter(|state| *state == "AskPeople").count(), 1, "{:?}", asked.path);
    assert_eq!(shop.world.messages().iter().filter(|told| told.kind == "Maintainer Bill").count(), 1);
}

#[test]
fn people_hear_of_a_steep_bill_once_a_day_from_the_run_that_has_read_it() {
    let mut shop = Shop::auto();
    let today = Offset::UTC.to_datetime(shop.world.now()).date();
    shop.bills = Bills::Fixed(Ok(steep(today)));
    for name in ["cost-1", "cost-2"] {
        Machine::cost(&shop, name).run(json!({"app": "shop", "mode": "observe"}));
    }
    let told: Vec<_> = shop.world.messages().into_iter().filter(|told| told.kind == "Maintainer Bill").collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].subject.contains("grown by 100 % week over week"), "{}", told[0].subject);
    assert!(told[0].text.contains("EC2 - Other, NatGateway-Bytes: 70.00 → 140.00 USD"), "{}", told[0].text);
    shop.bills = Bills::Living;
    shop.pass_days(1);
    Machine::cost(&shop, "cost-3").run(json!({"app": "shop", "mode": "observe"}));
    assert_eq!(shop.world.messages().len(), 1, "nothing to tell of an even bill");
}
