//! The survey of other accounts against the deployed product: two accounts, of which one lets the maintainer in.

use aws_sdk_ec2::types::{InstanceType, VolumeType};
use domain::execution::Status;
use maintainer_tests::player::{Records, Stack, Told};
use serde_json::json;
use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

/// Lets the maintainer in, as the scenario `another_account` has it.
const OPEN: &str = "444455556666";
/// Lets nobody in.
const CLOSED: &str = "777788889999";
const REGION: &str = "eu-central-1";
const CONFIG: &str = "other_places: {accounts: ['444455556666', '777788889999'], regions: [eu-central-1]}";

/// Time between two looks for a message.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Looks before it is given up: half a minute.
const LOOKS_MAX: u32 = 300;

/// A disk of an older kind that belongs to no application is found in the open account and left as it is; people get one message, which
/// says what the closed account lacks. Gives that message.
///
/// # Errors
/// What was not so.
pub async fn examine(stack: &Stack, is_sound: bool) -> Result<String, Box<dyn Error>> {
    let over_there = stack.cloud.elsewhere(Some(OPEN), Some(REGION));
    let run = over_there.ec2().run_instances().image_id("ami-0123456789abcdef0").instance_type(InstanceType::T3Small);
    let host = run.min_count(1).max_count(1).send().await?;
    let host = host.instances().first().and_then(|host| host.instance_id()).unwrap_or_default().to_owned();
    let create = over_there.ec2().create_volume().availability_zone(format!("{REGION}a"));
    let made = create.volume_type(VolumeType::Gp2).size(500).send().await?;
    let volume = made.volume_id().unwrap_or_default().to_owned();
    over_there.ec2().attach_volume().volume_id(&volume).instance_id(host).device("/dev/sdf").send().await?;
    let queue = stack.listen("told-survey").await?;
    stack.put_config(CONFIG.to_owned()).await?;
    let output = stack.outcome(&stack.outputs.survey_state_machine_arn, &json!({})).await?;
    let text = output["text"].as_str().unwrap_or_default().to_owned();
    let expect = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}\n{output}")) };
    // Under faults a part of the open account may be missing as well.
    let is_whole = output["incomplete"] == json!(1) || !is_sound;
    expect(
        is_whole && [&output["looked_through"], &output["told"]] == [&json!(1), &json!(true)],
        "one place looked through, one not, and told",
    )?;
    let found =
        format!("- {OPEN} {REGION}: 5.00 USD a month, 1 thing(s), 1 new; the largest: {volume} (500 GiB of gp2)");
    expect(text.contains(&found), &found)?;
    let closed = format!(
        "- {CLOSED} in {REGION}: sts:AssumeRole on arn:aws:iam::{CLOSED}:role/maintainer-member: access denied"
    );
    expect(text.contains(&closed), &closed)?;
    let live = over_there.ec2().describe_volumes().volume_ids(&volume).send().await?;
    let kind = live.volumes().first().and_then(|volume| volume.volume_type().cloned());
    expect(kind == Some(VolumeType::Gp2), "the disk is as it was")?;
    let records = Records::new(stack);
    let told = records.messages(&queue).await?;
    let is_of_survey = |told: &Told| told.message.contains("other place(s) looked through");
    // A message whose answer was lost is sent again: people rather hear twice than never.
    let same: BTreeSet<&str> =
        told.iter().filter(|told| is_of_survey(told)).map(|told| told.message.as_str()).collect();
    let is_one = if is_sound { told.len() == 1 } else { told.iter().all(is_of_survey) };
    expect(same.len() == 1 && is_one, &format!("one message: {told:?}"))?;
    // A run that nobody can tell of itself: Step Functions' own event does.
    let refused = stack.outcome(&stack.outputs.cost_state_machine_arn, &json!({"ap": "shop"})).await;
    expect(refused.is_err(), "a typo is refused")?;
    let mut told = Vec::new();
    for _ in 0..LOOKS_MAX {
        told = records.messages(&queue).await?;
        if !told.is_empty() {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    let said: Vec<&str> = told.iter().map(|told| told.message.as_str()).collect();
    let is_one =
        matches!(said[..], [only] if only.contains("The maintainer's own run ") && only.contains(" ended as FAILED."));
    expect(is_one, &format!("a message about the refused run, and none about the closed account's: {said:?}"))?;
    for (account, status) in [(OPEN, Status::Completed), (CLOSED, Status::Failed)] {
        let runs = records.runs(&format!("rest-of-{account}-{REGION}")).await?;
        expect(runs.len() == 1 && runs[0].status == status, &format!("{account}: {runs:?}"))?;
    }
    Ok(text)
}
