//! The pace of GetMetricData: as fast as the service allows and no faster, so that nothing has to be repeated.
//!
//! CloudWatch allows 50 calls and 180,000 datapoints a second (90,000 for windows older than three hours). Calls are
//! spaced by what they ask for. A process knows only its own calls; beyond that throttling and its repetition remain.

use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// Calls a second that the service allows.
const CALLS_PER_S: f64 = 50.0;
/// Datapoints a second that the service allows.
const DATAPOINTS_PER_S: f64 = 180_000.0;

/// When the next call may start.
#[derive(Debug, Default)]
pub(super) struct Pace {
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// Waits for the turn of a call that asks for this many datapoints.
    pub(super) async fn wait(&self, datapoints: usize) {
        let turn = self.reserve(Instant::now(), datapoints);
        tokio::time::sleep_until(turn).await;
    }

    fn reserve(&self, now: Instant, datapoints: usize) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        *next = Some(turn + spacing(datapoints));
        turn
    }
}

fn spacing(datapoints: usize) -> Duration {
    let datapoints = u32::try_from(datapoints).map_or(f64::from(u32::MAX), f64::from);
    Duration::from_secs_f64((1.0 / CALLS_PER_S).max(datapoints / DATAPOINTS_PER_S))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_calls_of_ninety_thousand_datapoints_start_half_a_second_apart() {
        let pace = Pace::default();
        let now = Instant::now();
        let turns: Vec<Duration> = (0..20).map(|_| pace.reserve(now, 90_000).duration_since(now)).collect();
        assert_eq!(turns[0], Duration::ZERO);
        assert_eq!(turns[19], Duration::from_millis(9_500));
    }

    #[test]
    fn small_calls_are_spaced_by_the_limit_on_calls() {
        assert_eq!(spacing(5), Duration::from_millis(20));
    }

    #[test]
    fn a_pause_leaves_no_credit() {
        let pace = Pace::default();
        let now = Instant::now();
        let _ = pace.reserve(now, 90_000);
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.reserve(later, 90_000), later);
        assert_eq!(pace.reserve(later, 90_000), later + Duration::from_millis(500));
    }
}
