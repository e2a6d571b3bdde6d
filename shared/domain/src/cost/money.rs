//! Money: millionths of a US dollar, as AWS bills fractions of cents.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Neg, Sub};

/// An amount in millionths of a US dollar. Adding saturates: a bill that large is wrong anyway.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsdMicros(pub i64);

impl UsdMicros {
    /// Whole cents, rounded to the nearest.
    pub fn cents(self) -> i64 {
        let rounded = self.0.unsigned_abs().saturating_add(5_000) / 10_000;
        i64::try_from(rounded).unwrap_or(i64::MAX).saturating_mul(self.0.signum())
    }

    /// In US dollars, to compute with shares of it.
    #[expect(clippy::cast_precision_loss, reason = "millionths fit into a float up to nine billion dollars")]
    pub fn usd(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// This amount so many times; a factor that is no number gives nothing.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        // Millionths of a dollar fit into the 53 bits of a float up to nine billion dollars; beyond that it saturates.
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "saturates, and NaN becomes 0"
        )]
        Self((self.0 as f64 * factor).round() as i64)
    }
}

impl Add for UsdMicros {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for UsdMicros {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for UsdMicros {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl Sum for UsdMicros {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), Add::add)
    }
}

/// Dollars with two places: `12.34`, `-0.50`.
impl fmt::Display for UsdMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.cents();
        let sign = if cents < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", cents.unsigned_abs() / 100, cents.unsigned_abs() % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_in_dollars_with_two_places() {
        for (micros, text) in [
            (0, "0.00"),
            (4_999, "0.00"),
            (5_000, "0.01"),
            (12_345_678, "12.35"),
            (-500_000, "-0.50"),
            (-4_999, "0.00"),
        ] {
            assert_eq!(UsdMicros(micros).to_string(), text, "{micros}");
        }
    }

    #[test]
    fn adding_and_multiplying_saturate() {
        assert_eq!(UsdMicros(i64::MAX) + UsdMicros(1), UsdMicros(i64::MAX));
        assert_eq!(-UsdMicros(i64::MIN), UsdMicros(i64::MAX));
        assert_eq!(UsdMicros(3).times(1e300), UsdMicros(i64::MAX));
        assert_eq!(UsdMicros(80_000).times(500.0), UsdMicros(40_000_000));
        assert_eq!(UsdMicros(1).times(f64::NAN), UsdMicros(0));
        assert_eq!([UsdMicros(1), UsdMicros(2)].into_iter().sum::<UsdMicros>(), UsdMicros(3));
    }
}
