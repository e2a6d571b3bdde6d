//! What a configuration means, as text that lines up; and problems with the lines they stand in. For people.

use crate::{Config, ConfigError, ResolvedApp};
use domain::mode::Mode;
use domain::resource::Live;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// Where a value comes from that no file sets.
const BUILT_IN: &str = "built in";

/// Widest value that the others are lined up with.
const VALUE_CHARS_MAX: usize = 72;

/// A row: what, its value, and where that comes from.
struct Row {
    name: String,
    value: String,
    origin: String,
}

impl Config {
    /// What this configuration means: a table for each application, and one for those that are only tagged. Thresholds
    /// of the health cycle that are built in are only counted, unless `all` is asked for.
    pub fn meaning(&self, all: bool) -> String {
        let mut text = String::new();
        for app in self.apps.values() {
            self.table(&mut text, &app.id.to_string(), &format!("applications.{}", app.id), app, all);
        }
        let tagged = self.resolve_tagged(&"<name>".into());
        self.table(&mut text, "any other application, found by its tag", "", &tagged, all);
        // Writing to a String can't fail.
        let _ = writeln!(text, "configuration {}: {} applications listed", self.hash, self.apps.len());
        let other = &self.file.other_places;
        if !(other.accounts.is_empty() && other.regions.is_empty()) {
            let or_own = |named: &[String], own: &str| if named.is_empty() { own.to_owned() } else { named.join(", ") };
            let _ = writeln!(
                text,
                "looked through for waste besides: {} in {}",
                or_own(&other.accounts, "this account"),
                or_own(&other.regions, "this Region")
            );
        }
        for (name, value) in self.parameters() {
            let _ = writeln!(text, "parameter of the deployment: {name} = {value}");
        }
        text
    }

    fn table(&self, text: &mut String, title: &str, path: &str, app: &ResolvedApp, all: bool) {
        let mut rows = self.selector(path, app);
        rows.extend(self.modes(path, app));
        rows.extend(self.section(path, "objectives", &app.objectives));
        rows.extend(self.section(path, "limits", &app.limits));
        rows.extend(self.section(path, "approval", &app.approval));
        for (cycle, thresholds) in [
            ("health", self.section(path, "health", &app.policy)),
            ("cost", self.section(path, "cost", &app.cost)),
            ("performance", self.section(path, "performance", &app.performance)),
        ] {
            let (built_in, set): (Vec<Row>, Vec<Row>) =
                thresholds.into_iter().partition(|row| row.origin == BUILT_IN && !all);
            rows.extend(set);
            if !built_in.is_empty() {
                let value = format!("{} thresholds", built_in.len());
                rows.push(Row { name: cycle.to_owned(), value, origin: BUILT_IN.to_owned() });
            }
        }
        rows.extend(self.lists(path, app));
        let width = |of: fn(&Row) -> &String| rows.iter().map(|row| of(row).chars().count()).max().unwrap_or(0);
        let (names, values) = (width(|row| &row.name), width(|row| &row.value).min(VALUE_CHARS_MAX));
        let _ = writeln!(text, "{title}");
        for Row { name, value, origin } in &rows {
            let _ = writeln!(text, "  {name:<names$}  {value:<values$}  {origin}");
        }
        let _ = writeln!(text);
    }

    fn selector(&self, path: &str, app: &ResolvedApp) -> Vec<Row> {
        let mut rows = Vec::new();
        if !app.selector.tags.is_empty() {
            let tags = app.selector.tags.iter().map(|(key, value)| format!("{key}={value}"));
            rows.push(self.row(path, "select", tags.collect::<Vec<_>>().join(" and "), "by tag"));
        }
        for (index, id) in app.selector.resources.iter().enumerate() {
            let origin = self.line(&format!("{path}.resources[{index}]"));
            rows.push(Row { name: "resources".to_owned(), value: id.to_string(), origin });
        }
        rows
    }

    fn row(&self, path: &str, key: &str, value: String, built_in: &str) -> Row {
        Row { name: key.to_owned(), value, origin: self.origin(path, key, built_in) }
    }

    /// Where a value comes from: its line, or that it is built in.
    fn origin(&self, path: &str, key: &str, built_in: &str) -> String {
        for owner in [path, "defaults"].iter().filter(|owner| !owner.is_empty()) {
            let full = format!("{owner}.{key}");
            if self.places.has(&full) {
                return self.line(&full);
            }
        }
        built_in.to_owned()
    }

    fn modes(&self, path: &str, app: &ResolvedApp) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut mode = |key: &str, mode: Mode| {
            let exact = self.origin(path, &format!("mode.{key}"), "");
            let origin = if exact.is_empty() { self.origin(path, "mode", BUILT_IN) } else { exact };
            rows.push(Row { name: format!("mode.{key}"), value: mode.to_string(), origin });
        };
        for (name, risk, _) in crate::file::RISKS {
            mode(name, app.modes.of_risk(risk));
        }
        for (kind, own) in app.modes.of_kinds() {
            mode(domain::changes::spec(*kind).name, *own);
        }
        rows
    }

    fn section(&self, path: &str, section: &str, value: &impl Serialize) -> Vec<Row> {
        let Ok(Value::Object(fields)) = serde_json::to_value(value) else { return Vec::new() };
        let mut rows = Vec::new();
        flatten(section, &Value::Object(fields), &mut |name, value| {
            rows.push(self.row(path, name, value, BUILT_IN));
        });
        rows
    }

    /// A list to which defaults and an application add up; those of the defaults come first, see `resolve::settle`.
    fn added_up(&self, path: &str, key: &str, values: Vec<String>, inherited: usize) -> Vec<Row> {
        let row = |(index, value): (usize, String)| {
            let at = match index.checked_sub(inherited) {
                Some(own) => format!("{path}.{key}[{own}]"),
                None => format!("defaults.{key}[{index}]"),
            };
            Row { name: key.to_owned(), value, origin: self.line(&at) }
        };
        values.into_iter().enumerate().map(row).collect()
    }

    fn lists(&self, path: &str, app: &ResolvedApp) -> Vec<Row> {
        let mut rows = Vec::new();
        let freeze: Vec<String> = app.freeze.iter().map(ToString::to_string).collect();
        rows.extend(self.added_up(path, "freeze", freeze, self.file.defaults.freeze.len()));
        let surges: Vec<String> = app.surges.iter().map(ToString::to_string).collect();
        rows.extend(self.added_up(path, "surges", surges, self.file.defaults.surges.len()));
        let zone = app.time_zone.iana_name().unwrap_or("UTC").to_owned();
        rows.push(self.row(path, "time_zone", zone, BUILT_IN));
        for name in &app.protected {
            rows.push(self.row(path, "protected", name.clone(), ""));
        }
        for (service, bounds) in &app.capacity {
            let value = format!("{} to {} tasks", bounds.min, bounds.max);
            rows.push(self.row(path, &format!("capacity.{service}"), value, ""));
        }
        for (index, resource) in app.metrics.iter().enumerate() {
            if let Live::Custom(metric) = &resource.live {
                let value = format!(
                    "{} {} {}: good {}, bad {}",
                    metric.namespace, metric.metric, metric.stat, metric.good, metric.bad
                );
                let origin = self.line(&format!("{path}.metrics[{index}]"));
                rows.push(Row { name: format!("metrics.{}", resource.name), value, origin });
            }
        }
        for (key, named) in [("accounts", &app.home.account), ("regions", &app.home.region)] {
            if let Some(value) = named {
                let origin = self.line(&format!("{path}.{key}"));
                rows.push(Row { name: key.to_owned(), value: value.clone(), origin });
            }
        }
        for (index, endpoint) in app.endpoints.iter().enumerate() {
            let origin = self.line(&format!("{path}.endpoints[{index}]"));
            rows.push(Row { name: "endpoints".to_owned(), value: endpoint.clone(), origin });
        }
        rows
    }

    /// The line of a path that stands in the file.
    fn line(&self, path: &str) -> String {
        let of = if path.starts_with("defaults.") { " (defaults)" } else { "" };
        self.places.of(path).map(|place| format!("line {}{of}", place.line)).unwrap_or_default()
    }
}

fn flatten(name: &str, value: &Value, row: &mut impl FnMut(&str, String)) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                flatten(&format!("{name}.{key}"), value, row);
            }
        }
        Value::String(text) => row(name, text.clone()),
        // 300 rather than 300.0, as people write it.
        Value::Number(number) => {
            row(name, number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()))
        }
        other => row(name, other.to_string()),
    }
}

/// The problems of a text, each with the line it stands in and a mark below the place.
pub fn problems(name: &str, text: &str, error: &ConfigError) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut report = String::new();
    for problem in error.problems() {
        let subject = if problem.path.is_empty() { "the file" } else { &problem.path };
        let Some(place) = problem.place else {
            let _ = writeln!(report, "{name}: {subject} {}", problem.says);
            continue;
        };
        let _ = writeln!(report, "{name}:{}:{}: {subject} {}", place.line, place.column, problem.says);
        let index = usize::try_from(place.line).unwrap_or(0).wrapping_sub(1);
        if let Some(line) = lines.get(index) {
            let shown: String = line.chars().take(160).collect();
            let number = place.line.to_string();
            let before = usize::try_from(place.column).unwrap_or(1).saturating_sub(1).min(160);
            let _ = writeln!(report, "  {number} | {shown}");
            let _ = writeln!(report, "  {:width$} | {:before$}^", "", "", width = number.len());
        }
    }
    let count = error.problems().len();
    let noun = if count == 1 { "problem" } else { "problems" };
    let _ = writeln!(report, "{count} {noun}: nothing of this file is in force");
    report
}

/// Begins a line of the documentation under which the table of a part stands; then its name and the end of the comment.
const TABLE_MARK: &str = "<!-- generated: keys of ";

/// The page with the table below each mark as it is now. A table ends with the first line that is not part of one.
pub fn with_tables(page: &str) -> String {
    let mut text = String::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        text += line;
        text.push('\n');
        if let Some(part) = line.strip_prefix(TABLE_MARK).and_then(|rest| rest.strip_suffix(" -->")) {
            while lines.next_if(|line| line.is_empty() || line.starts_with('|')).is_some() {}
            text += &format!("\n{}\n", keys(part));
        }
    }
    text
}

/// The keys of a part of the file with their meaning, as a Markdown table; empty when there is no such part.
fn keys(part: &str) -> String {
    let schema = crate::schema();
    let definition = if part == "File" { Some(schema) } else { schema.get("$defs").and_then(|all| all.get(part)) };
    let properties = definition.and_then(|definition| definition.get("properties")).and_then(Value::as_object);
    let Some(properties) = properties else { return String::new() };
    let mut text = "| key | meaning |\n|---|---|\n".to_owned();
    for (key, property) in properties {
        let meaning = property.get("description").and_then(Value::as_str).unwrap_or_default();
        let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "| `{key}` | {} |", meaning.replace('|', "\\|"));
    }
    text
}
