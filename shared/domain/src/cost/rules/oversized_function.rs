//! Lambda functions that are given far more memory than they ever used.
//!
//! What they used only Lambda Insights measures; without it no claim is made. A function has processors by its memory
//! (1,769 MB are one: Lambda Developer Guide, "Configure Lambda function memory"), so with less of it whatever computes
//! lasts longer. At worst everything does, by as much as the memory shrinks: then nothing is saved, and the longest
//! invocation must still end well before its time-out. At best nothing does. In between lies what its processor time
//! says: `busy' = busy + cpu · (1 / share' − 1 / share)`, with shares of one processor at most, since most code has one
//! thread. Example: 1,024 to 512 MB with 100 ms of CPU in 1,000 ms: 1,000 + 100 · (3.455 − 1.728) = 1,173 ms, so
//! 1 − 1,173 · 512 / (1,000 · 1,024) = 41 % less is likely, and 50 % at most.

use super::{View, number};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{HOURS_PER_MONTH, Sold};
use crate::cost::terms::{FunctionTerms, Terms};
use crate::cost::usage::{Profile, Quantity};
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::ResourceKind;

/// Stable name.
pub(super) const NAME: &str = "oversized_function";

/// Memory is given in these steps here, from the smallest that Lambda has.
const STEP_MB: f64 = 128.0;
/// Memory of one processor.
const MB_PER_VCPU: f64 = 1_769.0;
/// At most so much smaller at once.
const FACTOR_MAX: f64 = 2.0;
/// Share of the time-out that the longest invocation may last if all of it computes.
const TIMEOUT_SHARE_MAX: f64 = 0.8;
/// Invocations under which a peak of memory is not known.
const INVOCATIONS_MIN: f64 = 1_000.0;
/// A function that was not invoked for longer may cost nothing any more.
const QUIET_S_MAX: i64 = 7 * 86_400;
/// Hours with invocations of which Lambda Insights may lack the last: it writes with the next invocation.
const LATE_H: u32 = 2;
const MB_PER_GB: f64 = 1_024.0;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    view.expendable(ResourceKind::Function).filter_map(|item| one(view, item)).collect()
}

fn one(view: &View<'_>, item: &Item) -> Option<Opportunity> {
    let Some(Terms::Function(terms)) = &item.terms else { return None };
    if terms.is_provisioned || terms.has_own_capacity || !terms.may_have_insights {
        return None;
    }
    let used = Used::of(view, item, terms)?;
    let policy = view.policy;
    let memory = f64::from(terms.memory_mb);
    let used_pct = 100.0 * used.memory_mb / memory;
    let longest_max = TIMEOUT_SHARE_MAX * f64::from(terms.timeout_s) * 1_000.0;
    let target = (100.0 * used.memory_mb / policy.memory_pct_after_max)
        .max(memory / FACTOR_MAX)
        .max(memory * used.longest_ms / longest_max);
    let target = in_steps(target);
    let growth_pct = 100.0 * (used.busy_after(memory, target) / used.busy_ms - 1.0);
    if used_pct >= policy.memory_pct_max || target >= memory || growth_pct > policy.performance_loss_pct_max {
        return None;
    }
    let name = item.resource.name.clone();
    let longest_after = used.longest_ms * memory / target;
    Some(Opportunity {
        rule: RuleId::from(NAME),
        resource: item.resource.id.clone(),
        summary: format!(
            "{name} used at most {:.0} of its {memory:.0} MB in {:.0} invocations of {} days: {target:.0} would do",
            used.memory_mb, used.invocations, used.days
        ),
        evidence: vec![
            Evidence::against("memory_pct_max", used_pct, policy.memory_pct_max, "its fullest invocation"),
            Evidence::against(
                "memory_pct_after",
                100.0 * used.memory_mb / target,
                policy.memory_pct_after_max,
                "predicted for that invocation",
            ),
            Evidence::against(
                "longest_ms_after",
                longest_after,
                longest_max,
                "its longest invocation, if all of it computes",
            ),
            Evidence::against(
                "duration_growth_pct",
                growth_pct,
                policy.performance_loss_pct_max,
                "predicted for the mean, by its processor time",
            ),
            Evidence::level("history_days", number(i64::from(used.days)), "days that were added up"),
        ],
        saving: saving(view, terms, &used, target),
        risk: Risk::Medium,
        effort: Effort::Minutes,
        confidence: 0.75,
        remedy: Remedy::Advice { what: advice(&name, memory, target) },
        way_back: format!("aws lambda update-function-configuration --function-name {name} --memory-size {memory:.0}"),
        name,
    })
}

/// What a function used.
struct Used {
    days: u32,
    asked_h: u32,
    invocations: f64,
    /// At most, in MB.
    memory_mb: f64,
    /// The longest invocation.
    longest_ms: f64,
    /// All invocations together.
    busy_ms: f64,
    /// Processor time of all invocations together.
    cpu_ms: f64,
}

impl Used {
    /// Where it was invoked often and for long enough, in the size it has now, and each hour of that was measured.
    fn of(view: &View<'_>, item: &Item, terms: &FunctionTerms) -> Option<Self> {
        let known = |quantity| view.usage(item, quantity).known().copied();
        let invocations = known(Quantity::Invocations)?;
        let days = invocations.asked_h / 24;
        let days_min = view.policy.history_days_min;
        // An hour without invocations has no value, so a gap is no lack; but a week is not a month.
        let is_old = terms.changed_at.is_some_and(|at| view.estate.days_since(at) >= i64::from(days_min));
        let is_old = is_old || invocations.known_h >= days_min.saturating_mul(24);
        let quiet_s = view.estate.taken_at.duration_since(invocations.last_at?).as_secs();
        if days < days_min || !is_old || quiet_s > QUIET_S_MAX || invocations.sum < INVOCATIONS_MIN {
            return None;
        }
        let is_whole = |of: &Profile| of.known_h.saturating_add(LATE_H) >= invocations.known_h;
        let whole = |quantity| known(quantity).filter(|of| is_whole(of));
        let (memory, given, cpu) = (whole(Quantity::UsedMb)?, whole(Quantity::GivenMb)?, whole(Quantity::CpuMs)?);
        let (longest, busy) = (whole(Quantity::LongestMs)?, whole(Quantity::BusyMs)?);
        let is_as_now = |mb: f64| (mb - f64::from(terms.memory_mb)).abs() < 1.0;
        if !is_as_now(given.min) || !is_as_now(given.max) || memory.max <= 0.0 || busy.sum <= 0.0 {
            return None;
        }
        Some(Self {
            days,
            asked_h: invocations.asked_h,
            invocations: invocations.sum,
            memory_mb: memory.max,
            longest_ms: longest.max,
            busy_ms: busy.sum,
            cpu_ms: cpu.sum,
        })
    }

    /// What all invocations are likely to last with another memory, at most as if all of it computed.
    fn busy_after(&self, memory: f64, target: f64) -> f64 {
        let share = |mb: f64| (mb / MB_PER_VCPU).min(1.0);
        let longer = self.cpu_ms * (1.0 / share(target) - 1.0 / share(memory));
        (self.busy_ms + longer).min(self.busy_ms * memory / target)
    }
}

/// The next size upwards.
fn in_steps(mb: f64) -> f64 {
    // A hair over a step is that step.
    ((mb - 1e-9) / STEP_MB).ceil().max(1.0) * STEP_MB
}

/// At least nothing: all of it may compute. Likely by its processor time, at most as if no invocation lasted longer.
fn saving(view: &View<'_>, terms: &FunctionTerms, used: &Used, target: f64) -> Observed<Saving> {
    let memory = f64::from(terms.memory_mb);
    let month = HOURS_PER_MONTH / f64::from(used.asked_h);
    let gb_s = |busy_ms: f64, mb: f64| busy_ms / 1_000.0 * mb / MB_PER_GB * month;
    let now = gb_s(used.busy_ms, memory);
    let price = |gb_s: f64| view.prices.month(&Sold::FunctionGbSecond { is_arm: terms.is_arm }, gb_s.max(0.0));
    let likely = price(now - gb_s(used.busy_after(memory, target), target));
    let high = price(now - gb_s(used.busy_ms, target));
    match (likely, high) {
        (Observed::Known(likely), Observed::Known(high)) => {
            Observed::Known(Saving { low: UsdMicros::default(), likely, high })
        }
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    }
}

fn advice(name: &str, memory: f64, target: f64) -> String {
    format!(
        "aws lambda update-function-configuration --function-name {name} --memory-size {target:.0}\nA version that is \
         published keeps its memory: where an alias names one, publish another and move the alias.\nThen look for a week \
         at Duration (p95 and maximum) and Errors in AWS/Lambda and at used_memory_max in LambdaInsights: it has {:.2} of \
         a processor then, where it had {:.2}, and is cheaper only if its durations grow by less than {:.0} %.",
        target / MB_PER_VCPU,
        memory / MB_PER_VCPU,
        100.0 * (memory / target - 1.0)
    )
}
