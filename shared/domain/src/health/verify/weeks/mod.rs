//! The same minutes of earlier weeks: what a signal did between them, which no change has done.
//!
//! Not their levels, for today's incident is not in them, but how a signal moved from the minutes before to the minutes after: a peak
//! that ends at two, a job that runs until a quarter past. So much is credited to no change, and so much worse is put down to
//! none. Weeks only ever make a verdict harder, with one exception: where the load is not known, two weeks that agree with each
//! other and with today may stand in for it. The rule and its numbers: `docs/verdict.md`, Earlier weeks.

pub(super) mod ask;
mod said;

#[cfg(test)]
mod tests;

use super::bounds::{Bounds, Without};
use super::{Case, load, windows};
use crate::change::Better;
use crate::health::view::View;
use crate::resource::Resource;
use crate::snapshot::Week;
use said::Said;
use stats::robust::median;

/// Weeks whose levels differ by more than this factor are both left out: one of them was no usual week, and nothing tells which.
const LEVELS_APART_MAX: f64 = 2.0;
/// How far today's level before the change may be from that of a week that stands in for the load, as a share. A surge of
/// today is in no other week, and what it does next no other week can tell.
const LEVEL_ALIKE: f64 = 0.25;

/// An earlier week, indexed for reading.
pub(super) struct Past<'a> {
    week: &'a Week,
    view: View<'a>,
}

impl<'a> Past<'a> {
    /// A week, and the snapshot that it makes.
    pub(super) fn new(week: &'a Week, view: View<'a>) -> Self {
        Self { week, view }
    }
}

/// What the weeks have to say of a signal.
struct Heard {
    usable: Vec<Said>,
    /// Why the others are not, one clause each.
    unusable: Vec<String>,
}

/// The harder of what load and earlier weeks allow for; where the load is not known, what weeks that may stand in for it do.
///
/// # Errors
/// The one that is given, where no weeks can stand in.
pub(super) fn harden(
    case: &Case<'_>,
    signal: &str,
    on: &Resource,
    better: Better,
    by_load: Result<Bounds, String>,
) -> Result<Bounds, String> {
    if case.weeks.is_empty() {
        return by_load;
    }
    let Ok((before, _)) = windows::whole(case, signal, on) else { return by_load };
    let Some(level) = median(&before) else { return by_load };
    let heard = hear(case, signal, on, level);
    match by_load {
        Ok(by_load) => Ok(heard.harder(by_load, signal, better, level)),
        Err(why) => {
            let law = load::as_in_other_weeks(case, signal, on).filter(|_| better == Better::Lower);
            let tenth = case.policy.load_steady_pct / 100.0;
            law.and_then(|law| heard.in_place_of_load(signal, level, tenth, law)).ok_or(why)
        }
    }
}

fn hear(case: &Case<'_>, signal: &str, on: &Resource, level: f64) -> Heard {
    let mut heard = Heard { usable: Vec::new(), unusable: Vec::new() };
    for past in &case.weeks {
        match said::said(case, past, signal, on) {
            Ok(said) => heard.usable.push(said),
            Err(Some(why)) => heard.unusable.push(format!("{} days ago is no comparison: {why}", past.week.days_ago)),
            Err(None) => {}
        }
    }
    if let [one, other] = heard.usable.as_slice()
        && (one.is_of_size(level) || other.is_of_size(level))
        && one.level.abs().max(other.level.abs()) > LEVELS_APART_MAX * one.level.abs().min(other.level.abs())
    {
        let why = format!(
            "{} and {} days ago are no comparison: the levels then differ more than twofold",
            one.days_ago, other.days_ago
        );
        heard = Heard { usable: Vec::new(), unusable: vec![why] };
    }
    heard
}

impl Heard {
    /// The hardest of the bounds by load and of each week's movement.
    fn harder(&self, by_load: Bounds, signal: &str, better: Better, level: f64) -> Bounds {
        let sign = better.sign();
        let (mut verified, mut regressed) = (by_load.verified, by_load.regressed);
        for said in &self.usable {
            if let Some(gain) = said.improved(sign, level)
                && sign * gain.of(level) < sign * verified.of(level)
            {
                verified = gain;
            }
            if let Some(loss) = said.worsened(sign, level)
                && sign * loss.of(level) > sign * regressed.of(level)
            {
                regressed = loss;
            }
        }
        Bounds { verified, regressed, says: by_load.says + &self.words(signal, level) }
    }

    /// The bounds where the load is not known. Two weeks that moved alike, within a tenth of their level, and stood where
    /// today stood before the change; and still the load may be a tenth off, with what the law makes of that.
    fn in_place_of_load(&self, signal: &str, level: f64, tenth: f64, law: (f64, f64)) -> Option<Bounds> {
        let [one, other] = self.usable.as_slice() else { return None };
        let stands = |said: &Said| said.level > 0.0 && (level / said.level - 1.0).abs() <= LEVEL_ALIKE;
        if !stands(one) || !stands(other) || (one.share(one.shift) - other.share(other.shift)).abs() > tenth {
            return None;
        }
        let low = one.share(one.low).min(other.share(other.low)).min(0.0);
        let high = one.share(one.high).max(other.share(other.high)).max(0.0);
        Some(Bounds {
            verified: Without::times((1.0 + low).max(0.0) * law.0),
            regressed: Without::times((1.0 + high).min(said::WORSE_MAX) * law.1),
            says: format!(", the load is not known and earlier weeks stand in for it{}", self.words(signal, level)),
        })
    }

    /// What they said, in words that begin with a comma; empty where there is no history.
    fn words(&self, signal: &str, level: f64) -> String {
        let says: Vec<String> = self.usable.iter().map(|said| said.words(signal, level)).collect();
        let clauses: Vec<String> = match (self.usable.as_slice(), says.as_slice()) {
            ([one, other], [same, again]) if same == again => {
                vec![format!("{} and {} days ago the same minutes {same}", one.days_ago, other.days_ago)]
            }
            (usable, says) => {
                let clause =
                    |(said, did): (&Said, &String)| format!("{} days ago the same minutes {did}", said.days_ago);
                usable.iter().zip(says).map(clause).collect()
            }
        };
        clauses.iter().chain(&self.unusable).map(|clause| format!(", {clause}")).collect()
    }
}
