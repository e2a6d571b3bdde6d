//! The application under care, what it is made of and costs, and what forbids to change it.

use super::PortResult;
use async_trait::async_trait;
use config::Selector;
use domain::change::Change;
use domain::guard::{Cleared, KillSwitch};
use domain::ids::AppId;
use domain::observed::{Missing, Observed};
use domain::place::Place;
use domain::price::{Price, Sold};
use domain::resource::{Live, Resource, ResourceKind};
use domain::series::Series;
use domain::signal::Target;
use domain::snapshot::Alarm;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Finds the resources of applications. Reads only.
#[async_trait]
pub trait Inventory: Send + Sync {
    /// All resources that the selector names, with live state; kinds whose discovery failed are named with the reason.
    async fn discover(&self, selector: &Selector) -> PortResult<Discovery>;
    /// Names of all applications that are tagged in the account and Region.
    async fn tagged_apps(&self) -> PortResult<Vec<AppId>>;
    /// Tags of an alarm.
    async fn alarm_tags(&self, alarm_arn: &str) -> PortResult<BTreeMap<String, String>>;
}

/// The places in which applications live, other than that of the deployment.
#[async_trait]
pub trait Places: Send + Sync {
    /// The inventory of a place; [`PortError::Denied`] where the account does not let this deployment in.
    async fn inventory(&self, place: &Place) -> PortResult<Box<dyn Inventory>>;
}

/// What discovery found and what it could not look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discovery {
    /// Resources with live state.
    pub resources: Vec<Resource>,
    /// Kinds that could not be read, or listed resources that are gone.
    pub undiscovered: Vec<(ResourceKind, Missing)>,
}

/// One metric to read.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricQuery {
    /// CloudWatch namespace.
    pub namespace: String,
    /// Metric name.
    pub metric: String,
    /// Statistic.
    pub stat: String,
    /// Multiplies each value.
    pub scale: f64,
    /// Dimensions and member.
    pub target: Target,
}

/// Reads alarms. Reads only. Apart from the metrics, so that a step that changes something links no reading of them.
#[async_trait]
pub trait Alarms: Send + Sync {
    /// Metric alarms whose dimensions name one of these resources, or that are tagged for the application.
    async fn alarms(&self, app: &AppId, resources: &[Resource]) -> PortResult<Vec<Alarm>>;
}

/// Reads metrics and alarms. Reads only.
#[async_trait]
pub trait Telemetry: Alarms {
    /// One series per query, in the same order, on a grid of `period_s` over `[from, to)`. A query that failed is
    /// `Missing` by itself and does not spoil the others. A period without a datapoint is a gap, never zero.
    async fn read(
        &self,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
        period_s: u32,
    ) -> Vec<Observed<Series>>;
}

/// Applies changes. The only port that writes to an application.
#[async_trait]
pub trait Actuator: Send + Sync {
    /// The live state and tags of a resource, read now.
    async fn live(&self, resource: &Resource) -> PortResult<Resource>;
    /// Makes the change. Absolute: doing it twice is doing it once, as far as the service allows.
    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()>;
    /// Restores what `apply` changed to the captured value. The engine has compared before it calls this.
    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()>;
}

/// The kill switch.
#[async_trait]
pub trait Switch: Send + Sync {
    /// Its state; unreadable is a state that stops changes.
    async fn read(&self) -> KillSwitch;
}

/// Prices of what resources are made of.
#[async_trait]
pub trait Prices: Send + Sync {
    /// The price of each; one that can't be read is missing with its reason.
    async fn read(&self, sold: &BTreeSet<Sold>) -> Vec<Price>;
}

/// Change calendars of Systems Manager.
#[async_trait]
pub trait Calendars: Send + Sync {
    /// Whether changes are allowed now by all of these calendars. Unreadable is a state that stops changes.
    async fn state(&self, calendars: &BTreeSet<String>) -> CalendarState;
}

/// What change calendars say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarState {
    /// All are open.
    Open,
    /// One is closed. Why, in words, for the refusal.
    Closed(String),
}
