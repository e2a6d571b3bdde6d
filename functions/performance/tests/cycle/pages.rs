//! What is wrong with a page reaches people, and takes nothing else along when it can't be had.

use crate::machine::Machine;
use crate::shop::{HELPS, Shop};
use async_trait::async_trait;
use domain::observed::{Missing, Observed};
use domain::performance::pages::{Answer, Body, Document, Http, Kind, PageLook, Resource, Use};
use engine::ports::{Pages, PortError, PortResult};
use maintainer_performance::identify::Decided;
use maintainer_performance::pages::Looks;
use serde_json::json;

#[async_trait]
impl Pages for Shop {
    async fn fetch(&self, _: &str) -> PortResult<PageLook> {
        (*self.page.lock().unwrap())()
    }
}

fn decided(shop: &Shop) -> Decided {
    let ended = Machine::performance(shop, "performance-1").run(json!({"app": "shop"}));
    assert!(shop.has_index(), "the index is built whatever is found: {:?}", ended.path);
    shop.document("performance-1", 1, "analysis")
}

/// A page of which nothing is told.
#[expect(clippy::unnecessary_wraps, reason = "what a port answers")]
pub fn well() -> PortResult<PageLook> {
    let headers = [("content-type", "text/html"), ("cache-control", "no-cache"), ("content-encoding", "br")];
    let answer = Answer {
        url: "https://shop.example.com/".to_owned(),
        status: 200,
        redirects: Vec::new(),
        http: Http::Two,
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        transferred: 10_000.0,
        body: Observed::Known(Body { bytes: 40_000.0, ..Body::default() }),
        ttfb_ms: 80.0,
        total_ms: 120.0,
        connect_ms: Some(20.0),
    };
    let document = Document {
        has_doctype: true,
        charset: Some("UTF-8".to_owned()),
        viewport: Some("width=device-width".to_owned()),
        ..Document::default()
    };
    let url = answer.url.clone();
    Ok(PageLook {
        url,
        answer,
        document,
        resources: Vec::new(),
        faces: Vec::new(),
        again: None,
        left_out: 0.0,
        is_cut: false,
    })
}

fn slow() -> PortResult<PageLook> {
    let mut look = well()?;
    look.answer.ttfb_ms = 900.0;
    look.left_out = 3.0;
    look.resources.push(Resource {
        url: "https://cdn.example.com/a.js".to_owned(),
        origin: "https://cdn.example.com".to_owned(),
        kind: Kind::Script,
        uses: vec![Use::default()],
        answer: Observed::Missing(Missing::Failed("no answer within 8 s".to_owned())),
    });
    Ok(look)
}

#[test]
fn a_page_that_is_slow_is_told_and_the_index_is_built_all_the_same() {
    let shop = Shop::auto();
    *shop.page.lock().unwrap() = slow;
    let decided = decided(&shop);
    let finding = decided.analysis.findings.iter().find(|finding| finding.rule.as_str() == "page_slow_server").unwrap();
    assert_eq!(finding.resource.as_str(), "shop.example.com/server-time");
    assert!(finding.summary.contains("900 ms"), "{}", finding.summary);
    let unmeasured = decided.analysis.unmeasured.join("\n");
    assert!(unmeasured.contains(
        "1 file(s) of https://shop.example.com/, first https://cdn.example.com/a.js (the read failed: no answer"
    ));
    assert!(unmeasured.contains("3 more file(s) of https://shop.example.com/"), "{unmeasured}");
    let looks: Looks = shop.document("performance-1", 1, "pages");
    assert!(looks.len() == 1 && looks[0].look.known().is_some());
    shop.assert_sound("a slow page");
}

#[test]
fn a_page_that_can_t_be_had_is_said_so_and_nothing_else_fails() {
    let shop = Shop::auto();
    *shop.page.lock().unwrap() = || {
        Err(PortError::Unknown {
            operation: "look at https://shop.example.com/".to_owned(),
            why: "no answer within 8 s".to_owned(),
        })
    };
    let unmeasured = decided(&shop).analysis.unmeasured.join("\n");
    assert!(
        unmeasured.contains("the page https://shop.example.com/ (the read failed") && unmeasured.contains("within 8 s"),
        "{unmeasured}"
    );
    shop.assert_sound("no page");
}

#[test]
fn an_application_that_has_only_pages_is_looked_at_without_waiting() {
    let mut shop = Shop::new("mode: auto", HELPS);
    shop.config =
        config::Config::parse("applications:\n  shop: {mode: auto, pages: [\"https://shop.example.com/\"]}\n").unwrap();
    *shop.page.lock().unwrap() = slow;
    let begun = shop.world.now();
    let ended = Machine::performance(&shop, "performance-1").run(json!({"app": "shop"}));
    let decided: Decided = shop.document("performance-1", 1, "analysis");
    assert!(
        decided.analysis.findings.iter().any(|finding| finding.rule.as_str() == "page_slow_server"),
        "{:?}",
        ended.path
    );
    assert!(shop.world.now().duration_since(begun).as_secs() < 60, "no window: {:?}", ended.path);
    assert!(!shop.has_index());
    shop.assert_sound("pages only");
}
