//! Virtual time: a straight line through two origins with a speed. The only place of this package that reads the time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `virtual = origin_virtual + (real − origin_real) × speed`, all in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VirtualClock {
    /// Real origin.
    pub origin_real_s: f64,
    /// Virtual origin.
    pub origin_virtual_s: f64,
    /// Virtual seconds per real second.
    pub speed: f64,
}

impl VirtualClock {
    /// Reads `<origin_real_s>,<origin_virtual_s>,<speed>`, or `None` when it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<f64> = text.split(',').map(|part| part.trim().parse().ok()).collect::<Option<_>>()?;
        match numbers[..] {
            [origin_real_s, origin_virtual_s, speed] if speed > 0.0 && speed.is_finite() => {
                Some(Self { origin_real_s, origin_virtual_s, speed })
            }
            _ => None,
        }
    }

    /// Virtual seconds since 1970, now.
    pub fn now_s(&self) -> f64 {
        self.origin_virtual_s + (real_now_s() - self.origin_real_s) * self.speed
    }

    /// Real time until a virtual moment; nothing when it has passed.
    pub fn until(&self, virtual_s: f64) -> Duration {
        Duration::from_secs_f64(((virtual_s - self.now_s()) / self.speed).max(0.0))
    }
}

/// Real seconds since 1970.
#[allow(clippy::disallowed_methods, reason = "this is the clock that everything else in this package asks")]
fn real_now_s() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_second_is_as_many_virtual_ones_as_the_speed_says() {
        let clock = VirtualClock::parse("1000,5000,60").unwrap();
        let moment = clock.origin_virtual_s + (real_now_s() - clock.origin_real_s) * 60.0 + 600.0;
        assert!(clock.until(moment) <= Duration::from_secs(10));
        assert_eq!(clock.until(0.0), Duration::ZERO);
        assert_eq!(VirtualClock::parse("1,2"), None);
        assert_eq!(VirtualClock::parse("1,2,0"), None);
    }
}
