//! The page and the widget: looking decides nothing, an answer counts once, nothing from outside is markup, no key is shown.

use crate::shop::{begun, shop};
use async_trait::async_trait;
use base64::Engine;
use domain::approval::{Question, Request, RequestState};
use domain::change::Reversal;
use domain::execution::Cycle;
use domain::ids::RequestId;
use domain::mode::Risk;
use domain::place::Place;
use engine::ports::{Approvals, Leases, Life, PortError, PortResult, SigningKey, Waker};
use engine::run::{LEASE_TTL_S, lease_key};
use jiff::SignedDuration;
use lifecycle::link::Links;
use lifecycle::page::{World, respond};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicBool, Ordering};
use testkit::{World as Fake, build};

const TOKEN: &str = "canary-task-token";
const HOSTILE: &str = "<script>alert(1)</script> & <cwdb-action> \"'\u{202e}";

fn world_of(fake: &Fake) -> World<'_> {
    World {
        clock: fake,
        approvals: fake,
        waker: fake,
        signing_key: fake,
        runs: fake,
        executions: fake,
        function_arn: "arn:aws:lambda:us-east-1:123456789012:function:m-lifecycle-page:live",
    }
}

/// A question about two changes with hostile texts; its link's query.
async fn asked(fake: &Fake) -> (Request, String) {
    asked_by(fake, "arn").await
}

async fn asked_by(fake: &Fake, arn: &str) -> (Request, String) {
    let question = |id: &str| {
        let change = build::change(id, build::set_fleet("shop-web", 6));
        Question {
            change: change.id,
            action: change.action,
            resource: change.resource,
            before: Some(HOSTILE.to_owned()),
            size: Some(3),
            reason: HOSTILE.to_owned(),
            expected: change.expected,
            risk: Risk::Low,
            reversal: Reversal::Undoable,
            cost_usd_cents_month: Some(12_345),
            rollout: None,
        }
    };
    let request = Request {
        id: RequestId::from("run-1.1"),
        app: "shop".into(),
        execution: "run-1".into(),
        execution_arn: arn.to_owned(),
        place: Some(Place { account: "444455556666".to_owned(), region: "eu-central-1".to_owned() }),
        endpoints: vec![
            "https://shop.example.com/?a=1&b=2".to_owned(),
            "http://shop.example.com/".to_owned(),
            "javascript:alert(1)".to_owned(),
            "data:text/html,hello".to_owned(),
            format!("https://shop.example.com/{HOSTILE}"),
            "https://shop.example.com/\"onclick=\"alert(1)".to_owned(),
        ],
        cycle: Default::default(),
        iteration: 1,
        evidence: vec![HOSTILE.to_owned()],
        score: Some(4.2),
        questions: vec![question("c1"), question("c2")],
        asked_at: fake.now(),
        expires_at: fake.now() + SignedDuration::from_secs(3_600),
        state: RequestState::Open,
        answer: None,
    };
    fake.ask(&request, TOKEN).await.unwrap();
    let link = Links::new(&SigningKey::read(fake).await.unwrap(), "https://page/").to(&request);
    (request, link.split_once('?').unwrap().1.to_owned())
}

/// A call of a browser: status and page.
async fn browse(fake: &Fake, method: &str, query: &str, body: &str) -> (u64, String) {
    let event = json!({"rawQueryString": query, "body": body, "isBase64Encoded": false,
        "requestContext": {"http": {"method": method}}});
    let reply = respond(event, &world_of(fake)).await.unwrap();
    let headers = reply["headers"].as_object().unwrap();
    for header in ["content-security-policy", "referrer-policy", "cache-control", "x-content-type-options"] {
        assert!(headers.contains_key(header), "{header} is lacking");
    }
    let page = reply["body"].as_str().unwrap().to_owned();
    assert!(!page.contains("<script") && !page.contains(TOKEN), "{page}");
    assert!(!page.contains('\u{202e}'), "the direction of the text can be turned: {page}");
    let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(style));
    let policy = headers["content-security-policy"].as_str().unwrap();
    assert!(policy.contains(&format!("style-src 'sha256-{hash}';")) && !policy.contains("unsafe"), "{policy}");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
    (reply["statusCode"].as_u64().unwrap(), page)
}

/// Step Functions, whose answer to the first call is lost after it has done its work; then the token is used up.
struct AnswerLost<'a>(&'a Fake, AtomicBool);

#[async_trait]
impl Waker for AnswerLost<'_> {
    async fn wake(&self, task_token: &str, output: &str) -> PortResult<()> {
        let operation = "wake".to_owned();
        if self.1.swap(true, Ordering::SeqCst) {
            return Err(PortError::Gone { operation, what: "the run that waited".to_owned() });
        }
        self.0.wake(task_token, output).await?;
        Err(PortError::Unknown { operation, why: "status 500".to_owned() })
    }
}

#[tokio::test]
async fn regression_a_yes_whose_run_was_woken_is_taken_though_the_answer_to_that_was_lost() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    let waker = AnswerLost(&fake, AtomicBool::new(false));
    let event = json!({"rawQueryString": query, "body": YES, "isBase64Encoded": false,
        "requestContext": {"http": {"method": "POST"}}});
    let reply = respond(event, &World { waker: &waker, ..world_of(&fake) }).await.unwrap();
    assert_eq!(reply["statusCode"], 200, "{reply}");
    assert_eq!((fake.requests()[0].state, fake.woken().len()), (RequestState::Answered, 1));
}

const YES: &str = "decision=approve&change=c1&by=Ada+L.&remark=go%0Aon";

#[tokio::test]
async fn looking_decides_nothing_however_often() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    for method in ["GET", "HEAD", "GET"] {
        let (status, page) = browse(&fake, method, &query, YES).await;
        assert_eq!(status, 200);
        for part in [
            "Set the capacity of shop-web to 6",
            "123.45 USD a month more",
            "4.2 of 10",
            "1 hour from now",
            "No answer means no",
            "fleet CPU from 91.0 to 60.0\u{a0}%",
            "asg/shop-web",
            "AWS account 444455556666, eu-central-1",
        ] {
            assert!(page.contains(part), "{part} is not shown: {page}");
        }
    }
    assert_eq!(browse(&fake, "PUT", &query, YES).await.0, 405);
    assert_eq!((fake.requests()[0].state, fake.woken().len()), (RequestState::Open, 0));
}

/// Whoever decides may look at the application first; nothing but an address of the web becomes a link.
#[tokio::test]
async fn the_page_links_to_the_addresses_of_the_application_and_to_nothing_else() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    let (_, page) = browse(&fake, "GET", &query, "").await;
    let links: Vec<&str> = page.split("<a ").skip(1).map(|link| link.split_once("</a>").unwrap().0).collect();
    let shown = |address: &str| format!("href=\"{address}\" rel=\"noopener noreferrer\">{address}");
    assert_eq!(
        links,
        [
            shown("https://shop.example.com/?a=1&#38;b=2"),
            shown("http://shop.example.com/"),
            shown("https://shop.example.com/&#34;onclick=&#34;alert(1)"),
        ]
    );
    let silent = Request { id: RequestId::from("run-1.2"), endpoints: Vec::new(), ..fake.requests().remove(0) };
    fake.ask(&silent, TOKEN).await.unwrap();
    let link = Links::new(&SigningKey::read(&*fake).await.unwrap(), "https://page/").to(&silent);
    let (_, page) = browse(&fake, "GET", link.split_once('?').unwrap().1, "").await;
    assert!(!page.contains("See for yourself") && !page.contains("<a "), "{page}");
}

#[tokio::test]
async fn a_yes_counts_once_names_its_person_and_covers_what_was_ticked() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    assert_eq!(browse(&fake, "POST", &query, YES).await.0, 200);
    let answer = fake.requests()[0].answer.clone().unwrap();
    assert_eq!((answer.by.as_str(), answer.remark.as_str()), ("Ada L.", "go on"));
    assert_eq!(answer.approved, ["c1".into()]);
    let woken = fake.woken();
    assert_eq!(woken.len(), 1);
    assert_eq!(serde_json::from_str::<Value>(&woken[0].1).unwrap()["approved"], json!(["c1"]));
    for again in [YES, "decision=deny&by=Bob", "decision=approve&change=c2&by=Bob"] {
        let (status, page) = browse(&fake, "POST", &query, again).await;
        assert!(status == 409 && page.contains("Ada L. said yes"), "{status} {page}");
    }
    assert_eq!(browse(&fake, "GET", &query, "").await.0, 410);
    assert_eq!((fake.requests()[0].answer.clone().unwrap(), fake.woken().len()), (answer, 1));
}

#[tokio::test]
async fn an_answer_that_is_not_whole_is_asked_for_again_in_one_sentence() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    for (body, says) in [
        ("", "who you are"),
        ("decision=approve&change=c1&by=+%00+", "who you are"),
        ("decision=approve&change=c1&by=%E2%80%AE%E2%80%8B", "who you are"),
        ("decision=approve&by=Ada", "tick what may be made"),
        ("decision=approve&by=Ada&change=c9", "tick what may be made"),
        ("decision=perhaps&by=Ada", "choose yes or no"),
    ] {
        let (status, page) = browse(&fake, "POST", &query, body).await;
        assert!(status == 422 && page.contains(says), "{body}: {status} {page}");
    }
    let huge = format!("decision=deny&by=Ada&remark={}", "x".repeat(20_000));
    assert_eq!(browse(&fake, "POST", &query, &huge).await.0, 400);
    assert_eq!((fake.requests()[0].state, fake.woken().len()), (RequestState::Open, 0));
}

#[tokio::test]
async fn regression_a_question_shown_again_is_ticked_as_the_person_ticked_it() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    let ticked = |page: &str| ["c1", "c2"].map(|id| page.contains(&format!("value=\"{id}\" checked")));
    assert_eq!(ticked(&browse(&fake, "GET", &query, "").await.1), [true, true]);
    for (body, wanted) in [
        ("decision=approve&change=c2&by=", [false, true]),
        ("decision=approve&by=Ada", [false, false]),
        ("decision=approve&change=c1&change=c2", [true, true]),
    ] {
        let (status, page) = browse(&fake, "POST", &query, body).await;
        assert_eq!((status, ticked(&page)), (422, wanted), "{body}: {page}");
    }
}

#[tokio::test]
async fn regression_the_go_key_of_a_phone_approves_nothing() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    let (_, page) = browse(&fake, "GET", &query, "").await;
    // HTML, 4.10.21.2: Enter in a field activates the first submit button of the form, and nothing if that is disabled.
    let first = page.split_once("<button").unwrap().1.split_once('>').unwrap().0;
    assert!(first.contains("disabled") && first.contains("hidden"), "Enter presses <button{first}>");
}

#[tokio::test]
async fn what_is_of_high_risk_is_not_ticked_beforehand() {
    let fake = shop();
    let (request, _) = asked(&fake).await;
    let [low, high] = [Risk::Low, Risk::High].map(|risk| Question { risk, ..request.questions[0].clone() });
    let high = Question { change: "c2".into(), ..high };
    let request = Request { id: RequestId::from("run-1.2"), questions: vec![low, high], ..request };
    fake.ask(&request, TOKEN).await.unwrap();
    let link = Links::new(&SigningKey::read(&*fake).await.unwrap(), "https://page/").to(&request);
    let (_, page) = browse(&fake, "GET", link.split_once('?').unwrap().1, "").await;
    assert!(page.contains("value=\"c1\" checked") && page.contains("value=\"c2\">"), "{page}");
}

#[tokio::test]
async fn a_link_that_was_altered_or_has_expired_opens_nothing() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    for forged in ["", "app=shop", &query.replace("run-1.1", "run-1.2"), &query.replace("app=shop", "app=blog")] {
        for method in ["GET", "POST"] {
            let (status, page) = browse(&fake, method, forged, YES).await;
            assert!(status == 403 && !page.contains("shop-web"), "{forged}: {status}");
        }
    }
    fake.pass_s(3_600);
    let (status, page) = browse(&fake, "POST", &query, YES).await;
    assert!(status == 403 && page.contains("expired"), "{status} {page}");
    assert_eq!((fake.requests()[0].state, fake.woken().len()), (RequestState::Open, 0));
}

#[tokio::test]
async fn a_question_that_was_taken_back_says_that_nobody_waits() {
    let fake = shop();
    let (request, query) = asked(&fake).await;
    fake.close(&Request { state: RequestState::Withdrawn, ..request }).await.unwrap();
    for method in ["GET", "POST"] {
        let (status, page) = browse(&fake, method, &query, YES).await;
        assert!(status == 410 && page.contains("The run has ended meanwhile"), "{status} {page}");
    }
    assert_eq!((fake.requests()[0].answer.clone(), fake.woken().len()), (None, 0));
}

/// A run that was stopped in the console while it asked left its question open until it expired: a yes to it was thanked for and
/// did nothing.
#[tokio::test]
async fn regression_the_question_of_a_run_that_was_stopped_is_taken_back_by_the_next() {
    let fake = shop();
    begun("run-1", None, &fake).await;
    let arn = crate::shop::start("run-1", None).execution_arn;
    let (_, query) = asked_by(&fake, &arn).await;
    fake.release(&lease_key(Cycle::Health, &"shop".into()), &"run-1".into()).await.unwrap();
    begun("run-2", None, &fake).await;
    assert_eq!(fake.requests()[0].state, RequestState::Open, "a run that waits for the answer lives");
    fake.pass_s(LEASE_TTL_S);
    fake.end("run-1", Life::Stopped);
    begun("run-3", None, &fake).await;
    assert_eq!(fake.requests()[0].state, RequestState::Withdrawn);
    let (status, page) = browse(&fake, "POST", &query, YES).await;
    assert!(status == 410 && page.contains("The run has ended meanwhile"), "{status} {page}");
    assert_eq!((fake.requests()[0].answer.clone(), fake.woken().len()), (None, 0));
}

#[tokio::test]
async fn what_comes_from_outside_is_text_on_the_page_and_in_the_widget() {
    let fake = shop();
    let (_, query) = asked(&fake).await;
    let (_, page) = browse(&fake, "GET", &query, "").await;
    assert!(page.contains("&#60;script&#62;alert(1)") || page.contains("&lt;script&gt;alert(1)"), "{page}");
    let (_, page) = browse(&fake, "POST", &query, "by=%22%3E%3Cscript%3E&remark=%3C%2Ftextarea%3E%3Cscript%3E").await;
    assert!(page.contains("&#34;&#62;&#60;script") || page.contains("&quot;&gt;&lt;script"), "{page}");
    let widget = respond(json!({"widgetContext": {}}), &world_of(&fake)).await.unwrap();
    let widget = widget.as_str().unwrap();
    assert!(!widget.contains("<script") && !widget.contains(TOKEN), "{widget}");
    assert_eq!(widget.matches("<cwdb-action").count(), 2, "only the two buttons: {widget}");
}

#[tokio::test]
async fn the_widget_lists_what_is_open_and_its_buttons_answer() {
    let fake = shop();
    let _run = begun("run-1", None, &fake).await;
    let (request, _) = asked(&fake).await;
    let widget = |event: Value| {
        let fake = &fake;
        async move { respond(event, &world_of(fake)).await.unwrap().as_str().unwrap().to_owned() }
    };
    let shown = widget(json!({"widgetContext": {}})).await;
    assert!(shown.contains("Set the capacity of shop-web to 6") && shown.contains("running"), "{shown}");
    let press = |by: &str| {
        json!({"widgetContext": {"forms": {"all": {"by": by, "remark": "from the desk"}}},
            "answer": {"app": "shop", "request": request.id, "decision": "approve", "changes": ["c1", "c2"]}})
    };
    let shown = widget(press("")).await;
    assert!(shown.contains("who you are") && shown.contains("value=\"from the desk\""), "typed in vain: {shown}");
    assert_eq!(fake.requests()[0].state, RequestState::Open);
    let shown = widget(press("Ada")).await;
    assert!(shown.contains("yes, the run goes on") && shown.contains("Nothing waits"), "{shown}");
    assert_eq!(fake.requests()[0].answer.as_ref().unwrap().approved.len(), 2);
    assert!(widget(press("Bob")).await.contains("closed already"));
    assert_eq!(fake.woken().len(), 1);
}

#[tokio::test]
async fn what_is_neither_a_browser_nor_a_dashboard_is_refused_in_one_sentence() {
    let fake = shop();
    for event in [json!({}), json!([]), json!("x"), json!({"Records": []})] {
        let error = respond(event, &world_of(&fake)).await.unwrap_err();
        assert!(error.to_string().contains("neither"), "{error}");
    }
    assert!(respond(json!({"describe": true}), &world_of(&fake)).await.unwrap().is_string());
}
