//! Alarm transitions, from the three shapes in which AWS delivers them.
//!
//! Shapes: EventBridge "CloudWatch Alarm State Change", SNS notification of an alarm, direct Lambda alarm action; each
//! as documented in the CloudWatch User Guide. Only the fields that are used are asked for, so that additions of AWS
//! don't break anything; what is used and absent is named in one sentence.

use domain::place::Place;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// Metrics of response times: of load balancers, APIs and functions, and of web sites behind CloudFront.
const RESPONSE_TIMES: [&str; 5] = ["TargetResponseTime", "Latency", "IntegrationLatency", "Duration", "OriginLatency"];

/// An alarm that changed its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// ARN of the alarm.
    pub arn: String,
    /// Where the alarm stands, as its ARN says.
    pub place: Place,
    /// It came over the event bus, which says by itself from where. Only this way alarms of other places come.
    pub by_bus: bool,
    /// Name of the alarm.
    pub name: String,
    /// New state: `ALARM`, `OK` or `INSUFFICIENT_DATA`.
    pub state: String,
    /// When it changed.
    pub at: Timestamp,
    /// Dimensions of all metrics that the alarm watches.
    pub dimensions: Vec<BTreeMap<String, String>>,
    /// Names of these metrics, as far as the event says them.
    pub metrics: Vec<String>,
}

impl Transition {
    /// The same for the same transition, whichever way and however often it arrives.
    ///
    /// The three shapes write the time with different precision, so it counts in whole seconds.
    pub fn id(&self) -> String {
        format!("transition#{}#{}#{}", self.arn, self.state, self.at.as_second())
    }

    /// It is about what users wait for: one of its metrics is a response time.
    pub fn is_about_waiting(&self) -> bool {
        self.metrics.iter().any(|metric| RESPONSE_TIMES.contains(&metric.as_str()))
    }
}

/// Why an event is not understood. One sentence that says what is wrong and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AlarmError {
    /// Not one of the three shapes.
    #[error(
        "the event is not an alarm: expected an EventBridge \"CloudWatch Alarm State Change\", an SNS notification of an alarm, or a Lambda alarm action, got {0}"
    )]
    Shape(String),
    /// A field is absent or has the wrong type.
    #[error("the alarm event has no valid \"{field}\": expected {expected}")]
    Field {
        /// Path of the field.
        field: &'static str,
        /// What would be right.
        expected: &'static str,
    },
}

/// Reads every transition in an event.
///
/// # Errors
/// [`AlarmError`] when it is none of the shapes, or a field that is needed is absent. Nothing is guessed.
pub fn transitions(event: &Value) -> Result<Vec<Transition>, AlarmError> {
    if let Some(records) = event.get("Records").and_then(Value::as_array) {
        if records.is_empty() {
            return Err(AlarmError::Shape("an empty list of records".to_owned()));
        }
        return records.iter().map(from_sns).collect();
    }
    if event.get("alarmData").is_some() {
        return from_action(event).map(|transition| vec![transition]);
    }
    if event.get("detail-type").and_then(Value::as_str) == Some("CloudWatch Alarm State Change") {
        return from_event_bridge(event).map(|transition| vec![transition]);
    }
    Err(AlarmError::Shape(describe(event)))
}

fn from_event_bridge(event: &Value) -> Result<Transition, AlarmError> {
    if text(event, "/source") != Some("aws.cloudwatch") {
        return Err(AlarmError::Field { field: "source", expected: "\"aws.cloudwatch\"" });
    }
    let (arn, place) = alarm_arn(event, "/resources/0", "resources[0]")?;
    // The bus writes who sent an event; what the event says of itself must not contradict that.
    let sent = |path, field, expected| needed(event, path, field, expected);
    let account = sent("/account", "account", "the account that sent the event")?;
    let region = sent("/region", "region", "the Region that sent the event")?;
    if place != (Place { account, region }) {
        return Err(AlarmError::Field {
            field: "resources[0]",
            expected: "an alarm of the event's account and region",
        });
    }
    Ok(Transition {
        arn,
        place,
        by_bus: true,
        name: needed(event, "/detail/alarmName", "detail.alarmName", "the name of the alarm")?,
        state: needed(event, "/detail/state/value", "detail.state.value", "ALARM, OK or INSUFFICIENT_DATA")?,
        at: time(event, "/detail/state/timestamp", "detail.state.timestamp")?,
        dimensions: metric_dimensions(event.pointer("/detail/configuration/metrics")),
        metrics: metric_names(event.pointer("/detail/configuration/metrics")),
    })
}

fn from_action(event: &Value) -> Result<Transition, AlarmError> {
    let (arn, place) = alarm_arn(event, "/alarmArn", "alarmArn")?;
    Ok(Transition {
        arn,
        place,
        by_bus: false,
        name: needed(event, "/alarmData/alarmName", "alarmData.alarmName", "the name of the alarm")?,
        state: needed(event, "/alarmData/state/value", "alarmData.state.value", "ALARM, OK or INSUFFICIENT_DATA")?,
        at: time(event, "/alarmData/state/timestamp", "alarmData.state.timestamp")?,
        dimensions: metric_dimensions(event.pointer("/alarmData/configuration/metrics")),
        metrics: metric_names(event.pointer("/alarmData/configuration/metrics")),
    })
}

fn from_sns(record: &Value) -> Result<Transition, AlarmError> {
    let message = needed(record, "/Sns/Message", "Records[].Sns.Message", "the JSON text of an alarm")?;
    let alarm: Value = serde_json::from_str(&message)
        .map_err(|_| AlarmError::Field { field: "Records[].Sns.Message", expected: "the JSON text of an alarm" })?;
    let (arn, place) = alarm_arn(&alarm, "/AlarmArn", "Message.AlarmArn")?;
    Ok(Transition {
        arn,
        place,
        by_bus: false,
        name: needed(&alarm, "/AlarmName", "Message.AlarmName", "the name of the alarm")?,
        state: needed(&alarm, "/NewStateValue", "Message.NewStateValue", "ALARM, OK or INSUFFICIENT_DATA")?,
        at: time(&alarm, "/StateChangeTime", "Message.StateChangeTime")?,
        dimensions: trigger_dimensions(alarm.get("Trigger")),
        metrics: trigger_metrics(alarm.get("Trigger")),
    })
}

/// Dimensions in the shape of EventBridge and Lambda actions: a map per metric.
fn metric_dimensions(metrics: Option<&Value>) -> Vec<BTreeMap<String, String>> {
    metrics
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|metric| metric.pointer("/metricStat/metric/dimensions"))
        .filter_map(|dimensions| serde_json::from_value(dimensions.clone()).ok())
        .collect()
}

/// Names in the same shape.
fn metric_names(metrics: Option<&Value>) -> Vec<String> {
    let metrics = metrics.and_then(Value::as_array).into_iter().flatten();
    metrics.filter_map(|metric| text(metric, "/metricStat/metric/name")).map(str::to_owned).collect()
}

/// Names in the shape of SNS: of a plain alarm, or one per metric for metric maths.
fn trigger_metrics(trigger: Option<&Value>) -> Vec<String> {
    let Some(trigger) = trigger else { return Vec::new() };
    let several = trigger.get("Metrics").and_then(Value::as_array).into_iter().flatten();
    let several = several.filter_map(|metric| text(metric, "/MetricStat/Metric/MetricName"));
    text(trigger, "/MetricName").into_iter().chain(several).map(str::to_owned).collect()
}

/// Dimensions in the shape of SNS: a list of names and values, one for a plain alarm, one per metric for metric maths.
fn trigger_dimensions(trigger: Option<&Value>) -> Vec<BTreeMap<String, String>> {
    let Some(trigger) = trigger else { return Vec::new() };
    let lists = std::iter::once(trigger.get("Dimensions")).chain(
        trigger
            .get("Metrics")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|metric| metric.pointer("/MetricStat/Metric/Dimensions")),
    );
    lists
        .flatten()
        .filter_map(Value::as_array)
        .map(|list| {
            list.iter()
                .filter_map(|pair| Some((text(pair, "/name")?.to_owned(), text(pair, "/value")?.to_owned())))
                .collect()
        })
        .collect()
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path).and_then(Value::as_str)
}

fn needed(value: &Value, path: &str, field: &'static str, expected: &'static str) -> Result<String, AlarmError> {
    text(value, path).filter(|found| !found.is_empty()).map(str::to_owned).ok_or(AlarmError::Field { field, expected })
}

fn alarm_arn(value: &Value, path: &str, field: &'static str) -> Result<(String, Place), AlarmError> {
    let expected = "the ARN of the alarm";
    let arn = needed(value, path, field, expected)?;
    let place = Place::of_arn(&arn).ok_or(AlarmError::Field { field, expected })?;
    Ok((arn, place))
}

fn time(value: &Value, path: &str, field: &'static str) -> Result<Timestamp, AlarmError> {
    let expected = "a time such as 2026-01-31T12:00:00.000+0000";
    let found = needed(value, path, field, expected)?;
    parse_time(&found).ok_or(AlarmError::Field { field, expected })
}

/// RFC 3339, or with the offset `+0000` that CloudWatch writes.
fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok())
}

/// A few words on an event that is none of the shapes; never its content, which may hold anything.
fn describe(event: &Value) -> String {
    match event {
        Value::Object(fields) if fields.is_empty() => "an empty object".to_owned(),
        Value::Object(fields) => match fields.get("detail-type").and_then(Value::as_str) {
            Some(_) => "an event of another detail-type".to_owned(),
            None => format!("an object with {} fields", fields.len()),
        },
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Null => "null".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Bool(_) | Value::Number(_) => "a bare value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-cpu";

    fn by_event_bridge() -> Value {
        json!({"version": "0", "source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change",
            "account": "123456789012", "region": "us-east-1", "time": "2026-01-31T12:00:01Z", "resources": [ARN],
            "detail": {"alarmName": "shop-cpu",
                "state": {"value": "ALARM", "timestamp": "2026-01-31T12:00:00.123+0000", "reason": "Threshold Crossed"},
                "configuration": {"metrics": [{"id": "m", "metricStat": {"metric": {"namespace": "AWS/EC2",
                    "name": "CPUUtilization", "dimensions": {"AutoScalingGroupName": "shop-web"}}, "period": 60,
                    "stat": "Average"}, "returnData": true}]}}})
    }

    fn by_sns() -> Value {
        let message = json!({"AlarmName": "shop-cpu", "AlarmArn": ARN, "NewStateValue": "ALARM",
            "StateChangeTime": "2026-01-31T12:00:00.123+0000", "Trigger": {"MetricName": "CPUUtilization",
            "Dimensions": [{"name": "AutoScalingGroupName", "value": "shop-web"}]}});
        json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]})
    }

    fn by_action() -> Value {
        json!({"source": "aws.cloudwatch", "alarmArn": ARN, "accountId": "123456789012",
            "alarmData": {"alarmName": "shop-cpu",
                "state": {"value": "ALARM", "timestamp": "2026-01-31T12:00:00.123+0000"},
                "configuration": {"metrics": [{"metricStat": {"metric": {"name": "CPUUtilization", "dimensions": {"AutoScalingGroupName": "shop-web"}}}}]}}})
    }

    #[test]
    fn the_three_shapes_of_one_transition_are_the_same_transition() {
        let read = |event: &Value| transitions(event).unwrap().remove(0);
        let expected = read(&by_event_bridge());
        assert_eq!(expected.dimensions[0]["AutoScalingGroupName"], "shop-web");
        assert_eq!((expected.place.account.as_str(), expected.place.region.as_str()), ("123456789012", "us-east-1"));
        assert!(expected.by_bus);
        assert_eq!(read(&by_sns()), Transition { by_bus: false, ..expected.clone() });
        assert_eq!(read(&by_action()), Transition { by_bus: false, ..expected });
    }

    #[test]
    fn refuses_what_is_no_alarm_in_one_sentence_that_repeats_nothing_of_it() {
        for event in [
            json!({}),
            json!([]),
            json!(null),
            json!("secret"),
            json!({"Records": []}),
            json!({"detail-type": "EC2 Instance State-change Notification", "source": "aws.ec2", "token": "secret"}),
        ] {
            let sentence = transitions(&event).unwrap_err().to_string();
            assert!(sentence.starts_with("the event is not an alarm"), "{sentence}");
            assert!(!sentence.contains("secret"), "{sentence}");
        }
    }

    #[test]
    fn names_the_field_that_is_absent_or_has_the_wrong_type() {
        let paths = [
            ("/detail/alarmName", "detail.alarmName"),
            ("/detail/state", "detail.state.value"),
            ("/resources", "resources[0]"),
            ("/source", "source"),
            ("/account", "account"),
            ("/region", "region"),
            ("/detail/state/timestamp", "detail.state.timestamp"),
        ];
        for (path, named) in paths {
            let mut event = by_event_bridge();
            *event.pointer_mut(path).unwrap() = json!(7);
            let sentence = transitions(&event).unwrap_err().to_string();
            assert!(sentence.contains(&format!("\"{named}\"")), "{path}: {sentence}");
        }
    }

    /// The bus of a deployment takes events of other accounts; what they claim to be is not believed.
    #[test]
    fn refuses_an_alarm_that_says_it_is_another_accounts_than_the_one_that_sent_it() {
        for (field, other) in [("/account", "999999999999"), ("/region", "eu-west-1")] {
            let mut event = by_event_bridge();
            *event.pointer_mut(field).unwrap() = json!(other);
            let sentence = transitions(&event).unwrap_err().to_string();
            assert!(sentence.contains("an alarm of the event's account and region"), "{sentence}");
        }
    }

    #[test]
    fn an_sns_message_that_is_no_json_is_refused() {
        let event = json!({"Records": [{"Sns": {"Message": "hello"}}]});
        assert!(transitions(&event).unwrap_err().to_string().contains("JSON text of an alarm"));
    }
}
