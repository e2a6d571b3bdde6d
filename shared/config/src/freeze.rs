//! Freeze windows: times in which nothing is changed, as people write them, in their time zone.
//!
//! Where a clock change makes a local time happen twice or not at all, the window is the longer one: from the earlier
//! reading of its beginning to the later reading of its end. One frozen hour too many harms nobody.

use crate::file::{Day, Freeze};
use crate::nearest::nearest;
use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::fmt;

/// A time in which nothing is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What a refused change names as the reason.
    pub name: String,
    when: When,
    zone: TimeZone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// Every week, on the days on which it begins; no day means all of them. Ends days later when it crosses midnight.
    Weekly { days: Vec<Weekday>, from: Time, to: Time, ends_days_later: i32 },
    /// Once.
    Once { from: Timestamp, to: Timestamp },
}

/// Why a window can't be read: the key that is wrong and the rest of the sentence.
pub(crate) type Wrong = (&'static str, String);

/// End of a day, in the file.
const MIDNIGHT_END: &str = "24:00";

/// One end of a window.
enum Edge {
    Clock { time: Time, is_end_of_day: bool },
    Moment { at: DateTime, is_date: bool },
}

impl Window {
    /// Reads a window of the file.
    pub(crate) fn read(freeze: &Freeze) -> Result<Self, Wrong> {
        if freeze.name.trim().is_empty() {
            return Err(("name", "must say what the window is for, such as \"sale\"".to_owned()));
        }
        let zone = zone(freeze.time_zone.as_deref().unwrap_or("UTC"))?;
        let (from, to) = (edge(&freeze.from, "from")?, edge(&freeze.to, "to")?);
        let when = match (from, to) {
            (Edge::Clock { time: from, is_end_of_day: false }, Edge::Clock { time: to, is_end_of_day }) => {
                weekly(&freeze.days, from, to, is_end_of_day)?
            }
            (Edge::Clock { .. }, Edge::Clock { .. }) => {
                return Err(("from", "can't be 24:00, so write 00:00 of the next day".to_owned()));
            }
            (Edge::Moment { at: from, .. }, Edge::Moment { at: to, is_date }) if freeze.days.is_empty() => {
                once(from, if is_date { next_day(to) } else { to }, &zone)?
            }
            (Edge::Moment { .. }, Edge::Moment { .. }) => {
                return Err(("days", "stand beside dates, but a window between two dates happens once".to_owned()));
            }
            _ => {
                let says = "must be of the same form as from: two times of day such as 22:00, or two dates";
                return Err(("to", says.to_owned()));
            }
        };
        Ok(Self { name: freeze.name.clone(), when, zone })
    }

    /// True while the window holds. Its end is no longer in it.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        match &self.when {
            When::Once { from, to } => (*from..*to).contains(&now),
            When::Weekly { days, from, to, ends_days_later } => {
                let today = self.zone.to_datetime(now).date();
                // A window that began yesterday may still hold; where a zone skips a day, tomorrow's may hold already.
                (-1..=1).filter_map(|offset| today.checked_add(Span::new().days(offset)).ok()).any(|begins| {
                    let listed = days.is_empty() || days.contains(&begins.weekday());
                    listed && self.holds_on(begins, (*from, *to), *ends_days_later, now)
                })
            }
        }
    }

    /// Beginning and end of a window that happens once.
    pub(crate) fn once(&self) -> Option<(Timestamp, Timestamp)> {
        match self.when {
            When::Once { from, to } => Some((from, to)),
            When::Weekly { .. } => None,
        }
    }

    fn holds_on(&self, begins: Date, (from, to): (Time, Time), ends_days_later: i32, now: Timestamp) -> bool {
        let Ok(ends) = begins.checked_add(Span::new().days(ends_days_later)) else { return false };
        let start = earlier(begins.to_datetime(from), &self.zone);
        let end = later(ends.to_datetime(to), &self.zone);
        start.zip(end).is_some_and(|(start, end)| (start..end).contains(&now))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = self.zone.iana_name().unwrap_or("UTC");
        match &self.when {
            When::Once { from, to } => {
                let local = |at: &Timestamp| self.zone.to_datetime(*at).strftime("%Y-%m-%d %H:%M").to_string();
                write!(f, "{}: {} to {} {zone}", self.name, local(from), local(to))
            }
            When::Weekly { days, from, to, .. } => {
                let names: Vec<String> = days.iter().map(|day| format!("{day:?}").chars().take(3).collect()).collect();
                let days = if names.is_empty() { "every day".to_owned() } else { names.join(" ") };
                write!(f, "{}: {days} {} to {} {zone}", self.name, from.strftime("%H:%M"), to.strftime("%H:%M"))
            }
        }
    }
}

fn weekly(days: &[Day], from: Time, to: Time, is_end_of_day: bool) -> Result<When, Wrong> {
    if from == to && !is_end_of_day {
        return Err(("to", "is the same as from: a whole day is from 00:00 to 24:00".to_owned()));
    }
    let ends_days_later = i32::from(is_end_of_day || to < from);
    Ok(When::Weekly { days: days.iter().map(|day| weekday(*day)).collect(), from, to, ends_days_later })
}

fn once(from: DateTime, to: DateTime, zone: &TimeZone) -> Result<When, Wrong> {
    let out_of_range = || ("from", "lies outside the calendar, which ends with the year 9999".to_owned());
    let from = earlier(from, zone).ok_or_else(out_of_range)?;
    let to = later(to, zone).ok_or_else(out_of_range)?;
    if from >= to {
        return Err(("to", "must be after from".to_owned()));
    }
    Ok(When::Once { from, to })
}

fn next_day(date: DateTime) -> DateTime {
    date.checked_add(Span::new().days(1)).unwrap_or(DateTime::MAX)
}

fn earlier(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(at).earlier().ok()
}

fn later(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_timestamp(at).later().ok()
}

fn edge(text: &str, key: &'static str) -> Result<Edge, Wrong> {
    if text == MIDNIGHT_END {
        return Ok(Edge::Clock { time: Time::midnight(), is_end_of_day: true });
    }
    if text.len() == "00:00".len()
        && let Ok(time) = Time::strptime("%H:%M", text)
    {
        return Ok(Edge::Clock { time, is_end_of_day: false });
    }
    let is_date = text.len() == "2026-11-27".len();
    let plausible = text.is_ascii() && text.len() <= "2026-11-27T18:00:00".len() && !text.ends_with(['Z', 'z']);
    match text.parse::<DateTime>() {
        Ok(at) if plausible => Ok(Edge::Moment { at, is_date }),
        _ => {
            let form = "must be a time of day such as \"22:00\" or a moment such as \"2026-11-27\" or \"2026-11-27T18:00\" \
                        without offset";
            Err((key, format!("{form}, not {}", crate::nearest::quoted(text))))
        }
    }
}

/// The time zone of this name, or the key and what is wrong with it.
pub(crate) fn zone(name: &str) -> Result<TimeZone, Wrong> {
    TimeZone::get(name).map_err(|_| {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        // People know the city, not the continent that the database files it under.
        let city = names.iter().map(String::as_str).find(|known| {
            known.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(&name.replace(' ', "_")))
        });
        let hint = match city.or_else(|| nearest(name, names.iter().map(String::as_str))) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "names are like \"Europe/Berlin\"".to_owned(),
        };
        ("time_zone", format!("is no IANA time zone: {}; {hint}", crate::nearest::quoted(name)))
    })
}

fn weekday(day: Day) -> Weekday {
    match day {
        Day::Mon => Weekday::Monday,
        Day::Tue => Weekday::Tuesday,
        Day::Wed => Weekday::Wednesday,
        Day::Thu => Weekday::Thursday,
        Day::Fri => Weekday::Friday,
        Day::Sat => Weekday::Saturday,
        Day::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests;
