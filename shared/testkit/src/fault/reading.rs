//! The ports through which steps see an application, its prices and what else runs, as calls of a process.
//!
//! A read that goes wrong where the port has no error of its own is missing, with the reason that the adapter would give.

use super::{Process, Subject};
use async_trait::async_trait;
use config::Selector;
use domain::ids::AppId;
use domain::observed::{Missing, Observed};
use domain::price::{Price, Sold};
use domain::series::Series;
use domain::watch::{Roll, Watched};
use engine::ports::{
    CalendarState, Calendars, Circuit, Discovery, Inventory, Life, Liveness, MetricQuery, PortError, PortResult,
    Prices, Telemetry, Watch,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What a reading adapter makes of a call that went wrong.
pub(super) fn missing(error: PortError) -> Missing {
    match error {
        PortError::Throttled { .. } => Missing::Throttled,
        PortError::Denied { permission, .. } => Missing::Denied(permission),
        error => Missing::Failed(error.to_string()),
    }
}

#[async_trait]
impl Inventory for Process {
    async fn discover(&self, selector: &Selector) -> PortResult<Discovery> {
        self.records("Inventory.discover", self.world.discover(selector)).await
    }

    async fn tagged_apps(&self) -> PortResult<Vec<AppId>> {
        self.records("Inventory.tagged_apps", self.world.tagged_apps()).await
    }

    async fn alarm_tags(&self, alarm_arn: &str) -> PortResult<BTreeMap<String, String>> {
        self.records("Inventory.alarm_tags", self.world.alarm_tags(alarm_arn)).await
    }
}

#[async_trait]
impl Telemetry for Process {
    async fn read(
        &self,
        queries: &[MetricQuery],
        from: Timestamp,
        to: Timestamp,
        period_s: u32,
    ) -> Vec<Observed<Series>> {
        let look = async { Ok(Telemetry::read(&*self.world, queries, from, to, period_s).await) };
        match self.records("Telemetry.read", look).await {
            Ok(series) => series,
            Err(error) => vec![Observed::Missing(missing(error)); queries.len()],
        }
    }
}

#[async_trait]
impl Prices for Process {
    async fn read(&self, sold: &BTreeSet<Sold>) -> Vec<Price> {
        let look = async { Ok(Prices::read(&*self.world, sold).await) };
        match self.records("Prices.read", look).await {
            Ok(prices) => prices,
            Err(error) => {
                let why = missing(error);
                let price = |of: &Sold| Price { of: of.clone(), usd_micros_hour: Observed::Missing(why.clone()) };
                sold.iter().map(price).collect()
            }
        }
    }
}

#[async_trait]
impl Calendars for Process {
    async fn state(&self, calendars: &BTreeSet<String>) -> CalendarState {
        let look = async { Ok(Calendars::state(&*self.world, calendars).await) };
        let answer = self.call("Calendars.state", false, Subject::Records, look).await;
        answer.unwrap_or_else(|error| CalendarState::Closed(format!("it could not be read: {error}")))
    }
}

#[async_trait]
impl Liveness for Process {
    async fn life(&self, execution_arn: &str) -> PortResult<Life> {
        self.records("Liveness.life", self.world.life(execution_arn)).await
    }
}

#[async_trait]
impl Circuit for Process {
    async fn close(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.records("Circuit.close", Circuit::close(&*self.world, app, at)).await
    }

    async fn closed_at(&self, app: &AppId) -> PortResult<Option<Timestamp>> {
        self.records("Circuit.closed_at", self.world.closed_at(app)).await
    }
}

#[async_trait]
impl Watch for Process {
    async fn roll(&self) -> PortResult<Roll> {
        self.records("Watch.roll", self.world.roll()).await
    }

    async fn call(&self, roll: &Roll) -> PortResult<()> {
        self.records("Watch.call", Watch::call(&*self.world, roll)).await
    }

    async fn known(&self, app: &AppId, now: Timestamp) -> PortResult<Watched> {
        self.records("Watch.known", self.world.known(app, now)).await
    }

    async fn looked(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.records("Watch.looked", self.world.looked(app, at)).await
    }

    async fn told(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.records("Watch.told", self.world.told(app, at)).await
    }

    async fn forget(&self, app: &AppId) -> PortResult<()> {
        self.records("Watch.forget", self.world.forget(app)).await
    }
}
