//! Lambda functions.

use super::load::{clock, flat};
use super::{Draft, HOURS, Made};
use domain::cost::terms::{FunctionTerms, Terms};
use domain::cost::usage::Quantity;
use domain::resource::Live;

const RULE: &str = "oversized_function";

/// What an hour of a function has at most; each hour that is in use has at least half of it.
struct Hourly {
    invocations: f64,
    longest_ms: f64,
    busy_ms: f64,
    used_mb: f64,
    given_mb: f64,
    cpu_ms: f64,
}

fn function(made: &mut Made, change: impl FnOnce(&mut FunctionTerms)) -> Draft {
    let mut terms = FunctionTerms {
        memory_mb: [1_024, 1_536, 2_048, 3_008][made.rng.usize(0..4)],
        timeout_s: 60,
        is_arm: made.rng.bool(),
        changed_at: Some(made.some_days_ago(14..400)),
        may_have_insights: true,
        is_provisioned: false,
        has_own_capacity: false,
    };
    change(&mut terms);
    made.draft("lambda", "function:", "resize-", Live::Function).created(None).terms(Terms::Function(terms))
}

fn memory(draft: &Draft) -> f64 {
    match &draft.item.terms {
        Some(Terms::Function(terms)) => f64::from(terms.memory_mb),
        other => panic!("{other:?}"),
    }
}

/// Half a second an invocation, a twentieth of it on a processor, with room in memory and time.
fn easy(made: &mut Made, draft: &Draft) -> Hourly {
    let invocations = 10_000.0 + 50_000.0 * made.rng.f64();
    Hourly {
        invocations,
        longest_ms: 2_000.0 + 15_000.0 * made.rng.f64(),
        busy_ms: 500.0 * invocations,
        used_mb: memory(draft) * (0.05 + 0.3 * made.rng.f64()),
        given_mb: memory(draft),
        cpu_ms: 12.0 * invocations,
    }
}

impl Draft {
    /// With all that is measured of a function, in the hours that `is_used` names.
    fn invoked(self, made: &mut Made, hourly: &Hourly, is_used: impl Fn(i64) -> bool) -> Self {
        let given = hourly.given_mb;
        let moving = [
            (Quantity::Invocations, hourly.invocations),
            (Quantity::LongestMs, hourly.longest_ms),
            (Quantity::BusyMs, hourly.busy_ms),
            (Quantity::UsedMb, hourly.used_mb),
            (Quantity::CpuMs, hourly.cpu_ms),
        ];
        // What is summed moves together: the work of an hour is that of its invocations.
        let seed = made.rng.fork();
        let draft = self.history(made, Quantity::GivenMb, |hour| is_used(hour).then_some(given));
        moving.into_iter().fold(draft, |draft, (quantity, peak)| {
            let mut level = flat(&mut seed.clone(), peak);
            draft.history(made, quantity, |hour| level(hour).filter(|_| is_used(hour)))
        })
    }
}

pub(super) fn add(made: &mut Made) {
    waste(made);
    fitting(made);
    unproven(made);
}

fn waste(made: &mut Made) {
    let draft = function(made, |_| ());
    let hourly = easy(made, &draft);
    let draft = draft.invoked(made, &hourly, |_| true);
    made.waste(RULE, "waits for others with memory to spare", draft);
    let draft = function(made, |_| ());
    let (hourly, clock) = (easy(made, &draft), clock(made, &draft));
    let is_day = |hour: i64| {
        let (day, hour) = clock[usize::try_from(hour).expect("an hour of the history")];
        day < 5 && (8..18).contains(&hour)
    };
    let draft = draft.invoked(made, &hourly, is_day);
    made.waste(RULE, "invoked by day alone", draft);
    let draft = function(made, |terms| terms.memory_mb = 10_240);
    let mut hourly = easy(made, &draft);
    // One thread on six processors: with half of them it is as fast as before.
    hourly.cpu_ms = 0.9 * hourly.busy_ms;
    let draft = draft.invoked(made, &hourly, |_| true);
    made.waste(RULE, "one thread, many processors", draft);
    let days = made.rng.i64(0..14);
    let changed = made.days_ago(days);
    let draft = function(made, |terms| terms.changed_at = Some(changed));
    let hourly = easy(made, &draft);
    let draft = draft.invoked(made, &hourly, |_| true);
    made.waste(RULE, "deployed a few days ago in the same size", draft);
}

/// Those that need what they have.
fn fitting(made: &mut Made) {
    let draft = function(made, |_| ());
    let mut hourly = easy(made, &draft);
    hourly.used_mb = memory(&draft) * (0.41 + 0.55 * made.rng.f64());
    let draft = draft.invoked(made, &hourly, |_| true);
    made.innocent(RULE, "its memory is needed", draft);
    let draft = function(made, |terms| terms.memory_mb = 1_024);
    let mut hourly = easy(made, &draft);
    hourly.cpu_ms = hourly.busy_ms * (0.2 + 0.37 * made.rng.f64());
    let draft = draft.invoked(made, &hourly, |_| true);
    made.innocent(RULE, "computes, so less memory makes it slow", draft);
    let draft = function(made, |terms| terms.timeout_s = 20);
    let mut hourly = easy(made, &draft);
    hourly.longest_ms = 16_000.0 + 3_900.0 * made.rng.f64();
    let draft = draft.invoked(made, &hourly, |_| true);
    made.innocent(RULE, "once it was close to its time-out", draft);
    let draft = function(made, |_| ());
    let mut hourly = easy(made, &draft);
    hourly.invocations = 1.3;
    let draft = draft.invoked(made, &hourly, |_| true);
    made.innocent(RULE, "seldom invoked, for long each time", draft);
    let draft = function(made, |terms| terms.is_provisioned = true);
    let hourly = easy(made, &draft);
    let draft = draft.invoked(made, &hourly, |_| true);
    made.innocent(RULE, "its concurrency is provisioned", draft);
    let draft = function(made, |terms| terms.has_own_capacity = true);
    let hourly = easy(made, &draft);
    let draft = draft.invoked(made, &hourly, |_| true);
    made.innocent(RULE, "runs on instances of the account", draft);
    let draft = function(made, |_| ());
    let hourly = easy(made, &draft);
    let draft = draft.invoked(made, &hourly, |_| true);
    let draft = made.kept(draft);
    made.innocent(RULE, "kept, or on standby, by tag", draft);
}

/// Those of which too little is known.
fn unproven(made: &mut Made) {
    let draft = function(made, |terms| terms.may_have_insights = false);
    made.innocent(RULE, "Lambda Insights does not measure it", draft);
    let draft = function(made, |_| ());
    let mut hourly = easy(made, &draft);
    hourly.given_mb = 2.0 * memory(&draft);
    let draft = draft.invoked(made, &hourly, |_| true);
    made.innocent(RULE, "it was made smaller a moment ago", draft);
    let days = made.rng.i64(1..14);
    let changed = made.days_ago(days);
    let draft = function(made, |terms| terms.changed_at = Some(changed));
    let hourly = easy(made, &draft);
    let draft = draft.invoked(made, &hourly, |hour| hour >= HOURS - 24 * days);
    made.innocent(RULE, "just made", draft);
    let draft = function(made, |_| ());
    let hourly = easy(made, &draft);
    let draft = draft.invoked(made, &hourly, |hour| hour < HOURS - 24 * 8);
    made.innocent(RULE, "not invoked for a week", draft);
    let draft = function(made, |_| ());
    let hourly = easy(made, &draft);
    let mut draft = draft.invoked(made, &hourly, |_| true);
    draft.usage.retain(|usage| usage.quantity != Quantity::UsedMb);
    let mb = hourly.used_mb;
    let draft = draft.history(made, Quantity::UsedMb, |hour| (hour >= HOURS / 2).then_some(mb));
    made.innocent(RULE, "Lambda Insights came half-way", draft);
    let draft = function(made, |_| ());
    let hourly = easy(made, &draft);
    let mut draft = draft.invoked(made, &hourly, |_| true);
    draft.usage.retain(|usage| usage.quantity != Quantity::Invocations);
    let draft = draft.unread(Quantity::Invocations);
    made.innocent(RULE, "metrics denied", draft);
}
