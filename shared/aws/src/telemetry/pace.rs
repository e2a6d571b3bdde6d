//! The pace of GetMetricData: as fast as the service allows and no faster, so that hardly anything has to be repeated.
//!
//! CloudWatch allows 50 calls and 180,000 datapoints a second; windows that start more than three hours ago have a limit
//! of their own (User Guide, "CloudWatch service quotas"). Calls are spaced by what they ask for. Everybody in the account
//! draws from the same limits, so a call may still be refused: that halves the pace for the rest of the reading, and the
//! call waits for another turn, paid from a small purse. When everything is refused, hardly anything is repeated.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Calls a second that the service allows.
const CALLS_PER_S: f64 = 50.0;
/// Datapoints a second that the service allows.
const DATAPOINTS_PER_S: f64 = 180_000.0;
/// The same where the window starts more than [`RECENT_S`] ago. The guide said 90,000 first and says 396,000 since 2022;
/// the worse of both, because nobody has measured it.
const DATAPOINTS_PER_S_OLD: f64 = 90_000.0;
/// Age of a window's start, in seconds, up to which the first limit holds: three hours, less half a minute that the
/// request may need and the service's clock may be ahead.
pub const RECENT_S: i64 = 10_770;
/// The pace is halved so often at most: to an eighth.
const HALVED_MAX: u32 = 3;
/// Pause after the first refusal; doubles with each further one that halves the pace.
const PAUSE: Duration = Duration::from_millis(500);
/// Repetitions that a full purse pays for.
const REPEATS: f64 = 10.0;
/// What an answered call puts into it.
const REPEATS_PER_ANSWER: f64 = 0.1;
/// After so many refusals without an answer in between, a reading asks no more: the limits are somebody else's now.
const REFUSALS_MAX: u32 = 8;

/// What a call asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Datapoints, present or not: the service counts what could be there.
    pub(super) datapoints: usize,
    /// How long before now its window starts, in seconds.
    pub(super) age_s: i64,
}

/// When the next call may start.
#[derive(Debug)]
pub(super) struct Pace {
    /// First come, first served.
    queue: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    pause: Duration,
}

#[derive(Debug)]
struct State {
    next: Option<Instant>,
    halved: u32,
    refusals: u32,
    repeats: f64,
}

/// A call's permission to start now, with the pace at which it starts.
#[derive(Debug)]
pub(super) struct Turn {
    halved: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self::pausing(PAUSE)
    }
}

impl Pace {
    /// A pace with this pause after the first refusal.
    pub(super) fn pausing(pause: Duration) -> Self {
        let state = State { next: None, halved: 0, refusals: 0, repeats: REPEATS };
        Self { queue: tokio::sync::Mutex::default(), state: Mutex::new(state), pause }
    }

    /// A new reading: others may have gone meanwhile, so it starts at the full pace.
    pub(super) fn begin(&self) {
        let mut state = self.state();
        (state.halved, state.refusals) = (0, 0);
    }

    /// Waits for the turn of a call; what it asks for is told when it may start. `None` when that would be after `until`,
    /// or when there is no point in asking.
    pub(super) async fn turn(&self, until: Instant, load: impl Fn() -> Load) -> Option<Turn> {
        let _place = self.queue.lock().await;
        loop {
            let now = Instant::now();
            let at = {
                let mut state = self.state();
                let at = state.next.map_or(now, |next| next.max(now));
                if at > until || state.refusals >= REFUSALS_MAX {
                    return None;
                }
                if at == now {
                    return Some(state.start(now, load()));
                }
                at
            };
            // A refusal may move the next turn on meanwhile, so it is looked at again.
            tokio::time::sleep_until(at).await;
        }
    }

    /// The turn of a call that has not to wait: a further page of one that has waited.
    pub(super) fn at_once(&self) -> Turn {
        Turn { halved: self.state().halved }
    }

    /// A call was answered.
    pub(super) fn answered(&self) {
        let mut state = self.state();
        state.refusals = 0;
        state.repeats = (state.repeats + REPEATS_PER_ANSWER).min(REPEATS);
    }

    /// A call was refused as too much. True when it may wait for another turn.
    pub(super) fn refused(&self, turn: &Turn) -> bool {
        // From half to one and a half of it, so that those who were refused together do not come back together.
        let pause = self.pause.mul_f64(0.5 + fastrand::f64());
        self.state().slow_down(Instant::now(), turn, pause)
    }

    /// A call has failed for another reason. True, after a pause, when it may be made again, paid from the same purse.
    pub(super) async fn affords_another_chance(&self) -> bool {
        let pays = self.state().pay();
        if pays {
            tokio::time::sleep(self.pause.mul_f64(0.5 + fastrand::f64())).await;
        }
        pays
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn start(&mut self, now: Instant, load: Load) -> Turn {
        self.next = Some(now + spacing(load) * (1 << self.halved));
        Turn { halved: self.halved }
    }

    fn slow_down(&mut self, now: Instant, turn: &Turn, pause: Duration) -> bool {
        // One that started at another pace tells nothing about this one.
        if turn.halved == self.halved {
            let pause_until = now + pause * (1 << self.halved);
            self.halved = (self.halved + 1).min(HALVED_MAX);
            self.next = Some(self.next.map_or(pause_until, |next| next.max(pause_until)));
        }
        self.refusals += 1;
        self.pay()
    }

    /// Takes a repetition out of the purse; false when there is none left.
    fn pay(&mut self) -> bool {
        let pays = self.repeats >= 1.0;
        self.repeats -= if pays { 1.0 } else { 0.0 };
        pays
    }
}

/// Time from the start of a call to that of the next, at the full pace.
fn spacing(load: Load) -> Duration {
    let datapoints = u32::try_from(load.datapoints).map_or(f64::from(u32::MAX), f64::from);
    let datapoints_per_s = if load.age_s <= RECENT_S { DATAPOINTS_PER_S } else { DATAPOINTS_PER_S_OLD };
    Duration::from_secs_f64((1.0 / CALLS_PER_S).max(datapoints / datapoints_per_s))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    fn load(datapoints: usize) -> Load {
        Load { datapoints, age_s: 10_500 }
    }

    fn state() -> State {
        State { next: None, halved: 0, refusals: 0, repeats: REPEATS }
    }

    fn next(state: &State, now: Instant) -> Duration {
        state.next.unwrap().duration_since(now)
    }

    #[test]
    fn calls_are_spaced_by_their_datapoints_or_by_the_limit_on_calls() {
        assert_eq!(spacing(load(90_000)), Duration::from_millis(500));
        assert_eq!(spacing(load(5)), Duration::from_millis(20));
    }

    #[test]
    fn regression_a_window_that_starts_more_than_three_hours_ago_has_a_limit_of_its_own() {
        let spacing_ms = |age_s| spacing(Load { datapoints: 90_000, age_s }).as_millis();
        assert_eq!(spacing_ms(RECENT_S), 500);
        assert_eq!(spacing_ms(RECENT_S + 1), 1_000);
        assert_eq!(spacing_ms(-60), 500, "a window in the future is no old one");
    }

    #[test]
    fn a_refusal_halves_the_pace_once_for_all_calls_that_were_under_way() {
        let (mut state, now, pause) = (state(), Instant::now(), Duration::from_secs(1));
        let (first, second) = (state.start(now, load(90_000)), state.start(now, load(90_000)));
        assert!(state.slow_down(now, &first, pause));
        assert_eq!((state.halved, next(&state, now)), (1, pause));
        assert!(state.slow_down(now, &second, pause));
        assert_eq!((state.halved, next(&state, now)), (1, pause));
        let third = state.start(now, load(90_000));
        assert_eq!(next(&state, now), Duration::from_secs(1), "twice the spacing");
        state.slow_down(now, &third, pause);
        assert_eq!((state.halved, next(&state, now)), (2, 2 * pause));
    }

    #[test]
    fn the_purse_pays_for_ten_repetitions_and_ten_answers_for_one_more() {
        let pace = Pace::pausing(Duration::ZERO);
        let repeats = || (0..100).filter(|_| pace.refused(&pace.at_once())).count();
        assert_eq!(repeats(), 10);
        (0..11).for_each(|_| pace.answered());
        assert_eq!(repeats(), 1);
    }

    #[tokio::test]
    async fn a_turn_that_would_come_too_late_is_none() {
        let (pace, until) = (Pace::default(), Instant::now() + Duration::from_secs(3_000));
        let hour = || Load { datapoints: 3_600 * 180_000, age_s: 0 };
        assert!(pace.turn(until, hour).await.is_some());
        assert!(pace.turn(until, hour).await.is_none());
        assert!(pace.turn(until + Duration::from_secs(3_000), hour).now_or_never().is_none(), "it waits");
    }

    #[test]
    fn a_pause_leaves_no_credit() {
        let (mut state, now) = (state(), Instant::now());
        let _ = state.start(now + Duration::from_secs(60), load(90_000));
        assert_eq!(next(&state, now), Duration::from_millis(60_500));
    }
}
