//! What must hold when the stack is deleted, made again and updated.

use crate::repository;
use crate::template::Template;
use serde_json::Value;

/// An update writes a parameter of the stack anew, value included: it would turn changes back on.
#[test]
fn the_kill_switch_is_no_resource_of_the_stack() {
    let template = Template::load();
    assert!(template.of_type("AWS::SSM::Parameter").is_empty());
    for script in ["scripts/deploy", "scripts/deploy-local"] {
        assert!(repository::text(script).contains("/kill-switch"), "{script} does not make the switch");
    }
    assert!(!repository::text("scripts/deploy").contains("--overwrite"), "who has turned it on must find it on");
}

/// SAM gives every function that has a `VpcConfig` the rights on network interfaces, whatever its `Fn::If` says.
#[test]
fn only_a_function_in_a_vpc_may_make_network_interfaces() {
    let template = Template::load();
    for (name, function) in template.of_type("AWS::Serverless::Function") {
        let in_vpc = function.get("VpcConfig").is_some();
        assert!(!in_vpc || function.get("Role").is_some(), "{name} leaves its role to SAM");
    }
    let managed = template.at("/Resources/OptimizeRole/Properties/ManagedPolicyArns").as_array().unwrap();
    let rights = |policy: &&Value| policy.to_string().contains("AWSLambdaVPCAccessExecutionRole");
    let [with_vpc] = managed.iter().filter(rights).collect::<Vec<_>>()[..] else { panic!("{managed:?}") };
    assert_eq!((&with_vpc["Fn::If"][0], &with_vpc["Fn::If"][2]["Ref"]), (&"HasVpc".into(), &"AWS::NoValue".into()));
    let condition = template.at("/Conditions/HasVpc").to_string();
    assert!(condition.contains("OptimizeSubnetIds"), "{condition}");
}

/// What outlives the stack is found by `scripts/kept`, which knows two kinds: tables named after the stack, and buckets.
#[test]
fn what_is_kept_can_be_taken_over_by_the_next_stack() {
    let template = Template::load();
    let resources = template.at("/Resources").as_object().unwrap();
    let kept: Vec<&String> =
        resources.iter().filter(|(_, resource)| resource["DeletionPolicy"] == "Retain").map(|(name, _)| name).collect();
    assert_eq!(kept.len(), 6, "{kept:?}");
    for name in kept {
        let resource = &resources[name];
        let properties = &resource["Properties"];
        match resource["Type"].as_str().unwrap() {
            "AWS::DynamoDB::Table" => {
                let named = properties["TableName"]["Fn::Sub"].as_str().unwrap();
                assert!(named.starts_with("${AWS::StackName}-"), "{name}");
            }
            "AWS::S3::Bucket" => {
                assert!(properties.get("BucketName").is_none(), "{name} is found by CloudFormation's name")
            }
            other => panic!("nobody takes over {name}, a kept {other}"),
        }
        assert!(resource.get("Condition").is_none(), "{name}: the template of the import has no conditions");
    }
}

/// Tests start a Redis of their own: setting up must leave no service behind on port 6379.
#[test]
fn setting_up_installs_no_service() {
    let setup = repository::text("scripts/setup");
    assert!(!setup.contains("missing+=(redis-server)"));
}
