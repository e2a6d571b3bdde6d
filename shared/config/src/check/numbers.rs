//! Checks of numbers: ranges, and values that contradict each other.

use super::Notes;
use crate::shape::join;
use domain::approval::Terms;
use domain::cost::Policy as CostPolicy;
use domain::guard::Limits;
use domain::health::policy::Policy;
use domain::objective::Objectives;
use domain::performance::Policy as PerformancePolicy;

/// A day in seconds: longer waits between two changes mean that nothing is to be changed.
const DAY_S: u32 = 86_400;
/// Shortest age of a snapshot that leaves time to act on it, in seconds.
const SNAPSHOT_AGE_S_MIN: u32 = 60;
/// Shortest time for which what another cycle has verified stands, in hours: without any, two cycles could undo each other in turn.
const REVERSAL_H_MIN: u32 = 1;
/// Longest such time, in hours: as far back as the journal is read.
const REVERSAL_H_MAX: u32 = 720;
/// Shortest time in which a person can read a question, in seconds.
const ANSWER_S_MIN: u32 = 60;
/// Longest time that a run waits for an answer, in seconds: six of them must fit into the time that a run may take.
const ANSWER_S_MAX: u32 = 43_200;

/// What is wrong in a section; `key` may be empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wrong {
    section: &'static str,
    key: String,
    says: String,
}

impl Wrong {
    /// Notes it where the value stands that this application or `defaults` sets.
    pub(super) fn note(&self, owner: &str, notes: &mut Notes<'_>) {
        let section = join(owner, self.section);
        let path = if self.key.is_empty() { section } else { join(&section, &self.key) };
        notes.add(&path, self.says.clone());
    }
}

/// Everything that is wrong with these numbers.
pub(super) fn wrong(
    objectives: &Objectives,
    limits: &Limits,
    terms: &Terms,
    policy: &Policy,
    cost: &CostPolicy,
    performance: &PerformancePolicy,
) -> Vec<Wrong> {
    let mut found = of_objectives(objectives);
    found.extend(of_limits(limits));
    found.extend(of_terms(terms));
    found.extend(policy.check().into_iter().map(|(key, says)| Wrong { section: "health", key: key.to_owned(), says }));
    found.extend(cost.check().into_iter().map(|(key, says)| Wrong { section: "cost", key: key.to_owned(), says }));
    let of_performance = |(key, says): (&str, String)| Wrong { section: "performance", key: key.to_owned(), says };
    found.extend(performance.check().into_iter().map(of_performance));
    found
}

fn of_objectives(objectives: &Objectives) -> Vec<Wrong> {
    // Written out, so that a new objective does not pass unchecked.
    let Objectives { latency_p95_ms, error_rate_pct, availability_pct, queue_depth_max, queue_age_max_s } = *objectives;
    [
        above_zero("latency_p95_ms", latency_p95_ms),
        within("error_rate_pct", error_rate_pct, 0.0, 100.0).or_else(|| above_zero("error_rate_pct", error_rate_pct)),
        within("availability_pct", availability_pct, 0.0, 100.0)
            .or_else(|| above_zero("availability_pct", availability_pct)),
        above_zero("queue_depth_max", queue_depth_max),
        above_zero("queue_age_max_s", queue_age_max_s),
    ]
    .into_iter()
    .flatten()
    .map(|(key, says)| Wrong { section: "objectives", key: key.to_owned(), says })
    .collect()
}

fn of_limits(limits: &Limits) -> Vec<Wrong> {
    let Limits {
        // To allow no change at all is a choice, though `mode: observe` says it better; any number is valid.
        changes_per_execution_max: _,
        changes_per_hour_max: _,
        changes_per_day_max: _,
        changes_per_resource_per_hour_max: _,
        changes_per_resource_per_day_max: _,
        cooldown_s,
        blast_radius,
        step_factor_max,
        spend_usd_cents_month_max,
        app_spend_usd_cents_month_max,
        snapshot_age_s_max,
        completeness_min,
        undos_per_day_max,
        repeats_per_day_max,
        reversal_bars_h,
        transaction_s_max,
        indexed_table_gib_max,
    } = limits.clone();
    let at_least_one = |key, value: u32| {
        (value == 0).then(|| (key, "must be at least 1, or nothing would ever be changed".to_owned()))
    };
    let not_negative = |key, value: i64| (value < 0).then(|| (key, format!("must not be negative, as {value} is")));
    [
        (cooldown_s > DAY_S)
            .then(|| ("cooldown_s", format!("must be at most {DAY_S}, which is a day, not {cooldown_s}"))),
        within("blast_radius", blast_radius, 0.0, 1.0).or_else(|| above_zero("blast_radius", blast_radius)),
        (!(1.0..=10.0).contains(&step_factor_max))
            .then(|| ("step_factor_max", format!("must be from 1 to 10, not {step_factor_max}"))),
        not_negative("spend_usd_cents_month_max", spend_usd_cents_month_max),
        not_negative("app_spend_usd_cents_month_max", app_spend_usd_cents_month_max),
        (snapshot_age_s_max < SNAPSHOT_AGE_S_MIN).then(|| {
            let says = format!(
                "must be at least {SNAPSHOT_AGE_S_MIN}, or every plan would be too old, not {snapshot_age_s_max}"
            );
            ("snapshot_age_s_max", says)
        }),
        within("completeness_min", completeness_min, 0.0, 1.0),
        at_least_one("undos_per_day_max", undos_per_day_max),
        at_least_one("repeats_per_day_max", repeats_per_day_max),
        (!(REVERSAL_H_MIN..=REVERSAL_H_MAX).contains(&reversal_bars_h)).then(|| {
            let says = format!("must be from {REVERSAL_H_MIN} to {REVERSAL_H_MAX} (30 days), not {reversal_bars_h}");
            ("reversal_bars_h", says)
        }),
        at_least_one("transaction_s_max", transaction_s_max),
        at_least_one("indexed_table_gib_max", indexed_table_gib_max),
    ]
    .into_iter()
    .flatten()
    .map(|(key, says)| Wrong { section: "limits", key: key.to_owned(), says })
    .collect()
}

fn of_terms(terms: &Terms) -> Vec<Wrong> {
    // Any number of approved changes may be asked for, and asking again at once is a choice.
    let Terms { answer_within_s, use_within_s, ask_again_s: _, earn_after: _ } = *terms;
    let seconds = |key, value: u32, (min, max): (u32, u32), unit: &str| {
        (!(min..=max).contains(&value)).then(|| (key, format!("must be from {min} to {max}{unit}, not {value}")))
    };
    [
        seconds("answer_within_s", answer_within_s, (ANSWER_S_MIN, ANSWER_S_MAX), " (twelve hours)"),
        seconds("use_within_s", use_within_s, (ANSWER_S_MIN, DAY_S), " (a day)"),
    ]
    .into_iter()
    .flatten()
    .map(|(key, says)| Wrong { section: "approval", key: key.to_owned(), says })
    .collect()
}

type Found = Option<(&'static str, String)>;

fn above_zero(key: &'static str, value: f64) -> Found {
    (value.is_nan() || value <= 0.0).then(|| (key, format!("must be above 0, not {value}")))
}

fn within(key: &'static str, value: f64, min: f64, max: f64) -> Found {
    (!(min..=max).contains(&value)).then(|| {
        let share = if max > 1.0 { "" } else { " (a share, not per cent)" };
        (key, format!("must be from {min} to {max}{share}, not {value}"))
    })
}
