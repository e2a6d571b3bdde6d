//! What holds for any change, any facts and any limits.

use super::*;
use crate::arbitration::{Direction, Incident};
use crate::guard::{Refusal, clear};
use proptest::prelude::*;

fn any_fleet() -> impl Strategy<Value = Live> {
    (0_u32..5, 0_u32..10, 0_u32..12, 0_u32..12, any::<bool>()).prop_map(|(min, room, serving, sick, is_refreshing)| {
        let mut fleet = fleet(serving, sick);
        (fleet.min, fleet.max, fleet.refresh_in_progress) = (min, min + room, is_refreshing);
        Live::AutoScalingGroup(fleet)
    })
}

fn any_live() -> impl Strategy<Value = Live> {
    let deployment = (0_u32..=100, 100_u32..=200, 0_u32..20);
    let any_service = (0_u32..20, any::<bool>(), proptest::option::of((0_u32..5, 5_u32..20)), deployment);
    let any_service = any_service.prop_map(|(desired, deployment_in_progress, bounds, deployment)| {
        let (min_healthy_pct, max_pct, running) = deployment;
        let service = service(desired);
        Live::EcsService(Service { deployment_in_progress, bounds, min_healthy_pct, max_pct, running, ..service })
    });
    prop_oneof![3 => any_fleet(), 2 => any_service, 1 => Just(Live::Distribution)]
}

fn any_change() -> impl Strategy<Value = Change> {
    let number = 0_u32..25;
    prop_oneof![
        number.clone().prop_map(resize),
        number.clone().prop_map(recount),
        number.clone().prop_map(replace),
        number.prop_map(replace_task),
        Just(refresh()),
        Just(redeploy()),
        Just(change(Action::InvalidateCdn { distribution: "E1".into() })),
    ]
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let switch = prop_oneof![
        6 => Just(KillSwitch::Off),
        1 => Just(KillSwitch::On),
        1 => Just(KillSwitch::Unreadable("throttled".into())),
    ];
    let mode = prop_oneof![6 => Just(Mode::Auto), 1 => Just(Mode::Approve), 1 => Just(Mode::Observe)];
    let stops = (switch, mode, proptest::bool::weighted(0.1), proptest::bool::weighted(0.1));
    let evidence = (-120_i64..1_200, 0.0_f64..=1.0);
    let counts = (0_u32..5, 0_u32..8, 0_u32..25, 0_u32..5, 0_u32..5, proptest::option::of(-60_i64..1_200));
    let of_resource = (0_u32..6, 0_u32..12);
    (any_live(), stops, evidence, counts, any_restraints(), of_resource).prop_map(
        |(live, stops, evidence, counts, restraints, of_resource)| Facts {
            restraints,
            resource_changes_last_hour: of_resource.0,
            resource_changes_last_day: of_resource.1,
            kill_switch: stops.0,
            mode: stops.1,
            freeze: stops.2.then(|| "sale".to_owned()),
            calendar_closed: None,
            protected: stops.3,
            snapshot_at: ago_s(evidence.0),
            completeness: evidence.1,
            changes_in_execution: counts.0,
            changes_last_hour: counts.1,
            changes_last_day: counts.2,
            undos_last_day: counts.3,
            repeats_last_day: counts.4,
            resource_changed_at: counts.5.map(ago_s),
            ..facts(live)
        },
    )
}

fn any_restraints() -> impl Strategy<Value = Restraints> {
    let holds = || proptest::bool::weighted(0.2);
    (holds(), holds()).prop_map(|(surge, incident)| Restraints {
        surge: surge.then(|| "sale".to_owned()),
        incident: incident.then(|| Incident::AtWork { run: "run-9".into() }),
        unjudged: None,
    })
}

/// How many members serve after a change, at its worst moment, of how many; `None` where that can't be said.
fn serving_at_worst(change: &Change, live: &Live) -> Option<u32> {
    match (&change.action, live) {
        (Action::SetFleetCapacity { desired, .. }, Live::AutoScalingGroup(_))
        | (Action::SetServiceCount { desired, .. }, Live::EcsService(_)) => Some(*desired),
        (Action::ReplaceInstance { instance, .. }, Live::AutoScalingGroup(fleet)) => {
            let others = fleet.instances.iter().filter(|member| member.id != *instance && member.is_serving());
            u32::try_from(others.count()).ok()
        }
        (Action::ReplaceTask { .. }, Live::EcsService(service)) => Some(service.running.saturating_sub(1)),
        (Action::RefreshFleet { .. }, Live::AutoScalingGroup(fleet)) => Some(fleet.healthy().saturating_sub(1)),
        (Action::RedeployService { .. }, Live::EcsService(service)) if service.running > 0 => {
            Some(service.running.min(service.during_deployment().0))
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn prop_what_passes_breaks_no_limit(change in any_change(), facts in any_facts()) {
        let limits = limits();
        if clear(&change, &facts, &limits).is_err() {
            return Ok(());
        }
        prop_assert_eq!(&facts.kill_switch, &KillSwitch::Off);
        prop_assert_eq!(facts.mode, Mode::Auto);
        prop_assert!(facts.freeze.is_none() && !facts.protected);
        prop_assert!(facts.completeness >= limits.completeness_min);
        prop_assert!(facts.snapshot_at >= ago_s(900) && facts.snapshot_at <= ago_s(-60));
        prop_assert!(facts.changes_in_execution < limits.changes_per_execution_max);
        prop_assert!(facts.changes_last_hour < limits.changes_per_hour_max);
        prop_assert!(facts.changes_last_day < limits.changes_per_day_max);
        prop_assert!(facts.undos_last_day < limits.undos_per_day_max);
        prop_assert!(facts.repeats_last_day < limits.repeats_per_day_max);
        prop_assert!(facts.resource_changes_last_hour < limits.changes_per_resource_per_hour_max);
        prop_assert!(facts.resource_changes_last_day < limits.changes_per_resource_per_day_max);
        let reduces = Direction::of(&change.action, &facts.live) == Direction::Reduces;
        prop_assert!(!reduces || facts.restraints == Restraints::default(), "made smaller under a restraint");
        prop_assert!(facts.resource_changed_at.is_none_or(|at| at <= ago_s(600)));
        prop_assert!(serving_at_worst(&change, &facts.live).is_none_or(|left| left > 0), "nobody would serve");
        if let (Action::SetFleetCapacity { desired, .. }, Live::AutoScalingGroup(fleet)) = (&change.action, &facts.live) {
            prop_assert!((fleet.min..=fleet.max).contains(desired) && *desired != fleet.desired);
        }
    }

    #[test]
    fn prop_tighter_limits_never_let_more_pass(change in any_change(), facts in any_facts(), cut in 0_u32..4) {
        let tight = Limits {
            changes_per_execution_max: limits().changes_per_execution_max.saturating_sub(cut),
            changes_per_hour_max: limits().changes_per_hour_max.saturating_sub(cut),
            changes_per_resource_per_hour_max: limits().changes_per_resource_per_hour_max.saturating_sub(cut),
            changes_per_resource_per_day_max: limits().changes_per_resource_per_day_max.saturating_sub(cut),
            cooldown_s: limits().cooldown_s + cut * 100,
            blast_radius: limits().blast_radius / f64::from(cut + 1),
            step_factor_max: 1.0 + (limits().step_factor_max - 1.0) / f64::from(cut + 1),
            snapshot_age_s_max: limits().snapshot_age_s_max - cut * 100,
            ..limits()
        };
        if clear(&change, &facts, &tight).is_ok() {
            prop_assert!(clear(&change, &facts, &limits()).is_ok());
        }
    }

    #[test]
    fn prop_the_kill_switch_beats_everything(change in any_change(), facts in any_facts()) {
        let facts = Facts { kill_switch: KillSwitch::On, ..facts };
        prop_assert_eq!(clear(&change, &facts, &limits()).err(), Some(Refusal::KillSwitch));
    }

    #[test]
    fn prop_a_refusal_survives_its_record(change in any_change(), facts in any_facts()) {
        if let Err(refusal) = clear(&change, &facts, &limits()) {
            let text = serde_json::to_string(&refusal).unwrap();
            let back: Refusal = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.to_string(), refusal.to_string());
            prop_assert!(!refusal.to_string().contains('\n'));
        }
    }
}
