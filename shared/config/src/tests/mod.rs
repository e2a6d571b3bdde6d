//! What a configuration means.

mod golden;
mod properties;
mod schema;
mod selectors;

use super::*;
use domain::mode::Mode;
use domain::resource::Live;

const SHOP: &str = include_str!("../../../../examples/maintainer.yaml");
const MINIMAL: &str = include_str!("../../../../examples/minimal.yaml");

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
    let said = [("MemberAccounts", ""), ("NotificationEmail", "ops@example.com"), ("OnlyTaggedResources", "true")];
    assert_eq!(config.parameters(), said.map(|(name, value)| (name, value.to_owned())).into());
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
        (domain::change::ChangeKind::FlushCache, Mode::Auto),
        (domain::change::ChangeKind::RefreshFleet, Mode::Approve),
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
    assert!(
        matches!(&metric.live, Live::Custom(custom) if custom.stat == "Sum" && custom.dimensions["Stage"] == "live")
    );
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
    let one =
        hash("applications:\n  shop:\n    mode: auto\n    objectives: {latency_p95_ms: 300, error_rate_pct: 1}\n");
    let same =
        hash("# a comment\napplications: {shop: {objectives: {error_rate_pct: 1, latency_p95_ms: 300}, mode: auto}}");
    let other =
        hash("applications:\n  shop:\n    mode: observe\n    objectives: {latency_p95_ms: 300, error_rate_pct: 1}\n");
    assert_eq!(one, same);
    assert_ne!(one, other);
    assert!(one.len() == HASH_DIGITS && one.chars().all(|c| c.is_ascii_hexdigit()));
}

fn place(account: &str, region: &str) -> Place {
    Place { account: account.to_owned(), region: region.to_owned() }
}

#[test]
fn other_places_are_every_account_in_every_region_but_home() {
    let home = place("111122223333", "eu-central-1");
    let others = |text: &str| Config::parse(text).unwrap().other_places(&home);
    assert_eq!(others(""), []);
    assert_eq!(others("other_places:\n  accounts: ['111122223333']\n"), [], "that is home");
    assert_eq!(
        others("other_places:\n  accounts: ['444455556666', '111122223333']\n  regions: [us-east-1, eu-central-1]\n"),
        [place("111122223333", "us-east-1"), place("444455556666", "eu-central-1"), place("444455556666", "us-east-1"),]
    );
}

#[test]
fn the_rest_of_another_place_has_the_settings_of_the_rest_at_home_and_lives_where_its_name_says() {
    let config = Config::parse(
        "applications:\n  rest-of-account:\n    protected: [vol-1]\nother_places:\n  accounts: ['444455556666']\n  regions: [eu-west-1]\n",
    )
    .unwrap();
    let rest = config.resolve_any(&app("rest-of-444455556666-eu-west-1"));
    assert_eq!(rest.place(&place("111122223333", "eu-central-1")), Some(place("444455556666", "eu-west-1")));
    assert!(rest.protected.contains("vol-1") && rest.id == app("rest-of-444455556666-eu-west-1"));
    assert_eq!(config.parameters()["MemberAccounts"], "444455556666");
    assert!(config.meaning(false).contains("looked through for waste besides: 444455556666 in eu-west-1"));
}

#[test]
fn other_places_that_cannot_be_meant_are_refused() {
    let refused = |text: &str| Config::parse(text).unwrap_err().to_string();
    for (text, says) in [
        ("other_places: {accounts: ['4444']}", "must be an account number of 12 digits"),
        ("other_places: {regions: [eu-wset-1]}", "did you mean \"eu-west-1\"?"),
        ("other_places: {regions: [eu-west-1, eu-west-1]}", "is listed twice"),
        ("other_places: {account: ['444455556666']}", "accounts"),
        (
            "applications: {rest-of-444455556666-eu-west-1: {protected: [vol-1]}}",
            "settings for it stand under \"rest-of-account\"",
        ),
    ] {
        assert!(refused(text).contains(says), "{text}: {}", refused(text));
    }
    let list = |count: u64| (0..count).map(|number| format!("'{:012}'", number)).collect::<Vec<_>>().join(", ");
    let many =
        |accounts, regions: &str| format!("other_places: {{accounts: [{}], regions: [{regions}]}}", list(accounts));
    let four = "eu-west-1, eu-west-2, eu-west-3, eu-north-1";
    assert!(Config::parse(&many(250, four)).is_ok());
    assert!(refused(&many(251, four)).contains("means 1004 places, but one maintainer looks through 1000 at most"));
    assert!(Config::parse(&many(300, "eu-west-1")).is_ok());
    assert!(refused(&many(301, "eu-west-1")).contains("lists 301, but one maintainer looks after 300 at most"));
}

#[test]
fn an_application_lives_where_it_says_and_else_with_the_deployment() {
    let config = Config::parse(
        "applications:\n  shop:\n  us:\n    regions: [us-east-1]\n  other:\n    accounts: [012345678901]\n  \
         both:\n    accounts: [444455556666]\n    regions: [eu-west-1]\n  said:\n    regions: [eu-central-1]\n",
    )
    .unwrap();
    let home = place("111122223333", "eu-central-1");
    assert_eq!(config.check_home(&home), Ok(()));
    let lives = |name: &str| config.resolve_any(&app(name)).place(&home);
    assert_eq!(lives("us"), Some(place("111122223333", "us-east-1")));
    assert_eq!(lives("other"), Some(place("012345678901", "eu-central-1")), "an account number keeps its leading zero");
    assert_eq!(lives("both"), Some(place("444455556666", "eu-west-1")));
    assert_eq!(config.parameters()["MemberAccounts"], "012345678901,444455556666");
    for at_home in ["shop", "said", "only-tagged"] {
        assert_eq!(lives(at_home), None, "{at_home}");
    }
}

#[test]
fn a_listed_resource_lies_where_its_application_lives() {
    let text = "applications:\n  shop:\n    resources: [\"arn:aws:sqs:eu-central-1:111122223333:jobs\"]\n";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.check_home(&place("111122223333", "eu-central-1")), Ok(()));
    let error = config.check_home(&place("444455556666", "us-east-1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3: applications.shop.resources[0] lies in eu-central-1, but the application in us-east-1: name where it lives under regions\n\
         line 3: applications.shop.resources[0] lies in 111122223333, but the application in 444455556666: name where it lives under accounts"
    );
}

#[test]
fn the_same_tags_are_two_applications_in_two_places_and_a_conflict_in_one() {
    let text = "applications:\n  eu: {select: {tags: {app: shop}}}\n  us: {select: {tags: {app: shop}}, regions: [us-east-1]}\n";
    let config = Config::parse(text).unwrap();
    assert_eq!(config.check_home(&place("111122223333", "eu-central-1")), Ok(()));
    let error = config.check_home(&place("111122223333", "us-east-1")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 3: applications.us selects by the same tags as \"eu\": a resource belongs to one application only"
    );
    assert!(Config::parse(&text.replace("  eu: {", "  eu: {regions: [us-east-1], ")).is_err());
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
fn what_a_file_means_is_told_with_the_line_it_comes_from() {
    let meaning = Config::parse(SHOP).unwrap().meaning(false);
    let row = |start: &str| {
        let rows = meaning.lines().skip_while(|line| *line != "shop");
        let mut rows = rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" "));
        rows.find(|row| row.starts_with(start)).unwrap_or_else(|| panic!("no {start} in\n{meaning}"))
    };
    let line = |text: &str| SHOP.lines().position(|line| line.contains(text)).unwrap() + 1;
    assert_eq!(
        row("objectives.latency_p95_ms"),
        format!("objectives.latency_p95_ms 300 line {}", line("latency_p95_ms: 300"))
    );
    assert_eq!(
        row("objectives.error_rate_pct"),
        format!("objectives.error_rate_pct 0.1 line {} (defaults)", line("error_rate_pct: 0.1"))
    );
    assert_eq!(row("limits.cooldown_s"), "limits.cooldown_s 300 built in");
    assert_eq!(
        row("freeze night"),
        format!("freeze night: Mon Tue Wed Thu Fri 22:00 to 06:00 Europe/Berlin line {}", line("name: night"))
    );
    assert_eq!(
        row("surges spring-sale"),
        format!(
            "surges spring-sale: 2027-03-20 00:00 to 2027-03-28 00:00 Europe/Berlin, announced 72 h ahead line {}",
            line("name: spring-sale")
        )
    );
    assert_eq!(row("mode.flush_cache"), format!("mode.flush_cache auto line {}", line("flush_cache: auto")));
}
