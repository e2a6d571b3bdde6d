//! The command that checks a file, as a person calls it.

#![allow(clippy::unwrap_used, reason = "a test that can not go on fails")]

use std::path::PathBuf;
use std::process::{Command, Output};

fn validate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_maintainer-validate")).args(arguments).output().unwrap()
}

fn example(name: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("examples").join(name).to_str().unwrap().to_owned()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn tells_what_each_example_means() {
    for name in ["maintainer.yaml", "minimal.yaml"] {
        let output = validate(&[&example(name)]);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert!(text(&output.stdout).contains("any other application, found by its tag"));
    }
}

#[test]
fn fails_with_every_problem_of_a_wrong_file() {
    let file = std::env::temp_dir().join(format!("maintainer-validate-{}.yaml", std::process::id()));
    std::fs::write(&file, "applications:\n  shop:\n    mode: automatic\n    limit: {}\n").unwrap();
    let output = validate(&[file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let said = text(&output.stderr);
    assert!(said.contains("did you mean \"auto\"?") && said.contains("did you mean \"limits\"?"), "{said}");
    assert!(said.ends_with("2 problems: nothing of this file is in force\n"), "{said}");
}

#[test]
fn fails_with_one_sentence_when_it_is_called_wrongly() {
    for arguments in [&[][..], &["--help"], &["a", "b", "c"], &["/nowhere/maintainer.yaml"], &["refresh", "/nowhere"]] {
        let output = validate(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert_eq!(text(&output.stderr).lines().count(), 1, "{arguments:?}");
    }
}

#[test]
fn prints_the_parameters_of_the_deployment_and_the_schema() {
    let parameters = validate(&["parameters", &example("maintainer.yaml")]);
    let expected =
        "HealthSchedule=rate(4 hours)\nMemberAccounts=\nNotificationEmail=ops@example.com\nOnlyTaggedResources=false\n";
    assert_eq!(text(&parameters.stdout), expected);
    let schema: serde_json::Value = serde_json::from_slice(&validate(&["schema"]).stdout).unwrap();
    assert_eq!(schema["title"], "maintainer.yaml");
}
