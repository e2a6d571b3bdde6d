//! Another chance for a read that has failed in every attempt of the SDK.
//!
//! Those attempts lie within a second, and what makes them fail may last longer. Where a read that fails makes a measurement
//! unknown, or a change impossible, it is made once more after a pause. All reads of a process pay for that from one small purse:
//! when everything is throttled or fails, hardly anything is repeated. Writes get no other chance.

use engine::ports::{PortError, PortResult};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Further chances that a full purse pays for.
const CHANCES: f64 = 10.0;
/// What a read that went well puts into it.
const PER_SUCCESS: f64 = 0.1;
/// Mean pause before another chance.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// The purse. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Chances {
    purse: Arc<Mutex<f64>>,
    pause: Duration,
}

/// What a read gives.
pub(crate) trait Outcome {
    /// True when it failed, wholly or in part, by something that may be over in a moment.
    fn may_pass(&self) -> bool;
}

impl<T> Outcome for PortResult<T> {
    fn may_pass(&self) -> bool {
        self.as_ref().is_err_and(may_pass)
    }
}

/// Throttling, time-outs, lost connections, and failures of the service.
pub(crate) fn may_pass(error: &PortError) -> bool {
    matches!(error, PortError::Throttled { .. } | PortError::Unknown { .. })
}

impl Chances {
    /// A full purse, with this mean pause.
    pub(crate) fn pausing(pause: Duration) -> Self {
        Self { purse: Arc::new(Mutex::new(CHANCES)), pause }
    }

    /// The outcome of a read, or of its second chance.
    pub(crate) async fn read<T: Outcome, F: Future<Output = T>>(&self, read: impl Fn() -> F) -> T {
        let outcome = read().await;
        if !outcome.may_pass() {
            let mut purse = self.purse();
            *purse = (*purse + PER_SUCCESS).min(CHANCES);
            return outcome;
        }
        if !self.pay() {
            return outcome;
        }
        // From half to one and a half of it, so that those who failed together do not come back together.
        tokio::time::sleep(self.pause.mul_f64(0.5 + fastrand::f64())).await;
        read().await
    }

    fn pay(&self) -> bool {
        let mut purse = self.purse();
        let pays = *purse >= 1.0;
        *purse -= if pays { 1.0 } else { 0.0 };
        pays
    }

    fn purse(&self) -> MutexGuard<'_, f64> {
        self.purse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Calls and failures when something that goes as `outcome` says by the number of the call is wanted so often.
    async fn reads(wanted: usize, outcome: impl Fn(usize) -> PortResult<()>) -> (usize, usize) {
        let (chances, calls) = (Chances::pausing(Duration::ZERO), AtomicUsize::new(0));
        let mut failed = 0;
        for _ in 0..wanted {
            let read = chances.read(async || outcome(calls.fetch_add(1, Ordering::Relaxed))).await;
            failed += usize::from(read.is_err());
        }
        (calls.into_inner(), failed)
    }

    fn throttled() -> PortResult<()> {
        Err(PortError::Throttled { operation: "read".to_owned() })
    }

    #[tokio::test]
    async fn what_failed_is_read_once_more_and_what_is_denied_is_not() {
        assert_eq!(reads(1, |number| if number == 0 { throttled() } else { Ok(()) }).await, (2, 0));
        let denied = || Err(PortError::Denied { operation: "read".to_owned(), permission: "p".to_owned() });
        assert_eq!(reads(5, |_| denied()).await, (5, 5));
        assert_eq!(reads(5, |_| Ok(())).await, (5, 0));
    }

    #[tokio::test]
    async fn fault_when_every_read_is_throttled_hardly_any_gets_another_chance() {
        assert_eq!(reads(500, |_| throttled()).await, (510, 500));
    }

    #[tokio::test]
    async fn the_purse_lasts_where_one_read_in_twenty_fails() {
        assert_eq!(reads(1_000, |number| if number % 20 == 0 { throttled() } else { Ok(()) }).await, (1_053, 0));
    }
}
