use super::{die_of_panics, logs};
use serde_json::Value;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

const SIGABRT: i32 = 6;

#[test]
#[ignore = "dies on purpose; the test below starts it in a process of its own"]
fn dies() {
    logs();
    die_of_panics();
    panic!("the plan has no changes");
}

#[test]
fn a_panic_is_one_line_of_the_log_and_the_end_of_the_process() {
    let this = std::env::current_exe().unwrap();
    let child =
        Command::new(this).args(["--exact", "runtime::tests::dies", "--ignored", "--nocapture"]).output().unwrap();
    assert_eq!(child.status.signal(), Some(SIGABRT), "{:?}", child.status);
    let stdout = String::from_utf8_lossy(&child.stdout);
    let lines: Vec<Value> = stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines.len(), 1, "{stdout}");
    assert_eq!(lines[0]["level"], "ERROR");
    assert_eq!(lines[0]["message"], "a bug ended this process: the plan has no changes");
    assert!(lines[0]["at"].as_str().unwrap().contains("runtime/tests.rs:"), "{}", lines[0]);
}
