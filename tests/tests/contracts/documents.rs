//! What the documents say of names, defaults and files is so.

use crate::repository;
use crate::template::Template;
use domain::execution::Cycle;
use std::collections::BTreeSet;

/// Documents for people who deploy and use the maintainer.
fn pages() -> Vec<(String, String)> {
    let mut paths: Vec<String> =
        repository::names("docs", ".md").into_iter().map(|name| format!("docs/{name}")).collect();
    paths.extend(repository::names(".", ".md"));
    paths.into_iter().map(|path| (path.clone(), repository::text(&path))).collect()
}

/// Words between back-quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn files_that_are_named_are_there() {
    let starts = ["docs/", "infra/", "tests/", "scripts/", "shared/", "functions/", "examples/"];
    for (page, text) in pages() {
        for name in quoted(&text).filter(|name| starts.iter().any(|start| name.starts_with(start))) {
            let plain = !name.contains(['*', '<', '{', ' ', '…']) && !name.contains("::");
            let path = name.trim_end_matches('/');
            assert!(!plain || repository::root().join(path).exists(), "{page} names {name}, which is not there");
        }
    }
}

/// What stands in a page as YAML is a configuration, or what can stand under an application; a scenario in the page about those.
#[test]
fn configurations_that_are_shown_are_valid() {
    let mut shown = 0;
    for (page, text) in pages().into_iter().filter(|(page, _)| page != "docs/scenarios.md") {
        for rest in text.split("```yaml\n").skip(1) {
            let example = rest.split("```").next().unwrap();
            let indented: String = example.lines().map(|line| format!("    {line}\n")).collect();
            let of_application = config::Config::parse(&format!("applications:\n  shop:\n{indented}"));
            let read = config::Config::parse(example);
            assert!(read.is_ok() || of_application.is_ok(), "{page}: {}\n{example}", read.unwrap_err());
            shown += 1;
        }
    }
    assert!(shown >= 4, "{shown} configurations found");
}

#[test]
fn parameters_that_are_named_are_those_of_the_template() {
    let parameters = Template::load().keys("/Parameters");
    for (page, text) in pages() {
        for rest in text.split("parameter `").skip(1) {
            let name = rest.split('`').next().unwrap();
            assert!(parameters.contains(name) || name.contains('-'), "{page} names the parameter {name}");
        }
    }
}

#[test]
fn the_events_page_names_the_events_that_are_sent() {
    let page = repository::text("docs/events.md");
    let named: BTreeSet<&str> = quoted(&page).filter(|word| word.starts_with("Maintainer ")).collect();
    assert_eq!(
        named,
        BTreeSet::from([
            lifecycle::ask::QUESTION,
            lifecycle::escalate::ESCALATION,
            lifecycle::finish::REPORT,
            lifecycle::silence::SILENCE,
            cost::bill_alert::BILL,
            cost::digest::SAVINGS,
            cost::survey::PLACES,
        ])
    );
    assert!(page.contains(&format!("`source` is always `{}`", aws::notifier::EVENT_SOURCE)));
}

#[test]
fn the_schedule_and_the_notice_of_silence_fit_each_other() {
    let template = Template::load();
    let default = template.at("/Parameters/HealthSchedule/Default").as_str().unwrap();
    assert_eq!(default, "rate(4 hours)", "the cycle runs every four hours unless the user says otherwise");
    let hours = template.at("/Parameters/DeadManHours/Default").as_u64().unwrap();
    assert!(hours > 2 * 4, "two rounds must have been missed before people are told");
    let period_s = template.at("/Resources/SilenceAlarm/Properties/Period").as_u64().unwrap();
    let most = template.at("/Parameters/DeadManHours/MaxValue").as_u64().unwrap();
    assert!(period_s * most <= 86_400, "CloudWatch looks back over a day at most");
}

/// A lease must outlive the longest time in which a run does not renew it, and an episode the longest run.
#[test]
fn a_lease_outlives_the_longest_step_and_wait() {
    let functions = Template::load().functions();
    // Of the cycle's own steps and of those that all cycles share.
    let longest_step_s = |cycle: Cycle| {
        let own = format!("{cycle}-");
        let of_cycle = |binary: &str| binary.starts_with(&own) || binary.starts_with("lifecycle-");
        functions.iter().filter(|one| of_cycle(&one.binary)).map(|one| one.timeout_s).max().unwrap()
    };
    let longest_settle_s = domain::changes::TABLE
        .iter()
        .filter(|spec| spec.cycles.contains(&Cycle::Health))
        .map(|spec| spec.settle_s)
        .max()
        .unwrap();
    let policy = config::Config::parse("").unwrap().resolve_tagged(&"shop".into()).policy;
    let wait_s = (longest_settle_s + policy.window_s).max(policy.wait_s);
    let away_s = u64::from(wait_s) + 2 * longest_step_s(Cycle::Health);
    assert!(u64::from(engine::run::LEASE_TTL_S) > away_s, "a run is away from its lease for {away_s} s");
    // The longest watch that the configuration takes.
    let watched = |watch_s| domain::cost::Policy { watch_s, ..Default::default() }.check().is_empty();
    let longest_watch_s = u64::from((0..200_000).rev().find(|seconds| watched(*seconds)).unwrap());
    let away_s = longest_watch_s + 2 * longest_step_s(Cycle::Cost);
    assert!(u64::from(engine::run::COST_LEASE_TTL_S) > away_s, "a cost run is away from its lease for {away_s} s");
    // The longest window that the configuration takes.
    let measured = |window_s| domain::performance::Policy { window_s, ..Default::default() }.check().is_empty();
    let longest_window_s = u64::from((0..200_000).rev().find(|seconds| measured(*seconds)).unwrap());
    let away_s = longest_window_s + 2 * longest_step_s(Cycle::Performance);
    let ttl_s = u64::from(engine::run::PERFORMANCE_LEASE_TTL_S);
    assert!(ttl_s > away_s, "a performance run is away from its lease for {away_s} s");
}

/// A build that the step still waits for must not be cut off by the platform: it would leave an index that is not valid.
#[test]
fn building_an_index_ends_before_its_function_does() {
    let functions = Template::load().functions();
    let apply = functions.iter().find(|function| function.binary == "performance-apply").unwrap();
    assert!(apply.timeout_s > u64::from(health::optimize::BUILD_S_MAX), "{} s", apply.timeout_s);
}

/// What has not had its turn by then is given up as throttled; after the time-out of the function all would be lost.
#[test]
fn a_reading_of_metrics_ends_before_its_function_does() {
    let longest_s = (aws::telemetry::READING_MAX + aws::clients::OPERATION_TIMEOUT).as_secs();
    for function in Template::load().functions() {
        let readers = [
            "health-monitor",
            "health-validate",
            "cost-analyze",
            "cost-monitor",
            "performance-profile",
            "performance-validate",
        ];
        let reads = readers.contains(&function.binary.as_str());
        assert!(!reads || function.timeout_s > longest_s, "{} has {} s", function.binary, function.timeout_s);
    }
}

/// What sets a condition or an idempotency token in a request of the SDK.
const FENCES: [&str; 4] = [".caller_reference(", ".client_token(", ".client_request_token(", ".idempotency_token("];

#[test]
fn the_writes_that_can_t_be_fenced_are_listed_by_name() {
    let page = repository::text("docs/changes-and-guards.md");
    let (_, section) = page.split_once("## Writes that can't be fenced").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect();
    let listed: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let kinds: Vec<&str> = domain::changes::TABLE.iter().map(|spec| spec.name).collect();
    assert_eq!(listed, kinds, "every kind of change, in the order of the table of changes");
    for (row, spec) in rows.iter().zip(domain::changes::TABLE) {
        let (call, fence) = (row[1], row[2]);
        let is_known = match spec.name {
            "flush_cache" => call == "FLUSHALL",
            "create_index" => call == "CREATE INDEX CONCURRENTLY",
            "analyze_table" => call == "ANALYZE",
            _ => spec.permissions.contains(&call),
        };
        assert!(is_known, "{}: {call} is none of its calls", spec.name);
        let file = match spec.name {
            "create_index" | "analyze_table" => "shared/postgres/src/actuator.rs".to_owned(),
            name => format!("shared/aws/src/changes/{name}.rs"),
        };
        let code = repository::code(&file);
        let is_fenced = FENCES.iter().any(|fence| code.contains(fence));
        assert_eq!(is_fenced, fence != "none", "{}: the page says \"{fence}\"", spec.name);
    }
}
