//! A small shop with alarms, and the steps on it.

use crate::wire::Wire;
use config::Config;
use domain::execution::Cycle;
use domain::ids::ExecutionId;
use domain::place::Place;
use domain::resource::{APP_TAG, Resource};
use engine::ports::{Executions, Lease};
use engine::run::{Run, episode_key, lease_key};
use engine::step::StepError;
use lifecycle::begin::{self, begin};
use lifecycle::dispatch::{self, Answer, dispatch};
use lifecycle::finish::{self, finish};
use lifecycle::resolve::Start;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::{World, build};

/// Account and Region of the deployment.
pub const HOME: (&str, &str) = ("us-east-1", "123456789012");

/// A place, by Region and account.
pub fn place((region, account): (&str, &str)) -> Place {
    Place { account: account.to_owned(), region: region.to_owned() }
}

/// A fleet `<app>-web` that carries the application's tag.
pub fn tagged_fleet(app: &str) -> Resource {
    let mut fleet = build::fleet(&format!("{app}-web"), 3);
    fleet.tags.insert(APP_TAG.to_owned(), app.to_owned());
    fleet
}

/// A world with the shop's fleet, its tag known.
pub fn shop() -> Arc<World> {
    let world = World::of(vec![tagged_fleet("shop")]);
    world.set_tagged_apps(&["shop"]);
    Arc::new(world)
}

/// Nothing is configured.
pub fn defaults() -> Config {
    Config::parse("").unwrap()
}

/// ARN of an alarm at home.
pub fn arn(alarm: &str) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:{alarm}", HOME.0, HOME.1)
}

/// An alarm that goes off, as the event bus delivers it. Its dimension is the fleet.
pub fn event(alarm: &str, fleet: &str, state: &str, second: u32) -> Value {
    json!({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "resources": [arn(alarm)],
        "account": HOME.1, "region": HOME.0,
        "detail": {"alarmName": alarm, "state": {"value": state, "timestamp": time(second)},
            "configuration": {"metrics": [{"metricStat": {"metric": {"dimensions": {"AutoScalingGroupName": fleet}}}}]}}})
}

/// The same as an SNS topic delivers it.
pub fn notification(alarm: &str, fleet: &str, state: &str, second: u32) -> Value {
    let message = json!({"AlarmName": alarm, "AlarmArn": arn(alarm), "NewStateValue": state, "StateChangeTime": time(second),
        "Trigger": {"Dimensions": [{"name": "AutoScalingGroupName", "value": fleet}]}});
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]})
}

/// The same as an alarm's Lambda action delivers it.
pub fn action(alarm: &str, fleet: &str, state: &str, second: u32) -> Value {
    json!({"source": "aws.cloudwatch", "alarmArn": arn(alarm),
        "alarmData": {"alarmName": alarm, "state": {"value": state, "timestamp": time(second)},
            "configuration": {"metrics": [{"metricStat": {"metric": {"dimensions": {"AutoScalingGroupName": fleet}}}}]}}})
}

fn time(second: u32) -> String {
    format!("2026-01-01T00:{:02}:{:02}.250+0000", second / 60 % 60, second % 60)
}

/// Handles an event.
pub async fn deliver(event: &Value, config: &Config, wire: &Wire) -> Result<Answer, StepError> {
    let world = dispatch::World {
        clock: wire,
        inventory: wire,
        places: wire,
        episodes: wire,
        leases: wire,
        starter: wire,
        performance_starter: wire,
        dead_letters: wire,
        home: place(HOME),
    };
    dispatch(event, config, &world).await
}

/// Handles an event on a world on which everything goes well.
pub async fn deliver_well(event: &Value, world: &Arc<World>) -> Answer {
    deliver(event, &defaults(), &Wire::sound(world)).await.unwrap()
}

/// Input of begin for a run of the shop.
pub fn start(name: &str, episode: Option<&str>) -> Start {
    Start {
        app: "shop".into(),
        cycle: Cycle::Health,
        execution_id: name.to_owned(),
        execution_arn: format!("arn:aws:states:us-east-1:123456789012:execution:m-health:{name}"),
        mode: None,
        close_circuit: false,
        trigger: "started by hand".to_owned(),
        alarms: Vec::new(),
        episode: episode.map(str::to_owned),
    }
}

/// Begins a run.
pub async fn begin_on(start: Start, wire: &Wire) -> Result<begin::Answer, StepError> {
    begin_with(start, &defaults(), wire).await
}

/// Begins a run under a configuration.
pub async fn begin_with(start: Start, config: &Config, wire: &Wire) -> Result<begin::Answer, StepError> {
    let world = begin::World {
        clock: wire,
        leases: wire,
        liveness: wire,
        executions: wire,
        journal: wire,
        circuit: wire,
        approvals: wire,
    };
    begin(start, config, &world).await
}

/// Begins a run that must be able to go on.
pub async fn begun(name: &str, episode: Option<&str>, world: &Arc<World>) -> Run {
    match begin_on(start(name, episode), &Wire::sound(world)).await.unwrap() {
        begin::Answer::Run(run) => *run,
        begin::Answer::Busy { why, .. } => panic!("{why}"),
    }
}

/// Finishes a run.
pub async fn finish_on(run: Run, wire: &Wire) -> Result<Run, StepError> {
    let world = finish::World {
        clock: wire,
        executions: wire,
        approvals: wire,
        journal: wire,
        leases: wire,
        episodes: wire,
        starter: wire,
        watch: wire,
        notifier: wire,
    };
    finish(run, &world).await
}

/// The lease on an application, unless it is free.
pub fn lease_on(app: &str, world: &World) -> Option<Lease> {
    world.lease(&lease_key(Cycle::Health, &app.into()))
}

/// The open alarm episode of an application.
pub async fn episode_of(app: &str, world: &World) -> Option<engine::ports::Episode> {
    engine::ports::Episodes::open(world, &episode_key(Cycle::Health, &app.into())).await.unwrap()
}

/// The record of a run.
pub async fn record_of(name: &str, world: &World) -> domain::execution::ExecutionRecord {
    Executions::read(world, &ExecutionId::from(name)).await.unwrap().expect("the run has a record")
}

/// Inputs of the runs that were started.
pub fn inputs(world: &World) -> Vec<Value> {
    world.started().values().map(|input| serde_json::from_str(input).unwrap()).collect()
}

/// Fields of an event in `docs/events.md`: those of every event, and those of escalations only.
pub fn documented() -> (BTreeSet<String>, BTreeSet<String>) {
    let of = |rows: Vec<(BTreeSet<String>, String)>| rows.into_iter().flat_map(|(fields, _)| fields).collect();
    let (only, every): (Vec<_>, Vec<_>) = rows().into_iter().partition(|(_, row)| row.contains("escalations only"));
    (of(every), of(only))
}

/// Fields of the items of a list in an event.
pub fn documented_items(list: &str) -> BTreeSet<String> {
    let (_, row) = rows().into_iter().find(|(fields, _)| fields.contains(list)).expect("the list is documented");
    words(row.split('|').nth(2).unwrap())
}

/// Rows of the table of fields: the fields, and the whole row.
fn rows() -> Vec<(BTreeSet<String>, String)> {
    let page = include_str!("../../../../docs/events.md");
    let table = page.split("| field |").nth(1).expect("a table of fields");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| (words(row.split('|').nth(1).unwrap()), row.to_owned())).collect()
}

fn words(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(|word| word.trim_end_matches("[]").to_owned()).collect()
}
