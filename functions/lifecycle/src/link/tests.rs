use super::*;
use domain::approval::RequestState;
use domain::ids::ExecutionId;
use jiff::SignedDuration;

const NOW: Timestamp = Timestamp::constant(1_767_225_600, 0);
const BASE: &str = "https://example.lambda-url.eu-west-1.on.aws/";

fn request(app: &str, id: &str, open_s: i64) -> Request {
    Request {
        id: RequestId::from(id),
        app: AppId::from(app),
        execution: ExecutionId::from("run"),
        execution_arn: String::new(),
        place: None,
        endpoints: Vec::new(),
        cycle: Default::default(),
        iteration: 1,
        evidence: Vec::new(),
        score: None,
        questions: Vec::new(),
        asked_at: NOW,
        expires_at: NOW + SignedDuration::from_secs(open_s),
        state: RequestState::Open,
        answer: None,
    }
}

fn query(link: &str) -> &str {
    link.split_once('?').unwrap().1
}

#[test]
fn a_link_opens_its_own_request_until_it_expires() {
    let links = Links::new(b"key", BASE);
    let link = links.to(&request("shop & co", "run.1", 60));
    assert!(
        link.starts_with("https://example.lambda-url.eu-west-1.on.aws/?app=shop+%26+co&request=run.1&until="),
        "{link}"
    );
    let ticket = Ticket { app: AppId::from("shop & co"), request: RequestId::from("run.1") };
    assert_eq!(links.check(query(&link), NOW), Ok(ticket));
    assert!(links.check(query(&link), NOW + SignedDuration::from_secs(59)).is_ok());
    let late = links.check(query(&link), NOW + SignedDuration::from_secs(60)).unwrap_err();
    assert!(late.contains("expired"), "{late}");
}

#[test]
fn whatever_is_altered_makes_it_invalid() {
    let links = Links::new(b"key", BASE);
    let link = links.to(&request("shop", "run.1", 60));
    let good = query(&link);
    let until = NOW.as_second() + 60;
    let altered = [
        good.replace("app=shop", "app=blog"),
        good.replace("run.1", "run.2"),
        good.replace(&format!("until={until}"), &format!("until={}", until + 1)),
        good.replace("sign=", "sign=0"),
        good[..good.len() - 1].to_owned(),
        format!("{good}&app=blog"),
        good.split("&sign").next().unwrap().to_owned(),
        format!("{}&sign={}", good.split("&sign").next().unwrap(), "é".repeat(32)),
        String::new(),
    ];
    for query in altered {
        assert!(links.check(&query, NOW).unwrap_err().contains("not valid"), "{query}");
    }
    let other = Links::new(b"another key", BASE);
    assert!(other.check(good, NOW).is_err(), "another deployment's key");
}

#[test]
fn the_border_between_two_names_is_signed_too() {
    let links = Links::new(b"key", BASE);
    let (one, two) = (links.to(&request("ab", "c", 60)), links.to(&request("a", "bc", 60)));
    let sign = |link: &str| link.rsplit_once("sign=").unwrap().1.to_owned();
    assert_ne!(sign(&one), sign(&two));
}
