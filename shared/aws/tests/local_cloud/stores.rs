//! Artifacts, configuration, kill switch, starting runs and telling people.

use crate::Cloud;
use aws::{Artifacts, ConfigSource, Notifier, Starter, Switch};
use aws_sdk_ssm::types::ParameterType;
use domain::finding::Severity;
use domain::guard::KillSwitch;
use engine::ports::{
    Artifacts as _, ConfigFetch, ConfigSource as _, Message, Notifier as _, PortError, Starter as _, Switch as _,
};

impl Cloud {
    async fn bucket(&self) -> String {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config).create_bucket().bucket(&self.name).send().await.unwrap();
        self.name.clone()
    }
}

#[tokio::test]
async fn an_artifact_comes_back_byte_for_byte_and_a_missing_one_is_none() {
    let Some(cloud) = Cloud::connect("artifacts").await else { return };
    let artifacts = Artifacts::new(&cloud.clients, cloud.bucket().await);
    let body = br#"{"score": 9.5, "text": "caf\u00e9"}"#.to_vec();
    assert_eq!(artifacts.get("runs/shop/1/snapshot.json").await.unwrap(), None);
    artifacts.put("runs/shop/1/snapshot.json", body.clone()).await.unwrap();
    assert_eq!(artifacts.get("runs/shop/1/snapshot.json").await.unwrap(), Some(body));
    let elsewhere = Artifacts::new(&cloud.clients, "no-such-bucket-anywhere");
    assert!(
        matches!(elsewhere.get("x").await, Err(PortError::Gone { .. })),
        "a missing bucket is not a missing document"
    );
}

#[tokio::test]
async fn the_configuration_is_sent_again_only_when_it_changed() {
    let Some(cloud) = Cloud::connect("configuration").await else { return };
    let bucket = cloud.bucket().await;
    let source = ConfigSource::new(&cloud.clients, &bucket, "maintainer.yaml");
    assert_eq!(source.fetch(None).await.unwrap(), ConfigFetch::Absent);
    let artifacts = Artifacts::new(&cloud.clients, &bucket);
    artifacts.put("maintainer.yaml", b"apps: {}".to_vec()).await.unwrap();
    let ConfigFetch::File { text, etag } = source.fetch(None).await.unwrap() else { panic!("no file") };
    assert_eq!(text, "apps: {}");
    assert_eq!(source.fetch(Some(&etag)).await.unwrap(), ConfigFetch::Unchanged);
    artifacts.put("maintainer.yaml", b"apps: {shop: {}}".to_vec()).await.unwrap();
    assert!(matches!(source.fetch(Some(&etag)).await.unwrap(), ConfigFetch::File { etag: new, .. } if new != etag));
    artifacts.put("maintainer.yaml", vec![0xff, 0xfe]).await.unwrap();
    assert_eq!(source.fetch(None).await.unwrap(), ConfigFetch::NotText { at: 0 });
}

#[tokio::test]
async fn a_kill_switch_that_can_not_be_read_is_not_off() {
    let Some(cloud) = Cloud::connect("kill switch").await else { return };
    let parameter = format!("/{}/kill-switch", cloud.name);
    let switch = Switch::new(&cloud.clients, &parameter);
    assert!(matches!(switch.read().await, KillSwitch::Unreadable(why) if why.contains(&parameter)));
    let client = aws_sdk_ssm::Client::new(&cloud.config);
    for (value, state) in [("off", KillSwitch::Off), ("on", KillSwitch::On)] {
        let put = client.put_parameter().name(&parameter).value(value).r#type(ParameterType::String).overwrite(true);
        put.send().await.unwrap();
        assert_eq!(switch.read().await, state);
    }
}

#[tokio::test]
async fn the_same_name_starts_one_run() {
    let Some(cloud) = Cloud::connect("starter").await else { return };
    let client = aws_sdk_sfn::Client::new(&cloud.config);
    let definition = r#"{"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}"#;
    let role = "arn:aws:iam::000000000000:role/x";
    let machine =
        client.create_state_machine().name(&cloud.name).definition(definition).role_arn(role).send().await.unwrap();
    let starter = Starter::new(&cloud.clients, machine.state_machine_arn());
    assert!(starter.start("shop-1", "{}").await.unwrap());
    // While the first runs, the same name with another input is refused; afterwards any repetition is.
    assert!(!starter.start("shop-1", r#"{"again": true}"#).await.unwrap());
    let runs = client.list_executions().state_machine_arn(machine.state_machine_arn()).send().await.unwrap();
    assert_eq!(runs.executions().len(), 1);
    let nowhere = Starter::new(&cloud.clients, format!("{}-gone", machine.state_machine_arn()));
    assert!(matches!(nowhere.start("x", "{}").await, Err(PortError::Gone { .. })));
}

#[tokio::test]
async fn a_message_goes_to_people_and_to_agents() {
    let Some(cloud) = Cloud::connect("notifier").await else { return };
    let topic = aws_sdk_sns::Client::new(&cloud.config).create_topic().name(&cloud.name).send().await.unwrap();
    let topic = topic.topic_arn.unwrap();
    let message = Message {
        kind: "Maintainer Escalation".to_owned(),
        severity: Severity::High,
        subject: "shop: score 3.1 after three iterations \u{2013} look at the database".to_owned(),
        text: "What is wrong\nWhat was tried".to_owned(),
        detail: serde_json::json!({"app": "shop"}),
    };
    Notifier::new(&cloud.clients, &topic, None).notify(&message).await.unwrap();
    let gone = Notifier::new(&cloud.clients, format!("{topic}-gone"), None).notify(&message).await;
    assert!(matches!(gone, Err(PortError::Gone { .. })), "{gone:?}");
}
