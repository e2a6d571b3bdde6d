//! Levels that several signals share, with their reasons. Pure arithmetic on [`Judge`].

use crate::objective::Objectives;
use crate::resource::Resource;
use crate::signal::{Judge, Role};

/// How many times its objective a symptom is when it is as bad as it gets. The specification's page alarm for response
/// time (1 s) stands at five times its budget (200 ms).
const BAD_OVER_OBJECTIVE: f64 = 5.0;

/// A symptom with an objective: good up to it, bad at five times it. An objective of zero or less judges nothing.
pub(super) fn of_objective(objective: f64) -> Option<Judge> {
    if objective > 0.0 { symptom(objective, BAD_OVER_OBJECTIVE * objective) } else { None }
}

/// What users feel.
pub(super) fn symptom(good: f64, bad: f64) -> Option<Judge> {
    Some(Judge { good, bad, role: Role::Symptom })
}

/// What explains what users feel.
pub(super) fn saturation(good: f64, bad: f64) -> Option<Judge> {
    Some(Judge { good, bad, role: Role::Saturation })
}

/// Good: 70 %, the alarm level of the specification; a request waits for more than twice its own length by then, and
/// without bound above. Bad: 100 %.
///
/// One server with random arrivals: waiting / service = ρ / (1 − ρ) = 0.7 / 0.3 = 2.3.
pub(super) fn cpu(_: &Resource, _: &Objectives) -> Option<Judge> {
    saturation(70.0, 100.0)
}

/// Good: 75 %, ten points under the level at which the specification scales. Bad: 98 %, next comes the out-of-memory kill.
pub(super) fn memory(_: &Resource, _: &Objectives) -> Option<Judge> {
    saturation(75.0, 98.0)
}

/// Good: 70 %. Bad: 95 %: file systems slow down and the reserve for root is all that is left.
pub(super) fn disk(_: &Resource, _: &Objectives) -> Option<Judge> {
    saturation(70.0, 95.0)
}
