//! Each function gets exactly the environment that its binary reads.

use crate::repository;
use crate::template::Template;
use crate::wiring::{OF_A_PLACE, TABLE, Wiring};
use std::collections::{BTreeMap, BTreeSet};

/// Read by every binary, and set by `Globals`.
const BY_ALL: &[&str] = &["MAINTAINER_LOG"];
/// Read by every binary, and set by tests on a local cloud or by AWS itself, never by the template.
const NEVER_SET: &[&str] = &["MAINTAINER_CLOCK", "AWS_ENDPOINT_URL"];

/// Variables that a binary must get although its adapter can be made without them: by variable, when a method is called.
const NEEDED_BY: &[(&str, &str, &str)] = &[
    ("TABLE_RESULTS", "executions", "result"),
    ("TABLE_LEASES", "journal", "intend"),
    ("EVENT_BUS_NAME", "notifier", "notify"),
];

/// What a method of `Start` reads.
#[derive(Default)]
struct Reads {
    always: BTreeSet<String>,
    if_set: BTreeSet<String>,
}

/// Variables by method of `Start`, from its source.
fn reads() -> BTreeMap<String, Reads> {
    let source = repository::code("shared/aws/src/start.rs");
    let mut reads = BTreeMap::new();
    for method in source.split("pubfn").skip(1) {
        let name = &method[..method.find('(').unwrap()];
        let body = method.split("pubfn").next().unwrap();
        let named = |mark: &str| repository::after(body, mark).into_iter().map(str::to_owned).collect();
        reads.insert(name.to_owned(), Reads { always: named("variable(\""), if_set: named("optional(\"") });
    }
    reads
}

#[test]
fn every_function_gets_exactly_the_variables_that_its_binary_reads() {
    let reads = reads();
    for function in Template::load().functions() {
        let wiring = Wiring::of(&function.binary);
        let mut expected: BTreeSet<String> = BY_ALL.iter().map(|name| (*name).to_owned()).collect();
        for made in wiring.makes.iter().filter(|made| !OF_A_PLACE.contains(made)) {
            let read = reads.get(*made).unwrap_or_else(|| panic!("Start has no {made}"));
            expected.extend(read.always.iter().cloned());
            expected.extend(read.if_set.iter().filter(|name| is_needed(wiring, made, name)).cloned());
        }
        let given: BTreeSet<String> = function.environment.keys().cloned().collect();
        assert_eq!(given, expected, "{}: given on the left, read on the right", function.binary);
    }
}

fn is_needed(wiring: &Wiring, adapter: &str, variable: &str) -> bool {
    let row = NEEDED_BY.iter().find(|(name, of, _)| *name == variable && *of == adapter);
    let (.., method) = row.unwrap_or_else(|| panic!("who needs {variable}, which {adapter} can do without?"));
    !wiring.calls(adapter, &[*method]).is_empty()
}

#[test]
fn what_start_reads_first_is_never_set_by_the_template() {
    let reads = reads();
    assert_eq!(reads["load"].if_set, NEVER_SET.iter().map(|name| (*name).to_owned()).collect());
    assert!(reads["load"].always.is_empty());
    let text = repository::text("infra/template.yaml");
    assert!(NEVER_SET.iter().all(|name| !text.contains(name)));
}

#[test]
fn the_environment_is_read_in_two_places_only() {
    for row in TABLE {
        let package = row.binary.split('-').next().unwrap();
        let all = repository::all_texts(&format!("functions/{package}/src"), ".rs");
        assert!(!all.contains("env::var"), "{package} reads the environment by itself");
        assert!(!all.contains("runtime::variable") && !all.contains("runtime::optional"), "{package}");
    }
    assert!(repository::text("shared/engine/src/runtime.rs").contains("optional(\"MAINTAINER_LOG\")"));
}

#[test]
fn every_variable_names_the_resource_that_its_name_says() {
    let says = [
        ("ARTIFACT_BUCKET", "${ArtifactBucket}"),
        ("CONFIG_BUCKET", "${ConfigBucket}"),
        ("CONFIG_KEY", "maintainer.yaml"),
        ("DEAD_LETTER_QUEUE_URL", "${DeadLetters}"),
        ("DEAD_MAN_HOURS", "${DeadManHours}"),
        (
            "HEALTH_STATE_MACHINE_ARN",
            "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-health",
        ),
        ("KILL_SWITCH_PARAMETER", "/${AWS::StackName}/kill-switch"),
        ("MAINTAINER_LOG", "${LogLevel}"),
        ("MEMBER_EXTERNAL_ID", "${MemberExternalId}"),
        ("MEMBER_ROLE", "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${MemberRole}"),
        ("PAGE_URL", "${PageFunctionUrl.FunctionUrl}"),
        (
            "PERFORMANCE_STATE_MACHINE_ARN",
            "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-performance",
        ),
        ("SIGNING_KEY_SECRET", "${SigningKey.Id}"),
        (
            "STATE_MACHINE_ARNS",
            concat!(
                "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-health ",
                "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-cost ",
                "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-performance ",
                "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:${AWS::StackName}-rollback",
            ),
        ),
        ("TABLE_APPROVALS", "${ApprovalsTable}"),
        ("NOTIFY_TOPIC_ARN", "${NotificationsTopic}"),
        ("TABLE_CHANGES", "${ChangesTable}"),
        ("TABLE_EXECUTIONS", "${ExecutionsTable}"),
        ("TABLE_LEASES", "${LeasesTable}"),
        ("TABLE_RESULTS", "${ResultsTable}"),
        ("EVENT_BUS_NAME", "default"),
    ];
    let says: BTreeMap<&str, &str> = says.into_iter().collect();
    for function in Template::load().functions() {
        for (name, value) in &function.environment {
            assert_eq!(says.get(name.as_str()), Some(&value.as_str()), "{}: {name}", function.binary);
        }
    }
}
