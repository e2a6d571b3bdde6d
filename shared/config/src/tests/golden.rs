//! The sentences of errors, word for word.

use crate::{Config, report};

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

#[test]
fn golden_each_problem_is_one_sentence_with_its_line() {
    for (text, says) in [
        (
            "aplications:\n  shop:\n",
            "line 1: the file has an unknown key \"aplications\": did you mean \"applications\"?",
        ),
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
            "applications:\n  shop:\n    surges:\n      - {name: sale, from: 18:00, to: 22:00}\n",
            "line 4: applications.shop.surges[0].from must be a moment such as \"2026-11-27\" or \"2026-11-27T18:00\": a surge happens once",
        ),
        (
            "applications:\n  shop:\n    surges:\n      - {name: sale, from: 2026-11-27, to: 2026-11-30, lead_h: 200}\n",
            "line 4: applications.shop.surges[0].lead_h must be at most 168, which is a week, not 200",
        ),
        (
            "applications:\n  shop:\n    limits: {reversal_bars_h: 0}\n",
            "line 3: applications.shop.limits.reversal_bars_h must be from 1 to 720 (30 days), not 0",
        ),
        (
            "applications:\n  shop:\n    limits: {reversal_bars_h: 721}\n",
            "line 3: applications.shop.limits.reversal_bars_h must be from 1 to 720 (30 days), not 721",
        ),
        (
            "applications:\n  shop:\n    time_zone: Berlin\n",
            "line 3: applications.shop.time_zone is no IANA time zone: \"Berlin\"; did you mean \"Europe/Berlin\"?",
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
            "line 3: applications.shop.accounts lists 2: an application lives in one account and one Region, so that a healthy one hides no sick one: make one of each",
        ),
        (
            "applications:\n  shop:\n    regions: [us-east-1]\n    resources: [\"arn:aws:sqs:eu-central-1:111122223333:jobs\"]\n",
            "line 4: applications.shop.resources[0] lies in eu-central-1, but the application in us-east-1: name where it lives under regions",
        ),
        (
            "applications:\n  shop:\n    accounts: [1234]\n",
            "line 3: applications.shop.accounts[0] must be an account number of 12 digits, not \"1234\"",
        ),
        (
            "applications:\n  shop:\n    regions: [Frankfurt]\n",
            "line 3: applications.shop.regions[0] must be a Region such as \"eu-central-1\", not \"Frankfurt\"",
        ),
        (
            "applications:\n  shop:\n    regions: [eu-centrl-1]\n",
            "line 3: applications.shop.regions[0] must be a Region, not \"eu-centrl-1\": did you mean \"eu-central-1\"?",
        ),
        (
            "schedules: {health: 4 hours}\n",
            "line 1: schedules.health must be \"rate(4 hours)\" or \"cron(0 */4 * * ? *)\", not \"4 hours\"",
        ),
        ("notify: {email: ops}\n", "line 1: notify.email must be an address such as \"ops@example.com\", not \"ops\""),
        ("- shop\n", "line 1: the file must be a mapping, not a list"),
        (
            "a: 1\n---\nb: 2\n",
            "line 3: the file is not valid YAML: a second document begins here, so remove the line \"---\" above it",
        ),
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
fn problems_are_shown_with_their_source_line() {
    let text = "applications:\n  shop:\n    mode: automatic\n";
    let error = Config::parse(text).unwrap_err();
    assert_eq!(
        report::problems("maintainer.yaml", text, &error),
        "maintainer.yaml:3:11: applications.shop.mode must be \"observe\", \"approve\" or \"auto\", not \"automatic\": did you mean \"auto\"?\n  \
         3 |     mode: automatic\n    |           ^\n1 problem: nothing of this file is in force\n"
    );
}
