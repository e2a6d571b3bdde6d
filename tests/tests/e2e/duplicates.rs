//! One alarm transition a thousand times, in all three shapes and many at once, against the cloud's DynamoDB and Step Functions.

use aws::{Clients, DeadLetters, Episodes, Inventory, Leases, Places, Starter, SystemClock};
use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use config::Config;
use domain::place::Place;
use futures::stream::{self, StreamExt};
use lifecycle::dispatch::{World, dispatch};
use maintainer_tests::player::Stack;
use serde_json::{Value, json};
use std::error::Error;
use std::time::Instant;

const DELIVERIES: usize = 1_000;
const AT_ONCE: usize = 32;
const ALARM: &str = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:many-cpu";
const AT: &str = "2026-01-31T12:00:00.000+0000";
/// A state machine that only shows that it was started.
const DEFINITION: &str = r#"{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#;

/// Gives what happened, in figures.
///
/// # Errors
/// When more or less than one execution was started, or the cloud fails.
pub async fn examine(stack: &Stack) -> Result<String, Box<dyn Error>> {
    let state = &stack.cloud.state;
    let credentials = Credentials::new("test", "test", None, None, "test");
    let clients = Clients::load_from(aws::environment::at("us-east-1", credentials).endpoint_url(&state.endpoint));
    let (table, machine) = (table(&clients).await?, machine(stack, &clients).await?);
    let config = Config::parse("applications:\n  many: {mode: auto}\n").map_err(|error| format!("{error:?}"))?;
    tag_alarm(&clients).await?;
    let clock = SystemClock::new(Some(&state.clock), Some(&state.endpoint))?;
    let (inventory, episodes, leases) =
        (Inventory::new(&clients), Episodes::new(&clients, &table), Leases::new(&clients, &table));
    let (starter, dead_letters) = (Starter::new(&clients, &machine), DeadLetters::new(&clients, "nowhere"));
    let places = Places::new(&clients, clock, "arn:aws:iam::000000000000:role/maintainer-member", "nobody".to_owned())?;
    let world = World {
        clock: &clock,
        inventory: &inventory,
        places: &places,
        episodes: &episodes,
        leases: &leases,
        starter: &starter,
        performance_starter: &starter,
        dead_letters: &dead_letters,
        home: Place { account: "000000000000".to_owned(), region: "us-east-1".to_owned() },
    };
    let began = Instant::now();
    let events = [by_event(), by_topic(), by_action()];
    let deliveries = (0..DELIVERIES).map(|number| dispatch(&events[number % events.len()], &config, &world));
    let answers = stream::iter(deliveries).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await;
    let failed = answers.iter().filter(|answer| answer.is_err()).count();
    let started: usize = answers.iter().flatten().map(|answer| answer.started.len()).sum();
    let found = clients.sfn().list_executions().state_machine_arn(&machine).send().await?.executions.len();
    let said = format!(
        "{DELIVERIES} deliveries of one transition, {AT_ONCE} at once: {started} said to have started a run, {failed} failed, {found} execution(s), {:.1} s",
        began.elapsed().as_secs_f64()
    );
    if (found, started, failed) == (1, 1, 0) { Ok(said) } else { Err(said.into()) }
}

async fn table(clients: &Clients) -> Result<String, Box<dyn Error>> {
    let name = "duplicates".to_owned();
    let attribute = AttributeDefinition::builder().attribute_name("key").attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder().attribute_name("key").key_type(KeyType::Hash);
    let create = clients.dynamodb().create_table().table_name(&name).billing_mode(BillingMode::PayPerRequest);
    create.attribute_definitions(attribute.build()?).key_schema(key.build()?).send().await?;
    Ok(name)
}

async fn machine(stack: &Stack, clients: &Clients) -> Result<String, Box<dyn Error>> {
    let health = &stack.outputs.health_state_machine_arn;
    let role = clients.sfn().describe_state_machine().state_machine_arn(health).send().await?.role_arn;
    let create = clients.sfn().create_state_machine().name("duplicates").role_arn(role).definition(DEFINITION);
    Ok(create.send().await?.state_machine_arn)
}

/// The alarm says whose it is.
async fn tag_alarm(clients: &Clients) -> Result<(), Box<dyn Error>> {
    use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic, Tag};
    let tag = Tag::builder().key("maintainer:app").value("many").build();
    let put = clients.cloudwatch().put_metric_alarm().alarm_name("many-cpu").namespace("Test").metric_name("Test");
    let put = put.period(60).evaluation_periods(1).threshold(1.0).statistic(Statistic::Average).tags(tag);
    put.comparison_operator(ComparisonOperator::GreaterThanThreshold).send().await?;
    Ok(())
}

fn by_event() -> Value {
    json!({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "account": "000000000000",
        "region": "us-east-1", "resources": [ALARM],
        "detail": {"alarmName": "many-cpu", "state": {"value": "ALARM", "timestamp": AT}}})
}

fn by_topic() -> Value {
    let message = json!({"AlarmName": "many-cpu", "AlarmArn": ALARM, "NewStateValue": "ALARM", "StateChangeTime": AT});
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]})
}

fn by_action() -> Value {
    json!({"source": "aws.cloudwatch", "alarmArn": ALARM,
        "alarmData": {"alarmName": "many-cpu", "state": {"value": "ALARM", "timestamp": AT}}})
}
