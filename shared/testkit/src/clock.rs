//! A clock that moves only when a test moves it.

use async_trait::async_trait;
use engine::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};

/// Milliseconds since 1970, moved by hand.
#[derive(Debug)]
pub struct TestClock {
    epoch_ms: AtomicI64,
}

impl TestClock {
    /// A clock that stands at this moment.
    pub fn at(now: Timestamp) -> Self {
        Self { epoch_ms: AtomicI64::new(now.as_millisecond()) }
    }

    /// Moves it, forwards or (a clock that is set back) backwards.
    pub fn move_by(&self, duration: SignedDuration) {
        let step_ms = i64::try_from(duration.as_millis()).expect("a test moves the clock by less than an age");
        self.epoch_ms.fetch_add(step_ms, Ordering::SeqCst);
    }

    /// Moves it forwards by seconds.
    pub fn forward_s(&self, seconds: u32) {
        self.move_by(SignedDuration::from_secs(i64::from(seconds)));
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.epoch_ms.load(Ordering::SeqCst)).expect("a test stays within the calendar")
    }

    async fn wait(&self, seconds: u32) {
        self.forward_s(seconds);
    }
}
