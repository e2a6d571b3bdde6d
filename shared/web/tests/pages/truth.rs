//! How true the rules are: from a seed pages are made of parts, each broken in a known way or only looking so, and what is found is compared
//! with what was broken. Precision and recall of each rule are printed, and must be 1.

mod parts;
mod texts;

use crate::server::Internet;
use domain::performance::{Policy, pages};
use engine::ports::Pages as _;
use maintainer_web::Limits;
use parts::{Built, PARTS, build};
use std::collections::{BTreeMap, BTreeSet};

/// Pages that are made.
const PAGES: u64 = 24;

#[tokio::test]
async fn truth_what_is_broken_is_found_and_nothing_else() {
    let policy = Policy::default();
    // Of each rule: found and broken, found and not broken, broken and not found.
    let mut counts: BTreeMap<&str, [u32; 3]> = pages::names().map(|name| (name, [0; 3])).collect();
    let mut wrong = Vec::new();
    for seed in 0..PAGES {
        let internet = Internet::open().await;
        let Built { url, broken } = build(&internet, seed);
        let look = internet.web(Limits::default()).fetch(&url).await.unwrap();
        let findings = pages::find(&look, &policy);
        let found: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        for (name, count) in &mut counts {
            match (found.contains(name), broken.contains(name)) {
                (true, true) => count[0] += 1,
                (true, false) => count[1] += 1,
                (false, true) => count[2] += 1,
                (false, false) => continue,
            }
            if found.contains(name) != broken.contains(name) {
                let said = findings.iter().find(|finding| finding.rule.as_str() == *name);
                wrong.push(format!("page {seed}, {name}: {:?}", said.map(|finding| &finding.summary)));
            }
        }
        for finding in &findings {
            assert!(!finding.evidence.is_empty() && finding.summary.len() < 900, "{finding:?}");
            assert!(finding.resource.as_str().starts_with("shop.example/page/"), "{}", finding.resource);
        }
    }
    println!("rule                          precision  recall  broken");
    for (name, [both, only_found, only_broken]) in &counts {
        let share = |other: u32| if both + other == 0 { 1.0 } else { f64::from(*both) / f64::from(both + other) };
        println!("{name:30}{:>9.2}{:>8.2}{:>8}", share(*only_found), share(*only_broken), both + only_broken);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let untried: Vec<&&str> = counts.iter().filter(|(_, [both, ..])| *both < 3).map(|(name, _)| name).collect();
    assert!(untried.is_empty(), "never broken, or hardly ever: {untried:?}");
    assert!(PARTS.iter().all(|part| counts.contains_key(part)));
}
