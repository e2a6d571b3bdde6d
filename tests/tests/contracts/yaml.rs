//! YAML with CloudFormation's short tags, as JSON: `!Ref X` becomes `{"Ref": "X"}`, any other `!Name x` `{"Fn::Name": x}`.
//!
//! Anchors and doubled keys are refused: CloudFormation takes neither.

use granit_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Value};

/// Parses one document.
pub fn parse(text: &str) -> Value {
    let mut events = Parser::new_from_str(text).map(|event| event.expect("the template is YAML").0).filter(is_data);
    let first = events.next().expect("the template is not empty");
    let value = node(first, &mut events);
    assert!(events.next().is_none(), "the template is one document");
    value
}

fn is_data(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
            | Event::Alias(..)
    )
}

fn node<'a>(event: Event<'a>, events: &mut impl Iterator<Item = Event<'a>>) -> Value {
    match event {
        Event::Scalar(text, style, _, tag) => {
            let plain = style == ScalarStyle::Plain && tag.is_none();
            tagged(tag.as_deref(), if plain { scalar(&text) } else { Value::from(text.as_ref()) })
        }
        Event::SequenceStart(_, _, tag) => {
            let mut items = Vec::new();
            loop {
                match events.next().expect("the sequence ends") {
                    Event::SequenceEnd => return tagged(tag.as_deref(), Value::Array(items)),
                    item => items.push(node(item, events)),
                }
            }
        }
        Event::MappingStart(_, _, tag) => {
            let mut map = Map::new();
            loop {
                let key = match events.next().expect("the mapping ends") {
                    Event::MappingEnd => return tagged(tag.as_deref(), Value::Object(map)),
                    Event::Scalar(key, ..) => key.into_owned(),
                    other => panic!("a key must be a word, not {other:?}"),
                };
                let value = events.next().expect("a key has a value");
                let value = node(value, events);
                assert!(map.insert(key.clone(), value).is_none(), "the key {key} stands there twice");
            }
        }
        other => panic!("{other:?} is not expected in a template"),
    }
}

fn tagged(tag: Option<&Tag>, value: Value) -> Value {
    match tag.map(Tag::suffix) {
        None => value,
        Some("Ref") => serde_json::json!({"Ref": value}),
        Some("Condition") => serde_json::json!({"Condition": value}),
        Some(function) => Value::Object(Map::from_iter([(format!("Fn::{function}"), value)])),
    }
}

fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
    }
}

#[test]
fn short_tags_become_what_they_stand_for() {
    let text = "a: !Ref X\nb: !If\n  - C\n  - {d: !GetAtt E.Arn}\n  - !Ref AWS::NoValue\ne: !Sub |\n  {\"x\": \"${Y}\"}\nf: \"7\"\ng: 7\n# note\nh: [true, no]\n";
    let expected = serde_json::json!({
        "a": {"Ref": "X"},
        "b": {"Fn::If": ["C", {"d": {"Fn::GetAtt": "E.Arn"}}, {"Ref": "AWS::NoValue"}]},
        "e": {"Fn::Sub": "{\"x\": \"${Y}\"}\n"}, "f": "7", "g": 7, "h": [true, "no"],
    });
    assert_eq!(parse(text), expected);
}
