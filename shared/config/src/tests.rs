use super::*;
use domain::mode::Mode;
use domain::resource::Live;
use proptest::prelude::*;

const SHOP: &str = include_str!("../../../examples/maintainer.yaml");
const MINIMAL: &str = include_str!("../../../examples/minimal.yaml");

fn sentences(text: &str) -> Vec<String> {
    match Config::parse(text) {
        Ok(_) => Vec::new(),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

fn sentence(text: &str) -> String {
    let all = sentences(text);
    assert_eq!(all.len(), 1, "{text}\n{all:#?}");
    all.into_iter().next().unwrap()
}

fn app(name: &str) -> AppId {
    AppId::from(name)
}

#[test]
fn an_empty_file_watches_everything_that_is_tagged_and_changes_nothing() {
    for text in ["", "\n", "# nothing yet\n", "applications:\n", "{}"] {
        let config = Config::parse(text).unwrap();
        assert_eq!(config.apps(), []);
        assert_eq!(config.resolve(&app("shop")), None);
        let shop = config.resolve_any(&app("shop"));
        assert_eq!(shop.selector.tags, BTreeMap::from([("maintainer:app".to_owned(), "shop".to_owned())]));
        assert_eq!(shop.modes, Modes::all(Mode::Observe));
        assert_eq!(shop.limits, domain::guard::Limits::default());
        assert_eq!(shop.frozen_at(jiff::Timestamp::UNIX_EPOCH), None);
    }
}

#[test]
fn five_lines_are_useful() {
    assert_eq!(MINIMAL.lines().count(), 5);
    let config = Config::parse(MINIMAL).unwrap();
    let shop = config.resolve(&app("shop")).unwrap();
    assert_eq!(shop.modes, Modes::all(Mode::Auto));
    assert_eq!(shop.selector.tags["maintainer:app"], "shop");
    assert_eq!(config.parameters(), BTreeMap::from([("NotificationEmail", "ops@example.com".to_owned())]));
}

#[test]
fn the_example_means_what_its_comments_say() {
    let config = Config::parse(SHOP).unwrap();
    assert_eq!(config.apps(), [app("blog"), app("newsletter"), app("shop")]);
    let shop = config.resolve(&app("shop")).unwrap();
    assert_eq!(shop.selector.tags, BTreeMap::from([("app".to_owned(), "shop".to_owned())]));
    assert_eq!((shop.objectives.latency_p95_ms, shop.objectives.error_rate_pct), (300.0, 0.1));
    for (kind, mode) in [
        (domain::change::ChangeKind::SetFleetCapacity, Mode::Auto),
        (domain::change::ChangeKind::FlushCache, Mode::Approve),
    ] {
        assert_eq!(shop.mode_for(domain::changes::spec(kind).risk, kind), mode, "{kind:?}");
    }
    assert_eq!(shop.limits.changes_per_day_max, 10);
    assert_eq!(shop.limits.changes_per_hour_max, domain::guard::Limits::default().changes_per_hour_max);
    assert!(shop.protected.contains("shop-db"));
    assert_eq!(shop.capacity["shop-worker"], Bounds { min: 1, max: 10 });
    assert_eq!(shop.frozen_at("2026-11-28T12:00:00Z".parse().unwrap()), Some("black-friday"));
    assert_eq!(shop.frozen_at("2026-11-24T22:00:00Z".parse().unwrap()), Some("night"));
    assert_eq!(shop.frozen_at("2026-11-24T12:00:00Z".parse().unwrap()), None);
    let [metric] = shop.metrics.as_slice() else { panic!("one metric") };
    assert_eq!((metric.id.as_str(), metric.name.as_str()), ("custom/checkout_errors", "checkout_errors"));
    assert!(matches!(&metric.live, Live::Custom(custom) if custom.stat == "Sum" && custom.dimensions["Stage"] == "live"));
    let blog = config.resolve(&app("blog")).unwrap();
    assert_eq!(blog, config.resolve_tagged(&app("blog")), "a name alone is as good as a tag");
    assert_eq!(config.resolve(&app("newsletter")).unwrap().selector.resources.len(), 2);
    assert_eq!(config.parameters()["OnlyTaggedResources"], "false");
}

#[test]
fn an_application_overrides_the_defaults_key_by_key() {
    let config = Config::parse(
        "defaults:\n  mode: {low: auto, flush_cache: observe}\n  objectives: {latency_p95_ms: 400, error_rate_pct: 1}\n  protected: [db]\n\
         applications:\n  shop:\n    mode: {medium: approve}\n    objectives: {latency_p95_ms: 300}\n    protected: [cache]\n  blog:\n    mode: observe\n",
    )
    .unwrap();
    let shop = config.resolve(&app("shop")).unwrap();
    assert_eq!((shop.objectives.latency_p95_ms, shop.objectives.error_rate_pct), (300.0, 1.0));
    assert_eq!(shop.objectives.availability_pct, 99.9);
    let risks = [domain::mode::Risk::Low, domain::mode::Risk::Medium, domain::mode::Risk::High];
    assert_eq!(risks.map(|risk| shop.modes.of_risk(risk)), [Mode::Auto, Mode::Approve, Mode::Observe]);
    assert_eq!(shop.modes.of_kinds().len(), 1);
    assert_eq!(shop.protected.len(), 2);
    assert_eq!(config.resolve(&app("blog")).unwrap().modes, Modes::all(Mode::Observe));
    assert_eq!(config.resolve_tagged(&app("other")).objectives.latency_p95_ms, 400.0);
}

#[test]
fn the_hash_is_about_what_is_said_and_not_how() {
    let hash = |text: &str| Config::parse(text).unwrap().hash();
    let one = hash("applications:\n  shop:\n    mode: auto\n    objectives: {latency_p95_ms: 300, error_rate_pct: 1}\n");
    let same = hash("# a comment\napplications: {shop: {objectives: {error_rate_pct: 1, latency_p95_ms: 300}, mode: auto}}");
    let other = hash("applications:\n  shop:\n    mode: observe\n    objectives: {latency_p95_ms: 300, error_rate_pct: 1}\n");
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert!(one.len() == HASH_DIGITS && one.chars().all(|c| c.is_ascii_hexdigit()));
}

#[test]
fn golden_each_problem_is_one_sentence_with_its_line() {
    for (text, says) in [
        ("aplications:\n  shop:\n", "line 1: the file has an unknown key \"aplications\": did you mean \"applications\"?"),
        (
            "applications:\n  shop:\n    latency_p95_ms: 300\n",
            "line 3: applications.shop has an unknown key \"latency_p95_ms\": it belongs under \"objectives\"",
        ),
        (
            "applications:\n  shop:\n    objectives: {latency_p95: 300}\n",
            "line 3: applications.shop.objectives has an unknown key \"latency_p95\": did you mean \"latency_p95_ms\"?",
        ),
        (
            "applications:\n  shop:\n    mode: automatic\n",
            "line 3: applications.shop.mode must be \"observe\", \"approve\" or \"auto\", not \"automatic\": did you mean \"auto\"?",
        ),
        (
            "applications:\n  shop:\n    mode: [auto]\n",
            "line 3: applications.shop.mode must be \"observe\", \"approve\" or \"auto\", or a mapping, not a list",
        ),
        (
            "applications:\n  shop:\n    mode: {lo: auto}\n",
            "line 3: applications.shop.mode has an unknown key \"lo\": did you mean \"low\"?",
        ),
        (
            "applications:\n  shop:\n    objectives: {latency_p95_ms: fast}\n",
            "line 3: applications.shop.objectives.latency_p95_ms must be a number, not \"fast\"",
        ),
        (
            "applications:\n  shop:\n    limits: {cooldown_s: 1.5}\n",
            "line 3: applications.shop.limits.cooldown_s must be a whole number, not 1.5",
        ),
        (
            "applications:\n  shop:\n    limits: {cooldown_s: -1}\n",
            "line 3: applications.shop.limits.cooldown_s must be a whole number from 0 to 4294967295, not -1",
        ),
        (
            "applications:\n  shop:\n    limits:\n      blast_radius: 34\n",
            "line 4: applications.shop.limits.blast_radius must be from 0 to 1 (a share, not per cent), not 34",
        ),
        (
            "defaults:\n  objectives: {availability_pct: 101}\napplications:\n  shop:\n  blog:\n",
            "line 2: defaults.objectives.availability_pct must be from 0 to 100, not 101",
        ),
        (
            "applications:\n  shop:\n    mode: auto\n  shop:\n    mode: observe\n",
            "line 4: applications.shop stands here twice, first in line 2: keep one of the two",
        ),
        (
            "applications:\n  my shop:\n",
            "line 2: applications.my shop has a name that can't be used: a name has at most 40 letters, digits, \"-\" and \"_\", a letter or digit first",
        ),
        (
            "applications:\n  shop:\n    select: {tags: {}}\n",
            "line 3: applications.shop.select names no resource: give at least one tag or resource, or remove it to select by the tag maintainer:app",
        ),
        (
            "applications:\n  shop:\n    resources: [shop-web]\n",
            "line 3: applications.shop.resources[0] must be an ARN or \"kind/name\" such as \"auto_scaling_group/shop-web\", not \"shop-web\"",
        ),
        (
            "applications:\n  shop:\n    select: {tags: {app: true}}\n",
            "line 3: applications.shop.select.tags.app must be text, so put it in quotes: \"true\"",
        ),
        (
            "applications:\n  a: {select: {tags: {app: x}}}\n  b: {select: {tags: {app: x}}}\n",
            "line 3: applications.b selects by the same tags as \"a\": a resource belongs to one application only",
        ),
        (
            "applications:\n  shop:\n    capacity: {worker: {min: 4, max: 2}}\n",
            "line 3: applications.shop.capacity.worker.max is 2 and lies below min, which is 4",
        ),
        (
            "applications:\n  shop:\n    capacity: {worker: {min: 4}}\n",
            "line 3: applications.shop.capacity.worker needs the key \"max\"",
        ),
        (
            "applications:\n  shop:\n    freeze:\n      - {name: night, from: 22:00, to: 06:00, time_zone: Europe/Berln}\n",
            "line 4: applications.shop.freeze[0].time_zone is no IANA time zone: \"Europe/Berln\"; did you mean \"Europe/Berlin\"?",
        ),
        (
            "applications:\n  shop:\n    freeze:\n      - {name: night, days: [monday], from: 22:00, to: 06:00}\n",
            "line 4: applications.shop.freeze[0].days[0] must be \"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\" or \"sun\", not \"monday\": did you mean \"mon\"?",
        ),
        (
            "applications:\n  shop:\n    metrics:\n      - {name: errors, namespace: Shop, metric: Errors, good: 5, bad: 5}\n",
            "line 4: applications.shop.metrics[0].bad must differ from good, which is 5 too: nothing lies between them",
        ),
        (
            "applications:\n  shop:\n    accounts: [111122223333, 444455556666]\n",
            "line 3: applications.shop.accounts lists 2: only the account and Region of the deployment are observed, so deploy the maintainer there as well",
        ),
        (
            "applications:\n  shop:\n    regions: [Frankfurt]\n",
            "line 3: applications.shop.regions[0] must be a Region such as \"eu-central-1\", not \"Frankfurt\"",
        ),
        ("schedules: {health: 4 hours}\n", "line 1: schedules.health must be \"rate(4 hours)\" or \"cron(0 */4 * * ? *)\", not \"4 hours\""),
        ("notify: {email: ops}\n", "line 1: notify.email must be an address such as \"ops@example.com\", not \"ops\""),
        ("- shop\n", "line 1: the file must be a mapping, not a list"),
        ("a: 1\n---\nb: 2\n", "line 3: the file is not valid YAML: a second document begins here, so remove the line \"---\" above it"),
        (
            "applications:\n  shop:\n    protected: [worker]\n    capacity: {worker: {min: 1, max: 2}}\n",
            "line 4: applications.shop.capacity.worker sets bounds for a resource that is protected, so nothing would ever change: remove one of the two",
        ),
    ] {
        assert_eq!(sentence(text), says, "{text}");
    }
}

#[test]
fn lists_all_problems_in_the_order_of_the_file() {
    let text = "defaults:\n  mode: yes\n  limits: {blast_radius: 5, cooldwn_s: 1}\napplications:\n  shop:\n    capacity: {a: {min: 0, max: x}}\n    \
                freeze: [{name: n, from: 22:00, to: 22:00}]\n    unknown: 1\n";
    let error = Config::parse(text).unwrap_err();
    let lines: Vec<u32> = error.problems().iter().map(|problem| problem.place.unwrap().line).collect();
    assert_eq!(lines, [2, 3, 3, 6, 7, 8], "{error}");
    assert_eq!(error.to_string().lines().count(), 6);
}

#[test]
fn names_the_line_of_text_that_is_not_yaml() {
    let error = Config::parse("applications:\n  shop: {mode: auto\n").unwrap_err();
    assert_eq!(error.problems().len(), 1);
    assert!(error.to_string().contains("the file is not valid YAML"), "{error}");
    assert!(error.problems()[0].place.is_some(), "{error}");
}

#[test]
fn refuses_an_account_or_region_that_is_not_its_own() {
    let text = "applications:\n  shop:\n    accounts: [111122223333]\n    regions: [eu-central-1]\n    \
                resources: [\"arn:aws:sqs:eu-central-1:111122223333:jobs\"]\n";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.check_home("111122223333", "eu-central-1"), Ok(()));
    let error = config.check_home("111122223333", "us-east-1").unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert_eq!(
        error.problems()[0].to_string(),
        "line 4: applications.shop.regions[0] is eu-central-1, not us-east-1: only the account and Region of the deployment are observed, so deploy the maintainer there as well"
    );
}

#[test]
fn an_account_number_keeps_its_leading_zero() {
    let config = Config::parse("applications:\n  shop:\n    accounts: [012345678901]\n").unwrap();
    assert_eq!(config.check_home("012345678901", "eu-central-1"), Ok(()));
}

#[test]
fn anchors_and_merges_work_as_in_any_yaml() {
    let text = "defaults:\n  objectives: &fast {latency_p95_ms: 100}\napplications:\n  a:\n    objectives: *fast\n  b:\n    objectives: {<<: *fast, error_rate_pct: 1}\n";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.resolve(&app("a")).unwrap().objectives.latency_p95_ms, 100.0);
    assert_eq!(config.resolve(&app("b")).unwrap().objectives.latency_p95_ms, 100.0);
}

#[test]
fn a_bomb_of_anchors_is_refused() {
    let mut text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("b{level}: &a{level} [{inner}]\n"));
    }
    assert!(Config::parse(&text).is_err());
    assert!(Config::parse(&"[".repeat(100_000)).is_err());
    assert!(Config::parse(&"#".repeat(2_000_000)).unwrap_err().to_string().contains("are the most that is read"));
}

#[test]
fn golden_the_schema_in_infra_is_that_of_the_types() {
    let stored: Value = serde_json::from_str(include_str!("../../../infra/maintainer.schema.json")).unwrap();
    assert!(
        &stored == schema(),
        "infra/maintainer.schema.json is out of date; write it again with: cargo run -p maintainer-config --bin maintainer-validate -- schema"
    );
}

/// Keywords that [`shape`] understands or that only describe. A new one would be accepted by editors and ignored here.
const KEYWORDS: [&str; 19] = [
    "$schema", "$defs", "$ref", "title", "description", "default", "type", "properties", "additionalProperties", "required",
    "items", "enum", "const", "oneOf", "anyOf", "format", "minimum", "maximum", "examples",
];

#[test]
fn the_schema_uses_only_what_the_reader_understands() {
    fn walk(schema: &Value, path: &str) {
        let Some(fields) = schema.as_object() else { return };
        for (key, value) in fields {
            assert!(KEYWORDS.contains(&key.as_str()), "{path} uses {key}");
            match key.as_str() {
                "$defs" | "properties" => value.as_object().unwrap().iter().for_each(|(name, inner)| walk(inner, &format!("{path}/{name}"))),
                "items" | "additionalProperties" => walk(value, &format!("{path}/{key}")),
                "oneOf" | "anyOf" => value.as_array().unwrap().iter().for_each(|inner| walk(inner, &format!("{path}/{key}"))),
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

#[test]
fn what_a_file_means_is_told_with_the_line_it_comes_from() {
    let meaning = Config::parse(SHOP).unwrap().meaning(false);
    let row = |start: &str| {
        let rows = meaning.lines().skip_while(|line| *line != "shop");
        let mut rows = rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "));
        rows.find(|row| row.starts_with(start)).unwrap_or_else(|| panic!("no {start} in\n{meaning}"))
    };
    let line = |text: &str| SHOP.lines().position(|line| line.contains(text)).unwrap() + 1;
    assert_eq!(row("objectives.latency_p95_ms"), format!("objectives.latency_p95_ms 300 line {}", line("latency_p95_ms: 300")));
    assert_eq!(row("objectives.error_rate_pct"), format!("objectives.error_rate_pct 0.1 line {} (defaults)", line("error_rate_pct: 0.1")));
    assert_eq!(row("limits.cooldown_s"), "limits.cooldown_s 300 built in");
    assert_eq!(row("freeze night"), format!("freeze night: Mon Tue Wed Thu Fri 22:00 to 06:00 Europe/Berlin line {}", line("name: night")));
    assert_eq!(row("mode.flush_cache"), format!("mode.flush_cache approve line {}", line("flush_cache: approve")));
}

#[test]
fn problems_are_shown_with_their_source_line() {
    let text = "applications:\n  shop:\n    mode: automatic\n";
    let error = Config::parse(text).unwrap_err();
    assert_eq!(
        report::problems("maintainer.yaml", text, &error),
        "maintainer.yaml:3:11: applications.shop.mode must be \"observe\", \"approve\" or \"auto\", not \"automatic\": did you mean \"auto\"?\n  \
         3 |     mode: automatic\n    |           ^\n1 problem: nothing of this file is in force\n"
    );
}

/// One change to a text, such as a person's slip or a damaged upload.
fn mutated(text: &str, at: usize, kind: u8, with: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let index = at % lines.len().max(1);
    let mut out: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    match kind % 7 {
        0 => drop(out.remove(index)),
        1 => out.insert(index, lines[index].to_owned()),
        2 => out[index] = format!("  {}", lines[index]),
        3 => out[index] = lines[index].trim_start().to_owned(),
        4 => out[index] = lines[index].split(':').next().unwrap_or("").to_owned() + ": " + with,
        5 => out[index] = lines[index].chars().filter(|c| *c != ':' && *c != '-').collect(),
        _ => out[index] = lines[index].replacen(char::is_alphabetic, with, 1),
    }
    out.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn prop_any_text_is_a_configuration_or_a_list_of_sentences(text in "(?s).{0,200}") {
        if let Err(error) = Config::parse(&text) {
            prop_assert!(!error.problems().is_empty());
            for problem in error.problems() {
                prop_assert!(!problem.to_string().contains('\n'), "{}", problem);
            }
            report::problems("f", &text, &error);
        }
    }

    #[test]
    fn prop_text_that_looks_like_yaml_never_breaks_the_reader(text in "([a-z\\[\\]{}:&*!|>'\"#%@,0-9<? -]{0,12}\n){0,12}") {
        if let Err(error) = Config::parse(&text) {
            report::problems("f", &text, &error);
        }
    }

    #[test]
    fn prop_a_damaged_example_is_read_or_refused_with_lines(
        slips in prop::collection::vec((0usize..100, any::<u8>(), "[a-z0-9:\\[{*&-]{0,6}"), 1..4)
    ) {
        let text = slips.iter().fold(SHOP.to_owned(), |text, (at, kind, with)| mutated(&text, *at, *kind, with));
        match Config::parse(&text) {
            Ok(config) => {
                let again = Config::parse(&text).unwrap();
                prop_assert_eq!(config.hash(), again.hash());
                prop_assert!(config.meaning(true) == again.meaning(true));
            }
            Err(error) => {
                prop_assert!(error.problems().iter().all(|problem| !problem.says.contains("expected form")), "{}", error);
                prop_assert!(error.problems().iter().all(|problem| problem.place.is_some()), "{}", error);
            }
        }
    }

    #[test]
    fn prop_a_number_that_is_set_is_the_number_that_holds(latency in 1.0f64..100_000.0, changes in 0u32..1000, share in 0.01f64..1.0) {
        let text = format!(
            "defaults:\n  limits: {{changes_per_day_max: 7}}\napplications:\n  shop:\n    objectives: {{latency_p95_ms: {latency:?}}}\n    \
             limits: {{changes_per_hour_max: {changes}, blast_radius: {share:?}}}\n"
        );
        let shop = Config::parse(&text).unwrap().resolve(&app("shop")).unwrap();
        prop_assert_eq!(shop.objectives.latency_p95_ms, latency);
        prop_assert_eq!((shop.limits.changes_per_hour_max, shop.limits.changes_per_day_max), (changes, 7));
        prop_assert_eq!(shop.limits.blast_radius, share);
    }
}
