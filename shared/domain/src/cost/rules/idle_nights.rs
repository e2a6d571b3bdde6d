//! Instances and fleets that nobody uses at night and at weekends: a schedule for when they may be off.
//!
//! Found from their own week: every night of the history is idle, the days are clearly busy (`night.rs` has the
//! bounds). A tag only confirms; one that says production, or a single busy night, makes no claim.
//!
//! A group that its tag calls a test environment, and that has no schedule of its owner, gets one: that is a change. Anything
//! else is advice: whether somebody needs it at night is theirs to say. What has off hours already makes no claim.

use super::night::{Off, off};
use super::whole::whole;
use super::zones::{Zone, of_region};
use super::{View, members_month, reserve};
use crate::change::Action;
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::{HISTORY_DAYS, Quantity, WEEK_H};
use crate::finding::Evidence;
use crate::ids::{ResourceId, RuleId};
use crate::mode::Risk;
use crate::observed::{Missing, Observed};
use crate::resource::{Fleet, Live, OffHours, ResourceKind, Sizes};
use std::collections::BTreeMap;

/// Stable name.
pub(super) const NAME: &str = "idle_nights";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let items = view.expendable(ResourceKind::Machine).chain(view.expendable(ResourceKind::AutoScalingGroup));
    let mut zones: BTreeMap<Option<&str>, Zone> = BTreeMap::new();
    let found = items.filter_map(|item| {
        let region = region(&item.resource.id);
        let zone = zones.entry(region).or_insert_with(|| of_region(region, view.estate.taken_at, HISTORY_DAYS));
        one(view, item, zone)
    });
    found.collect()
}

/// The Region that an ARN names.
fn region(id: &ResourceId) -> Option<&str> {
    id.as_str().strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

fn one(view: &View<'_>, item: &Item, zone: &Zone) -> Option<Opportunity> {
    let name = &item.resource.name;
    if !is_running(&item.resource.live) || reserve::is_production(&item.resource) {
        return None;
    }
    let cpu = *whole(view, item, Quantity::CpuPct).known()?;
    let off = off(&cpu.week.hours().collect::<Vec<_>>(), &zone.offsets_min)?;
    let cost = cost(view, &item.resource.live);
    let is_confirmed = reserve::is_non_production(&item.resource);
    let asks = if is_confirmed { "" } else { "No tag says what it is for: ask who uses it first.\n" };
    let advice = |schedule: String| Remedy::Advice { what: format!("{asks}{schedule}") };
    let remedy = match &item.resource.live {
        Live::AutoScalingGroup(fleet) => {
            let off_hours = Box::new(of_fleet(fleet, &off, zone));
            match &fleet.scheduled {
                // Its owner says by the clock when it is how large.
                Observed::Known(scheduled) if !scheduled.is_empty() => return None,
                Observed::Known(_) if is_confirmed => {
                    Remedy::Change { action: Action::SetFleetSchedule { group: name.clone(), off_hours } }
                }
                Observed::Known(_) | Observed::Missing(_) => advice(calls(name, &off_hours)),
            }
        }
        _ => advice(of_machine(name, &off, zone)),
    };
    let share = hours(off.week_h()) / hours(WEEK_H);
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        name: name.clone(),
        summary: format!(
            "{name} is idle every night{}: off from {} to {} ({}), {} of {WEEK_H} hours of a week",
            if off.weekend { " and all weekend" } else { "" },
            clock(off.stop_h),
            clock(off.start_h),
            zone.name,
            off.week_h(),
        ),
        evidence: vec![
            Evidence::against(
                "idle_cpu_pct",
                off.idle_pct_max,
                off.busy_pct,
                "idle hours are under it, busy ones reach",
            ),
            Evidence::level("idle_hours_week", hours(off.idle_h), "hours of the week that never were busy"),
        ],
        saving: cost.map(|month| {
            let likely = month.times(share);
            // One night of the seven is worked through after all; or it is switched by hand, without an hour of margin.
            let low = likely.times(6.0 / 7.0);
            Saving { low, likely, high: month.times(hours(off.idle_h) / hours(WEEK_H)).max(likely) }
        }),
        risk: Risk::Medium,
        confidence: if is_confirmed { 0.9 } else { 0.6 },
        effort: if matches!(remedy, Remedy::Change { .. }) { Effort::None } else { Effort::Minutes },
        remedy,
        way_back: "both schedules are deleted, and it is started".to_owned(),
    })
}

/// It runs, all of it.
fn is_running(live: &Live) -> bool {
    match live {
        Live::Machine(machine) => machine.is_running,
        Live::AutoScalingGroup(fleet) => fleet.desired > 0 && fleet.healthy() == fleet.desired,
        _ => false,
    }
}

/// What it costs a month while it always runs.
fn cost(view: &View<'_>, live: &Live) -> Observed<UsdMicros> {
    match live {
        Live::Machine(machine) => view.prices.month(&Sold::InstanceHour(machine.instance_type.clone()), 1.0),
        Live::AutoScalingGroup(fleet) => {
            let all = f64::from(fleet.desired);
            members_month(view, fleet).map(|(_, mean, _)| mean.times(all))
        }
        other => Observed::Missing(Missing::NotPublished(format!("the price of a {}", other.kind()))),
    }
}

/// Days of the week on which it stops and starts, as numbers for Unix cron, Sunday 0.
fn days(off: &Off) -> (&'static str, &'static str) {
    match (off.weekend, off.stop_h >= 24) {
        (true, false) => ("1-5", "1-5"),
        (true, true) => ("2-6", "1-5"),
        (false, _) => ("*", "*"),
    }
}

/// Recurrences of Auto Scaling are Unix cron expressions. (EC2 Auto Scaling User Guide, "Scheduled scaling".)
fn of_fleet(fleet: &Fleet, off: &Off, zone: &Zone) -> OffHours {
    let (stops, starts) = days(off);
    OffHours {
        time_zone: zone.name.to_owned(),
        stop: format!("0 {} * * {stops}", off.stop_h % 24),
        start: format!("0 {} * * {starts}", off.start_h % 24),
        on: Sizes { min: fleet.min, desired: fleet.desired },
    }
}

/// The call that makes both scheduled actions, for a person.
fn calls(name: &str, off_hours: &OffHours) -> String {
    let actions = off_hours.actions().map(|action| {
        format!(
            "\"ScheduledActionName={},Recurrence='{}',TimeZone={},MinSize={},DesiredCapacity={}\"",
            action.name,
            action.recurrence.unwrap_or_default(),
            off_hours.time_zone,
            action.min.unwrap_or_default(),
            action.desired.unwrap_or_default(),
        )
    });
    format!(
        "aws autoscaling batch-put-scheduled-update-group-action --auto-scaling-group-name {name} \
         --scheduled-update-group-actions {}",
        actions.join(" ")
    )
}

/// Schedules of EventBridge Scheduler have six fields and name days. (EventBridge Scheduler User Guide, "Schedule
/// types".)
fn of_machine(name: &str, off: &Off, zone: &Zone) -> String {
    let named = |days: &str| match days {
        "1-5" => "? * MON-FRI *",
        "2-6" => "? * TUE-SAT *",
        _ => "* * ? *",
    };
    let (stops, starts) = days(off);
    let create = |what: &str, call: &str, hour: usize, days: &str| {
        format!(
            "aws scheduler create-schedule --name {name}-{what} --schedule-expression \"cron(0 {} {})\" \
             --schedule-expression-timezone {} --flexible-time-window Mode=OFF \
             --target '{{\"Arn\":\"arn:aws:scheduler:::aws-sdk:ec2:{call}\",\"RoleArn\":\"ROLE\",\
             \"Input\":\"{{\\\"InstanceIds\\\":[\\\"{name}\\\"]}}\"}}'",
            hour % 24,
            named(days),
            zone.name
        )
    };
    let role = "ROLE is a role that EventBridge Scheduler may assume, with ec2:StopInstances and ec2:StartInstances:";
    let stop = create("stop", "stopInstances", off.stop_h, stops);
    format!("{role}\n{stop}\n{}", create("start", "startInstances", off.start_h, starts))
}

fn clock(hour: usize) -> String {
    format!("{:02}:00", hour % 24)
}

#[expect(clippy::cast_precision_loss, reason = "hours of a week")]
fn hours(count: usize) -> f64 {
    count as f64
}
