//! Names and shapes: compares the tree with the JSON Schema and notes everything that does not fit.
//!
//! The same schema serves editors, so what an editor accepts is what is accepted here. Whatever does not fit is left
//! out of the result, so that the checks of meaning can go on with the rest.

use crate::nearest::{hint, nearest, one_of};
use crate::node::{Content, Key, Node};
use crate::problem::{Position, Problems};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Where every value of the file stands, by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Position>);

impl Places {
    /// The place of this path, or of the nearest value around it.
    pub fn of(&self, path: &str) -> Option<Position> {
        let mut path = path;
        loop {
            if let Some(place) = self.0.get(path) {
                return Some(*place);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// True when exactly this path stands in the file.
    pub fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}

/// Compares trees with a schema.
pub(crate) struct Shape<'a> {
    schema: &'a Value,
    /// Where everything stands.
    pub places: Places,
    problems: &'a mut Problems,
}

impl<'a> Shape<'a> {
    /// Nothing is compared yet.
    pub fn new(schema: &'a Value, problems: &'a mut Problems) -> Self {
        Self { schema, places: Places::default(), problems }
    }

    /// What fits of the whole file.
    pub fn file(&mut self, node: &Node) -> Value {
        match node.content {
            Content::Nothing => Value::Object(Map::new()),
            _ => self.fit(node, self.schema, "").unwrap_or_else(|| Value::Object(Map::new())),
        }
    }

    fn refuse(&mut self, place: Option<Position>, path: &str, says: String) {
        self.problems.add(place, path, says);
    }

    fn fit(&mut self, node: &Node, schema: &'a Value, path: &str) -> Option<Value> {
        let schema = self.resolved(schema);
        let choices = self.choices(schema);
        if !choices.is_empty() {
            return self.choice(node, &choices, path);
        }
        if branches(schema).is_some() {
            return self.branch(node, &self.alternatives(schema), path);
        }
        match (kind(schema), &node.content) {
            ("object", Content::Map(entries)) => self.mapping(entries, node.place, schema, path),
            ("array", Content::List(items)) => self.list(items, schema, path),
            ("string", Content::Text(text)) => Some(Value::String(text.clone())),
            // An account number is text, but nobody quotes it.
            ("string", Content::Number(number)) if number.is_i64() || number.is_u64() => {
                Some(number.to_string().into())
            }
            ("string", Content::Number(_) | Content::Truth(_)) => {
                let says = format!("must be text, so put it in quotes: \"{}\"", node.content.words());
                self.refuse(node.place, path, says);
                None
            }
            ("boolean", Content::Truth(truth)) => Some(Value::Bool(*truth)),
            ("number" | "integer", Content::Number(number)) => self.number(number, node.place, schema, path),
            (expected, found) => {
                let says = format!("must be {}, not {}", words(expected), found.words());
                self.refuse(node.place, path, says);
                None
            }
        }
    }

    fn mapping(
        &mut self,
        entries: &[(Key, Node)],
        place: Option<Position>,
        schema: &'a Value,
        path: &str,
    ) -> Option<Value> {
        let mut fitting = Map::new();
        let mut seen: BTreeMap<&str, Option<Position>> = BTreeMap::new();
        for (key, node) in entries {
            let inner = join(path, &key.name);
            if let Some(first) = seen.insert(&key.name, key.place) {
                let line = first.map_or(0, |place| place.line);
                self.refuse(key.place, &inner, format!("stands here twice, first in line {line}: keep one of the two"));
                continue;
            }
            let known = properties(schema).and_then(|known| known.get(&key.name));
            let Some(expected) =
                known.or_else(|| schema.get("additionalProperties").filter(|other| !other.is_boolean()))
            else {
                let says = format!(
                    "has an unknown key {}: {}",
                    crate::nearest::quoted(&key.name),
                    self.meant(&key.name, schema)
                );
                self.refuse(key.place, path, says);
                continue;
            };
            if let Some(place) = key.place {
                self.places.0.insert(inner.clone(), place);
            }
            // A key with nothing behind it is a key that is not set; an application may consist of its name.
            let value = match (&node.content, known) {
                (Content::Nothing, Some(_)) => continue,
                (Content::Nothing, None) if self.may_be_nothing(expected) => Some(Value::Null),
                _ => self.fit(node, expected, &inner),
            };
            if let Some(value) = value {
                fitting.insert(key.name.clone(), value);
            }
        }
        self.required(place, schema, path, &fitting).then_some(Value::Object(fitting))
    }

    /// True when all required keys are there. One that was refused is not missing as well.
    fn required(&mut self, place: Option<Position>, schema: &Value, path: &str, fitting: &Map<String, Value>) -> bool {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let mut complete = true;
        for name in required.filter_map(Value::as_str).filter(|name| !fitting.contains_key(*name)) {
            complete = false;
            if !self.problems.concern(&join(path, name)) {
                self.refuse(place, path, format!("needs the key \"{name}\""));
            }
        }
        complete
    }

    fn list(&mut self, items: &[Node], schema: &'a Value, path: &str) -> Option<Value> {
        let of = schema.get("items").unwrap_or(&Value::Null);
        let mut fitting = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let inner = format!("{path}[{index}]");
            if let Some(place) = item.place {
                self.places.0.insert(inner.clone(), place);
            }
            fitting.push(self.fit(item, of, &inner));
        }
        // All or none: with a hole, the index would no longer lead to the line.
        fitting.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array)
    }

    fn number(
        &mut self,
        number: &serde_json::Number,
        place: Option<Position>,
        schema: &Value,
        path: &str,
    ) -> Option<Value> {
        if kind(schema) == "number" {
            return Some(Value::Number(number.clone()));
        }
        let (min, max) = match schema.get("format").and_then(Value::as_str) {
            Some("uint32" | "uint") => (0, i64::from(u32::MAX)),
            Some("uint8") => (0, 255),
            Some("uint16") => (0, 65_535),
            Some("uint64") => (0, i64::MAX),
            Some("int32") => (i64::from(i32::MIN), i64::from(i32::MAX)),
            _ => (i64::MIN, i64::MAX),
        };
        match number.as_i64() {
            Some(whole) if (min..=max).contains(&whole) => Some(whole.into()),
            Some(whole) => {
                self.refuse(place, path, format!("must be a whole number from {min} to {max}, not {whole}"));
                None
            }
            None => {
                self.refuse(place, path, format!("must be a whole number, not {number}"));
                None
            }
        }
    }

    fn choice(&mut self, node: &Node, choices: &[&'a str], path: &str) -> Option<Value> {
        match &node.content {
            Content::Text(text) if choices.contains(&text.as_str()) => Some(Value::String(text.clone())),
            other => {
                let meant = match other {
                    Content::Text(text) => nearest(text, choices.iter().copied()),
                    _ => None,
                };
                let hint = meant.map(|meant| format!(": did you mean \"{meant}\"?")).unwrap_or_default();
                self.refuse(node.place, path, format!("must be {}, not {}{hint}", one_of(choices), other.words()));
                None
            }
        }
    }

    /// One of several shapes: the one of the same kind is meant.
    fn branch(&mut self, node: &Node, alternatives: &[&'a Value], path: &str) -> Option<Value> {
        let meant = alternatives.iter().find(|schema| self.is_of_kind(schema, &node.content));
        if let Some(meant) = meant.or(alternatives.first().filter(|_| alternatives.len() == 1)) {
            return self.fit(node, meant, path);
        }
        let described = alternatives.iter().map(|schema| match self.choices(schema) {
            choices if choices.is_empty() => words(kind(schema)).to_owned(),
            choices => one_of(&choices),
        });
        let described: Vec<String> = described.collect();
        self.refuse(node.place, path, format!("must be {}, not {}", described.join(", or "), node.content.words()));
        None
    }

    /// The shapes that are allowed, besides nothing; an enumeration is one of them.
    fn alternatives(&self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolved(schema);
        match branches(schema) {
            Some(branches) if self.choices(schema).is_empty() => branches
                .iter()
                .flat_map(|branch| self.alternatives(branch))
                .filter(|branch| kind(branch) != "null")
                .collect(),
            _ => vec![schema],
        }
    }

    fn is_of_kind(&self, schema: &'a Value, content: &Content) -> bool {
        let is_text = kind(schema) == "string" || !self.choices(schema).is_empty();
        match content {
            Content::Text(_) => is_text,
            Content::Map(_) => kind(schema) == "object",
            Content::List(_) => kind(schema) == "array",
            Content::Number(_) => matches!(kind(schema), "number" | "integer"),
            Content::Truth(_) => kind(schema) == "boolean",
            Content::Nothing => kind(schema) == "null",
        }
    }

    fn may_be_nothing(&self, schema: &'a Value) -> bool {
        branches(self.resolved(schema)).is_some_and(|all| all.iter().any(|branch| kind(branch) == "null"))
    }

    /// The end of the sentence about an unknown key: what it is called here, or where it belongs.
    fn meant(&self, unknown: &str, schema: &'a Value) -> String {
        let Some(known) = properties(schema) else { return "nothing is known here".to_owned() };
        for (section, inner) in known {
            let inner = properties(self.resolved(inner));
            if inner.is_some_and(|inner| inner.contains_key(unknown))
                && nearest(unknown, known.keys().map(String::as_str)).is_none()
            {
                return format!("it belongs under \"{section}\"");
            }
        }
        hint(unknown, known.keys().map(String::as_str))
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix("#/$defs/"));
        match name.and_then(|name| self.schema.get("$defs")?.get(name)) {
            Some(target) => self.resolved(target),
            None => schema,
        }
    }

    /// The words that an enumeration allows; empty for everything else.
    fn choices(&self, schema: &'a Value) -> Vec<&'a str> {
        if let Some(listed) = schema.get("enum").and_then(Value::as_array) {
            return listed.iter().filter_map(Value::as_str).collect();
        }
        if let Some(word) = schema.get("const").and_then(Value::as_str) {
            return vec![word];
        }
        let Some(branches) = branches(schema) else { return Vec::new() };
        let mut words = Vec::new();
        for branch in branches.iter().map(|branch| self.resolved(branch)).filter(|branch| kind(branch) != "null") {
            match self.choices(branch) {
                inner if inner.is_empty() => return Vec::new(),
                inner => words.extend(inner),
            }
        }
        words
    }
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

fn branches(schema: &Value) -> Option<&Vec<Value>> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array)
}

/// The type that a schema asks for; of `["string", "null"]` the one that is not null.
fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("null")
        }
        _ => "",
    }
}

fn words(kind: &str) -> &str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "text",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        other => other,
    }
}

pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
