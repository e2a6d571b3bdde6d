//! Tables.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use config::Selector;
use domain::cost::estate::Item;
use domain::cost::terms::{TableTerms, Terms};
use domain::ids::ResourceId;
use domain::resource::ResourceKind;
use engine::ports::{Estates as _, Scope, Surveyed};

fn arn(name: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:111122223333:table/{name}")
}

/// Two pages of names; `orders` and `gone` carry the tag of the shop. What is asked for is told by the target of the call.
fn service(is_lost: fn(&str, &str) -> bool) -> Service {
    Service::watched(move |request, _, body| {
        let text = String::from_utf8_lossy(body).into_owned();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        if is_lost(&target, &text) {
            return Answer(400, Vec::new());
        }
        let json = |text: &str| Answer(200, text.as_bytes().to_vec());
        if target.ends_with(".ListTables") {
            return match text.contains("carts") {
                false => json(r#"{"TableNames": ["orders", "carts"], "LastEvaluatedTableName": "carts"}"#),
                true => json(r#"{"TableNames": ["users"]}"#),
            };
        }
        if target.ends_with(".DescribeTable") {
            if text.contains("gone") {
                let error =
                    r#"{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no"}"#;
                return Answer(400, error.as_bytes().to_vec());
            }
            let more = match text.contains("orders") {
                true => {
                    r#""BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST",
                    "LastUpdateToPayPerRequestDateTime": 1767323045}, "GlobalSecondaryIndexes": [{"IndexName": "by_user"}],
                    "Replicas": [{"RegionName": "eu-west-1"}],
                    "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"}"#
                }
                false => r#""TableClassSummary": {"TableClass": "STANDARD"}"#,
            };
            let table = format!(r#"{{"Table": {{"TableStatus": "ACTIVE", "CreationDateTime": 1767323045, {more}}}}}"#);
            return json(&table);
        }
        if text.contains("dynamodb:table") {
            let tags = r#"[{"Key": "maintainer:app", "Value": "shop"}]"#;
            let of = |name: &str| format!(r#"{{"ResourceARN": "{}", "Tags": {tags}}}"#, arn(name));
            return json(&format!(r#"{{"ResourceTagMappingList": [{}, {}]}}"#, of("orders"), of("gone")));
        }
        if text.contains(&arn("carts")) {
            return json(r#"{"ResourceTagMappingList": []}"#);
        }
        Answer(400, Vec::new())
    })
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn terms(item: &Item) -> TableTerms {
    let Some(Terms::Table(terms)) = &item.terms else { panic!("{item:?}") };
    terms.clone()
}

#[tokio::test]
async fn tables_come_with_how_their_capacity_is_bought() {
    let surveyed = estates(&service(|_, _| false)).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["orders"], "what went in the meantime is no longer there");
    let at = "2026-01-02T03:04:05Z".parse().unwrap();
    let expected = TableTerms {
        is_active: true,
        is_on_demand: true,
        since: Some(at),
        has_indexes: true,
        is_replicated: true,
        is_standard_class: false,
    };
    assert_eq!((terms(&surveyed.items[0]), surveyed.items[0].created_at), (expected, Some(at)));
    let scope = Scope::App(Selector { resources: vec![ResourceId::from("table/carts")], ..Selector::default() });
    let surveyed = estates(&service(|_, _| false)).survey(&scope).await.unwrap();
    assert_eq!(names(&surveyed), ["carts"]);
    let carts = terms(&surveyed.items[0]);
    assert!(!carts.is_on_demand && carts.is_standard_class && carts.since.is_none(), "never anything but provisioned");
}

#[tokio::test]
async fn every_page_of_the_rest_is_read() {
    let surveyed = estates(&service(|_, _| false)).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&surveyed), ["carts", "users"]);
}

#[tokio::test]
async fn fault_what_can_not_be_read_makes_tables_unread() {
    type Lost = fn(&str, &str) -> bool;
    let cases: [(Scope, Lost); 3] = [
        (Scope::Rest, |target, text| target.ends_with(".ListTables") && text.contains("carts")),
        (shop(), |target, _| target.ends_with(".DescribeTable")),
        (shop(), |_, text| text.contains("dynamodb:table")),
    ];
    for (scope, is_lost) in cases {
        let surveyed = estates(&service(is_lost)).survey(&scope).await.unwrap();
        assert!(surveyed.items.is_empty());
        assert!(surveyed.unread.iter().any(|(kind, _)| *kind == ResourceKind::Table));
    }
}
