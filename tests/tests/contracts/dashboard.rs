//! The dashboard and the alarms on the maintainer itself show what the code writes.

use crate::repository;
use crate::template::Template;
use serde_json::Value;

fn body() -> String {
    let template = Template::load();
    template.at("/Resources/Dashboard/Properties/DashboardBody")["Fn::Sub"].as_str().unwrap().to_owned()
}

#[test]
fn the_dashboard_is_json() {
    let parsed: Value = serde_json::from_str(&body()).unwrap();
    assert!(parsed["widgets"].as_array().is_some_and(|widgets| widgets.len() >= 4));
}

#[test]
fn every_reference_of_the_dashboard_is_there() {
    let template = Template::load();
    for name in body().split("${").skip(1).map(|rest| rest.split('}').next().unwrap()) {
        let known = name.starts_with("AWS::") || template.keys("/Resources").contains(name.split('.').next().unwrap());
        assert!(known, "the dashboard names {name}");
    }
    for binary in
        body().split("${AWS::StackName}-").skip(1).map(|rest| rest.split(['"', ')', '\\', ':']).next().unwrap())
    {
        let is_function = template.functions().iter().any(|function| function.binary == binary);
        assert!(is_function || ["health", "cost"].contains(&binary), "the dashboard names {binary}");
    }
}

#[test]
fn every_metric_of_ours_that_is_shown_is_written_by_a_step_under_these_dimensions() {
    let (body, mut product) = (body(), repository::all_texts("functions", ".rs"));
    product.push_str(&repository::all_texts("shared/steps/src", ".rs"));
    let namespace = format!("{{{},", engine::runtime::NAMESPACE);
    let searches: Vec<&str> = body.split("SEARCH('").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect();
    assert!(!searches.is_empty());
    for search in searches {
        assert!(search.starts_with(&format!("{namespace}App}}")), "{search}");
        let names: Vec<&str> = search.split("\\\"").skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{search}");
        for name in names {
            assert!(product.contains(&format!("\"{name}\"")), "nobody writes {name}");
        }
    }
    assert!(product.contains("measure(&[(\"App\","), "nobody writes a metric with the dimension App alone");
}

#[test]
fn every_alarm_of_ours_tells_people_and_is_named_so_that_it_starts_no_run() {
    let template = Template::load();
    for (name, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        assert_eq!(alarm["AlarmActions"][0]["Ref"], "NotificationsTopic", "{name}");
        assert!(crate::template::reference(&alarm["AlarmName"]).starts_with("${AWS::StackName}-self-"), "{name}");
        assert!(
            alarm["AlarmDescription"].as_str().is_some_and(|text| text.len() > 40),
            "{name} does not say what to do"
        );
    }
}
