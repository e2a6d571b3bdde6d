//! Directions, incidents and the past, each on both sides of its bound, and random histories of two workflows.

use super::*;
use crate::execution::{ExecutionRecord, Status};
use crate::observed::{Missing, Observed};
use crate::resource::Fleet;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);
const HOURS: u32 = 24;

fn ago_min(minutes: i64) -> Timestamp {
    NOW - SignedDuration::from_mins(minutes)
}

fn fleet(desired: u32) -> Live {
    Live::AutoScalingGroup(Fleet {
        min: 1,
        max: 20,
        desired,
        instances: Vec::new(),
        refresh_in_progress: false,
        last_refresh_at: None,
        scheduled: Fleet::schedules_unread(),
        target_groups: Vec::new(),
    })
}

fn resize(desired: u32) -> Action {
    Action::SetFleetCapacity { group: "web".into(), desired }
}

#[test]
fn a_change_and_its_undo_go_opposite_ways() {
    use Direction::{Grows, Neutral, Reduces};
    for (from, to, way, back) in [(4, 6, Grows, Reduces), (6, 4, Reduces, Grows), (4, 4, Neutral, Neutral)] {
        assert_eq!(Direction::of(&resize(to), &fleet(from)), way, "{from} to {to}");
        assert_eq!(Direction::of_undo(&resize(to), &fleet(from)), back, "{from} to {to}");
    }
    let restart = Action::RefreshFleet { group: "web".into() };
    assert_eq!(Direction::of(&restart, &fleet(4)), Neutral);
    assert_eq!(Direction::of(&resize(4), &Live::Distribution), Neutral, "the guard on the resource refuses that");
}

fn run(id: &str, workflow_type: Workflow, status: Status) -> ExecutionRecord {
    ExecutionRecord {
        execution_id: id.into(),
        execution_arn: String::new(),
        workflow_type,
        app: "shop".into(),
        status,
        trigger: String::new(),
        alarms: Vec::new(),
        mode: None,
        started_at: ago_min(90),
        completed_at: (status != Status::Running).then(|| ago_min(30)),
        success_criteria_met: status == Status::Completed,
        residue: Vec::new(),
        iterations: Vec::new(),
        answers: Vec::new(),
        conclusion: None,
        config_hash: String::new(),
        build: String::new(),
    }
}

fn health(id: &str, status: Status) -> ExecutionRecord {
    run(id, Workflow::Health, status)
}

/// Signs of a quiet application, with one thing different.
fn seen(edit: impl FnOnce(&mut Signs)) -> Option<Incident> {
    let mut signs = Signs {
        holder: Observed::Known(Some("own".into())),
        runs: Observed::Known(vec![health("h1", Status::Completed)]),
        alarms: Observed::Known(Vec::new()),
    };
    edit(&mut signs);
    incident(&signs, &"own".into())
}

fn after(runs: &[ExecutionRecord]) -> Option<Incident> {
    seen(|signs| signs.runs = Observed::Known(runs.to_vec()))
}

#[test]
fn a_quiet_application_has_no_incident() {
    assert_eq!(seen(|_| ()), None);
    assert_eq!(seen(|signs| signs.holder = Observed::Known(None)), None);
    assert_eq!(after(&[]), None, "nothing speaks for one");
}

#[test]
fn a_run_that_holds_the_application_or_has_not_ended_is_an_incident() {
    let at_work = |run: &str| Some(Incident::AtWork { run: run.into() });
    assert_eq!(seen(|signs| signs.holder = Observed::Known(Some("h2".into()))), at_work("h2"));
    assert_eq!(after(&[health("h2", Status::Running)]), at_work("h2"), "it waits for an answer without the lease");
    assert_eq!(after(&[health("own", Status::Running)]), None, "one's own work is none");
}

#[test]
fn the_newest_health_run_that_says_anything_decides() {
    let handed = Some(Incident::HandedOver { run: "h2".into(), at: ago_min(30) });
    let failed = Some(Incident::RunFailed { run: "h2".into(), at: ago_min(30) });
    let escalated = health("h2", Status::Escalated);
    let well = health("h3", Status::Completed);
    assert_eq!(after(std::slice::from_ref(&escalated)), handed);
    assert_eq!(after(&[escalated.clone(), well.clone()]), handed, "newest first");
    assert_eq!(after(&[well, escalated.clone()]), None, "a later one found it well");
    assert_eq!(after(&[health("h2", Status::Failed), health("h1", Status::Completed)]), failed);
    let looked = ExecutionRecord { success_criteria_met: false, ..health("p", Status::Completed) };
    assert_eq!(
        after(&[looked, escalated.clone()]),
        handed,
        "a preview, or a look at what is switched off, finds nothing well"
    );
    for status in [Status::Running, Status::Completed, Status::Escalated, Status::Failed] {
        let rollback = run("b", Workflow::Rollback, status);
        assert_eq!(after(&[rollback.clone(), escalated.clone()]), handed, "a rollback measures nothing");
        assert_eq!(after(&[rollback]), None);
    }
}

#[test]
fn alarms_that_ring_are_an_incident_and_three_of_them_are_named() {
    let ringing = |count: usize| {
        let names: Vec<String> = (0..count).map(|number| format!("a{number}")).collect();
        seen(|signs| signs.alarms = Observed::Known(names)).map(|incident| incident.to_string())
    };
    assert_eq!(ringing(0), None);
    assert_eq!(ringing(3).unwrap(), "3 of its alarms in ALARM: a0, a1, a2");
    assert_eq!(ringing(4).unwrap(), "4 of its alarms in ALARM: a0, a1, a2 …");
}

#[test]
fn what_cannot_be_read_counts_as_an_incident_and_says_why() {
    let unread = |edit: fn(&mut Signs)| seen(edit).unwrap().to_string();
    let why = "(throttled by the service)";
    let holder = unread(|signs| signs.holder = Observed::Missing(Missing::Throttled));
    assert_eq!(holder, format!("it can't be read: who is at work on it {why}"));
    let runs = unread(|signs| signs.runs = Observed::Missing(Missing::Throttled));
    assert_eq!(runs, format!("it can't be read: how its last runs ended {why}"));
    let alarms = unread(|signs| signs.alarms = Observed::Missing(Missing::Throttled));
    assert_eq!(alarms, format!("it can't be read: its alarms {why}"));
}

fn made(by: Workflow, direction: Direction, stands: Stands, minutes_ago: i64) -> Made {
    Made {
        id: ChangeId::new(format!("c{minutes_ago}")),
        by,
        kind: ChangeKind::SetFleetCapacity,
        resource: "asg/web".into(),
        direction,
        stands,
        at: ago_min(minutes_ago),
    }
}

fn wanted(by: Workflow, direction: Direction, resource: &ResourceId) -> Wanted<'_> {
    Wanted { by, kind: ChangeKind::SetFleetCapacity, resource, direction }
}

#[test]
fn only_an_unjudged_change_of_another_workflow_is_in_the_way() {
    use Stands::{Kept, RolledBack, Unjudged};
    for (by, stands, expected) in [
        (Workflow::Health, Unjudged, true),
        (Workflow::Rollback, Unjudged, false),
        (Workflow::Health, Kept, false),
        (Workflow::Health, RolledBack, false),
    ] {
        let past = [made(by, Direction::Grows, stands, 5)];
        assert_eq!(unjudged(Workflow::Rollback, &past).is_some(), expected, "{by} {stands:?}");
    }
}

#[test]
fn a_verified_growth_stands_for_its_hours_against_another_workflow() {
    use Direction::{Grows, Neutral, Reduces};
    use Stands::{Kept, RolledBack, Unjudged};
    let (web, other) = (ResourceId::from("asg/web"), ResourceId::from("asg/other"));
    let day_min = 60 * i64::from(HOURS);
    let ask = |by, direction, resource, past: Made| {
        takes_back(wanted(by, direction, resource), &[past], HOURS, NOW).is_some()
    };
    let theirs = |minutes| made(Workflow::Health, Grows, Kept, minutes);
    let (me, them) = (Workflow::Rollback, Workflow::Health);
    assert!(ask(me, Reduces, &web, theirs(day_min - 1)));
    assert!(!ask(me, Reduces, &web, theirs(day_min)), "its hours are over");
    assert!(ask(me, Reduces, &web, theirs(-5)), "a clock that runs ahead frees nothing");
    assert!(!ask(them, Reduces, &web, theirs(5)), "its own");
    assert!(!ask(me, Grows, &web, theirs(5)) && !ask(me, Neutral, &web, theirs(5)), "growth is never held up");
    assert!(!ask(me, Reduces, &other, theirs(5)), "another resource");
    let other_kind = Made { kind: ChangeKind::SetServiceCount, ..theirs(5) };
    assert!(!ask(me, Reduces, &web, other_kind), "another attribute");
    assert!(!ask(me, Reduces, &web, made(them, Reduces, Kept, 5)), "the same way is no taking back");
    assert!(!ask(me, Reduces, &web, made(them, Grows, Unjudged, 5)), "another guard's");
    assert!(!ask(me, Reduces, &web, made(them, Grows, RolledBack, 5)), "it no longer stands");
}

#[test]
fn what_was_rolled_back_is_remembered_for_its_hours_whoever_wants_it_again() {
    use Direction::{Grows, Neutral, Reduces};
    let web = ResourceId::from("asg/web");
    let day_min = 60 * i64::from(HOURS);
    let back = |direction, minutes| made(Workflow::Health, direction, Stands::RolledBack, minutes);
    let ask = |by, direction, past: Made| rolled_back(wanted(by, direction, &web), &[past], HOURS, NOW).is_some();
    for by in [Workflow::Health, Workflow::Rollback] {
        assert!(ask(by, Grows, back(Grows, day_min - 1)) && ask(by, Reduces, back(Reduces, 5)));
        assert!(!ask(by, Grows, back(Grows, day_min)), "its hours are over");
        assert!(!ask(by, Reduces, back(Grows, 5)) && !ask(by, Neutral, back(Grows, 5)));
        assert!(!ask(by, Grows, made(Workflow::Health, Grows, Stands::Kept, 5)));
    }
}

/// One attempt in a random history: minutes after the one before, whose, and the size that is wanted.
fn attempts() -> impl Strategy<Value = Vec<(i64, bool, u32)>> {
    proptest::collection::vec((1_i64..900, any::<bool>(), 1_u32..12), 2..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Two workflows that want whatever they want, on one resource, every change verified at once, which is the fastest that
    /// they could go. Neither takes back the other's growth within its hours, so they never undo each other in turn; and a
    /// growth is always made.
    #[test]
    fn prop_two_workflows_never_undo_each_other_in_turn(attempts in attempts()) {
        let web = ResourceId::from("asg/web");
        let (mut size, mut now) = (6, NOW);
        let mut past: Vec<Made> = Vec::new();
        for (minutes, is_health, desired) in attempts {
            now += SignedDuration::from_mins(minutes);
            let by = if is_health { Workflow::Health } else { Workflow::Rollback };
            let direction = Direction::of(&resize(desired), &fleet(size));
            let is_refused = takes_back(wanted(by, direction, &web), &past, HOURS, now).is_some();
            prop_assert!(direction != Direction::Grows || !is_refused);
            if direction == Direction::Neutral || is_refused {
                continue;
            }
            size = desired;
            past.push(Made {
                id: ChangeId::new(format!("c{}", past.len())),
                by,
                kind: ChangeKind::SetFleetCapacity,
                resource: web.clone(),
                direction,
                stands: Stands::Kept,
                at: now,
            });
        }
        let window = SignedDuration::from_hours(i64::from(HOURS));
        for (at, reduction) in past.iter().enumerate().filter(|(_, made)| made.direction == Direction::Reduces) {
            let grown = past[..at].iter().filter(|made| made.direction == Direction::Grows && made.by != reduction.by);
            for growth in grown {
                prop_assert!(reduction.at.duration_since(growth.at) >= window, "{growth:?} {reduction:?}");
            }
        }
        // A undoes what B has done, B undoes that again, or the other way round: never within the window.
        let is_undone_by = |two: &[Made]| two[0].by != two[1].by && two[0].direction != two[1].direction;
        for turns in past.windows(3).filter(|three| three.windows(2).all(is_undone_by)) {
            prop_assert!(turns[2].at.duration_since(turns[0].at) >= window, "{turns:?}");
        }
    }
}

/// What is made cheaper waits like what is made smaller; a mark or a copy takes nothing from anybody.
#[test]
fn a_kind_without_a_number_says_itself_which_way_it_goes() {
    let release = Action::ReleaseAddress { allocation: "a".to_owned() };
    let (volume, volume_type) = ("v".to_owned(), "gp3".to_owned());
    let gp3 = Action::SetVolumeType { volume, volume_type, iops: 3_000, throughput_mibps: 125 };
    let copy = Action::SnapshotVolume { volume: "v".to_owned() };
    for (action, change, undo) in [
        (&release, Direction::Reduces, Direction::Grows),
        (&gp3, Direction::Reduces, Direction::Grows),
        (&copy, Direction::Neutral, Direction::Neutral),
    ] {
        assert_eq!((Direction::of(action, &Live::Queue), Direction::of_undo(action, &Live::Queue)), (change, undo));
    }
}
