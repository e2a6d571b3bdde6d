//! Text from outside travels through state machines and event rules as a value: nothing there reads it as a path, a template or JSON.

use crate::repository;
use serde_json::Value;

/// Functions of Step Functions that are used: on lists and on booleans that it has made itself.
const INTRINSICS: [&str; 2] = ["States.ArrayLength($)", "States.ArrayContains($[*].started, false)"];
/// What a path may be: the input, a field of it, or of the context.
const CONTEXT: [&str; 5] =
    ["$$.Execution.Id", "$$.Execution.Name", "$$.Execution.StartTime", "$$.StateMachine.Id", "$$.Task.Token"];

/// Every value of a definition with its key and where it stands.
fn walk<'a>(at: &str, key: &'a str, value: &'a Value, found: &mut Vec<(String, &'a str, &'a Value)>) {
    found.push((at.to_owned(), key, value));
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(&format!("{at}.{key}"), key, value, found)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| walk(&format!("{at}[{index}]"), key, item, found));
        }
        _ => {}
    }
}

fn is_plain(path: &str) -> bool {
    let field = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    path == "$" || path.strip_prefix("$.").is_some_and(|rest| rest.split('.').all(field)) || CONTEXT.contains(&path)
}

#[test]
fn no_state_reads_text_as_a_path_a_template_or_json() {
    let mut paths = 0;
    for file in repository::names("infra/statemachines", ".asl.json") {
        let definition = repository::json(&format!("infra/statemachines/{file}"));
        let mut found = Vec::new();
        walk(&file, "", &definition, &mut found);
        for (at, key, value) in found {
            assert_ne!(key, "QueryLanguage", "{at}: JSONata evaluates what stands in braces");
            // Another comparison could take its pattern, or the other side, from the input.
            let compares = key.starts_with("String") || key.starts_with("Numeric") || key.starts_with("Timestamp");
            assert!(!compares || key == "StringEquals", "{at}: a Choice compares plain words");
            let Some(text) = value.as_str().filter(|_| key != "Comment") else { continue };
            assert!(!text.contains("{%"), "{at}: {text}");
            if key.ends_with(".$") || key.ends_with("Path") || key == "Variable" {
                assert!(is_plain(text) || INTRINSICS.contains(&text), "{at} is no plain field: {text}");
                paths += 1;
            } else {
                assert!(!text.contains("States.") || !text.contains('('), "{at}: {text}");
                assert!(!text.starts_with('$') || text.starts_with("${"), "{at} looks like a path and is none: {text}");
            }
        }
    }
    assert!(paths > 100, "only {paths} paths were looked at");
}

/// Placeholders that may stand inside quotes, where nothing escapes them: none of them can hold a quote.
const IN_QUOTES: [&str; 4] = ["<name>", "<status>", "<arn>", "<aws.scheduler.scheduled-time>"];

#[test]
fn a_template_of_an_event_puts_text_from_outside_where_it_is_escaped() {
    let template = repository::text("infra/template.yaml");
    let lines = template.lines().filter(|line| {
        let line = line.trim_start();
        line.starts_with("InputTemplate:") || (line.starts_with("Input:") && line.contains('<'))
    });
    let mut seen = 0;
    for line in lines {
        let (_, text) = line.split_once(": ").unwrap();
        let text = text.trim_matches('\'');
        for (at, _) in text.match_indices('<') {
            let name = &text[at..=at + text[at..].find('>').unwrap()];
            let is_quoted = text[..at].matches('"').count() % 2 == 1;
            assert!(!is_quoted || IN_QUOTES.contains(&name), "{name} in {text}");
            seen += 1;
        }
    }
    assert!(seen >= 4, "{seen} placeholders");
}
