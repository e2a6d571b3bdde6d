//! The command that sends parked events again, against a deployed stack.

use crate::commands::run_script;
use crate::player::Stack;
use aws_sdk_sqs::types::MessageAttributeValue;
use serde_json::{Value, json};

/// Two events are parked: one that nobody understands and one that dispatch takes. Both are listed with their sentence; sent again, the
/// first is parked again and the second is gone. Gives what the command said.
///
/// # Errors
/// What was not so.
pub async fn examine(stack: &Stack) -> Result<String, String> {
    let poison = park(stack, &json!({"hello": "world"})).await?;
    let calm = park(stack, &calm_alarm()).await?;
    let (listed, _) = replay(stack, &[])?;
    expect(
        listed.contains(&poison) && listed.contains(&calm) && listed.matches("parked by a test").count() == 2,
        &listed,
    )?;
    let (sent, ended_well) = replay(stack, &[&poison, &calm])?;
    let said = |id: &str| sent.lines().find(|line| line.starts_with(id)).unwrap_or_default().to_owned();
    expect(said(&poison).contains("parked again: the event is not an alarm"), &sent)?;
    expect(said(&calm).contains("its state is OK, only ALARM starts a run") && !ended_well, &sent)?;
    let (left, _) = replay(stack, &[])?;
    expect(left.matches("the event is not an alarm").count() == 1, &left)?;
    expect(!left.contains(&poison) && !left.contains(&calm), &left)?;
    let (refused, ended_well) = replay(stack, &["no-such-id"])?;
    expect(!ended_well && refused.contains("nothing was sent"), &refused)?;
    Ok(sent)
}

fn expect(holds: bool, said: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("scripts/replay said:\n{said}")) }
}

fn calm_alarm() -> Value {
    let arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:calm";
    json!({"source": "aws.cloudwatch", "detail-type": "CloudWatch Alarm State Change", "account": "000000000000",
        "region": "us-east-1", "resources": [arn],
        "detail": {"alarmName": "calm", "state": {"value": "OK", "timestamp": "2026-01-31T12:00:00.000+0000"}}})
}

async fn park(stack: &Stack, event: &Value) -> Result<String, String> {
    let sqs = stack.cloud.sqs();
    let url = sqs.get_queue_url().queue_name("maintainer-dead-letters").send().await;
    let url = url.map_err(|error| format!("{error:?}"))?.queue_url.unwrap_or_default();
    let reason = MessageAttributeValue::builder().data_type("String").string_value("parked by a test").build();
    let reason = reason.map_err(|error| error.to_string())?;
    let send = sqs.send_message().queue_url(url).message_body(event.to_string()).message_attributes("reason", reason);
    let sent = send.send().await.map_err(|error| format!("{error:?}"))?;
    sent.message_id.ok_or_else(|| "the queue gives no id".to_owned())
}

fn replay(stack: &Stack, words: &[&str]) -> Result<(String, bool), String> {
    run_script(stack, "replay", words)
}
