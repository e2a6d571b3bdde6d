//! Functions.

use super::{estates, shop};
use crate::scripted::{Answer, Service};
use config::Selector;
use domain::cost::estate::Item;
use domain::cost::terms::{FunctionTerms, Terms};
use domain::ids::ResourceId;
use domain::observed::Missing;
use domain::resource::ResourceKind;
use engine::ports::{Estates as _, Scope, Surveyed};

const FIRST: &str = "/functions";
const SECOND: &str = "Marker=more";
const PROVISIONED: &str = "provisioned-concurrency";

fn arn(name: &str) -> String {
    format!("arn:aws:lambda:us-east-1:111122223333:function:{name}")
}

fn function(name: &str, more: &str) -> String {
    format!(r#"{{"FunctionName": "{name}", "FunctionArn": "{}", {more}}}"#, arn(name))
}

/// Two pages of functions; `resize` and `thumbs` carry the tag of the shop. `denied` is a part of an address or a body.
fn service(denied: &'static str) -> Service {
    Service::watched(move |request, _, body| {
        let (uri, text) = (request.uri().to_owned(), String::from_utf8_lossy(body).into_owned());
        let json = |text: &str| Answer(200, text.as_bytes().to_vec());
        let is_more = uri.contains(SECOND);
        let is_denied =
            if denied == FIRST { uri.contains(FIRST) } else { uri.contains(denied) || text.contains(denied) };
        if !denied.is_empty() && is_denied {
            return Answer(403, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec());
        }
        if uri.contains(PROVISIONED) {
            let configs = if uri.contains("thumbs") { r#"[{"FunctionArn": "arn"}]"# } else { "[]" };
            return json(&format!(r#"{{"ProvisionedConcurrencyConfigs": {configs}}}"#));
        }
        if uri.contains(FIRST) && !is_more {
            let resize = function(
                "resize",
                r#""MemorySize": 1024, "Timeout": 30, "Architectures": ["arm64"], "PackageType": "Zip",
                "LastModified": "2026-01-02T03:04:05.678+0000",
                "Layers": [{"Arn": "arn:aws:lambda:us-east-1:580247275435:layer:LambdaInsightsExtension-Arm64:20"}]"#,
            );
            let plain = function(
                "plain",
                r#""MemorySize": 128, "Timeout": 3, "Architectures": ["x86_64"], "PackageType": "Zip",
                "Layers": [{"Arn": "arn:aws:lambda:us-east-1:111122223333:layer:ours:1"}]"#,
            );
            return json(&format!(r#"{{"Functions": [{resize}, {plain}], "NextMarker": "more"}}"#));
        }
        if is_more {
            let image = function("thumbs", r#""MemorySize": 2048, "Timeout": 900, "PackageType": "Image""#);
            return json(&format!(r#"{{"Functions": [{image}]}}"#));
        }
        if text.contains("lambda:function") {
            let tags = r#"[{"Key": "maintainer:app", "Value": "shop"}]"#;
            let of = |name: &str| format!(r#"{{"ResourceARN": "{}", "Tags": {tags}}}"#, arn(name));
            return json(&format!(r#"{{"ResourceTagMappingList": [{}, {}]}}"#, of("resize"), of("thumbs")));
        }
        if text.contains(&arn("plain")) {
            return json(r#"{"ResourceTagMappingList": []}"#);
        }
        Answer(400, Vec::new())
    })
}

fn names(surveyed: &Surveyed) -> Vec<&str> {
    surveyed.items.iter().map(|item| item.resource.name.as_str()).collect()
}

fn terms(item: &Item) -> FunctionTerms {
    let Some(Terms::Function(terms)) = &item.terms else { panic!("{item:?}") };
    terms.clone()
}

#[tokio::test]
async fn functions_of_every_page_come_with_what_is_bought() {
    let surveyed = estates(&service("")).survey(&shop()).await.unwrap();
    assert_eq!(names(&surveyed), ["resize", "thumbs"]);
    assert_eq!(surveyed.items[0].resource.id.as_str(), arn("resize"));
    let expected = FunctionTerms {
        memory_mb: 1_024,
        timeout_s: 30,
        is_arm: true,
        changed_at: Some("2026-01-02T03:04:05.678Z".parse().unwrap()),
        may_have_insights: true,
        is_provisioned: false,
        has_own_capacity: false,
    };
    assert_eq!(terms(&surveyed.items[0]), expected);
    let image = terms(&surveyed.items[1]);
    assert!(
        image.may_have_insights && image.is_provisioned && !image.is_arm && image.changed_at.is_none(),
        "{image:?}"
    );
    let scope = Scope::App(Selector { resources: vec![ResourceId::from("function/plain")], ..Selector::default() });
    // Nobody asks for the provisioned concurrency of what Lambda Insights does not measure.
    let surveyed = estates(&service(PROVISIONED)).survey(&scope).await.unwrap();
    assert_eq!(names(&surveyed), ["plain"]);
    assert!(!terms(&surveyed.items[0]).may_have_insights);
    let rest = estates(&service("")).survey(&Scope::Rest).await.unwrap();
    assert_eq!(names(&rest), ["plain"]);
}

#[tokio::test]
async fn fault_a_page_that_is_denied_makes_functions_unread() {
    for denied in [FIRST, SECOND, PROVISIONED, "lambda:function"] {
        let surveyed = estates(&service(denied)).survey(&shop()).await.unwrap();
        assert!(names(&surveyed).is_empty(), "{denied}");
        let of_kind = surveyed.unread.iter().find(|(kind, _)| *kind == ResourceKind::Function);
        assert!(matches!(of_kind, Some((_, Missing::Denied(_)))), "{denied}: {of_kind:?}");
    }
}
