//! Both sides of every refusal: the facts just beyond the bound, which meet it, and those just within, which pass. A refusal without a
//! row here fails the test.

use super::*;
use crate::approval::{Approval, Via};
use crate::arbitration::{Direction, Incident, Made, Stands};
use crate::change::ChangeKind;
use crate::execution::Workflow;
use crate::guard::{Refusal, clear};
use crate::observed::Missing;
use crate::performance::index::{Index, IndexSpec, IndexState};
use crate::resource::{FinalSnapshot, OffHours, ScheduledAction, Sizes, Volume};
use std::collections::BTreeSet;

type Case = (Change, Facts);

/// What stands beyond a bound and what stands within it.
struct Sides {
    beyond: Case,
    within: Case,
}

fn sides(beyond: Case, within: Case) -> Sides {
    Sides { beyond, within }
}

/// Growing a fleet of four to six, under facts that differ.
fn growing(beyond: impl FnOnce(&mut Facts), within: impl FnOnce(&mut Facts)) -> Sides {
    let with = |edit: &mut dyn FnMut(&mut Facts)| {
        let mut facts = on_fleet(4, 0);
        edit(&mut facts);
        (resize(6), facts)
    };
    let (mut beyond, mut within) = (Some(beyond), Some(within));
    let mut once_beyond = |facts: &mut Facts| beyond.take().unwrap()(facts);
    let mut once_within = |facts: &mut Facts| within.take().unwrap()(facts);
    sides(with(&mut once_beyond), with(&mut once_within))
}

/// A change of a fleet as it is and as it is with something different.
fn of_fleet(change: Change, edit: impl FnOnce(&mut Fleet)) -> Sides {
    let mut other = fleet(4, 0);
    edit(&mut other);
    sides((change.clone(), facts(Live::AutoScalingGroup(other))), (change, on_fleet(4, 0)))
}

fn nothing(_: &mut Facts) {}

fn given() -> Consent {
    let (request, by, remark) = ("q".into(), "ops".into(), String::new());
    Consent::Given(Approval::Given { request, by, remark, via: Via::Link, at: ago_s(60) })
}

/// A mode that asks, and an answer; a yes on the other side.
fn asked(consent: Consent) -> Sides {
    let ask = |consent: Consent| {
        move |facts: &mut Facts| {
            facts.mode = Mode::Approve;
            facts.consent = consent;
        }
    };
    growing(ask(consent), ask(given()))
}

fn made(stands: Stands) -> Made {
    Made {
        id: "c0".into(),
        by: Workflow::Health,
        kind: ChangeKind::SetFleetCapacity,
        resource: "asg/web".into(),
        direction: Direction::Grows,
        stands,
        at: ago_s(5_400),
    }
}

/// A fleet of four made one smaller under a restraint, and made larger under the same.
fn smaller(edit: impl Fn(&mut Facts)) -> Sides {
    let mut facts = on_fleet(4, 0);
    edit(&mut facts);
    sides((resize(3), facts.clone()), (resize(5), facts))
}

fn building(beyond: impl FnOnce(&mut Index), within: impl FnOnce(&mut Index)) -> Sides {
    let spec = IndexSpec::btree("public", "orders", &["customer"]);
    let build = change(Action::CreateIndex { database: "shop".into(), index: Box::new(spec.clone()) });
    let index = || Index {
        database: "shop".into(),
        schema: "public".into(),
        table: "orders".into(),
        name: spec.name(),
        state: IndexState::Absent,
        table_bytes: 0.0,
        oldest_transaction_s: 0.0,
        busy: None,
    };
    let (mut over, mut under) = (index(), index());
    beyond(&mut over);
    within(&mut under);
    let mut over = facts(Live::Index(over));
    let mut under = facts(Live::Index(under));
    (over.consent, under.consent) = (given(), given());
    sides((build.clone(), over), (build, under))
}

fn ready() -> Volume {
    Volume {
        volume_type: "gp2".to_owned(),
        size_gib: 10,
        iops: Some(6_000),
        throughput_mibps: None,
        attached_to: Vec::new(),
        is_modifying: false,
        delete_after: Some(NOW),
        final_snapshot: Some(FinalSnapshot { id: "snap".to_owned(), is_complete: true }),
    }
}

fn deleting(edit: impl FnOnce(&mut Volume)) -> Sides {
    let delete = change(Action::DeleteVolume { volume: "v".to_owned() });
    let mut other = ready();
    edit(&mut other);
    let of = |volume| Facts { consent: given(), ..facts(Live::Volume(volume)) };
    sides((delete.clone(), of(other)), (delete, of(ready())))
}

/// What can't be brought back, in a mode that lets everything else pass.
fn irreversible() -> Sides {
    let delete = change(Action::DeleteVolume { volume: "v".to_owned() });
    let of = |consent| Facts { consent, ..facts(Live::Volume(ready())) };
    sides((delete.clone(), of(Consent::Given(Approval::Earned { verified: 99 }))), (delete, of(given())))
}

fn with_less() -> Sides {
    let of = |iops| {
        let set = Action::SetVolumeType { volume: "v".into(), volume_type: "gp3".into(), iops, throughput_mibps: 125 };
        (change(set), Facts { consent: given(), ..facts(Live::Volume(ready())) })
    };
    sides(of(5_999), of(6_000))
}

fn scheduled() -> Sides {
    let off_hours = OffHours {
        time_zone: "Europe/Berlin".to_owned(),
        stop: "0 20 * * 1-5".to_owned(),
        start: "0 7 * * 1-5".to_owned(),
        on: Sizes { min: 1, desired: 4 },
    };
    let [stop, _] = off_hours.actions();
    let set = change(Action::SetFleetSchedule { group: "web".into(), off_hours: Box::new(off_hours) });
    let of = |scheduled: Vec<ScheduledAction>| {
        let fleet = Fleet { scheduled: Observed::Known(scheduled), ..fleet(4, 0) };
        Facts { consent: given(), ..facts(Live::AutoScalingGroup(fleet)) }
    };
    let other = ScheduledAction { name: "monday".to_owned(), ..stop };
    sides((set.clone(), of(vec![other])), (set, of(Vec::new())))
}

fn counted(bounds_missing: Option<Missing>) -> Case {
    (recount(3), facts(Live::EcsService(Service { bounds_missing, ..service(2) })))
}

const GIB: f64 = 1_073_741_824.0;

fn table() -> Vec<Sides> {
    vec![
        growing(|facts| facts.mode = Mode::Observe, |facts| facts.mode = Mode::Auto),
        asked(Consent::NotAsked),
        irreversible(),
        asked(Consent::Denied { by: "ops".into(), at: ago_s(60) }),
        asked(Consent::Awaiting { asked_at: ago_s(60) }),
        asked(Consent::Unanswered { asked_at: ago_s(60) }),
        growing(|facts| facts.kill_switch = KillSwitch::On, nothing),
        growing(|facts| facts.kill_switch = KillSwitch::Unreadable("denied".into()), nothing),
        growing(|facts| facts.freeze = Some("sale".into()), nothing),
        growing(|facts| facts.calendar_closed = Some("it is closed".into()), nothing),
        smaller(|facts| facts.restraints.surge = Some("sale".into())),
        smaller(|facts| facts.restraints.incident = Some(Incident::AtWork { run: "run-9".into() })),
        smaller(|facts| facts.restraints.unjudged = Some(made(Stands::Unjudged))),
        growing(|facts| facts.takes_back = Some(made(Stands::Kept)), nothing),
        growing(|facts| facts.rolled_back = Some(made(Stands::RolledBack)), nothing),
        growing(|facts| facts.protected = true, nothing),
        growing(|facts| facts.other_owner = Some("blog".into()), nothing),
        growing(|facts| facts.snapshot_at = ago_s(901), |facts| facts.snapshot_at = ago_s(900)),
        growing(|facts| facts.completeness = 0.799, |facts| facts.completeness = 0.8),
        growing(|facts| facts.changes_last_hour = 6, |facts| facts.changes_last_hour = 5),
        growing(|facts| facts.resource_changes_last_day = 8, |facts| facts.resource_changes_last_day = 7),
        growing(
            |facts| facts.resource_changed_at = Some(ago_s(599)),
            |facts| facts.resource_changed_at = Some(ago_s(600)),
        ),
        growing(|facts| facts.repeats_last_day = 3, |facts| facts.repeats_last_day = 2),
        growing(|facts| facts.undos_last_day = 3, |facts| facts.undos_last_day = 2),
        // Two of seven are more than a quarter, two of eight are a quarter.
        sides((replace(1), on_fleet(6, 1)), (replace(1), on_fleet(7, 1))),
        sides((replace(1), on_fleet(1, 0)), (replace(1), on_fleet(2, 0))),
        sides((resize(21), on_fleet(11, 0)), (resize(20), on_fleet(10, 0))),
        sides(counted(Some(Missing::Throttled)), counted(None)),
        sides((resize(9), on_fleet(4, 0)), (resize(8), on_fleet(4, 0))),
        growing(|facts| facts.spent_usd_cents_month = 0, nothing).costing(10_001, 10_000),
        growing(|facts| facts.app_spent_usd_cents_month = 21_000, |facts| facts.app_spent_usd_cents_month = 21_000)
            .costing(9_001, 9_000),
        building(|index| index.oldest_transaction_s = 60.001, |index| index.oldest_transaction_s = 60.0),
        building(|index| index.table_bytes = 20.001 * GIB, |index| index.table_bytes = 20.0 * GIB),
        of_fleet(resize(6), |fleet| fleet.refresh_in_progress = true),
        deleting(|volume| volume.attached_to = vec!["i-1".to_owned()]),
        scheduled(),
        deleting(|volume| volume.delete_after = Some(NOW + SignedDuration::from_secs(1))),
        deleting(|volume| volume.delete_after = None),
        deleting(|volume| volume.final_snapshot = None),
        with_less(),
        sides((resize(4), on_fleet(4, 0)), (resize(5), on_fleet(4, 0))),
    ]
}

impl Sides {
    /// The same with prices.
    fn costing(mut self, beyond: i64, within: i64) -> Self {
        self.beyond.0.cost_usd_cents_month = Some(beyond);
        self.within.0.cost_usd_cents_month = Some(within);
        self
    }
}

/// Names of the refusals, from where they are declared.
fn declared() -> BTreeSet<String> {
    let source = include_str!("../refusal.rs");
    let body = source.split("pub enum Refusal {").nth(1).and_then(|rest| rest.split("\n}\n").next()).unwrap();
    let names =
        body.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(char::is_uppercase));
    names.map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect()).collect()
}

fn name(refusal: &Refusal) -> String {
    format!("{refusal:?}").chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[test]
fn every_refusal_has_a_change_beyond_its_bound_and_one_within() {
    let mut met = BTreeSet::new();
    for Sides { beyond, within } in table() {
        let Err(refusal) = clear(&beyond.0, &beyond.1, &limits()) else { panic!("it passes: {beyond:?}") };
        let passes = clear(&within.0, &within.1, &limits()).err();
        assert_eq!(passes, None, "on the other side of {refusal:?}");
        assert!(met.insert(name(&refusal)), "{refusal:?} is met twice");
    }
    assert_eq!(met, declared());
}

#[test]
fn a_build_says_what_it_would_wait_for_and_what_is_too_large() {
    let said = |sides: Sides| clear(&sides.beyond.0, &sides.beyond.1, &limits()).unwrap_err();
    let waits = said(building(|index| index.oldest_transaction_s = 61.0, |_| {}));
    assert_eq!(waits, Refusal::LongTransaction { age_s: 61.0, max_s: 60 });
    let large = said(building(|index| index.table_bytes = 21.0 * GIB, |_| {}));
    assert_eq!(large, Refusal::TableTooLarge { gib: 21.0, max_gib: 20 });
    assert_eq!(said(irreversible()), Refusal::Irreversible);
    assert!(Refusal::Irreversible.is_for_want_of_consent(), "so a person is asked");
}

#[test]
fn regression_what_is_not_a_number_builds_nothing() {
    let refused = |sides: Sides| clear(&sides.beyond.0, &sides.beyond.1, &limits()).err();
    let age = refused(building(|index| index.oldest_transaction_s = f64::NAN, |_| {}));
    assert!(matches!(age, Some(Refusal::LongTransaction { .. })), "{age:?}");
    let size = refused(building(|index| index.table_bytes = f64::NAN, |_| {}));
    assert!(matches!(size, Some(Refusal::TableTooLarge { .. })), "{size:?}");
}
