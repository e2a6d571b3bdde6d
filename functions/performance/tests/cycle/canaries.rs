//! Secrets are planted in everything that a run reads. Nothing that it writes, sends or logs has one of them.

use crate::machine::Machine;
use crate::shop::{HELPS, Shop, ready};
use async_trait::async_trait;
use domain::performance::catalog::Catalog;
use domain::performance::vitals::Look;
use domain::performance::{Counter, Priced, Question, Sample};
use engine::ports::{Databases, PortResult, SigningKey};
use engine::run::{Decision, Run};
use lifecycle::{ask, escalate, finish};
use maintainer_performance::profile::{Intent, Profiles};
use maintainer_performance::{identify, profile};
use serde_json::{Value, json};
use steps::{act, observe};
use testkit::{Process, Proof, logged};

const TOKEN: &str = "canary-task-token-0123456789";
const PASSWORD: &str = "canary-password-0123456789";
const TAG: &str = "canary-tag-0123456789";

/// Statements as the server keeps them: what is no query stands there with its constants.
const STATEMENTS: [&str; 6] = [
    "SELECT /* token=canary-password-0123456789 */ note FROM items WHERE id = $1",
    "ALTER ROLE shop PASSWORD 'canary-password-0123456789'",
    "create user reports with encrypted password 'canary-password-0123456789'",
    "CREATE SUBSCRIPTION s CONNECTION 'host=db password=canary-password-0123456789' PUBLICATION p",
    "/* nightly */ COPY items FROM PROGRAM 'curl -u shop:canary-password-0123456789 https://example.com'",
    "DO $$ BEGIN PERFORM set_config('app.key', 'canary-password-0123456789', false); END $$",
];

/// The shop's database, on which people have worked as well.
struct Worked<'a>(&'a Shop);

#[async_trait]
impl Databases for Worked<'_> {
    async fn sample(&self, database: &str, with_texts: bool) -> PortResult<Sample> {
        let mut sample = self.0.sample(database, with_texts).await?;
        let minutes = sample.at.duration_since(testkit::build::START).as_secs_f64() / 60.0;
        sample.statements.extend(STATEMENTS.iter().zip(1_000..).map(|(text, id)| Counter {
            id,
            text: if with_texts { (*text).to_owned() } else { String::new() },
            calls: minutes,
            total_ms: 500.0 * minutes,
            sd_ms: 1.0,
            rows: 0.0,
            hit: 0.0,
            read: 0.0,
        }));
        Ok(sample)
    }

    async fn catalog(&self, database: &str) -> PortResult<Catalog> {
        self.0.catalog(database).await
    }

    async fn look(&self, database: &str) -> PortResult<Look> {
        self.0.look(database).await
    }

    async fn price(&self, database: &str, questions: &[Question]) -> PortResult<Vec<Option<Priced>>> {
        self.0.price(database, questions).await
    }
}

/// A window of traffic, a plan, a question to people, and the end of the run.
fn asked(shop: &Shop) -> Vec<Value> {
    let begun = Machine::performance(shop, "performance-1").stopped_at("OpenWindow");
    let run: Run = serde_json::from_value(begun.run(json!({"app": "shop"})).output).unwrap();
    let (world, process) = (&*shop.world, Process::sound(&shop.world));
    let app = shop.config.resolve_any(&"shop".into());
    let databases = Worked(shop);
    let see = || observe::World { clock: world, inventory: world, telemetry: world };
    let look = |intent, run| {
        let ports = profile::World {
            see: see(),
            databases: &databases,
            caches: shop,
            pages: shop,
            leases: world,
            artifacts: world,
        };
        ready(profile::profile(profile::Request { intent, run }, &app, &ports)).unwrap()
    };
    let run = look(Intent::Open, run);
    shop.world.pass_s(run.wait_s);
    let run = look(Intent::Close, run);
    let ports =
        identify::World { clock: world, databases: &databases, artifacts: world, executions: world, journal: world };
    let run = ready(identify::identify(run, &app, &ports)).unwrap();
    assert_eq!(run.decision, Decision::Act, "{run:?}");
    let ports = act::World {
        clock: world,
        speed: 1.0,
        left_s: 900.0,
        actuator: &process,
        journal: world,
        leases: world,
        switch: world,
        approvals: world,
        calendars: world,
        circuit: world,
        artifacts: world,
        executions: world,
        alarms: &process,
    };
    let request = serde_json::from_value(json!({"intent": "apply", "run": run})).unwrap();
    let run = testkit::run_to_end(&process, act::act(request, &app, &ports)).finished().unwrap().unwrap();
    assert_eq!(run.decision, Decision::Ask, "{run:?}");
    let ports = ask::World {
        clock: world,
        executions: world,
        artifacts: world,
        approvals: world,
        signing_key: world,
        page_url: "https://page.example/",
        episodes: world,
        leases: world,
        starter: world,
        notifier: world,
    };
    let input = serde_json::from_value(json!({"run": run, "task_token": TOKEN})).unwrap();
    let told = ready(ask::ask(input, &app, &ports)).unwrap();
    let run = Run { decision: Decision::Escalate, conclusion: Some("nobody answered".to_owned()), ..run };
    let ports = escalate::World { executions: world, journal: world, artifacts: world, notifier: world };
    let run = ready(escalate::escalate(run, &ports)).unwrap();
    let ports = finish::World {
        clock: world,
        executions: world,
        approvals: world,
        journal: world,
        leases: world,
        episodes: world,
        starter: world,
        watch: world,
        notifier: world,
    };
    let run = ready(finish::finish(run, &ports)).unwrap();
    vec![serde_json::to_value(told).unwrap(), serde_json::to_value(run).unwrap()]
}

#[test]
fn what_is_planted_in_everything_a_run_reads_is_in_nothing_that_it_writes_sends_or_logs() {
    let proof = Proof::begin("canaries");
    let shop = Shop::new("mode: approve", HELPS);
    for resource in shop.world.resources() {
        shop.world.edit(&resource.id, |resource| {
            resource.tags.insert("db_password".to_owned(), TAG.to_owned());
            resource.tags.insert("team".to_owned(), "team-that-is-shown".to_owned());
        });
    }
    let (answers, log) = logged(|| asked(&shop));
    let key = String::from_utf8(ready(SigningKey::read(&*shop.world)).unwrap()).unwrap();

    let mut written = shop.world.written();
    written.extend(answers.iter().map(|answer| ("answer of a step".to_owned(), answer.to_string())));
    written.push(("log".to_owned(), log.clone()));
    for secret in [TOKEN, PASSWORD, TAG, &key] {
        let places: Vec<&str> =
            written.iter().filter(|(_, text)| text.contains(secret)).map(|(place, _)| place.as_str()).collect();
        assert!(places.is_empty(), "{secret} is in {places:?}");
    }
    // What is looked through is what there is: each of these would be found.
    let has = |kind: &str, text: &str| written.iter().any(|(place, of)| place.starts_with(kind) && of.contains(text));
    assert!(has("document", "team-that-is-shown"), "the snapshot has the tags");
    assert!(has("document", "ALTER: no query"), "the profile has the statements");
    assert!(has("question", "orders") && has("message", "https://page.example/") && has("record", "nobody answered"));
    assert!(!log.is_empty(), "nothing was logged");
    let profiles: Profiles = shop.document("performance-1", 1, "profile");
    let window = profiles["orders"].window.known().unwrap();
    let no_queries = window.statements.iter().filter(|used| used.text.starts_with("-- ")).count();
    assert_eq!(no_queries, STATEMENTS.len() - 1, "of all but the first the text is not kept");
    assert!(window.statements.iter().any(|used| used.text.ends_with("note FROM items WHERE id = $1")));
    // Each of the four was looked for in everything that was written.
    proof.survived(4 * written.len());
}
