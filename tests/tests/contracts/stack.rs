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
    let in_a_vpc = [
        ("Optimize", "HasVpc", "OptimizeSubnetIds", "OptimizeSecurityGroupIds"),
        ("PerformanceProfile", "HasDatabaseVpc", "DatabaseSubnetIds", "DatabaseSecurityGroupIds"),
        ("PerformanceIdentify", "HasDatabaseVpc", "DatabaseSubnetIds", "DatabaseSecurityGroupIds"),
        ("PerformanceApply", "HasDatabaseVpc", "DatabaseSubnetIds", "DatabaseSecurityGroupIds"),
        ("PerformanceValidate", "HasDatabaseVpc", "DatabaseSubnetIds", "DatabaseSecurityGroupIds"),
    ];
    let functions = template.of_type("AWS::Serverless::Function");
    let with_vpc = functions.iter().filter(|(_, function)| function.get("VpcConfig").is_some()).count();
    assert_eq!(with_vpc, in_a_vpc.len(), "functions that can be in a VPC");
    for (name, condition, subnets, groups) in in_a_vpc {
        let vpc = &template.at(&format!("/Resources/{name}Function/Properties/VpcConfig"))["Fn::If"];
        let place = serde_json::json!({"SubnetIds": {"Ref": subnets}, "SecurityGroupIds": {"Ref": groups}});
        let given = (&vpc[0], &vpc[1], &vpc[2]["Ref"]);
        assert_eq!(given, (&condition.into(), &place, &"AWS::NoValue".into()), "{name}");
        let managed = template.at(&format!("/Resources/{name}Role/Properties/ManagedPolicyArns")).as_array().unwrap();
        let rights = |policy: &&Value| policy.to_string().contains("AWSLambdaVPCAccessExecutionRole");
        let [rights] = managed.iter().filter(rights).collect::<Vec<_>>()[..] else { panic!("{name}: {managed:?}") };
        let given = (&rights["Fn::If"][0], &rights["Fn::If"][2]["Ref"]);
        assert_eq!(given, (&condition.into(), &"AWS::NoValue".into()), "{name}");
        let decides = template.at(&format!("/Conditions/{condition}")).to_string();
        assert!(decides.contains(subnets), "{decides}");
    }
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
