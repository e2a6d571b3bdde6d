use super::*;
use crate::scripted::{Answer, Service};
use std::sync::{Arc, Mutex};

const ROLE: &str = "arn:aws:iam::111122223333:role/maintainer-member";

/// Places whose requests are kept, body by body.
fn places(status: u16, answer: &'static str) -> (Places, Service, Arc<Mutex<Vec<String>>>) {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&bodies);
    let service = Service::new(move |_, body| {
        kept.lock().unwrap().push(String::from_utf8_lossy(body).into_owned());
        Answer(status, answer.as_bytes().to_vec())
    });
    let clock = SystemClock::new(None, None).unwrap();
    let places = Places::new(&service.clients(), clock, ROLE, "the-deployment".to_owned()).unwrap();
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
async fn fault_a_denied_role_is_one_sentence_that_says_who_must_trust_whom() {
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized</Message>\
        </Error></ErrorResponse>";
    let (places, service, _) = places(403, refused);
    let error = places.to_read(Some(&place("444455556666", "eu-west-1")), "run-1").await.unwrap_err();
    assert_eq!(service.requests(), 1, "a refusal is not repeated");
    let step = StepError::from(error);
    assert_eq!(step.name(), "Step.Config");
    assert_eq!(
        step.to_string(),
        "sts:AssumeRole on arn:aws:iam::444455556666:role/maintainer-member: access denied, grant it by deploying \
         infra/member.yaml there (the role must trust account 111122223333 with the external id of this deployment) and \
         naming that account in the parameter MemberAccounts here"
    );
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
