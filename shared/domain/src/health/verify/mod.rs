//! verify: did this change help? Verified, regressed or inconclusive, by the written rule of `docs/verdict.md`.
//!
//! The minutes before the change are compared with those after it has settled; the level before is first corrected for
//! the load ([`load`]), so that traffic which fell by itself proves nothing; one member is compared with its untouched
//! peers ([`peers`]); what the same minutes of earlier weeks did by themselves is not credited either ([`weeks`]); and what users feel is watched beside the signal that was meant to improve ([`harm`]). Without values after
//! the change the verdict is never "verified".

mod bounds;
mod harm;
mod interval;
mod load;
mod peers;
mod weeks;
mod windows;

#[cfg(test)]
mod tests;

pub use weeks::ask::{Ask, DAYS_AGO, Minutes};

use super::analysis::{short, worded};
use super::policy::Policy;
use super::view::{View, between};
use crate::change::{Action, Better, Change, Reversal, WhenInconclusive};
use crate::outcome::{Outcome, Verdict};
use crate::resource::Live;
use crate::rollout::Rollout;
use crate::snapshot::Snapshot;
use bounds::{Bounds, Without};
use interval::difference;
use jiff::Timestamp;
use stats::compare::Difference;
use stats::robust::median;
use weeks::Past;
use windows::{Samples, Windows};

/// What a change is judged from.
pub(super) struct Case<'a> {
    change: &'a Change,
    before: View<'a>,
    after: View<'a>,
    policy: &'a Policy,
    windows: Windows,
    weeks: Vec<Past<'a>>,
}

/// The comparison that a verdict rests on.
struct Judged {
    verdict: Verdict,
    before: f64,
    after: f64,
    difference: Option<Difference>,
    /// Its own signal got better for certain, whatever else there is to say.
    relieved: bool,
    why: String,
}

/// Judges a change from the snapshot before it and one after it has settled.
pub fn verify(change: &Change, before: &Snapshot, after: &Snapshot, applied_at: Timestamp, policy: &Policy) -> Outcome {
    let past: Vec<Snapshot> = after.weeks.iter().map(|week| after.in_week(week)).collect();
    let mut case = Case {
        change,
        before: View::new(before, policy),
        after: View::new(after, policy),
        policy,
        windows: Windows::of(change, before, after, applied_at, policy),
        weeks: after.weeks.iter().zip(&past).map(|(week, past)| Past::new(week, View::new(past, policy))).collect(),
    };
    case.windows.before_from = windows::since_onset(&case);
    let judged = judge(&case);
    let (verdict, why) = match &judged {
        Ok(judged) => (judged.verdict, judged.why.clone()),
        Err(why) => (Verdict::Inconclusive, why.clone()),
    };
    let prior = before.resource(&change.resource).map(|resource| &resource.live);
    let may_be_needed = may_be_needed(change, prior, &case.after, judged.as_ref().ok());
    let judged = judged.ok();
    let better = |difference: &Difference| match change.expected.better {
        Better::Lower => -difference.shift,
        Better::Higher => difference.shift,
    };
    let interval = judged.as_ref().and_then(|judged| judged.difference.as_ref()).map(|d| (d.low, d.high));
    let improvement_pct = judged.as_ref().and_then(|judged| {
        let gain = better(judged.difference.as_ref()?);
        (judged.before.abs() > f64::EPSILON).then(|| 100.0 * gain / judged.before.abs())
    });
    Outcome {
        change: change.id.clone(),
        signal: change.expected.signal.clone(),
        resource: change.expected.resource.clone(),
        verdict,
        before: judged.as_ref().map(|judged| judged.before),
        after: judged.as_ref().map(|judged| judged.after),
        interval,
        improvement_pct,
        keep: keeps(change, verdict, may_be_needed),
        why: why_it_stays(why, verdict, may_be_needed),
        measured_at: after.taken_at,
    }
}

/// Judges a change of which nothing is known from before it but the state of its resource: inconclusive, for that reason.
/// What then becomes of it is the rule of its kind, and a growth is not taken back blindly.
pub fn verify_without_before(
    change: &Change,
    prior: &Live,
    after: &Snapshot,
    reason: &str,
    policy: &Policy,
) -> Outcome {
    let view = View::new(after, policy);
    let may_be_needed = may_be_needed(change, Some(prior), &view, None);
    let measured = after.resource(&change.expected.resource);
    Outcome {
        change: change.id.clone(),
        signal: change.expected.signal.clone(),
        resource: change.expected.resource.clone(),
        verdict: Verdict::Inconclusive,
        before: None,
        after: measured.and_then(|resource| view.known(change.expected.signal.as_str(), resource)),
        interval: None,
        improvement_pct: None,
        keep: keeps(change, Verdict::Inconclusive, may_be_needed),
        why: why_it_stays(reason.to_owned(), Verdict::Inconclusive, may_be_needed),
        measured_at: after.taken_at,
    }
}

/// Whether a change has settled and its observed window is full: before that a verdict would be too early.
pub fn is_due(change: &Change, applied_at: Timestamp, now: Timestamp, policy: &Policy) -> bool {
    let needs_s = change.action.spec().settle_s.saturating_add(policy.window_s);
    now.duration_since(applied_at).as_secs() >= i64::from(needs_s)
}

fn why_it_stays(why: String, verdict: Verdict, may_be_needed: bool) -> String {
    match verdict {
        Verdict::Inconclusive if may_be_needed => {
            format!("{why}; it is kept, because the size before is not known to carry the load")
        }
        _ => why,
    }
}

/// Keep what helped, undo what harmed; what can't be told follows the rule of its kind, but nothing is made smaller
/// blindly. What can't be undone stays.
fn keeps(change: &Change, verdict: Verdict, may_be_needed: bool) -> bool {
    let spec = change.action.spec();
    match verdict {
        Verdict::Verified => true,
        Verdict::Regressed => spec.reversal != Reversal::Undoable,
        Verdict::Inconclusive => spec.when_inconclusive == WhenInconclusive::Keep || may_be_needed,
    }
}

/// Utilization that is cut off at the top, in per cent: twice the load reads the same.
const CUT_OFF_PCT: f64 = 95.0;

/// True when taking a growth back would be blind or would harm: the utilization is in order now and would not be with the
/// size before (u · n / n₀ from the level on at which it is scaled out); or it is not in order, but was relieved for certain, so
/// that the size before would be worse still; or it stands at the top of the scale; or it could not be compared, and the size
/// before is not known to carry what is there now.
fn may_be_needed(change: &Change, prior: Option<&Live>, after: &View<'_>, judged: Option<&Judged>) -> bool {
    let (was, is, cpu) = match (&change.action, prior) {
        (Action::SetFleetCapacity { desired, .. }, Some(Live::AutoScalingGroup(fleet))) => {
            (fleet.desired, *desired, "fleet_cpu_pct")
        }
        (Action::SetServiceCount { desired, .. }, Some(Live::EcsService(service))) => {
            (service.desired, *desired, "service_cpu_pct")
        }
        _ => return false,
    };
    let level_pct = after.snapshot.level(cpu, &change.resource);
    let bound = after.policy.cpu_act_pct;
    let carried = |level_pct: f64| level_pct * f64::from(is) / f64::from(was.max(1));
    match judged {
        _ if is <= was => false,
        // In order now and not with the size before: a verdict that can't be had does not make it spare. A backlog is
        // another matter: it says itself whether it needs its workers.
        Some(judged) => level_pct.is_some_and(|level_pct| {
            let is_about_cpu = change.expected.signal.as_str() == cpu;
            let is_eased = level_pct < bound || judged.relieved;
            level_pct >= CUT_OFF_PCT || (is_about_cpu && is_eased && carried(level_pct) >= bound)
        }),
        None => level_pct.is_none_or(|level_pct| carried(level_pct) >= bound),
    }
}

/// The comparison, or one sentence why there is none.
fn judge(case: &Case<'_>) -> Result<Judged, String> {
    case.windows.check()?;
    if let Some(what) = still_under_way(case) {
        return Err(format!("{what} is still under way"));
    }
    let samples = windows::samples(case)?;
    let bounds = bounds::own(case)?;
    let judged = match change_of_backlog(case, &samples, &bounds)? {
        Some(backlog) => backlog,
        None => compare(case, &samples, &bounds)?,
    };
    let judged = match came_by_itself(case) {
        Some(what) if judged.verdict == Verdict::Verified => {
            Judged { verdict: Verdict::Inconclusive, why: format!("{}, but {what}", judged.why), ..judged }
        }
        _ => judged,
    };
    let harm = harm::look(case);
    Ok(match (judged.verdict, harm) {
        (_, harm::Harm::Done(what) | harm::Harm::Possible(what)) if let Some(goes_on) = peers::go_on(case) => {
            Judged { why: format!("{}; {what}, as {goes_on}", judged.why), ..judged }
        }
        (_, harm::Harm::Done(what)) => {
            Judged { why: format!("{}, but {what}: it did harm", judged.why), verdict: Verdict::Regressed, ..judged }
        }
        (Verdict::Verified, harm::Harm::Possible(what)) => {
            Judged { why: format!("{}, but {what}", judged.why), verdict: Verdict::Inconclusive, ..judged }
        }
        _ => judged,
    })
}

/// That what the change was to bring had come about before it was made: a plan may wait for an answer, or for a service that
/// is slow, and what mends itself meanwhile is no merit of the change.
fn came_by_itself(case: &Case<'_>) -> Option<String> {
    let expected = &case.change.expected;
    let level = windows::meanwhile(case)?;
    let sign = expected.better.sign();
    (level * sign <= expected.after * sign).then(|| {
        let (level, wanted) = (short(level), short(expected.after));
        format!("it had come to {level} before the change was made, which was to bring {wanted}")
    })
}

/// A restart that goes on has no "after" yet.
fn still_under_way(case: &Case<'_>) -> Option<&'static str> {
    match &case.after.snapshot.resource(&case.change.resource)?.live {
        Live::AutoScalingGroup(fleet) if fleet.refresh_in_progress => Some("an instance refresh"),
        Live::EcsService(service) if service.deployment_in_progress => Some("a deployment"),
        _ => None,
    }
}

/// The least effect that is called one: a share of the level, and a share of what was expected.
fn worth_it(case: &Case<'_>, level: f64) -> f64 {
    let expected = (case.change.expected.before - case.change.expected.after).abs();
    let of_level = case.policy.effect_min_pct / 100.0 * level.abs() / share_of(case);
    of_level.max(case.policy.effect_share_min_pct / 100.0 * expected)
}

/// Of how many members one canary is a share in what is measured: 1 where the member is measured by itself.
fn share_of(case: &Case<'_>) -> f64 {
    match case.change.rollout {
        Some(Rollout::Canary { of, .. }) if !peers::are_compared(&case.before, case.change) => f64::from(of.max(1)),
        _ => 1.0,
    }
}

/// A backlog is compared minute by minute with what would wait without the change: by the balance of its flows, and by what
/// earlier weeks say of it.
fn change_of_backlog(case: &Case<'_>, samples: &Samples, bounds: &Bounds) -> Result<Option<Judged>, String> {
    let expected = &case.change.expected;
    if expected.signal.as_str() != "queue_depth" {
        return Ok(None);
    }
    let queue = windows::resource(case, &expected.resource)?;
    let series = case.after.series("queue_depth", queue);
    let after = series
        .known()
        .map(|series| between(series, case.windows.after_from, case.windows.after_to))
        .unwrap_or_default();
    let without = load::backlog(case, queue, &after).ok_or(
        "how many messages came and were finished is not known, so nothing tells a drained backlog from a dry inflow",
    )?;
    // Weeks that say nothing leave the level before as it is, and then the balance alone counts.
    let level = median(&samples.before).unwrap_or(samples.level_before);
    let (least, most) = (bounds.verified.of(level), bounds.regressed.of(level));
    let by_weeks = |harder: fn(f64, f64) -> f64, bound: f64| -> Vec<f64> {
        let is_said = (bound - level).abs() > f64::EPSILON;
        without.iter().map(|without| if is_said { harder(*without, bound) } else { *without }).collect()
    };
    let against = |without: &[f64]| {
        let gaps: Vec<f64> = after.iter().zip(without).map(|((_, depth), without)| depth - without).collect();
        let none = vec![0.0; gaps.len()];
        difference(&none, &gaps).ok_or_else(|| format!("{} values after are too few to tell", gaps.len()))
    };
    let (demanding, lenient) = (by_weeks(f64::min, least), by_weeks(f64::max, most));
    let (found, worse) = (against(&demanding)?, against(&lenient)?);
    let mean = |values: &[f64]| crate::series::mean(values).unwrap_or(0.0);
    let would_be = mean(&demanding);
    let (verdict, found, would_be) = if found.high < 0.0 && found.shift.abs() >= worth_it(case, would_be) {
        (Verdict::Verified, found, would_be)
    } else if worse.low > 0.0 && worse.shift >= case.policy.harm_min_pct / 100.0 * mean(&lenient).max(1.0) {
        (Verdict::Regressed, worse, mean(&lenient))
    } else {
        (Verdict::Inconclusive, found, would_be)
    };
    let why = format!(
        "queue_depth went from {} to {}; without the change about {} would wait (credited {}, 95 % interval {} to {}){}",
        short(samples.level_before),
        short(samples.level_after),
        short(would_be),
        short(found.shift),
        short(found.low),
        short(found.high),
        bounds.says
    );
    Ok(Some(Judged {
        verdict,
        before: samples.level_before,
        after: samples.level_after,
        difference: Some(found),
        relieved: verdict == Verdict::Verified,
        why,
    }))
}

/// Compares with what would have been: better than the most that load and earlier weeks could explain is verified, worse than
/// the most that they could explain is regressed.
fn compare(case: &Case<'_>, samples: &Samples, bounds: &Bounds) -> Result<Judged, String> {
    let sign = case.change.expected.better.sign();
    let against = |without: Without| {
        let before: Vec<f64> = samples.before.iter().map(|value| sign * without.of(*value)).collect();
        let after: Vec<f64> = samples.after.iter().map(|value| sign * value).collect();
        difference(&before, &after).ok_or_else(|| {
            format!("{} values before and {} after are too few to tell them apart", before.len(), after.len())
        })
    };
    let (demanding, lenient) = (against(bounds.verified)?, against(bounds.regressed)?);
    let verdict = if demanding.high < 0.0 && demanding.shift.abs() >= worth_it(case, samples.of_level(demanding.before))
    {
        Verdict::Verified
    } else if lenient.low > 0.0
        && lenient.shift >= case.policy.harm_min_pct / 100.0 * samples.of_level(lenient.before).abs()
    {
        Verdict::Regressed
    } else {
        Verdict::Inconclusive
    };
    let used = if verdict == Verdict::Regressed { lenient } else { demanding };
    // Back to the signal's own direction.
    let credited =
        if sign > 0.0 { used } else { Difference { shift: -used.shift, low: -used.high, high: -used.low, ..used } };
    let (before, after) = (samples.level_before, samples.level_after);
    let why = format!(
        "{} went from {} to {} ({} {}, 95 % interval {} to {}){}{}",
        case.change.expected.signal,
        worded(case.change.expected.signal.as_str(), before),
        worded(case.change.expected.signal.as_str(), after),
        if bounds.are_plain() { "difference" } else { "credited" },
        short(credited.shift),
        short(credited.low),
        short(credited.high),
        bounds.says,
        samples.beside.map_or_else(String::new, |beside| {
            format!(", beside untouched members at {}", worded(case.change.expected.signal.as_str(), beside))
        })
    );
    Ok(Judged { verdict, before, after, difference: Some(credited), relieved: verdict == Verdict::Verified, why })
}
