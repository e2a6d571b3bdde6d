//! Histories that a claim about load may rest on: long enough, fresh, and without an hour of the week that was never
//! seen.

use super::View;
use crate::cost::estate::Item;
use crate::cost::usage::{Profile, Quantity};
use crate::observed::{Missing, Observed};

/// A history that ended longer ago says nothing of today.
const AGE_S_MAX: i64 = 86_400;

/// The history of a quantity, where it is whole; else why it is not.
pub(super) fn whole<'a>(view: &View<'a>, item: &Item, quantity: Quantity) -> Observed<&'a Profile> {
    let profile = match view.usage(item, quantity) {
        Observed::Known(profile) => profile,
        missing => return missing,
    };
    let age_s = profile.last_at.map(|at| view.estate.taken_at.duration_since(at).as_secs());
    match age_s {
        None => Observed::Missing(Missing::NoData),
        Some(age_s) if age_s > AGE_S_MAX => Observed::Missing(Missing::Stale(age_s.unsigned_abs())),
        Some(_) if profile.known_h < view.policy.history_days_min.saturating_mul(24) => {
            let (known, least) = (profile.known_h / 24, view.policy.history_days_min);
            Observed::Missing(Missing::Failed(format!("{known} days of history, {least} are needed")))
        }
        Some(_) if !profile.week.is_whole() => Observed::Missing(Missing::Partial),
        Some(_) => Observed::Known(profile),
    }
}

/// Days for which something is known to be idle that publishes nothing while it is: those asked for while it existed;
/// none where those are too few.
pub(super) fn idle_days(view: &View<'_>, item: &Item, history: &Profile) -> Option<u32> {
    let asked = history.asked_h / 24;
    let days = match item.created_at.map(|at| view.estate.days_since(at)) {
        Some(age) => asked.min(u32::try_from(age).unwrap_or(0)),
        None => asked.min(history.known_h / 24),
    };
    (days >= view.policy.history_days_min).then_some(days)
}
