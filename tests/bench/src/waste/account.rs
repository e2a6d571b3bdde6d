//! An account with any number of volumes and machines, as EC2, STS and CloudWatch tell of it: to the SDK for Rust and to
//! boto3 alike. Every twentieth volume is attached to nothing, every tenth machine never has more than 10 % CPU.
//!
//! Pages are those of EC2: as many as are asked for, 1,000 at most. Everything else that is asked is answered with nothing.

use crate::cloudwatch::{Asked, CloudWatch, Query};
use crate::http::{Answer, Request};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Of so many volumes one is attached to nothing.
pub const UNATTACHED_EACH: usize = 20;
/// Of so many machines one has little to do.
pub const IDLE_EACH: usize = 10;
const PAGE_MAX: usize = 1_000;
const SINCE: &str = "2025-01-01T00:00:00.000Z";
const XML: &str = "content-type: text/xml;charset=UTF-8\r\n";
const JSON: &str = "content-type: application/x-amz-json-1.0\r\n";
const STATISTICS: &str = "GraniteServiceVersion20100801.GetMetricStatistics";

/// The account. Clones share what was asked.
#[derive(Clone)]
pub struct Account {
    each: usize,
    cloudwatch: CloudWatch,
    calls: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Account {
    /// So many volumes and so many machines, and this CloudWatch.
    pub fn new(each: usize, cloudwatch: CloudWatch) -> Self {
        Self { each, cloudwatch: cloudwatch.of_today(value), calls: Arc::default() }
    }

    /// Calls since the last look, by operation.
    pub fn take_calls(&self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What CloudWatch was asked by GetMetricData.
    pub fn asked(&self) -> Asked {
        self.cloudwatch.asked()
    }

    /// Answers one request.
    pub fn answer(&self, request: &Request) -> Answer {
        let target = request.header("x-amz-target").unwrap_or_default();
        if request.path.ends_with("/operation/GetMetricData") {
            self.count("GetMetricData");
            return self.cloudwatch.answer(request);
        }
        if target == STATISTICS {
            self.count("GetMetricStatistics");
            return Answer { status: 200, headers: JSON, body: statistics(&request.body).into_bytes() };
        }
        if !target.is_empty() {
            self.count(target.rsplit('.').next().unwrap_or(target));
            return Answer { status: 200, headers: JSON, body: b"{}".to_vec() };
        }
        let form: BTreeMap<&str, &str> = std::str::from_utf8(&request.body)
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .collect();
        let action = form.get("Action").copied().unwrap_or_default();
        self.count(action);
        let number = |name: &str| form.get(name).and_then(|text| text.parse().ok());
        let from: usize = number("NextToken").unwrap_or(0);
        let to = (from + number("MaxResults").unwrap_or(PAGE_MAX).min(PAGE_MAX)).min(self.each);
        let next = if to < self.each { format!("<nextToken>{to}</nextToken>") } else { String::new() };
        let body = match action {
            "DescribeVolumes" => format!("<volumeSet>{}</volumeSet>{next}", all(from..to, volume)),
            "DescribeInstances" => format!("<reservationSet>{}</reservationSet>{next}", all(from..to, machine)),
            "GetCallerIdentity" => "<GetCallerIdentityResult><Account>000000000000</Account><UserId>u</UserId>\
                <Arn>arn:aws:iam::000000000000:user/u</Arn></GetCallerIdentityResult>"
                .to_owned(),
            _ => format!("<{action}Result/>"),
        };
        let body = format!("<{action}Response>{body}<requestId>r</requestId></{action}Response>");
        Answer { status: 200, headers: XML, body: body.into_bytes() }
    }

    fn count(&self, operation: &str) {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(operation.to_owned()).or_default() += 1;
    }
}

fn all(numbers: std::ops::Range<usize>, one: fn(&mut String, usize)) -> String {
    numbers.fold(String::new(), |mut text, number| {
        one(&mut text, number);
        text
    })
}

const TAGS: &str = "<tagSet><item><key>maintainer:app</key><value>shop</value></item></tagSet>";

fn volume(text: &mut String, number: usize) {
    let (state, attached) = match number % UNATTACHED_EACH {
        0 => ("available", String::new()),
        _ => (
            "in-use",
            format!(
                "<item><volumeId>vol-{number:017x}</volumeId><instanceId>i-{number:017x}</instanceId><device>/dev/xvda</device>\
                 <status>attached</status><attachTime>{SINCE}</attachTime><deleteOnTermination>true</deleteOnTermination></item>"
            ),
        ),
    };
    let _ = write!(
        text,
        "<item><volumeId>vol-{number:017x}</volumeId><size>100</size><snapshotId/><availabilityZone>us-east-1a</availabilityZone>\
         <status>{state}</status><createTime>{SINCE}</createTime><attachmentSet>{attached}</attachmentSet>{TAGS}\
         <volumeType>gp3</volumeType><iops>3000</iops><throughput>125</throughput><encrypted>true</encrypted></item>"
    );
}

fn machine(text: &mut String, number: usize) {
    let _ = write!(
        text,
        "<item><reservationId>r-{number:017x}</reservationId><ownerId>000000000000</ownerId><instancesSet><item>\
         <instanceId>i-{number:017x}</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState>\
         <instanceType>m5.xlarge</instanceType><launchTime>{SINCE}</launchTime><placement><availabilityZone>us-east-1a</availabilityZone>\
         <tenancy>default</tenancy></placement><architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType>\
         <blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-{number:017x}</volumeId><status>attached</status>\
         <attachTime>{SINCE}</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>{TAGS}\
         </item></instancesSet></item>"
    );
}

/// The value of a metric in a period: CPU by day and night; what is attached to nothing publishes nothing.
fn value(query: &Query, slot: usize) -> f64 {
    match query.metric.as_str() {
        "CPUUtilization" => cpu(number_of(&query.of), slot),
        "mem_used_percent" => 20.0,
        "VolumeReadOps" | "VolumeWriteOps" => f64::NAN,
        _ => 1e6,
    }
}

fn cpu(machine: usize, slot: usize) -> f64 {
    let wave = (slot % 24) as f64 / 24.0;
    if machine.is_multiple_of(IDLE_EACH) { 8.0 + 2.0 * wave } else { 45.0 + 30.0 * wave }
}

/// The number in `i-…` or `vol-…`.
fn number_of(name: &str) -> usize {
    name.rsplit('-').next().and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

/// GetMetricStatistics in JSON, of the whole window at once: the largest value.
fn statistics(body: &[u8]) -> String {
    let asked: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let of = asked["Dimensions"][0]["Value"].as_str().unwrap_or_default();
    let most = (0..24).map(|slot| cpu(number_of(of), slot)).fold(0.0, f64::max);
    let statistic = asked["Statistics"][0].as_str().unwrap_or("Maximum");
    let at = asked["StartTime"].as_f64().unwrap_or(0.0);
    serde_json::json!({
        "Label": "CPUUtilization",
        "Datapoints": [{"Timestamp": at, "Unit": "Percent", statistic: most}],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn asked(account: &Account, body: &str) -> String {
        let request = Request { body: body.as_bytes().to_vec(), ..Request::default() };
        String::from_utf8(account.answer(&request).body).unwrap()
    }

    #[test]
    fn pages_are_those_that_are_asked_for_and_the_last_has_no_successor() {
        let account = Account::new(25, CloudWatch::new(1.0, || Timestamp::UNIX_EPOCH));
        let first = asked(&account, "Action=DescribeVolumes&MaxResults=20");
        assert_eq!(first.matches("<size>").count(), 20);
        assert!(first.contains("<nextToken>20</nextToken>"));
        let second = asked(&account, "Action=DescribeVolumes&MaxResults=20&NextToken=20");
        assert_eq!((second.matches("<size>").count(), second.contains("nextToken")), (5, false));
        let free = first.matches("available<").count() + second.matches("available<").count();
        assert_eq!(free, 2, "the first and the twenty-first");
        assert_eq!(account.take_calls().into_iter().collect::<Vec<_>>(), [("DescribeVolumes".to_owned(), 2)]);
        assert!(account.take_calls().is_empty());
    }
}
