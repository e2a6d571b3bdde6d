//! The schema, and what is generated from it, fit the reader and each other.

use crate::{report, schema, stored_schema};
use serde_json::Value;

/// What writes the generated files again.
const AGAIN: &str = "cargo run -p maintainer-config --bin maintainer-validate -- refresh .";

#[test]
fn golden_the_schema_in_infra_is_that_of_the_types() {
    assert!(stored_schema() == schema(), "infra/maintainer.schema.json is out of date; write it again with: {AGAIN}");
}

#[test]
fn golden_the_tables_in_the_documentation_are_those_of_the_types() {
    let page = include_str!("../../../../docs/configuration.md");
    assert!(page == report::with_tables(page), "docs/configuration.md is out of date; write it again with: {AGAIN}");
    let parts = schema()["$defs"].as_object().unwrap().keys().map(String::as_str).chain(["File"]);
    for part in parts.filter(|part| !["Mode", "ModeSetting", "Common"].contains(part)) {
        assert!(page.contains(&format!("<!-- generated: keys of {part} -->")), "{part} is not documented");
    }
}

/// Keywords that [`shape`] understands or that only describe. A new one would be accepted by editors and ignored here.
const KEYWORDS: [&str; 19] = [
    "$schema",
    "$defs",
    "$ref",
    "title",
    "description",
    "default",
    "type",
    "properties",
    "additionalProperties",
    "required",
    "items",
    "enum",
    "const",
    "oneOf",
    "anyOf",
    "format",
    "minimum",
    "maximum",
    "examples",
];

#[test]
fn the_schema_uses_only_what_the_reader_understands() {
    fn walk(schema: &Value, path: &str) {
        let Some(fields) = schema.as_object() else { return };
        for (key, value) in fields {
            assert!(KEYWORDS.contains(&key.as_str()), "{path} uses {key}");
            match key.as_str() {
                "$defs" | "properties" => {
                    value.as_object().unwrap().iter().for_each(|(name, inner)| walk(inner, &format!("{path}/{name}")))
                }
                "items" | "additionalProperties" => walk(value, &format!("{path}/{key}")),
                "oneOf" | "anyOf" => {
                    value.as_array().unwrap().iter().for_each(|inner| walk(inner, &format!("{path}/{key}")))
                }
                _ => {}
            }
        }
    }
    walk(schema(), "");
}

#[test]
fn every_key_is_described_for_the_editor() {
    let definitions = schema()["$defs"].as_object().unwrap();
    for (name, definition) in definitions.iter().chain([(&"File".to_owned(), schema())]) {
        for (key, property) in definition.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let described = property.get("description").is_some();
            assert!(described, "{name}.{key} has no description");
        }
    }
}
