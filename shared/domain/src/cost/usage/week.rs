//! The peak of each hour of a week, in a quarter of the space of optional doubles: an estate has tens of thousands of them.

use super::WEEK_H;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Largest value of each hour of the week, Monday 00:00 UTC first, in single precision; none where an hour of the week was never
/// seen. As JSON a list of numbers and nulls.
#[derive(Clone, Debug)]
pub struct Week(Box<[f32; WEEK_H]>);

impl Week {
    /// Takes a value into an hour.
    #[expect(clippy::cast_possible_truncation, reason = "seven digits of a peak are enough")]
    pub(super) fn take(&mut self, hour: usize, value: f64) {
        if let Some(most) = self.0.get_mut(hour) {
            // The greater one; any value is greater than none.
            *most = most.max(value as f32);
        }
    }

    /// Each hour.
    pub fn hours(&self) -> impl Iterator<Item = Option<f64>> + '_ {
        self.0.iter().map(|most| (!most.is_nan()).then(|| f64::from(*most)))
    }

    /// True where every hour was seen.
    pub fn is_whole(&self) -> bool {
        self.0.iter().all(|most| !most.is_nan())
    }
}

impl Default for Week {
    fn default() -> Self {
        Self(Box::new([f32::NAN; WEEK_H]))
    }
}

impl PartialEq for Week {
    fn eq(&self, other: &Self) -> bool {
        self.hours().eq(other.hours())
    }
}

impl Serialize for Week {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        sink.collect_seq(self.0.iter().map(|most| (!most.is_nan()).then_some(*most)))
    }
}

impl<'de> Deserialize<'de> for Week {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let hours = Vec::<Option<f32>>::deserialize(source)?;
        let mut week = Self::default();
        for (most, hour) in week.0.iter_mut().zip(hours) {
            *most = hour.unwrap_or(f32::NAN);
        }
        Ok(week)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_keeps_its_greatest_value_and_survives_its_text_form() {
        let mut week = Week::default();
        assert!(!week.is_whole() && week.hours().all(|hour| hour.is_none()));
        week.take(3, -2.0);
        week.take(3, -5.0);
        week.take(167, 1.5);
        week.take(168, 1.0);
        let text = serde_json::to_string(&week).unwrap();
        assert!(text.starts_with("[null,null,null,-2.0,null,") && text.ends_with(",1.5]"), "{text}");
        assert_eq!(serde_json::from_str::<Week>(&text).unwrap(), week);
        (0..WEEK_H).for_each(|hour| week.take(hour, 0.0));
        assert!(week.is_whole());
    }
}
