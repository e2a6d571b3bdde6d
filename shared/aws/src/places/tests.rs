use super::*;
use crate::scripted::{Answer, Service};
use domain::observed::Observed;
use domain::price::Sold;
use engine::ports::Prices as _;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

const ROLE: &str = "arn:aws:iam::111122223333:role/maintainer-member";

fn clock() -> SystemClock {
    SystemClock::new(None, None).unwrap()
}

/// Places whose requests are kept, body by body.
fn places(status: u16, answer: &'static str) -> (Places, Service, Arc<Mutex<Vec<String>>>) {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    let service = Service::new(move |_, body| {
        kept.lock().unwrap().push(String::from_utf8_lossy(body).into_owned());
        Answer(status, answer.as_bytes().to_vec())
    });
    let places = Places::new(&service.clients(), clock(), ROLE, "the-deployment".to_owned()).unwrap();
    (places, service, bodies)
}

fn place(account: &str, region: &str) -> Place {
    Place { account: account.to_owned(), region: region.to_owned() }
}

const GRANTED: &str = "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
    <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2026-01-01T00:15:00Z</Expiration>\
    </Credentials></AssumeRoleResult></AssumeRoleResponse>";

#[tokio::test]
async fn another_region_of_the_own_account_takes_no_role() {
    let (places, service, _) = places(500, "");
    let home = places.to_read(None, "run-1").await.unwrap();
    let there = places.to_change(Some(&place("111122223333", "eu-west-1")), "run-1").await.unwrap();
    assert_eq!((home.clients.region(), there.clients.region()), (Some("us-east-1"), Some("eu-west-1")));
    assert_eq!(service.requests(), 0);
}

#[tokio::test]
async fn another_account_is_read_under_one_role_and_changed_under_another() {
    let (places, _, bodies) = places(200, GRANTED);
    let there = place("444455556666", "eu-west-1");
    let at = places.to_read(Some(&there), "health-shop-1").await.unwrap();
    assert_eq!(at.clients.region(), Some("eu-west-1"));
    places.to_change(Some(&there), "health-shop-1").await.unwrap();
    let bodies = bodies.lock().unwrap();
    for (body, role) in bodies.iter().zip(["maintainer-member", "maintainer-member-changes"]) {
        let fields: Vec<&str> = body.split('&').collect();
        for field in [
            "Action=AssumeRole",
            &format!("RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2F{role}"),
            "RoleSessionName=health-shop-1",
            "ExternalId=the-deployment",
            "DurationSeconds=900",
        ] {
            assert!(fields.contains(&field), "{field} in {body}");
        }
    }
    assert_eq!(bodies.len(), 2);
}

#[tokio::test]
async fn what_is_read_and_changed_there_is_signed_with_what_the_role_gave() {
    let signed = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&signed);
    let service = Service::watched(move |request, _, _| {
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        let by = header("authorization").split_once("Credential=").unwrap().1.split(',').next().unwrap().to_owned();
        kept.lock().unwrap().push((by, header("x-amz-security-token")));
        if header("authorization").contains("/sts/") { Answer(200, GRANTED.into()) } else { Answer(400, Vec::new()) }
    });
    let places = Places::new(&service.clients(), clock(), ROLE, "the-deployment".to_owned()).unwrap();
    let there = place("444455556666", "eu-west-1");
    let at = places.to_read(Some(&there), "run-1").await.unwrap();
    assert!(at.inventory().tagged_apps().await.is_err());
    let sold = BTreeSet::from([Sold::Task("worker:3".to_owned()), Sold::Instance("t4g.small".to_owned())]);
    assert_eq!(at.prices().read(&sold).await.len(), 2);
    let signed = signed.lock().unwrap();
    let by = |service: &str| -> BTreeSet<(&str, &str, &str)> {
        let parts = signed.iter().map(|(by, token)| {
            let parts: Vec<&str> = by.split('/').collect();
            (parts[0], parts[2], parts[3], token.as_str())
        });
        parts.filter(|(_, _, of, _)| *of == service).map(|(key, region, _, token)| (key, region, token)).collect()
    };
    assert_eq!(by("sts"), BTreeSet::from([("a", "us-east-1", "")]));
    for there in ["tagging", "ecs"] {
        assert_eq!(by(there), BTreeSet::from([("ASIA1", "eu-west-1", "t")]), "{there}");
    }
    assert_eq!(by("pricing"), BTreeSet::from([("a", "us-east-1", "")]), "the Price List is asked from home");
}

#[tokio::test]
async fn the_prices_of_one_place_are_not_those_of_another_and_each_is_asked_for_once() {
    let regions = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&regions);
    let service = Service::new(move |_, body| {
        let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
        let of_field = |filter: &&serde_json::Value| filter["Field"] == "regionCode";
        let region = asked["Filters"].as_array().unwrap().iter().find(of_field).unwrap()["Value"].clone();
        let usd = if region == "eu-west-1" { "0.0184" } else { "0.0168" };
        kept.lock().unwrap().push(region.as_str().unwrap().to_owned());
        let dimension = serde_json::json!({"unit": "Hrs", "pricePerUnit": {"USD": usd}});
        let product = serde_json::json!({"terms": {"OnDemand": {"x": {"priceDimensions": {"y": dimension}}}}});
        Answer(200, serde_json::json!({"PriceList": [product.to_string()]}).to_string().into_bytes())
    });
    let places = Places::new(&service.clients(), clock(), ROLE, "the-deployment".to_owned()).unwrap();
    let elsewhere = place("111122223333", "eu-west-1");
    let sold = BTreeSet::from([Sold::Instance("t4g.small".to_owned())]);
    for (place, price) in [(None, 16_800), (Some(&elsewhere), 18_400), (None, 16_800), (Some(&elsewhere), 18_400)] {
        let at = places.to_read(place, "run-1").await.unwrap();
        assert_eq!(at.prices().read(&sold).await[0].usd_micros_hour, Observed::Known(price), "{place:?}");
    }
    assert_eq!(*regions.lock().unwrap(), ["us-east-1", "eu-west-1"]);
}

/// AWS says the same about an account that there is not, a role that there is not, one that trusts somebody else, one that asks for
/// another external id, and a permission that is lacking here.
#[tokio::test]
async fn fault_a_denied_role_is_one_sentence_that_says_who_must_trust_whom() {
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message>\
        </Error></ErrorResponse>";
    for changes in [false, true] {
        let (places, service, _) = places(403, refused);
        let there = place("999999999999", "eu-west-1");
        let answer = if changes {
            places.to_change(Some(&there), "run-1").await
        } else {
            places.to_read(Some(&there), "run-1").await
        };
        let step = StepError::from(answer.unwrap_err());
        assert_eq!(service.requests(), 1, "a refusal is not repeated, and nothing else was called");
        assert_eq!(step.name(), "Step.Config");
        let role = if changes { "maintainer-member-changes" } else { "maintainer-member" };
        assert_eq!(
            step.to_string(),
            format!(
                "sts:AssumeRole on arn:aws:iam::999999999999:role/{role}: access denied, grant it by deploying \
                 infra/member.yaml there (HomeAccount=111122223333, the same external id) and naming that account in \
                 MemberAccounts here"
            )
        );
    }
}

#[tokio::test]
async fn fault_what_sts_does_not_answer_is_repeated_and_then_an_error_that_may_pass() {
    let (places, service, _) = places(503, "");
    let error = places.to_read(Some(&place("444455556666", "eu-west-1")), "run-1").await.unwrap_err();
    assert_eq!(StepError::from(error).name(), "Step.Transient");
    assert!(service.requests() > 1);
    let (places, ..) = self::places(200, "<AssumeRoleResponse><AssumeRoleResult/></AssumeRoleResponse>");
    let error = places.to_change(Some(&place("444455556666", "eu-west-1")), "run-1").await.unwrap_err();
    assert!(error.to_string().contains("the answer has no credentials"), "{error}");
}

#[tokio::test]
async fn the_port_of_dispatch_reads_under_the_role_for_reading_in_a_session_of_its_own() {
    let (places, _, bodies) = places(200, GRANTED);
    let port: &dyn Port = &places;
    assert!(port.inventory(&place("444455556666", "eu-west-1")).await.is_ok());
    let body = bodies.lock().unwrap().remove(0);
    assert!(body.contains("%3Arole%2Fmaintainer-member&") && body.contains("=maintainer-dispatch&"), "{body}");
}

#[test]
fn an_external_id_that_sts_would_not_take_is_one_sentence() {
    let clients = Service::new(|_, _| Answer(500, Vec::new())).clients();
    for wrong in [String::new(), "x".to_owned(), "x".repeat(1_225)] {
        let error = Places::new(&clients, clock(), ROLE, wrong.clone()).unwrap_err();
        let says = format!(
            "MEMBER_EXTERNAL_ID has {} characters, but an external id has 2 to 1224: set the parameter MemberExternalId",
            wrong.len()
        );
        assert_eq!((error.name(), error.to_string()), ("Step.Config", says));
    }
    assert!(Places::new(&clients, clock(), "no-role", "the-deployment".to_owned()).is_err());
}

#[test]
fn a_session_carries_the_run_within_what_aws_takes() {
    assert_eq!(session_name("health-shop-20260101T000000"), "health-shop-20260101T000000");
    let long = format!("{}é ä/-{}", "a".repeat(70), "9".repeat(20));
    let name = session_name(&long);
    assert!(name.len() == SESSION_CHARS_MAX && name.ends_with(&format!("-{}", "9".repeat(20))), "{name}");
}

#[test]
fn refuses_what_is_no_role() {
    for wrong in ["", "maintainer-member", "arn:aws:iam::111122223333:role/", "arn:aws:sqs:us-east-1:1:role/x"] {
        assert!(MemberRole::read(wrong).is_none(), "{wrong}");
    }
}
