//! A snapshot: every signal of an application at a moment, with what is missing.

use crate::ids::{AppId, ResourceId, SignalId};
use crate::observed::{Missing, Observed};
use crate::price::Price;
use crate::resource::{Resource, ResourceKind};
use crate::series::Series;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How far back the series of a snapshot reach, in seconds.
///
/// Under three hours: for windows that start earlier CloudWatch has another limit on datapoints a second. The window
/// starts with a minute, so up to a minute earlier than asked for, and the last call of a large reading may start a minute
/// after the first. 175 minutes leave three to spare and are a whole number of a trend's bins. No rule looks back further
/// than two hours, and the anomaly detector scores in full from 150 points on.
pub const HISTORY_S: u32 = 10_500;

/// What was seen of one application. Immutable once written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The application.
    pub app: AppId,
    /// When the reading ended; windows end here.
    pub taken_at: Timestamp,
    /// Length of the observed window in seconds (300 by default); series reach back [`HISTORY_S`], for comparison.
    pub window_s: u32,
    /// Its resources with their live state.
    pub resources: Vec<Resource>,
    /// Its signals.
    pub measurements: Vec<Measurement>,
    /// Its alarms, or why they could not be read.
    pub alarms: Observed<Vec<Alarm>>,
    /// Whole kinds of resources whose discovery failed; never the same as "there are none".
    pub undiscovered: Vec<(ResourceKind, Missing)>,
    /// Prices of what its resources are made of; only the snapshot that a plan rests on has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Price>,
    /// The same minutes of earlier weeks, of the few signals that verdicts rest on; only a snapshot that a change is judged
    /// by has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weeks: Vec<Week>,
}

/// The same minutes of an earlier week.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Week {
    /// How many days ago.
    pub days_ago: u32,
    /// How many seconds ago: so many days, an hour more or less where the clocks were changed between.
    pub shift_s: i64,
    /// Why these minutes were none like others, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disturbed: Option<String>,
    /// Its signals, at the times at which they were measured.
    pub measurements: Vec<Measurement>,
}

/// One signal of one resource, or of one member of it (an instance of a fleet).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Which signal.
    pub signal: SignalId,
    /// Of which resource.
    pub resource: ResourceId,
    /// Of which member of it, for signals that are read per member.
    pub member: Option<String>,
    /// The values.
    pub series: Observed<Series>,
}

/// A CloudWatch alarm as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: AlarmState,
    /// When it went into that state.
    pub since: Option<Timestamp>,
    /// The reason CloudWatch gives. Text from outside: data, never instructions or markup.
    pub reason: String,
}

/// The states of a CloudWatch alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AlarmState {
    /// Within the threshold.
    Ok,
    /// Beyond the threshold.
    Alarm,
    /// Not enough data to tell.
    InsufficientData,
}

impl Snapshot {
    /// The resource with this id.
    pub fn resource(&self, id: &ResourceId) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.id == *id)
    }

    /// An earlier week as if it were a snapshot: its signals, on the resources of today.
    pub fn in_week(&self, week: &Week) -> Self {
        let taken_at = self.taken_at.checked_sub(SignedDuration::from_secs(week.shift_s)).unwrap_or(Timestamp::MIN);
        Self {
            app: self.app.clone(),
            taken_at,
            window_s: self.window_s,
            resources: self.resources.clone(),
            measurements: week.measurements.clone(),
            alarms: Observed::Known(Vec::new()),
            undiscovered: Vec::new(),
            prices: Vec::new(),
            weeks: Vec::new(),
        }
    }

    /// Resources of one kind.
    pub fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(move |resource| resource.kind() == kind)
    }

    /// All measurements of a signal, members left out.
    pub fn of_signal(&self, signal: &str) -> impl Iterator<Item = &Measurement> {
        self.measurements.iter().filter(move |m| m.signal.as_str() == signal && m.member.is_none())
    }

    /// The measurement of a signal on a resource as a whole.
    pub fn measurement(&self, signal: &str, resource: &ResourceId) -> Option<&Measurement> {
        self.of_signal(signal).find(|m| m.resource == *resource)
    }

    /// The measurements of a signal on each member of a resource.
    pub fn members<'a>(
        &'a self,
        signal: &'a str,
        resource: &'a ResourceId,
    ) -> impl Iterator<Item = (&'a str, &'a Measurement)> {
        self.measurements.iter().filter_map(move |m| {
            let member = m.member.as_deref()?;
            (m.signal.as_str() == signal && m.resource == *resource).then_some((member, m))
        })
    }

    /// The mean of a signal over the observed window, if known.
    pub fn level(&self, signal: &str, resource: &ResourceId) -> Option<f64> {
        let series = self.measurement(signal, resource)?.series.known()?;
        series.mean_of_last(self.taken_at, self.window_s)
    }

    /// Share of measurements that are known, 0 to 1. An empty snapshot has a share of 0: it proves nothing. What is not
    /// set up to be published (no CloudWatch agent) is not counted: it was never going to be there.
    pub fn completeness(&self) -> f64 {
        let expected =
            self.measurements.iter().filter(|m| !matches!(m.series, Observed::Missing(Missing::NotPublished(_))));
        let total = expected.clone().count() + self.undiscovered.len();
        let known = expected.filter(|m| !m.series.is_missing()).count();
        let (Ok(total), Ok(known)) = (u32::try_from(total), u32::try_from(known)) else { return 0.0 };
        if total == 0 { 0.0 } else { f64::from(known) / f64::from(total) }
    }
}
