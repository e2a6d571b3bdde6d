//! Surges that are announced: times of extraordinary load, before and during which nothing is made smaller.
//!
//! Read as freeze windows are; a surge happens once.

use crate::file;
use crate::freeze::{Window, Wrong};
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// Hours before its beginning from which a surge counts, where the file says nothing: whoever prepares for it begins then.
const LEAD_H: u32 = 72;
/// Longest lead in hours, a week. What is to be kept for longer is the usual size.
const LEAD_H_MAX: u32 = 168;

/// A surge that is announced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surge {
    window: Window,
    lead_h: u32,
}

impl Surge {
    /// Reads a surge of the file.
    pub(crate) fn read(surge: &file::Surge) -> Result<Self, Wrong> {
        let lead_h = surge.lead_h.unwrap_or(LEAD_H);
        if lead_h > LEAD_H_MAX {
            return Err(("lead_h", format!("must be at most {LEAD_H_MAX}, which is a week, not {lead_h}")));
        }
        let window = Window::read(&file::Freeze {
            name: surge.name.clone(),
            days: Vec::new(),
            from: surge.from.clone(),
            to: surge.to.clone(),
            time_zone: surge.time_zone.clone(),
        })?;
        if window.once().is_none() {
            let says = "must be a moment such as \"2026-11-27\" or \"2026-11-27T18:00\": a surge happens once";
            return Err(("from", says.to_owned()));
        }
        Ok(Self { window, lead_h })
    }

    /// True from its lead before its beginning until its end.
    pub fn is_announced_at(&self, now: Timestamp) -> bool {
        self.window.once().is_some_and(|(from, to)| {
            let lead = SignedDuration::from_hours(i64::from(self.lead_h));
            (from.checked_sub(lead).unwrap_or(Timestamp::MIN)..to).contains(&now)
        })
    }
}

impl fmt::Display for Surge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, announced {} h ahead", self.window, self.lead_h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surge(from: &str, to: &str, lead_h: Option<u32>) -> Result<Surge, Wrong> {
        Surge::read(&file::Surge {
            name: "sale".into(),
            from: from.into(),
            to: to.into(),
            time_zone: Some("Europe/Berlin".into()),
            lead_h,
        })
    }

    fn announced(lead_h: Option<u32>, at: &str) -> bool {
        surge("2026-11-27", "2026-11-30", lead_h).unwrap().is_announced_at(at.parse().unwrap())
    }

    #[test]
    fn is_announced_from_its_lead_until_its_end() {
        // Midnight in Berlin is 23:00 UTC of the day before.
        assert!(!announced(None, "2026-11-23T22:59:59Z"));
        assert!(announced(None, "2026-11-23T23:00:00Z"));
        assert!(announced(Some(0), "2026-11-26T23:00:00Z") && !announced(Some(0), "2026-11-26T22:59:59Z"));
        assert!(announced(None, "2026-11-30T22:59:59Z"), "a date means until the end of that day");
        assert!(!announced(None, "2026-11-30T23:00:00Z"));
    }

    #[test]
    fn the_lead_is_a_week_at_most() {
        assert!(surge("2026-11-27", "2026-11-30", Some(168)).is_ok());
        let (key, says) = surge("2026-11-27", "2026-11-30", Some(169)).unwrap_err();
        assert_eq!((key, says.as_str()), ("lead_h", "must be at most 168, which is a week, not 169"));
    }

    #[test]
    fn a_surge_happens_once_and_has_the_checks_of_a_freeze_window() {
        let (key, says) = surge("18:00", "22:00", None).unwrap_err();
        assert!(key == "from" && says.ends_with("a surge happens once"), "{key} {says}");
        let (key, says) = surge("2026-11-30", "2026-11-27", None).unwrap_err();
        assert_eq!((key, says.as_str()), ("to", "must be after from"));
    }

    #[test]
    fn says_when_in_its_time_zone() {
        let said = surge("2026-11-27T18:00", "2026-11-30", Some(24)).unwrap().to_string();
        assert_eq!(said, "sale: 2026-11-27 18:00 to 2026-12-01 00:00 Europe/Berlin, announced 24 h ahead");
    }
}
