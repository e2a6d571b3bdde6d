//! What a function does before it knows the configuration, and who must not need it.

use crate::repository;

/// The code of every function, by the name of its binary.
fn functions() -> Vec<(String, String)> {
    let mut all = Vec::new();
    for part in ["lifecycle", "health", "cost", "performance"] {
        let folder = format!("functions/{part}/src/bin");
        for name in repository::names(&folder, ".rs") {
            let code = repository::code(&format!("{folder}/{name}"));
            all.push((name.trim_end_matches(".rs").to_owned(), code));
        }
    }
    assert!(all.len() > 20, "{}", all.len());
    all
}

/// Marks of a port that writes to applications or databases.
const WRITERS: [&str; 3] = [".to_change(", ".actuator()", "Actuator::new("];

#[test]
fn a_function_that_writes_reads_the_configuration_before_it_makes_what_writes() {
    let mut writers = Vec::new();
    for (name, code) in functions() {
        let Some(handler) = code.split("serve(").nth(1) else { continue };
        let Some(writes_at) = WRITERS.iter().filter_map(|mark| handler.find(mark)).min() else { continue };
        let read_at = handler.find("settings.app(").or_else(|| handler.find("settings.current("));
        assert!(read_at.is_some_and(|at| at < writes_at), "{name} makes what writes before it has read the settings");
        let read = &handler[read_at.unwrap_or_default()..];
        let waited_for = read.find(".await?").unwrap_or(usize::MAX);
        assert!(waited_for < writes_at, "{name} goes on when the settings can't be read");
        writers.push(name);
    }
    writers.sort();
    assert_eq!(writers, ["cost-implement", "health-optimize", "performance-apply"]);
}

#[test]
fn people_are_told_and_a_run_is_ended_without_the_configuration() {
    for name in ["lifecycle-escalate", "lifecycle-finish"] {
        let (_, code) = functions().into_iter().find(|(function, _)| function == name).unwrap();
        assert!(!code.contains("settings"), "{name} fails when the configuration can't be read");
    }
}
