//! `infra/member.yaml`, which lets the maintainer into another account: it permits what the steps need there, to the roles
//! that need it, and forwards what dispatch understands.

use crate::adapters::{grants, methods};
use crate::repository;
use crate::roles::{concerns, needed, only_looks};
use crate::template::{Function, Statement, Template, assert_all_used, list, reference};
use crate::wiring::Wiring;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const MEMBER: &str = "infra/member.yaml";

/// What functions need of the account in which an application lives.
fn needed_there(functions: &[&Function]) -> BTreeSet<String> {
    let on_application = |function: &&Function| needed(function).into_iter().filter(|(_, on)| *on == "application");
    functions.iter().flat_map(on_application).map(|(action, _)| action).collect()
}

fn allowed(statements: &[Statement]) -> BTreeSet<String> {
    statements.iter().flat_map(|statement| statement.actions.clone()).collect()
}

/// Functions that take a role of this kind in other accounts.
fn takers<'a>(functions: &'a [Function], role: &str) -> Vec<&'a Function> {
    let takes = |function: &&Function| {
        let calls = Wiring::of(&function.binary).calls("places", &methods("places"));
        grants("places", &calls).contains(&("sts:AssumeRole", role))
    };
    functions.iter().filter(takes).collect()
}

fn trust<'a>(member: &'a Template, role: &str) -> &'a Value {
    member.at(&format!("/Resources/{role}/Properties/AssumeRolePolicyDocument/Statement"))
}

#[test]
fn the_role_for_reading_may_do_exactly_what_the_steps_that_read_there_do() {
    let (home, member) = (Template::load().functions(), Template::of(MEMBER));
    let readers = takers(&home, "member role");
    let allowed = allowed(&member.role("ReadRole"));
    assert_eq!(allowed, needed_there(&readers));
    let changing: Vec<_> = allowed.iter().filter(|action| !only_looks(action)).collect();
    assert!(changing.is_empty(), "{changing:?}");
}

#[test]
fn the_role_for_changes_may_do_exactly_what_the_changes_need() {
    let (home, member) = (Template::load().functions(), Template::of(MEMBER));
    let changers = takers(&home, "member role for changes");
    assert_eq!(
        changers.iter().map(|function| function.binary.as_str()).collect::<Vec<_>>(),
        ["cost-implement", "health-optimize", "performance-apply"]
    );
    assert_eq!(allowed(&member.role("ChangesRole")), needed_there(&changers));
}

/// Resources, tags and conditions of what changes applications: the same in another account as at home.
#[test]
fn a_change_is_permitted_on_the_same_terms_as_at_home() {
    let changes = |statements: Vec<Statement>| -> Vec<Statement> {
        let on_application =
            |statement: &Statement| statement.resources.iter().all(|arn| concerns(arn) == "application");
        let changing =
            statements.into_iter().filter(|statement| !statement.actions.iter().all(|action| only_looks(action)));
        changing.filter(on_application).collect()
    };
    let there = changes(Template::of(MEMBER).role("ChangesRole"));
    // One grant: an action on a resource under a condition. Statements that name several are the same as one for each.
    let grants = |statements: &[Statement]| -> BTreeSet<(String, String, String)> {
        let each = |of: &Statement| -> Vec<(String, String, String)> {
            let condition = format!("{:?}", of.condition);
            let on = |action: &String| {
                of.resources.iter().map(|arn| (action.clone(), arn.clone(), condition.clone())).collect::<Vec<_>>()
            };
            of.actions.iter().flat_map(on).collect()
        };
        statements.iter().flat_map(each).collect()
    };
    let roles = ["OptimizeRole", "CostImplementRole", "PerformanceApplyRole"];
    let home: Vec<Statement> = roles.iter().flat_map(|role| changes(Template::load().role(role))).collect();
    assert_eq!(grants(&there), grants(&home));
    assert!(
        there.iter().all(|statement| statement.condition.is_some() && !statement.resources.contains(&"*".to_owned()))
    );
}

#[test]
fn only_the_functions_that_need_a_role_may_take_it_and_only_with_the_external_id() {
    let (home, member) = (Template::load(), Template::of(MEMBER));
    let functions = home.functions();
    for (role, on) in [("ReadRole", "member role"), ("ChangesRole", "member role for changes")] {
        let statements = trust(&member, role).as_array().unwrap();
        assert_eq!(statements.len(), 1, "{role}");
        let statement = &statements[0];
        assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Allow"), &json!("sts:AssumeRole")));
        let account = json!({"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${HomeAccount}:root"}});
        assert_eq!(statement["Principal"], account, "{role}");
        let condition = &statement["Condition"];
        assert_eq!(condition["StringEquals"], json!({"sts:ExternalId": {"Ref": "ExternalId"}}), "{role}");
        let trusted: BTreeSet<String> = list(&condition["ArnLike"]["aws:PrincipalArn"]).map(reference).collect();
        let takers = takers(&functions, on);
        let takers = takers.iter().map(|function| {
            let own = home.at(&format!("/Resources/{}/Properties", function.logical)).pointer("/Role/Fn::GetAtt");
            let own = own.map(|role| role.as_str().unwrap().trim_end_matches(".Arn").to_owned());
            // SAM names the role of a function after it.
            let role = own.unwrap_or_else(|| format!("{}Role", function.logical));
            format!("arn:${{AWS::Partition}}:iam::${{HomeAccount}}:role/${{HomeStack}}-{role}-*")
        });
        assert_eq!(trusted, takers.collect(), "{role}");
    }
}

/// IAM names of roles have 64 characters; a longer one is cut, and the trust in it would match nothing.
#[test]
fn every_stack_name_that_is_taken_leaves_the_names_of_its_roles_whole() {
    const RANDOM_CHARS: usize = 13;
    let member = Template::of(MEMBER);
    let pattern = member.at("/Parameters/HomeStack/AllowedPattern").as_str().unwrap();
    let longest: usize = pattern.rsplit_once(',').unwrap().1.trim_end_matches("}$").parse::<usize>().unwrap() + 1;
    for role in ["ReadRole", "ChangesRole"] {
        let arns = &trust(&member, role)[0]["Condition"]["ArnLike"]["aws:PrincipalArn"];
        for arn in list(arns).map(reference) {
            let fixed = arn.rsplit_once("${HomeStack}").unwrap().1.trim_end_matches('*').len();
            assert!(longest + fixed + RANDOM_CHARS <= 64, "{arn}");
        }
    }
}

#[test]
fn both_templates_agree_about_the_role_and_the_external_id() {
    let (home, member) = (Template::load(), Template::of(MEMBER));
    for (there, here) in [("ExternalId", "MemberExternalId"), ("MemberRole", "MemberRole")] {
        for field in ["Default", "AllowedPattern"] {
            let of = |template: &Template, name: &str| template.at(&format!("/Parameters/{name}/{field}")).clone();
            assert_eq!(of(&member, there), of(&home, here), "{there}: {field}");
        }
    }
    let name = |role: &str| reference(member.at(&format!("/Resources/{role}/Properties/RoleName")));
    assert_eq!((name("ReadRole").as_str(), name("ChangesRole").as_str()), ("${MemberRole}", "${MemberRole}-changes"));
}

#[test]
fn alarms_are_forwarded_and_taken_and_nothing_else() {
    let (home, member) = (Template::load(), Template::of(MEMBER));
    let rule = member.at("/Resources/ForwardAlarms/Properties");
    let pattern = json!({"source": ["aws.cloudwatch"], "detail-type": ["CloudWatch Alarm State Change"],
        "detail": {"state": {"value": ["ALARM"]}}});
    assert_eq!(rule["EventPattern"], pattern);
    let bus = "arn:${AWS::Partition}:events:${HomeRegion}:${HomeAccount}:event-bus/default";
    let targets = rule["Targets"].as_array().unwrap();
    assert_eq!(targets.iter().map(|target| reference(&target["Arn"])).collect::<Vec<_>>(), [bus]);
    assert_eq!(reference(&targets[0]["RoleArn"]), "${ForwardRole.Arn}");
    let sends = member.role("ForwardRole");
    assert_eq!((allowed(&sends), &sends[0].resources), (["events:PutEvents".to_owned()].into(), &vec![bus.to_owned()]));

    let taken = home.at("/Resources/MemberAlarms/Properties/Statement");
    assert_eq!(taken["Principal"], json!({"AWS": {"Ref": "MemberAccounts"}}));
    let what = json!({"StringEquals": {"events:source": "aws.cloudwatch",
        "events:detail-type": "CloudWatch Alarm State Change"}});
    assert_eq!((&taken["Action"], &taken["Condition"]), (&json!("events:PutEvents"), &what));
}

#[test]
fn every_parameter_and_condition_decides_something() {
    assert_all_used(MEMBER);
}

/// Whoever follows `docs/places.md` gives parameters that there are, and all that have no default.
#[test]
fn the_command_in_the_documentation_is_one_that_the_template_takes() {
    let page = repository::text("docs/places.md");
    let member = Template::of(MEMBER);
    let command = page.split("--parameter-overrides ").nth(1).unwrap().lines().next().unwrap();
    let given: BTreeSet<String> = command.split(' ').map(|word| word.split_once('=').unwrap().0.to_owned()).collect();
    let known = member.keys("/Parameters");
    assert!(given.is_subset(&known), "{given:?}");
    let open = known.iter().filter(|name| member.at(&format!("/Parameters/{name}")).get("Default").is_none());
    assert!(open.clone().count() > 0 && open.clone().all(|name| given.contains(name)), "{given:?}");
    for named in ["RolesRegion", "OnlyTaggedResources", "ExternalId"] {
        assert!(known.contains(named) && page.contains(&format!("`{named}=")), "{named}");
    }
    let home = Template::load().keys("/Parameters");
    assert!(["MemberAccounts", "MemberExternalId"].iter().all(|name| home.contains(*name) && page.contains(name)));
    assert!(page.contains("CAPABILITY_NAMED_IAM"), "the roles have names");
}
