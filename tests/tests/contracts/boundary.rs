//! The permissions boundary that both templates bring: how far any role can go, whatever its own policies come to say.

use crate::roles::{concerns, only_looks};
use crate::template::{Statement, Template, list, reference};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TEMPLATES: [&str; 2] = ["infra/template.yaml", "infra/member.yaml"];

/// A statement that forbids.
struct Denial {
    sid: String,
    actions: Vec<String>,
    /// It holds on what these say, and on nothing else; empty for everything.
    condition: Option<Value>,
    /// It holds on everything but these.
    spared: Vec<String>,
}

impl Denial {
    fn names(&self, action: &str) -> bool {
        self.actions.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(begins) => action.starts_with(begins),
            None => action == pattern,
        })
    }
}

fn denials(template: &Template) -> Vec<Denial> {
    let statements = template.at("/Resources/Boundary/Properties/PolicyDocument/Statement").as_array().unwrap();
    let (first, denials) = statements.split_first().unwrap();
    assert_eq!((&first["Effect"], &first["Action"], &first["Resource"]), (&json!("Allow"), &json!("*"), &json!("*")));
    let denial = |statement: &Value| {
        assert_eq!(statement["Effect"], "Deny", "{statement}");
        Denial {
            sid: statement["Sid"].as_str().unwrap().to_owned(),
            actions: list(&statement["Action"]).map(|action| action.as_str().unwrap().to_owned()).collect(),
            condition: statement.get("Condition").cloned(),
            spared: statement.get("NotResource").into_iter().flat_map(list).map(reference).collect(),
        }
    };
    denials.iter().map(denial).collect()
}

/// Every statement that allows something, of every role.
fn statements(template: &Template) -> Vec<Statement> {
    let roles = template.of_type("AWS::IAM::Role").into_iter().flat_map(|(name, _)| template.role(name));
    let functions = template.of_type("AWS::Serverless::Function");
    let functions = if functions.is_empty() { Vec::new() } else { template.functions() };
    let machines = template.of_type("AWS::Serverless::StateMachine").into_iter();
    let machines = machines.flat_map(|(_, properties)| template.policies(&properties["Policies"]));
    roles.chain(functions.into_iter().flat_map(|function| function.statements)).chain(machines).collect()
}

#[test]
fn every_role_is_bounded_by_the_users_boundary_or_by_that_of_the_template() {
    let bounded = json!({"Fn::If":
        ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "Boundary"}]});
    for path in TEMPLATES {
        let template = Template::of(path);
        let own = ["AWS::IAM::Role", "AWS::Serverless::StateMachine"].into_iter();
        for (name, properties) in own.flat_map(|kind| template.of_type(kind)) {
            assert_eq!(properties["PermissionsBoundary"], bounded, "{path}: {name}");
        }
    }
    // The roles that SAM makes for functions.
    assert_eq!(Template::load().at("/Globals/Function/PermissionsBoundary"), &bounded);
}

#[test]
fn both_templates_draw_the_same_boundary() {
    let [home, member] = TEMPLATES.map(|path| Template::of(path).at("/Resources/Boundary/Properties").clone());
    assert_eq!(home, member);
}

#[test]
fn nothing_that_a_role_needs_is_beyond_its_boundary() {
    for path in TEMPLATES {
        let template = Template::of(path);
        let denials = denials(&template);
        for statement in statements(&template) {
            for action in &statement.actions {
                for denial in denials.iter().filter(|denial| denial.names(action) && denial.condition.is_none()) {
                    let spared = statement.resources.iter().all(|resource| denial.spared.contains(resource));
                    assert!(spared, "{path}: {}: {action} is forbidden by {}", statement.sid, denial.sid);
                }
            }
        }
    }
}

#[test]
fn what_changes_an_application_is_forbidden_on_what_its_owner_protects() {
    let tag = format!("aws:ResourceTag/{}", domain::resource::PROTECTED_TAG);
    let there_and_not_false = json!({"Null": {tag.clone(): "false"}, "StringNotEquals": {tag: "false"}});
    for path in TEMPLATES {
        let template = Template::of(path);
        let changing: BTreeSet<String> = statements(&template)
            .into_iter()
            .filter(|statement| statement.resources.iter().any(|resource| concerns(resource) == "application"))
            .flat_map(|statement| statement.actions)
            .filter(|action| {
                !only_looks(action)
                    && domain::changes::TABLE.iter().any(|spec| spec.permissions.contains(&action.as_str()))
            })
            .collect();
        let protected = denials(&template).into_iter().find(|denial| denial.condition.is_some()).unwrap();
        assert_eq!(protected.condition.as_ref(), Some(&there_and_not_false));
        let forbidden: BTreeSet<String> = protected.actions.into_iter().collect();
        assert_eq!(forbidden, changing, "{path}");
    }
}

#[test]
fn what_would_be_the_end_of_trust_is_forbidden_everywhere() {
    let never = [
        "cloudformation:DeleteStack",
        "dynamodb:DeleteTable",
        "ec2:RunInstances",
        "ec2:TerminateInstances",
        "iam:AttachRolePolicy",
        "iam:PassRole",
        "iam:PutRolePermissionsBoundary",
        "lambda:UpdateFunctionCode",
        "logs:DeleteLogGroup",
        "rds:DeleteDBInstance",
        "s3:DeleteBucket",
        "s3:DeleteObject",
        "s3:PutBucketPolicy",
        "ssm:PutParameter",
        "states:UpdateStateMachine",
    ];
    for path in TEMPLATES {
        let denials = denials(&Template::of(path));
        for action in never {
            let forbids =
                |denial: &Denial| denial.names(action) && denial.condition.is_none() && denial.spared.is_empty();
            assert!(denials.iter().any(forbids), "{path}: {action}");
        }
    }
}
