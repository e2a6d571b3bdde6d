//! The regular time grid of a series.

use jiff::Timestamp;

/// Full periods of one length, starting on a multiple of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) start: Timestamp,
    pub(super) start_s: i64,
    pub(super) period_s: u32,
    pub(super) slots: usize,
}

impl Grid {
    /// The periods that start at or after the one `from` lies in and are over at `to`; `None` without any.
    pub(super) fn new(from: Timestamp, to: Timestamp, period_s: u32) -> Option<Self> {
        let period = i64::from(period_s.max(1));
        let start_s = from.as_second().div_euclid(period) * period;
        let slots = usize::try_from((to.as_second() - start_s).div_euclid(period)).ok().filter(|slots| *slots > 0)?;
        Some(Self { start: Timestamp::from_second(start_s).ok()?, start_s, period_s: period_s.max(1), slots })
    }

    /// End of the last period, in epoch seconds.
    pub(super) fn end_s(&self) -> i64 {
        self.at_s(self.slots)
    }

    /// Start of a period, in epoch seconds.
    pub(super) fn at_s(&self, slot: usize) -> i64 {
        self.start_s + i64::try_from(slot).unwrap_or(0) * i64::from(self.period_s)
    }

    /// The period that a moment lies in.
    pub(super) fn slot(&self, at_s: i64) -> Option<usize> {
        usize::try_from((at_s - self.start_s).div_euclid(i64::from(self.period_s)))
            .ok()
            .filter(|slot| *slot < self.slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch_s: i64) -> Timestamp {
        Timestamp::from_second(epoch_s).unwrap()
    }

    #[test]
    fn a_window_on_full_periods_is_kept_as_it_is() {
        let grid = Grid::new(at(600), at(900), 60).unwrap();
        assert_eq!((grid.start_s, grid.slots, grid.end_s()), (600, 5, 900));
        assert_eq!(grid.slot(600), Some(0));
        assert_eq!(grid.slot(899), Some(4));
        assert_eq!(grid.slot(900), None);
        assert_eq!(grid.slot(599), None);
    }

    #[test]
    fn a_period_that_is_not_over_yet_is_left_out() {
        let grid = Grid::new(at(630), at(959), 60).unwrap();
        assert_eq!((grid.start_s, grid.slots, grid.end_s()), (600, 5, 900));
    }

    #[test]
    fn a_window_without_a_full_period_has_no_grid() {
        assert_eq!(Grid::new(at(600), at(659), 60), None);
        assert_eq!(Grid::new(at(900), at(600), 60), None);
    }

    #[test]
    fn a_period_of_zero_is_taken_for_one_second() {
        assert_eq!(Grid::new(at(0), at(3), 0).unwrap().slots, 3);
    }
}
