//! DynamoDB items: attribute values in and out, times as readable text, records as JSON.

use aws_sdk_dynamodb::types::AttributeValue;
use engine::ports::PortError;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// An item as DynamoDB has it.
pub type Item = HashMap<String, AttributeValue>;

/// Attribute that holds the whole record as JSON; the other attributes repeat parts of it for people and indexes.
pub(crate) const RECORD: &str = "record";
/// Attribute by which DynamoDB removes items after their time; epoch seconds.
pub(crate) const EXPIRES_AT: &str = "expires_at";
/// Records are kept 400 days: a year and a month, so that a yearly comparison still finds its counterpart.
pub(crate) const KEEP_RECORDS_S: i64 = 400 * 86_400;

/// A text attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A time as text of fixed width, so that its order as text is its order in time.
pub(crate) fn time(at: Timestamp) -> AttributeValue {
    text(time_text(at))
}

/// `2026-09-01T12:00:00.123Z`.
pub(crate) fn time_text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// When an item written for a moment may be removed.
pub(crate) fn expiry(at: Timestamp, keep_s: i64) -> AttributeValue {
    let at = at.checked_add(SignedDuration::from_secs(keep_s)).unwrap_or(Timestamp::MAX);
    number(at.as_second())
}

/// A record as JSON.
pub(crate) fn record<T: Serialize>(value: &T, operation: &str) -> Result<AttributeValue, PortError> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| PortError::Rejected {
        operation: operation.to_owned(),
        why: format!("the record could not be written as JSON: {error}"),
    })
}

/// The record of an item.
pub(crate) fn parse<T: DeserializeOwned>(item: &Item, operation: &str) -> Result<T, PortError> {
    let json = item.get(RECORD).and_then(|value| value.as_s().ok());
    let unreadable = |why: String| PortError::Rejected { operation: operation.to_owned(), why };
    let json = json.ok_or_else(|| unreadable("the item has no attribute record".to_owned()))?;
    serde_json::from_str(json).map_err(|error| unreadable(format!("the attribute record is not readable: {error}")))
}

/// A text attribute's value.
pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// A number attribute's value.
pub(crate) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_times_as_text_is_their_order_in_time() {
        let mut times: Vec<Timestamp> = [1_700_000_000_000, 1_700_000_000_500, 1_700_000_001_000, 1_699_999_999_999]
            .iter()
            .map(|ms| Timestamp::from_millisecond(*ms).unwrap())
            .collect();
        times.sort_unstable();
        let texts: Vec<String> = times.iter().map(|at| time_text(*at)).collect();
        let mut sorted = texts.clone();
        sorted.sort();
        assert_eq!(texts, sorted);
        assert_eq!(texts[1], "2023-11-14T22:13:20.000Z");
    }
}
