//! A storm of one application against the limits of DynamoDB.

use super::{Episodes, end_of_step};
use crate::scripted::{Answer, Service};
use engine::ports::Episodes as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Units that a partition, and so an item, takes in a second.
const WRITES_MAX: u64 = 1_000;
const READS_MAX: u64 = 3_000;
const START_MS: i64 = 1_767_225_600_000;

/// The one item of a table that refuses what comes too fast.
#[derive(Default)]
struct Item {
    alarms: BTreeMap<String, i64>,
    opened_ms: i64,
    /// Units written and read, by second.
    units: BTreeMap<i64, (u64, u64)>,
    refused: u64,
}

impl Item {
    fn bytes(&self) -> u64 {
        200 + self.alarms.keys().map(|name| name.len() as u64 + 10).sum::<u64>()
    }

    fn answer(&mut self, request: &Value, now_ms: i64) -> Answer {
        let is_read = request["Item"].is_null() && request["UpdateExpression"].is_null();
        let bytes = self.bytes();
        let units = self.units.entry(now_ms / 1_000).or_default();
        if is_read {
            units.1 += bytes.div_ceil(4_096);
        } else {
            units.0 += bytes.div_ceil(1_024);
        }
        if units.0 > WRITES_MAX || units.1 > READS_MAX {
            self.refused += 1;
            return refusal("ThrottlingException");
        }
        let number = |name: &str| -> i64 {
            request["ExpressionAttributeValues"][name]["N"].as_str().and_then(|text| text.parse().ok()).unwrap()
        };
        if is_read {
            let item = if self.alarms.is_empty() { json!({}) } else { json!({"Item": self.attributes()}) };
            return Answer(200, item.to_string().into_bytes());
        }
        if let Some(put) = request["Item"]["arrivals"]["M"].as_object() {
            if !self.alarms.is_empty() {
                return refusal("ConditionalCheckFailedException");
            }
            self.opened_ms = now_ms;
            self.alarms =
                put.iter().map(|(name, at)| (name.clone(), at["N"].as_str().unwrap().parse().unwrap())).collect();
            return Answer(200, b"{}".to_vec());
        }
        let (name, at) = (request["ExpressionAttributeNames"]["#name"].as_str().unwrap(), number(":at"));
        let has_room = request["ExpressionAttributeValues"][":max"].is_null()
            || self.alarms.contains_key(name)
            || (self.alarms.len() as i64) < number(":max");
        if self.alarms.is_empty() || !has_room || self.alarms.get(name).is_some_and(|last| *last >= at) {
            return refusal("ConditionalCheckFailedException");
        }
        self.alarms.insert(name.to_owned(), at);
        Answer(200, json!({"Attributes": self.attributes()}).to_string().into_bytes())
    }

    fn attributes(&self) -> Value {
        let alarms: BTreeMap<_, _> =
            self.alarms.iter().map(|(name, at)| (name, json!({"N": at.to_string()}))).collect();
        json!({"key": {"S": "e"}, "episode_id": {"S": "e-1"}, "opened_at": {"N": self.opened_ms.to_string()},
            "started": {"BOOL": true}, "arrivals": {"M": alarms}})
    }
}

fn refusal(code: &str) -> Answer {
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "no"});
    Answer(400, body.to_string().into_bytes())
}

#[tokio::test]
async fn alarms_of_one_application_at_ten_thousand_a_minute_stay_within_what_one_item_takes() {
    const PER_MINUTE: i64 = 10_000;
    // Seven seconds of the storm: one to fill the episode, then each is like the other, the fourth ends a step.
    const ALARMS: i64 = 1_200;
    const FIRST_MS: i64 = START_MS + 6_000;
    let (item, now_ms) = (Arc::new(Mutex::new(Item::default())), Arc::new(AtomicI64::new(START_MS)));
    let (table, clock) = (Arc::clone(&item), Arc::clone(&now_ms));
    let service = Service::new(move |_, body| {
        let request = serde_json::from_slice(body).unwrap();
        table.lock().unwrap_or_else(PoisonError::into_inner).answer(&request, clock.load(Ordering::Relaxed))
    });
    let episodes = Episodes::new(&service.clients(), "leases");
    for number in 0..ALARMS {
        let at_ms = FIRST_MS + number * 60_000 / PER_MINUTE;
        now_ms.store(at_ms, Ordering::Relaxed);
        let at = Timestamp::from_millisecond(at_ms).unwrap();
        // Names as monitoring by tag makes them, 40 characters.
        let alarm = BTreeMap::from([(format!("shop-production-web-instance-{number:05}-cpu"), at)]);
        let joined = episodes.join("e", &alarm, at, 7_200).await.unwrap();
        let last = joined.alarms.values().max().copied().unwrap();
        assert!(last >= at, "alarm {number} would be taken for one that the run has looked at");
    }
    let item = item.lock().unwrap_or_else(PoisonError::into_inner);
    let (writes, reads) = item.units.values().fold((0, 0), |most, units| (units.0.max(most.0), units.1.max(most.1)));
    println!(
        "{ALARMS} alarms of one application at {PER_MINUTE} a minute: {} requests, at most {writes} of {WRITES_MAX} write units and {reads} of {READS_MAX} \
         read units a second, {} names",
        service.requests(),
        item.alarms.len()
    );
    assert_eq!((item.refused, item.alarms.len()), (0, 201));
}

#[test]
fn a_further_alarm_arrives_at_the_end_of_its_step_and_never_before_itself() {
    let at = |ms: i64| Timestamp::from_millisecond(START_MS + ms).unwrap();
    for (moment_ms, end_ms) in [(0, 0), (1, 10_000), (9_999, 10_000), (10_000, 10_000), (10_001, 20_000)] {
        assert_eq!(end_of_step(at(moment_ms)), at(end_ms), "{moment_ms}");
    }
}
