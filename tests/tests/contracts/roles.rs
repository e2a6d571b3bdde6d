//! IAM: each function may do exactly what its step does, and only one may change applications.

use crate::adapters::{DATABASE_SECRET, OWNER_SECRET, grants, methods};
use crate::repository;
use crate::template::{Function, Statement, Template, list, reference};
use crate::wiring::Wiring;
use domain::execution::Cycle;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The functions that change applications, each with its cycle.
const ACT: [(&str, Cycle); 3] =
    [("health-optimize", Cycle::Health), ("cost-implement", Cycle::Cost), ("performance-apply", Cycle::Performance)];

/// Before the names of secrets.
const SECRETS: &str = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:";

/// Wakes a run that waits for an answer.
const WAKE: &str = "states:SendTaskSuccess";

/// Actions that take no resource in IAM and concern no application, with what they concern.
const ON_NO_RESOURCE: &[(&str, &str)] = &[
    (WAKE, "state machine"),
    ("pricing:GetProducts", "price list"),
    ("ce:GetCostAndUsage", "bill"),
    ("ce:GetSavingsPlansPurchaseRecommendation", "bill"),
];

/// Actions that change something although they are allowed on `*`, with the reason.
const ON_EVERYTHING: &[(&str, &str)] = &[
    ("logs:CreateLogDelivery", "delivery of the state machine's log; takes no resource in IAM"),
    ("logs:DeleteLogDelivery", "delivery of the state machine's log; takes no resource in IAM"),
    ("logs:PutResourcePolicy", "delivery of the state machine's log; takes no resource in IAM"),
    (WAKE, "completes the task that its token names; takes no resource in IAM"),
    ("logs:UpdateLogDelivery", "delivery of the state machine's log; takes no resource in IAM"),
];

/// What a statement's resource concerns, in the words of the adapters.
pub fn concerns(resource: &str) -> &'static str {
    const OWN: &[(&str, &str)] = &[
        ("${ApprovalsTable.", "approvals table"),
        ("${ArtifactBucket.", "artifacts bucket"),
        ("${ChangesTable.", "changes table"),
        ("${ConfigBucket.", "configuration bucket"),
        ("${DeadLetters.", "dead-letter queue"),
        ("${ExecutionsTable.", "workflow_executions table"),
        ("${LeasesTable.", "leases table"),
        ("${NotificationsTopic}", "topic and event bus"),
        ("${ResultsTable.", "optimization_results table"),
        ("${SigningKey.", "signing key"),
        ("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/", "topic and event bus"),
        (
            "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${AWS::StackName}/",
            "kill switch parameter",
        ),
        ("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:document/", "change calendars"),
        (
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:maintainer/read/",
            DATABASE_SECRET,
        ),
        (
            "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:maintainer/change/",
            OWNER_SECRET,
        ),
        ("arn:${AWS::Partition}:iam::*:role/${MemberRole}-changes", "member role for changes"),
        ("arn:${AWS::Partition}:iam::*:role/${MemberRole}", "member role"),
        (
            "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-",
            "state machine",
        ),
        ("arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${AWS::StackName}-", "executions"),
    ];
    OWN.iter().find(|(prefix, _)| resource.starts_with(prefix)).map_or("application", |(_, on)| on)
}

/// Actions that a function's role allows, each with what it concerns.
fn allowed(function: &Function) -> BTreeSet<(String, &'static str)> {
    let pairs = |statement: &Statement| -> Vec<(String, &'static str)> {
        let on: BTreeSet<&str> = statement.resources.iter().map(|resource| concerns(resource)).collect();
        let of = |action: &str, on: &'static str| {
            ON_NO_RESOURCE.iter().find(|(listed, _)| *listed == action).map_or(on, |(_, on)| on)
        };
        statement.actions.iter().flat_map(|action| on.iter().map(|on| (action.clone(), of(action, on)))).collect()
    };
    function.statements.iter().flat_map(pairs).collect()
}

/// Actions that the function's step needs, each with what it concerns.
pub fn needed(function: &Function) -> BTreeSet<(String, &'static str)> {
    let wiring = Wiring::of(&function.binary);
    let of_adapter = |adapter: &'static str| grants(adapter, &wiring.calls(adapter, &methods(adapter)));
    // The same adapter reads both kinds of secrets; whose it is depends on what is done with it.
    let secret = |on: &'static str| if on == DATABASE_SECRET && wiring.owns_tables() { OWNER_SECRET } else { on };
    wiring.adapters().into_iter().flat_map(of_adapter).map(|(action, on)| (action.to_owned(), secret(on))).collect()
}

/// True when an action only looks.
pub fn only_looks(action: &str) -> bool {
    let name = action.split(':').nth(1).unwrap();
    ["Get", "List", "Describe", "Query", "ConditionCheck"].iter().any(|verb| name.starts_with(verb))
}

#[test]
fn every_function_may_do_exactly_what_its_step_does() {
    let mut wrong = Vec::new();
    for function in Template::load().functions() {
        let (allowed, needed) = (allowed(&function), needed(&function));
        wrong.extend(allowed.difference(&needed).map(|grant| format!("{}: {grant:?} is not needed", function.binary)));
        wrong.extend(needed.difference(&allowed).map(|grant| format!("{}: {grant:?} is lacking", function.binary)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn an_adapter_that_a_binary_makes_is_used_by_its_step() {
    for function in Template::load().functions() {
        let wiring = Wiring::of(&function.binary);
        for adapter in wiring.adapters() {
            assert!(
                !wiring.calls(adapter, &methods(adapter)).is_empty(),
                "{}: {adapter} is never called",
                function.binary
            );
        }
    }
}

#[test]
fn only_one_function_of_each_cycle_changes_applications() {
    for function in Template::load().functions() {
        // To SQL the owner of the tables is all the permission that there is.
        let changes = |(action, on): &(String, &'static str)| {
            (*on == "application" && !only_looks(action)) || *on == OWNER_SECRET
        };
        let changing: Vec<_> = allowed(&function).into_iter().filter(changes).collect();
        let acts = ACT.iter().any(|(binary, _)| *binary == function.binary);
        assert_eq!(acts, !changing.is_empty(), "{}: {changing:?}", function.binary);
    }
}

#[test]
fn a_function_that_acts_has_the_permissions_that_stand_beside_each_change_of_its_cycle() {
    let functions = Template::load().functions();
    for (binary, cycle) in ACT {
        let allowed = allowed(functions.iter().find(|function| function.binary == binary).unwrap());
        for spec in domain::changes::TABLE.iter().filter(|spec| spec.cycles.contains(&cycle)) {
            for action in spec.permissions {
                let on = if cycle == Cycle::Performance { OWNER_SECRET } else { "application" };
                let is_allowed = allowed.contains(&((*action).to_owned(), on));
                assert!(is_allowed, "{binary}: {} needs {action}", spec.name);
            }
        }
    }
}

/// What the configuration takes as the name of a secret IAM lets read, and nothing wider.
#[test]
fn the_secrets_of_databases_are_those_that_the_configuration_takes() {
    let taken = repository::text("shared/config/src/check/databases.rs");
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for (begins, on) in [("maintainer/read/", DATABASE_SECRET), ("maintainer/change/", OWNER_SECRET)] {
        assert!(taken.contains(&format!("_secret\", \"{begins}\")")), "the configuration takes no {begins}");
        assert_eq!(concerns(&format!("{SECRETS}{begins}*")), on);
        named.insert(begins);
    }
    for function in Template::load().functions() {
        let reads = function.statements.iter().filter(|of| of.actions.contains("secretsmanager:GetSecretValue"));
        for resource in reads.flat_map(|of| &of.resources).filter(|resource| concerns(resource) != "signing key") {
            let name = resource.strip_prefix(SECRETS).and_then(|name| name.strip_suffix('*'));
            assert!(name.is_some_and(|name| named.contains(name)), "{}: {resource}", function.binary);
        }
    }
}

/// Every statement that allows something to a role of this stack, with its owner.
fn statements(template: &Template) -> BTreeMap<String, Vec<Statement>> {
    let mut all: BTreeMap<String, Vec<Statement>> =
        template.functions().into_iter().map(|function| (function.logical, function.statements)).collect();
    for (name, machine) in template.of_type("AWS::Serverless::StateMachine") {
        all.insert(name.to_owned(), template.policies(&machine["Policies"]));
    }
    all
}

#[test]
fn no_statement_allows_a_pattern_of_actions() {
    for (owner, statements) in statements(&Template::load()) {
        for statement in statements {
            let patterns: Vec<_> = statement.actions.iter().filter(|action| action.contains(['*', '?'])).collect();
            assert!(patterns.is_empty(), "{owner}, {}: {patterns:?}", statement.sid);
        }
    }
}

#[test]
fn what_changes_something_names_its_resource_or_a_condition() {
    for (owner, statements) in statements(&Template::load()) {
        for statement in statements {
            let open = statement.resources.iter().any(|resource| resource == "*") && statement.condition.is_none();
            for action in statement.actions.iter().filter(|action| open && !only_looks(action)) {
                let excused = ON_EVERYTHING.iter().any(|(listed, _)| listed == action);
                assert!(excused, "{owner}, {}: {action} on everything without a condition", statement.sid);
            }
        }
    }
}

#[test]
fn applications_are_changed_only_where_they_are_tagged_unless_the_user_says_otherwise() {
    let functions = Template::load().functions();
    let acting = functions.iter().filter(|function| ACT.iter().any(|(binary, _)| *binary == function.binary));
    for statement in acting.flat_map(|function| &function.statements) {
        let on_application = statement.resources.iter().any(|resource| concerns(resource) == "application");
        if !on_application || statement.actions.iter().all(|action| only_looks(action)) {
            continue;
        }
        assert!(
            statement.resources.iter().all(|resource| resource != "*"),
            "{} names no kind of resource",
            statement.sid
        );
        // What is made is asked for the tag that it will carry, everything else for the one that it has.
        let makes = statement.actions.contains("ec2:CreateSnapshot")
            && statement.resources.iter().all(|resource| resource.contains(":snapshot/"));
        let tag = format!("aws:{}Tag/{}", if makes { "Request" } else { "Resource" }, domain::resource::APP_TAG);
        let asked = statement.condition.as_ref().and_then(|condition| condition["Null"][&tag].as_str());
        assert_eq!(asked, Some("false"), "{} does not ask for the tag: {:?}", statement.sid, statement.condition);
    }
}

#[test]
fn the_state_machine_calls_its_steps_and_itself_and_nothing_else() {
    for machine in ["HealthStateMachine", "CostStateMachine", "PerformanceStateMachine"] {
        let template = Template::load();
        let statements = &statements(&template)[machine];
        let of = |action: &str| -> BTreeSet<String> {
            let with = statements.iter().filter(|statement| statement.actions.contains(action));
            with.flat_map(|statement| statement.resources.clone()).collect()
        };
        let substitutions = template.at(&format!("/Resources/{machine}/Properties/DefinitionSubstitutions"));
        let steps: BTreeSet<String> = substitutions
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| name.ends_with("Function"))
            .map(|(_, value)| reference(value))
            .collect();
        assert_eq!(of("lambda:InvokeFunction"), steps);
        assert_eq!(of("states:StartExecution"), BTreeSet::from([reference(&substitutions[&format!("{machine}Arn")])]));
    }
}

#[test]
fn policies_of_resources_name_who_may_and_refuse_other_accounts() {
    let template = Template::load();
    let kinds = ["AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"];
    for (name, properties) in kinds.iter().flat_map(|kind| template.of_type(kind)) {
        for statement in list(&properties["PolicyDocument"]["Statement"]) {
            if statement["Effect"] == "Deny" {
                continue;
            }
            assert_ne!(statement["Principal"], Value::from("*"), "{name} is open to everybody");
            let source = statement.pointer("/Condition/StringEquals/aws:SourceAccount").map(reference);
            assert_eq!(source.as_deref(), Some("${AWS::AccountId}"), "{name}: {statement}");
        }
    }
}
