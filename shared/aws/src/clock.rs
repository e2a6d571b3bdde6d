//! The clock: the one place that reads the time.
//!
//! Tests may run the whole stack on a virtual clock that goes faster. It is honoured only when the AWS endpoint is a
//! loopback address, so no real account ever sees it.

use async_trait::async_trait;
use engine::ports::Clock;
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};
use thiserror::Error;

/// The system's time, or a virtual time derived from it.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    virtual_clock: Option<VirtualClock>,
    started: Instant,
}

/// `virtual = origin_virtual + (real − origin_real) × speed`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct VirtualClock {
    origin_real: Timestamp,
    origin_virtual: Timestamp,
    speed: f64,
}

/// A `MAINTAINER_CLOCK` that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ClockError {
    /// The text has another form.
    #[error(
        "MAINTAINER_CLOCK is \"{0}\"; it must be three numbers: origin in real epoch seconds, origin in virtual epoch seconds, speed above 0"
    )]
    Malformed(String),
    /// The endpoint is not this machine.
    #[error("MAINTAINER_CLOCK is set, but the AWS endpoint is not a loopback address: unset it, it is for tests only")]
    NotLocal,
}

impl SystemClock {
    /// A clock that shows the system's time, unless `setting` (the value of `MAINTAINER_CLOCK`) and a loopback
    /// `endpoint` (the value of `AWS_ENDPOINT_URL`) make it virtual.
    ///
    /// # Errors
    /// A setting that can't be read, or one without a loopback endpoint.
    pub fn new(setting: Option<&str>, endpoint: Option<&str>) -> Result<Self, ClockError> {
        let started = Instant::now();
        let Some(setting) = setting.filter(|text| !text.trim().is_empty()) else {
            return Ok(Self { virtual_clock: None, started });
        };
        if !endpoint.is_some_and(is_loopback) {
            return Err(ClockError::NotLocal);
        }
        Ok(Self { virtual_clock: Some(VirtualClock::parse(setting)?), started })
    }

    /// Seconds of this clock that pass in a real second: what a time-out of a real call lasts on this clock.
    pub fn speed(&self) -> f64 {
        self.virtual_clock.map_or(1.0, |clock| clock.speed)
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the adapter through which everything else gets the time")]
    fn now(&self) -> Timestamp {
        let real = Timestamp::now();
        self.virtual_clock.map_or(real, |clock| clock.at(real))
    }

    fn steady(&self) -> SignedDuration {
        let passed_s = self.started.elapsed().as_secs_f64() * self.speed();
        SignedDuration::try_from_secs_f64(passed_s).unwrap_or(SignedDuration::MAX)
    }

    async fn wait(&self, seconds: u32) {
        tokio::time::sleep(Duration::from_secs_f64(f64::from(seconds) / self.speed())).await;
    }
}

impl VirtualClock {
    fn parse(setting: &str) -> Result<Self, ClockError> {
        let malformed = || ClockError::Malformed(setting.to_owned());
        let numbers: Vec<f64> =
            setting.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map_err(|_| malformed())?;
        let [real, virtual_, speed] = numbers[..] else { return Err(malformed()) };
        if !(speed > 0.0 && speed.is_finite()) {
            return Err(malformed());
        }
        let origin = |epoch_s: f64| {
            let duration = SignedDuration::try_from_secs_f64(epoch_s).ok()?;
            Timestamp::from_duration(duration).ok()
        };
        Ok(Self {
            origin_real: origin(real).ok_or_else(malformed)?,
            origin_virtual: origin(virtual_).ok_or_else(malformed)?,
            speed,
        })
    }

    fn at(self, real: Timestamp) -> Timestamp {
        let elapsed_s = real.duration_since(self.origin_real).as_secs_f64() * self.speed;
        SignedDuration::try_from_secs_f64(elapsed_s)
            .ok()
            .and_then(|elapsed| self.origin_virtual.checked_add(elapsed).ok())
            .unwrap_or(Timestamp::MAX)
    }
}

/// True for an `http://` or `https://` address on 127.0.0.0/8, `::1` or `localhost`.
fn is_loopback(endpoint: &str) -> bool {
    let rest = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://"));
    let Some(authority) = rest.and_then(|rest| rest.split(['/', '?', '#']).next()) else { return false };
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch_s: i64) -> Timestamp {
        Timestamp::from_second(epoch_s).unwrap()
    }

    #[test]
    fn without_a_setting_it_is_the_system_time() {
        assert!(SystemClock::new(None, Some("http://127.0.0.1:4566")).unwrap().virtual_clock.is_none());
        assert!(SystemClock::new(Some(" "), None).unwrap().virtual_clock.is_none());
    }

    #[test]
    fn a_minute_at_speed_sixty_is_an_hour() {
        let clock = VirtualClock::parse("1000,5000,60").unwrap();
        assert_eq!(clock.at(at(1000)), at(5000));
        assert_eq!(clock.at(at(1060)), at(8600));
    }

    #[test]
    fn refuses_a_virtual_clock_away_from_this_machine() {
        for endpoint in [
            None,
            Some("https://dynamodb.eu-west-1.amazonaws.com"),
            Some("http://localhost@evil.example"),
            Some("http://127.0.0.1.evil.example"),
            Some("127.0.0.1"),
        ] {
            assert_eq!(SystemClock::new(Some("0,0,1"), endpoint).unwrap_err(), ClockError::NotLocal, "{endpoint:?}");
        }
        for endpoint in ["http://127.0.0.1:4566", "http://localhost:4566/", "https://[::1]:443"] {
            assert!(SystemClock::new(Some("0,0,1"), Some(endpoint)).is_ok(), "{endpoint}");
        }
    }

    #[test]
    fn refuses_anything_but_three_numbers_in_one_sentence() {
        for setting in ["1", "1,2", "1,2,3,4", "a,b,c", "1,2,0", "1,2,-1", "1,2,inf", "1e300,0,1", "NaN,0,1"] {
            let error = SystemClock::new(Some(setting), Some("http://localhost")).unwrap_err();
            assert_eq!(error, ClockError::Malformed(setting.to_owned()));
            assert!(error.to_string().contains(setting));
        }
    }
}
