//! Writes every state of the page and of the widget as JSON, one per line: `scripts/pages` shows them to a browser.
//!
//! They come from the code that answers in production, asked as a browser and the dashboard ask; only what lies behind its
//! ports is made up.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it writes what a test reads, and must fail loudly")]

use async_trait::async_trait;
use domain::approval::{Answer, Question, Request, RequestState, Via};
use domain::change::{Action, Better, Expectation};
use domain::execution::{Cycle, ExecutionRecord, IterationRecord, Status, Workflow};
use domain::ids::{ChangeId, ExecutionId, RequestId, ResourceId, SignalId};
use domain::place::Place;
use engine::ports::{Approvals, Executions, PortError, PortResult, SigningKey, Waker};
use jiff::SignedDuration;
use maintainer_lifecycle::link::Links;
use maintainer_lifecycle::page::{World, respond};
use serde_json::{Value, json};
use testkit::{World as Fake, build};

const FUNCTION: &str = "arn:aws:lambda:eu-central-1:123456789012:function:maintainer-lifecycle-page:live";
const RUN: &str = "shop-alarm-20260101T000000Z-3f9c2a";
/// Markup of HTML, of the dashboard, of Slack and of terminals, quotes, a change of direction, and something that a style
/// sheet would load.
const HOSTILE: &str = "<script>alert(1)</script><img src=https://example.com/x onerror=alert(1)><style>*{display:none}</style>\
    <cwdb-action action=\"call\">{}</cwdb-action></textarea></title> \"'` {{7*7}} <!channel> <@U123|ada> *b* \u{1b}[31mred\u{1b}[0m \
    \u{202e}desrever\u{202c} javascript:alert(1)";

/// A run that can't be woken: it is gone, or the service does not answer.
struct Asleep(PortError);

#[async_trait]
impl Waker for Asleep {
    async fn wake(&self, _: &str, _: &str) -> PortResult<()> {
        Err(self.0.clone())
    }
}

/// A key that can't be read.
struct Locked;

#[async_trait]
impl SigningKey for Locked {
    async fn read(&self) -> PortResult<Vec<u8>> {
        Err(throttled())
    }
}

fn throttled() -> PortError {
    PortError::Throttled { operation: "GetSecretValue".to_owned() }
}

fn world(fake: &Fake) -> World<'_> {
    World {
        clock: fake,
        approvals: fake,
        waker: fake,
        signing_key: fake,
        runs: fake,
        executions: fake,
        function_arn: FUNCTION,
    }
}

fn question(id: &str, action: Action, before: &str, reason: &str, expected: (&str, f64, f64)) -> Question {
    let (signal, level, after) = expected;
    let spec = action.spec();
    let better = if after < level { Better::Lower } else { Better::Higher };
    let resource = ResourceId::new(match &action {
        Action::SetFleetCapacity { group, .. }
        | Action::SetFleetSchedule { group, .. }
        | Action::ReplaceInstance { group, .. }
        | Action::RefreshFleet { group } => {
            format!(
                "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:7a1f6f4e-0000-4000-8000-9c1e3f0f2b11:\
                 autoScalingGroupName/{group}"
            )
        }
        Action::SetServiceCount { cluster, service, .. }
        | Action::ReplaceTask { cluster, service, .. }
        | Action::RedeployService { cluster, service } => {
            format!("arn:aws:ecs:eu-central-1:123456789012:service/{cluster}/{service}")
        }
        Action::FlushCache { cache } => {
            format!("arn:aws:elasticache:eu-central-1:123456789012:replicationgroup:{cache}")
        }
        Action::InvalidateCdn { distribution } => {
            format!("arn:aws:cloudfront::123456789012:distribution/{distribution}")
        }
        Action::SetVolumeType { volume, .. } | Action::SnapshotVolume { volume } | Action::DeleteVolume { volume } => {
            format!("volume/{volume}")
        }
        Action::MarkForDeletion { arn, .. } => arn.clone(),
        Action::DeleteDiskSnapshot { snapshot } => format!("snapshot/{snapshot}"),
        Action::ReleaseAddress { allocation } => format!("address/{allocation}"),
        Action::CreateIndex { database, index } => format!("index/{database}/{}", index.name()),
        Action::AnalyzeTable { database, schema, table } => format!("statistics/{database}/{schema}.{table}"),
        Action::SetLogRetention { group, .. } => format!("logs/{group}"),
    });
    Question {
        change: ChangeId::from(id),
        resource: resource.clone(),
        before: Some(before.to_owned()),
        size: None,
        reason: reason.to_owned(),
        expected: Expectation { signal: SignalId::from(signal), resource, better, before: level, after },
        risk: spec.risk,
        reversal: spec.reversal,
        cost_usd_cents_month: None,
        rollout: None,
        action,
    }
}

fn grow() -> Question {
    let reason = "CPU of shop-web is at 91 %, over 75 %; 3 serve, 6 bring it to about 46 %";
    let cost = Some(18_396);
    let action = build::set_fleet("shop-web", 6);
    Question { cost_usd_cents_month: cost, ..question("c1", action, "3", reason, ("fleet_cpu_pct", 91.2, 45.6)) }
}

fn restart() -> Question {
    let action = Action::RedeployService { cluster: "shop".to_owned(), service: "shop-basket".to_owned() };
    let reason = "memory of shop-basket grows by 4.1 % an hour since 19:40 and falls only when tasks restart";
    question("c2", action, "4 of 4 tasks running", reason, ("service_memory_pct", 93.4, 41.0))
}

fn flush() -> Question {
    let action = Action::FlushCache { cache: "shop-pages".to_owned() };
    let reason = "the hit rate of shop-pages fell from 94 % to 22 % with the release of 21:05, while requests stayed";
    question("c3", action, "filled", reason, ("cache_hit_rate_pct", 22.0, 94.0))
}

fn request(fake: &Fake, questions: Vec<Question>, evidence: &[&str]) -> Request {
    Request {
        id: RequestId::new(format!("{RUN}.1")),
        app: "shop".into(),
        execution: RUN.into(),
        execution_arn: format!("arn:aws:states:eu-central-1:123456789012:execution:maintainer-health:{RUN}"),
        place: Place::of_arn("arn:aws:states:eu-central-1:123456789012:execution:maintainer-health:run"),
        endpoints: vec!["https://shop.example.com/".to_owned()],
        cycle: Cycle::Health,
        iteration: 1,
        evidence: evidence.iter().map(|&finding| finding.to_owned()).collect(),
        score: Some(4.2),
        questions,
        asked_at: fake.now(),
        expires_at: fake.now() + SignedDuration::from_secs(3_600),
        state: RequestState::Open,
        answer: None,
    }
}

fn one(fake: &Fake) -> Request {
    request(
        fake,
        vec![grow()],
        &[
            "response time p95 of shop-alb is 1.4 s, over 200 ms, since 21:12",
            "CPU of shop-web is at 91 %, over 75 %",
            "2.3 % of the requests to shop-alb fail, over 0.1 %",
        ],
    )
}

fn several(fake: &Fake) -> Request {
    Request { questions: vec![grow(), restart(), flush()], ..one(fake) }
}

fn long(fake: &Fake) -> Request {
    let name = "production-eu-central-1-storefront-checkout-and-payment-workers".repeat(4);
    let action = build::set_fleet(&name, 12);
    let words = "CPU of every one of the instances is over its bound for all of the time that was measured; ".repeat(5);
    let app = "storefront-checkout-and-payment-of-the-very-long-winded-studio-in-production";
    Request {
        app: app.into(),
        questions: vec![question("c1", action, &name, &words, ("fleet_cpu_pct", 91.2, 45.6)), restart()],
        evidence: vec![words.clone(), name.clone(), words],
        endpoints: vec![
            format!("https://{}.example.com/", "a-long-address/".repeat(20)),
            "http://b.example.com/?a=1&b=2".to_owned(),
        ],
        ..one(fake)
    }
}

fn hostile(fake: &Fake) -> Request {
    let action = Action::SetServiceCount { cluster: HOSTILE.to_owned(), service: HOSTILE.to_owned(), desired: 6 };
    Request {
        app: HOSTILE.into(),
        questions: vec![question("\"><script>alert(1)</script>", action, HOSTILE, HOSTILE, (HOSTILE, 91.2, 45.6))],
        evidence: vec![HOSTILE.to_owned(), HOSTILE.to_owned()],
        place: Some(Place { account: HOSTILE.to_owned(), region: HOSTILE.to_owned() }),
        endpoints: vec![
            "javascript:alert(1)".to_owned(),
            "https://a\"onclick=alert(1)>".to_owned(),
            HOSTILE.to_owned(),
        ],
        ..one(fake)
    }
}

/// Makes a question.
type Asks = fn(&Fake) -> Request;

/// Asks; the query of the link.
async fn ask(fake: &Fake, request: &Request) -> String {
    fake.ask(request, "canary-task-token").await.unwrap();
    let key = SigningKey::read(fake).await.unwrap();
    Links::new(&key, "https://page/").to(request).split_once('?').unwrap().1.to_owned()
}

async fn browse(world: &World<'_>, method: &str, query: &str, form: &[(&str, &str)]) -> Value {
    let mut body = form_urlencoded::Serializer::new(String::new());
    body.extend_pairs(form);
    let event = json!({"rawQueryString": query, "body": body.finish(), "isBase64Encoded": false,
        "requestContext": {"http": {"method": method}}});
    respond(event, world).await.unwrap()
}

fn show(name: &str, mut reply: Value) {
    if !reply.is_object() {
        reply = json!({"widget": reply});
    }
    reply["name"] = name.into();
    println!("{reply}");
}

const YES: &[(&str, &str)] = &[("decision", "approve"), ("change", "c1"), ("by", "Ada Lovelace"), ("remark", "go on")];
const NO: &[(&str, &str)] = &[("decision", "deny"), ("by", "Ada Lovelace"), ("remark", "we sell tickets at eight")];

async fn questions() {
    let asked: [(&str, Asks); 4] =
        [("question", one), ("question-several", several), ("question-long", long), ("question-hostile", hostile)];
    for (name, of) in asked {
        let fake = Fake::of(Vec::new());
        let query = ask(&fake, &of(&fake)).await;
        show(name, browse(&world(&fake), "GET", &query, &[]).await);
    }
    let fake = Fake::of(Vec::new());
    let saves = Question { cost_usd_cents_month: Some(-6_132), ..grow() };
    let unmeasured = Request { score: None, place: None, endpoints: Vec::new(), ..request(&fake, vec![saves], &[]) };
    let query = ask(&fake, &unmeasured).await;
    show("question-unmeasured", browse(&world(&fake), "GET", &query, &[]).await);
    let fake = Fake::of(Vec::new());
    let query = ask(&fake, &several(&fake)).await;
    let nothing_ticked = [("decision", "approve"), ("by", HOSTILE), ("remark", HOSTILE)];
    show("question-again", browse(&world(&fake), "POST", &query, &nothing_ticked).await);
}

async fn answers() {
    for (name, of, form) in [
        ("yes", one as Asks, YES),
        ("yes-to-some", several, YES),
        ("no", one, NO),
        (
            "yes-hostile",
            hostile,
            &[
                ("decision", "approve"),
                ("change", "\"><script>alert(1)</script>"),
                ("by", HOSTILE),
                ("remark", HOSTILE),
            ],
        ),
    ] {
        let fake = Fake::of(Vec::new());
        let query = ask(&fake, &of(&fake)).await;
        show(name, browse(&world(&fake), "POST", &query, form).await);
        show(&format!("{name}-opened-again"), browse(&world(&fake), "GET", &query, &[]).await);
    }
    let gone = PortError::Gone { operation: "SendTaskSuccess".to_owned(), what: "the task".to_owned() };
    for (name, error) in [("yes-later", throttled()), ("run-ended", gone)] {
        let fake = Fake::of(Vec::new());
        let query = ask(&fake, &one(&fake)).await;
        let waker = Asleep(error);
        show(name, browse(&World { waker: &waker, ..world(&fake) }, "POST", &query, YES).await);
    }
}

async fn nothing_to_answer() {
    let fake = Fake::of(Vec::new());
    let query = ask(&fake, &one(&fake)).await;
    show("link-forged", browse(&world(&fake), "GET", &query.replace("app=shop", "app=blog"), &[]).await);
    show("wrong-method", browse(&world(&fake), "PUT", &query, &[]).await);
    let huge = "x".repeat(20_000);
    show("form-unreadable", browse(&world(&fake), "POST", &query, &[("remark", &huge)]).await);
    show("error", browse(&World { signing_key: &Locked, ..world(&fake) }, "GET", &query, &[]).await);
    let lapsed = Request { state: RequestState::Lapsed, ..one(&fake) };
    fake.close(&lapsed).await.unwrap();
    show("lapsed", browse(&world(&fake), "GET", &query, &[]).await);
    fake.pass_s(3_600);
    show("link-expired", browse(&world(&fake), "GET", &query, &[]).await);
    let fake = Fake::of(Vec::new());
    let key = SigningKey::read(&fake).await.unwrap();
    let link = Links::new(&key, "https://page/").to(&one(&fake));
    show("question-gone", browse(&world(&fake), "GET", link.split_once('?').unwrap().1, &[]).await);
}

/// Twenty runs of several applications, in every state.
async fn run_often(fake: &Fake) {
    let ends = [
        (Status::Running, None, Some(6.1)),
        (Status::Completed, Some("the score stayed at 8.0 or more for 30 minutes"), Some(9.6)),
        (Status::Escalated, Some("3 change(s) were asked for and nobody answered, which means no"), Some(3.4)),
        (Status::Failed, Some("AWS refused the call: access denied, grant autoscaling:SetDesiredCapacity"), None),
        (Status::Completed, Some(HOSTILE), Some(10.0)),
    ];
    for number in 0_u32..20 {
        let (status, conclusion, score) = ends[number as usize % ends.len()];
        let app = ["shop", "blog", "a-quite-long-name-of-an-application", "tickets"][number as usize % 4];
        let id = ExecutionId::new(format!("{app}-schedule-{number}"));
        let started_at = fake.now() - SignedDuration::from_mins(7 + 95 * i64::from(number));
        let iteration = IterationRecord {
            iteration: 1,
            at: started_at,
            score,
            score_after: None,
            measured_at: None,
            applied: 1,
            verified: 1,
            undone: 0,
            refused: 0,
            answer_lost: false,
        };
        let record = ExecutionRecord {
            execution_arn: format!("arn:aws:states:eu-central-1:123456789012:execution:maintainer-health:{id}"),
            execution_id: id,
            workflow_type: Workflow::Health,
            app: app.into(),
            status,
            trigger: "schedule".to_owned(),
            alarms: Vec::new(),
            mode: None,
            started_at,
            completed_at: None,
            success_criteria_met: status == Status::Completed,
            residue: Vec::new(),
            iterations: vec![iteration],
            answers: Vec::new(),
            conclusion: conclusion.map(str::to_owned),
            config_hash: String::new(),
            build: String::new(),
        };
        fake.save(&record).await.unwrap();
    }
}

async fn widgets() {
    let look = json!({"widgetContext": {"dashboardName": "maintainer", "theme": "light", "forms": {"all": {}}}});
    let fake = Fake::of(Vec::new());
    show("widget-empty", respond(look.clone(), &world(&fake)).await.unwrap());
    run_often(&fake).await;
    show("widget-runs", respond(look.clone(), &world(&fake)).await.unwrap());
    ask(&fake, &one(&fake)).await;
    show("widget-question", respond(look.clone(), &world(&fake)).await.unwrap());
    let blog = Request { app: "blog".into(), id: RequestId::from("blog.1"), ..several(&fake) };
    ask(&fake, &blog).await;
    let press = |by: &str| {
        json!({"widgetContext": {"forms": {"all": {"by": by, "remark": "looks right"}}},
            "answer": {"app": "shop", "request": format!("{RUN}.1"), "decision": "approve", "changes": ["c1"]}})
    };
    show("widget-no-name", respond(press(""), &world(&fake)).await.unwrap());
    show("widget-pressed", respond(press("Ada Lovelace"), &world(&fake)).await.unwrap());
    let answer = Answer {
        approved: Vec::new(),
        by: "Ada".to_owned(),
        remark: String::new(),
        via: Via::CommandLine,
        at: fake.now(),
    };
    let closed = Request { state: RequestState::Answered, answer: Some(answer), ..blog };
    fake.close(&closed).await.unwrap();
    for (number, request) in [long(&fake), hostile(&fake)].into_iter().enumerate() {
        ask(&fake, &Request { id: RequestId::new(format!("r{number}")), ..request }).await;
    }
    let typed = json!({"widgetContext": {"forms": {"all": {"by": HOSTILE, "remark": HOSTILE}}}});
    show("widget-hostile", respond(typed, &world(&fake)).await.unwrap());
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    questions().await;
    answers().await;
    nothing_to_answer().await;
    widgets().await;
}
