//! How values of EC2 become those of the domain.

use crate::inventory::Tags;
use aws_sdk_ec2::types::Tag;
use aws_smithy_types::DateTime;
use domain::resource::DELETE_AFTER_TAG;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

pub(crate) fn tags(tags: Option<Vec<Tag>>) -> Tags {
    tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

/// One text of each entry. The list has the room that it needs: one that is collected in the place of another keeps the room of that,
/// which for the disks of ten thousand machines was eight megabytes.
pub(super) fn slim<T>(entries: Option<Vec<T>>, text: impl Fn(T) -> Option<String>) -> Vec<String> {
    let mut texts: Vec<String> = entries.unwrap_or_default().into_iter().filter_map(text).collect();
    texts.shrink_to_fit();
    texts
}

pub(super) fn moment(at: Option<DateTime>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::from_second(at.secs()).ok())
}

pub(super) fn number(value: Option<i32>) -> Option<u32> {
    value.and_then(|value| u32::try_from(value).ok())
}

/// The mark that says from when on a resource may be deleted: RFC 3339, or a date, which begins at midnight UTC.
/// Somebody who has written anything else there has not agreed to a day, so it stands for the end of time.
pub(super) fn delete_after(tags: &Tags) -> Option<Timestamp> {
    let text = tags.get(DELETE_AFTER_TAG)?.trim();
    let moment = text.parse::<Timestamp>().ok();
    let of_date = || {
        let date = text.parse::<Date>().ok()?;
        Offset::UTC.to_timestamp(date.to_datetime(Time::midnight())).ok()
    };
    Some(moment.or_else(of_date).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_moment_or_a_date_and_anything_else_is_no_consent() {
        let mark = |text: &str| delete_after(&Tags::from_iter([(DELETE_AFTER_TAG.to_owned(), text.to_owned())]));
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        assert_eq!(delete_after(&Tags::new()), None);
        assert_eq!(mark("2026-12-11T10:30:00Z"), at("2026-12-11T10:30:00Z"));
        assert_eq!(mark("2026-12-11T10:30:00+02:00"), at("2026-12-11T08:30:00Z"));
        assert_eq!(mark(" 2026-12-11 "), at("2026-12-11T00:00:00Z"));
        for text in ["", "never", "11.12.2026", "2026-13-01"] {
            assert_eq!(mark(text), Some(Timestamp::MAX), "{text:?}");
        }
    }
}
