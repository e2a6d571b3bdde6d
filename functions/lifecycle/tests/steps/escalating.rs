//! escalate: a person understands it on a phone, whatever can't be read, and whatever names and reasons contain.

use crate::shop::{begun, documented, documented_items, record_of, shop};
use crate::wire::{Goes, Wire};
use domain::change::{Change, ChangeKind};
use domain::finding::{Finding, Severity};
use domain::health::{Decided, Policy, analyze};
use domain::ids::ResourceId;
use domain::objective::Objectives;
use domain::observed::Observed;
use domain::outcome::Verdict;
use domain::place::Place;
use domain::plan::Plan;
use domain::rollout::Rollout;
use engine::documents;
use engine::ports::{Entry, EntryState, Executions, Intent, Journal, Message};
use engine::run::{Caught, Decision, Run};
use engine::step::StepError;
use lifecycle::escalate::{ESCALATION, World as Ports, escalate};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::{Proof, World, build};

async fn tell(run: Run, wire: &Wire) -> Result<Run, StepError> {
    escalate(run, &Ports { executions: wire, journal: wire, artifacts: wire, notifier: wire }).await
}

/// Tells people and gives back what they got.
async fn told(run: Run, world: &Arc<World>) -> Message {
    tell(run, &Wire::sound(world)).await.unwrap();
    world.messages().pop().unwrap()
}

fn finding(rule: &str, severity: Severity, summary: &str) -> Finding {
    Finding {
        rule: rule.into(),
        resource: ResourceId::from("asg/shop-web"),
        member: None,
        severity,
        confidence: 0.9,
        summary: summary.to_owned(),
        evidence: Vec::new(),
    }
}

/// A change of the run: made, measured, and put back.
fn undone(run: &Run, world: &World) -> Entry {
    let change = build::change("c-1", build::set_fleet("shop-web", 6));
    let outcome = domain::outcome::Outcome {
        why: "fleet CPU went from 91 to 93 % (90 to 96)".to_owned(),
        ..build::outcome(&change, Verdict::Regressed, false, world.now())
    };
    Entry {
        app: run.app.clone(),
        change,
        execution: run.execution_id.clone(),
        workflow: domain::execution::Workflow::Health,
        iteration: 1,
        state: EntryState::Undone,
        prior: build::fleet("shop-web", 3),
        fence: run.lease.fence,
        intended_at: world.now(),
        applied_at: Some(world.now()),
        looked_at: None,
        settled_at: Some(world.now()),
        approval: None,
        outcome: Some(outcome),
        note: String::new(),
        taken_over_by: None,
        rolled_back: false,
    }
}

/// A run of three iterations that could not help.
async fn helpless(findings: Vec<Finding>) -> (Arc<World>, Run) {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    assert_eq!(world.intend(&undone(&run, &world)).await.unwrap(), Intent::Written);
    let snapshot = build::snapshot("shop", &world.resources(), world.now());
    let (analysis, _) = analyze(&snapshot, &Objectives::default(), &Policy::default(), Default::default());
    let analysis = domain::health::Analysis { score: Observed::Known(2.4), findings, ..analysis };
    let decided = Decided { analysis, plan: Plan::default() };
    documents::put(&*world, &run.key("analysis"), &decided).await.unwrap();
    let conclusion = Some("the score is 2.4 after 3 iterations, under 4".to_owned());
    (world, Run { decision: Decision::Escalate, conclusion, ..run })
}

#[tokio::test]
async fn says_what_is_wrong_what_was_tried_what_was_undone_and_what_to_look_at() {
    let findings = vec![
        finding("saturation", Severity::Medium, "fleet CPU is at 91 %"),
        finding("downstream", Severity::Critical, "the payment service answers in 9 s"),
    ];
    let (world, run) = helpless(findings).await;
    let message = told(run, &world).await;
    assert_eq!((message.kind.as_str(), message.severity), (ESCALATION, Severity::Critical));
    assert_eq!(message.subject, "[maintainer] shop needs a person: health 2.4 of 10 after 0 iteration(s)");
    let parts = [
        "the score is 2.4 after 3 iterations, under 4",
        "Health score now: 2.4 of 10.",
        "downstream (critical): the payment service answers in 9 s",
        "saturation (medium): fleet CPU is at 91 %",
        "set the capacity of shop-web to 6: regressed, fleet CPU went from 91 to 93 % (90 to 96); undone",
        "What to look at next:",
        "How it began: started by hand",
        "In the console: https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/arn:",
    ];
    let places: Vec<usize> = parts
        .iter()
        .map(|part| message.text.find(part).unwrap_or_else(|| panic!("{part} is not in\n{}", message.text)))
        .collect();
    assert!(places.is_sorted(), "worst first, and in the order in which a person asks:\n{}", message.text);
}

#[tokio::test]
async fn names_where_the_application_lives_and_what_its_users_see() {
    let (world, run) = helpless(vec![finding("saturation", Severity::High, "CPU")]).await;
    let place = Place { account: "444455556666".to_owned(), region: "eu-central-1".to_owned() };
    let long = format!("https://shop.example.com/{}", "a".repeat(300));
    let endpoints: Vec<String> = [
        "https://shop.example.com/?a=1&b=2",
        "javascript:alert(1)",
        &long,
        "http://b.example.com/",
        "https://c.example.com/",
    ]
    .map(str::to_owned)
    .into();
    let there = Run { place: Some(place), endpoints: endpoints.clone(), ..run.clone() };
    let message = told(there, &world).await;
    let (_, next) = message.text.split_once("What to look at next:\n").unwrap();
    let (next, end) = next.split_once("\n\n").unwrap();
    let next: Vec<&str> = next.lines().skip(1).collect();
    assert_eq!(
        next,
        ["- what its users see: https://shop.example.com/?a=1&b=2", "- what its users see: http://b.example.com/"]
    );
    assert!(end.contains("\nWhere it lives: account 444455556666 in eu-central-1\n"), "{end}");
    assert_eq!(message.detail["place"], json!({"account": "444455556666", "region": "eu-central-1"}));
    assert_eq!(message.detail["endpoints"], json!(endpoints));
    assert!(message.detail["text"].as_str().unwrap().contains("https://shop.example.com/?a=1&amp;b=2"));

    let message = told(run, &world).await;
    assert!(!message.text.contains("what its users see"), "{}", message.text);
    let home = message.detail["place"].as_object().unwrap();
    assert!(message.text.contains(&format!("account {} in {}", home["account"].as_str().unwrap(), "us-east-1")));
    assert_eq!(message.detail["endpoints"], json!([]));
}

#[tokio::test]
async fn without_findings_and_addresses_the_dashboards_are_what_is_left_to_look_at() {
    let (world, run) = helpless(Vec::new()).await;
    let message = told(run.clone(), &world).await;
    assert!(
        message.text.contains("What to look at next:\n- the dashboards of the application\n\n"),
        "{}",
        message.text
    );
    let known = Run { endpoints: vec!["https://shop.example.com/".to_owned()], ..run };
    let message = told(known, &world).await;
    let both = "- the dashboards of the application\n- what its users see: https://shop.example.com/\n";
    assert!(message.text.contains(both), "{}", message.text);
}

#[tokio::test]
async fn a_canary_that_did_not_help_is_told_with_what_it_means_for_the_others() {
    let (world, run) = helpless(Vec::new()).await;
    let part = Rollout::Canary { of: 6, then: ChangeKind::RefreshFleet };
    let canary = Change { rollout: Some(part), ..build::change("c-2", build::replace("shop-web", 1)) };
    let outcome = domain::outcome::Outcome {
        why: "errors stayed at 9 %".to_owned(),
        ..build::outcome(&canary, Verdict::Inconclusive, true, world.now())
    };
    let entry = Entry { change: canary, outcome: Some(outcome), state: EntryState::Kept, ..undone(&run, &world) };
    assert_eq!(world.intend(&entry).await.unwrap(), Intent::Written);
    let message = told(run, &world).await;
    let told = "replace instance shop-web-1 of shop-web (canary: one of 6 first; the others follow if it helps): \
                inconclusive, errors stayed at 9 %; kept, the others were left as they are";
    assert!(message.text.contains(told), "{}", message.text);
}

#[tokio::test]
async fn the_event_has_the_documented_fields_and_no_other() {
    let (world, run) = helpless(vec![finding("saturation", Severity::High, "CPU")]).await;
    let message = told(run, &world).await;
    let (every, escalations_only) = documented();
    let sent: BTreeSet<String> = message.detail.as_object().unwrap().keys().cloned().collect();
    assert_eq!(sent, every.union(&escalations_only).cloned().collect());
    for list in ["findings", "changes"] {
        let item: BTreeSet<String> = message.detail[list][0].as_object().unwrap().keys().cloned().collect();
        assert_eq!(item, documented_items(list), "{list}");
    }
}

#[tokio::test]
async fn a_failed_run_says_that_the_maintainer_itself_failed_and_why() {
    let (world, run) = helpless(Vec::new()).await;
    let cause = "{\"errorType\":\"Step.Bug\",\"errorMessage\":\"CloudWatch answered with something else\"}".to_owned();
    let error = Some(Caught { name: "Step.Bug".to_owned(), cause });
    let run = tell(Run { error, decision: Decision::Failed, ..run }, &Wire::sound(&world)).await.unwrap();
    let message = world.messages().pop().unwrap();
    let says = "The maintainer's own run failed (Step.Bug): CloudWatch answered with something else";
    assert!(message.text.starts_with(says), "{}", message.text);
    assert_eq!((message.detail["failed"].as_bool(), run.conclusion.as_deref()), (Some(true), Some(says)));
    assert!(run.error.is_some(), "finish must still see that it failed");
}

#[tokio::test]
async fn a_score_that_is_not_known_is_never_called_well() {
    let world = shop();
    let run = begun("run-1", None, &world).await;
    let message = told(run, &world).await;
    assert!(message.text.contains("Health score now: not measured."), "{}", message.text);
    assert!(message.subject.contains("its health can't be measured"));
    assert_eq!((message.detail["score"].is_null(), message.severity), (true, Severity::High));
}

#[tokio::test]
async fn without_a_record_people_are_still_told() {
    let (world, run) = helpless(Vec::new()).await;
    let unknown = Run { execution_id: "run-0".into(), ..run };
    let message = told(unknown, &world).await;
    assert!(
        message.text.contains("the score is 2.4") && message.text.contains("The record of run run-0 can't be read.")
    );
    assert_eq!((message.severity, message.detail["app"].as_str()), (Severity::Critical, Some("shop")));
}

/// Whatever read fails, the message goes out; only where it can't go out itself is the step repeated.
#[tokio::test]
async fn fault_nothing_that_can_t_be_read_is_a_reason_for_silence() {
    let (world, run) = helpless(vec![finding("saturation", Severity::High, "CPU")]).await;
    let sound = Wire::sound(&world);
    tell(run.clone(), &sound).await.unwrap();
    let last = sound.calls() - 1;
    for number in 0..last {
        let (world, run) = helpless(Vec::new()).await;
        tell(run, &Wire::failing(&world, number, Goes::Lost)).await.unwrap();
        assert_eq!(world.messages().len(), 1, "call {number}");
    }
    let sent = world.messages().len();
    assert!(matches!(tell(run.clone(), &Wire::failing(&world, last, Goes::Lost)).await, Err(StepError::Transient(_))));
    tell(run, &Wire::sound(&world)).await.unwrap();
    assert_eq!(world.messages().len(), sent + 1);
}

/// A journal that could not be read was told as "nothing was changed", and an analysis as "no cause was found".
#[tokio::test]
async fn regression_what_could_not_be_read_is_told_as_not_known_and_never_as_nothing() {
    let sound = {
        let (world, run) = helpless(vec![finding("saturation", Severity::High, "CPU")]).await;
        let wire = Wire::sound(&world);
        tell(run, &wire).await.unwrap();
        wire.calls()
    };
    let mut unread = BTreeSet::new();
    for number in 0..sound - 1 {
        for goes in Goes::ALL {
            let (world, run) = helpless(vec![finding("saturation", Severity::High, "CPU")]).await;
            tell(run, &Wire::failing(&world, number, goes)).await.unwrap();
            let message = world.messages().pop().unwrap();
            let about = format!("call {number}, {goes:?}:\n{}", message.text);
            assert!(!message.text.contains("nothing was changed"), "{about}");
            assert!(!message.text.contains("no cause was found"), "{about}");
            for (list, words) in [
                ("changes", "not known: the journal of changes could not be read"),
                ("findings", "not known: the analysis could not be read"),
                ("held_back", "not known: the reports of the guards could not be read"),
            ] {
                let named = message.detail["unread"].as_array().is_some_and(|names| names.contains(&json!(list)));
                assert_eq!(named, message.text.contains(words), "{list}, {about}");
                unread.extend(named.then_some(list));
            }
        }
    }
    assert_eq!(unread.into_iter().collect::<Vec<_>>(), ["changes", "findings", "held_back"]);
}

#[tokio::test]
async fn what_was_read_is_not_named_as_unread() {
    let (world, run) = helpless(Vec::new()).await;
    let message = told(run, &world).await;
    assert_eq!(message.detail["unread"], json!([]));
    assert!(!message.text.contains("not known"), "{}", message.text);
}

#[tokio::test]
async fn hostile_text_stays_data_on_one_bounded_line() {
    let proof = Proof::begin("hostile-texts");
    let bad = format!("x\r\n\u{1b}[31mFrom: boss\u{0}<script>{}", "ä".repeat(5_000));
    let (world, run) = helpless((0..40).map(|_| finding("saturation", Severity::High, &bad)).collect()).await;
    let mut record = record_of("run-1", &world).await;
    record.trigger.clone_from(&bad);
    world.save(&record).await.unwrap();
    let decided: Decided = documents::need(&*world, &run.key("analysis")).await.unwrap();
    let run = Run { app: bad.as_str().into(), conclusion: Some(bad.clone()), ..run };
    documents::put(&*world, &run.key("analysis"), &decided).await.unwrap();
    let message = told(run, &world).await;
    assert!(
        message.subject.len() <= 100 && message.subject.chars().all(|c| c.is_ascii_graphic() || c == ' '),
        "{}",
        message.subject
    );
    assert!(!message.text.contains(['\r', '\u{1b}', '\u{0}']), "{:?}", message.text);
    assert!(message.text.lines().all(|line| line.chars().count() < 500), "a line is too long");
    assert!(message.text.lines().count() < 60 && !message.text.lines().any(|line| line.starts_with("From: boss")));
    let summary = message.detail["findings"][0]["summary"].as_str().unwrap();
    assert!(!summary.contains(['\r', '\n', '\u{1b}']) && summary.chars().count() <= 300);
    // Forty findings, the trigger, the name of the application and the conclusion.
    proof.survived(43);
}

#[tokio::test]
async fn an_escalation_fits_into_an_event_and_a_message() {
    let long = "y".repeat(10_000);
    let (world, run) = helpless((0..500).map(|_| finding("saturation", Severity::High, &long)).collect()).await;
    let message = told(run, &world).await;
    let detail_bytes = message.detail.to_string().len();
    assert!(
        message.text.len() < 256 * 1024 && detail_bytes < 250 * 1024,
        "{} and {detail_bytes} bytes",
        message.text.len()
    );
}
