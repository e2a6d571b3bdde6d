//! Who watches the watchman: whether an application that is to be looked at regularly has been.
//!
//! An application is silent when two things hold. No run on it has ended well for longer than the limit, counted from
//! when it was first known. And a whole round has gone by without: one that began after its last good run, early enough
//! for its runs to have ended. The second keeps a schedule that is slower than the limit, or was paused, from crying
//! about applications that no round has missed.
//!
//! Example: rounds at 0, 4, 8 and 12 h, limit 9 h, last good run at 0:10. At 8 h it is not silent (7.8 h), at 12 h it is.

use crate::ids::AppId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// Runs of a round have ended by then, in seconds. Two rounds closer together count as one: a step that was repeated, or
/// somebody who starts one by hand.
pub const ROUND_S: u32 = 7_200;

/// Every application that a round has been for, and when the rounds were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// Applications.
    pub apps: BTreeSet<AppId>,
    /// When the latest round began.
    pub round_at: Option<Timestamp>,
    /// When the round before it began.
    pub before_at: Option<Timestamp>,
}

impl Roll {
    /// The roll once a round for these applications begins.
    #[must_use]
    pub fn called(&self, known: &[AppId], now: Timestamp) -> Self {
        let apps = self.apps.iter().chain(known).cloned().collect();
        match self.round_at {
            Some(round_at) if now.duration_since(round_at) < seconds(ROUND_S) => Self { apps, ..self.clone() },
            before_at => Self { apps, round_at: Some(now), before_at },
        }
    }
}

/// What is known of one application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Application.
    pub app: AppId,
    /// When a round knew it first.
    pub since: Timestamp,
    /// When a run on it last ended well: with a success, or by handing over to people, but not by a failure of its own.
    pub looked_at: Option<Timestamp>,
    /// When people were last told that it is silent.
    pub told_at: Option<Timestamp>,
}

impl Watched {
    /// True when nobody looks after it. `roll` is that of the round that begins now.
    pub fn is_silent(&self, roll: &Roll, limit_s: u32, now: Timestamp) -> bool {
        let last = self.last();
        now.duration_since(last) > seconds(limit_s) && roll.before_at.is_some_and(|round| round > last)
    }

    /// True when people know of its present silence.
    pub fn is_told(&self) -> bool {
        self.told_at.is_some_and(|told| told > self.last())
    }

    fn last(&self) -> Timestamp {
        self.looked_at.unwrap_or(self.since).max(self.since)
    }
}

fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(i64::from(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_S: u32 = 3_600;
    const LIMIT_S: u32 = 9 * HOUR_S;

    fn at(minutes: i64) -> Timestamp {
        "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
    }

    fn shop(looked_at: Option<Timestamp>) -> Watched {
        Watched { app: "shop".into(), since: at(0), looked_at, told_at: None }
    }

    fn after_rounds(minutes: &[i64]) -> Roll {
        minutes.iter().fold(Roll::default(), |roll, minute| roll.called(&["shop".into()], at(*minute)))
    }

    fn silent_at_the_last_of(minutes: &[i64], looked_at: Option<Timestamp>) -> bool {
        shop(looked_at).is_silent(&after_rounds(minutes), LIMIT_S, at(*minutes.last().unwrap()))
    }

    #[test]
    fn silence_begins_with_the_first_round_after_the_limit() {
        let looked = Some(at(10));
        assert!(!silent_at_the_last_of(&[0, 240, 480], looked));
        assert!(silent_at_the_last_of(&[0, 240, 480, 720], looked));
        assert!(!silent_at_the_last_of(&[0, 240, 480, 720], Some(at(250))));
    }

    #[test]
    fn an_application_that_was_never_looked_at_is_silent_from_when_it_was_known() {
        assert!(!silent_at_the_last_of(&[0], None));
        assert!(silent_at_the_last_of(&[0, 240, 480, 720], None));
    }

    #[test]
    fn a_schedule_slower_than_the_limit_or_a_pause_makes_nobody_silent_that_no_round_has_missed() {
        let day = 24 * 60;
        assert!(!silent_at_the_last_of(&[0, day], Some(at(10))));
        assert!(!silent_at_the_last_of(&[0, 7 * day], Some(at(10))));
        assert!(silent_at_the_last_of(&[0, day, 2 * day], Some(at(10))), "the round after a day has missed it");
    }

    #[test]
    fn a_round_that_is_repeated_or_started_by_hand_meanwhile_misses_nobody() {
        let day = 24 * 60;
        assert!(!silent_at_the_last_of(&[0, day, day + 1], Some(at(10))));
    }

    #[test]
    fn people_know_until_it_was_looked_at_again() {
        let told = Watched { told_at: Some(at(720)), ..shop(Some(at(10))) };
        assert!(told.is_told());
        assert!(!Watched { looked_at: Some(at(730)), ..told }.is_told());
    }
}
