//! What is seen of a page.

use crate::made::{gzip, zstd};
use crate::server::{Internet, Reply};
use domain::performance::pages::{How, Http, Kind};
use engine::ports::Pages as _;
use maintainer_web::Limits;

fn html(body: &str) -> Reply {
    Reply::ok("text/html; charset=utf-8", body)
}

#[tokio::test]
async fn a_page_is_seen_with_all_that_it_loads_and_each_file_once() {
    let internet = Internet::open().await;
    internet.put(
        "shop.example/cart?step=canary",
        html("<!doctype html><link rel=stylesheet href=/a.css><script src=/a.js async></script><img src=i.png><img src=/i.png loading=lazy>
              <noscript><img src=/no.png></noscript><img src='data:image/png;base64,AA'><img src=javascript:alert(1)>"),
    );
    let style = "@font-face{font-family:F;src:url(/f.woff2)}body{font-family:F}.none{background:url(/no.png)}img{background:url(/b.png)}";
    internet.put(
        "shop.example/a.css",
        Reply { body: gzip(style.as_bytes(), 6), ..Reply::ok("text/css", "").with("content-encoding", "gzip") },
    );
    internet.put(
        "shop.example/a.js",
        Reply { body: zstd(b"a()"), ..Reply::ok("text/javascript", "").with("content-encoding", "zstd") },
    );
    for name in ["i.png", "f.woff2", "b.png"] {
        let reply = Reply::ok("image/png", "not really").with("set-cookie", "id=canary").with("x-secret", "canary");
        internet.put(&format!("shop.example/{name}"), reply);
    }
    let look = internet.web(Limits::default()).fetch("https://shop.example/cart?step=canary").await.unwrap();
    let seen: Vec<(&str, Kind, How)> = look
        .resources
        .iter()
        .map(|file| (file.url.trim_start_matches("https://shop.example/"), file.kind, file.uses[0].how))
        .collect();
    assert_eq!(
        seen,
        [
            ("a.css", Kind::Style, How::Blocking),
            ("a.js", Kind::Script, How::Async),
            ("i.png", Kind::Image, How::Shown),
            ("b.png", Kind::Image, How::Background),
            ("f.woff2", Kind::Font, How::Face),
        ]
    );
    assert_eq!(look.resources[2].uses.len(), 2);
    let style_seen = look.resources[0].answer.known().unwrap();
    assert!((style_seen.body.known().unwrap().bytes - 118.0).abs() < 20.0 && style_seen.http == Http::Two);
    assert_eq!(look.resources[1].answer.known().unwrap().body.known().unwrap().bytes, 3.0);
    assert!(look.faces[0].is_loaded && look.document.has_doctype && look.document.charset.as_deref() == Some("UTF-8"));
    // One connection for all, each file asked for once, without cookies.
    assert_eq!((internet.connections(), internet.asked().len()), (1, 6));
    assert!(
        look.resources.iter().all(|file| file.answer.known().unwrap().connect_ms.is_none())
            && look.answer.connect_ms.is_some()
    );
    assert!(
        internet
            .asked()
            .iter()
            .all(|(_, headers)| !headers.contains("cookie") && headers.contains("infrastructure-maintainer"))
    );
    assert!(internet.asked().iter().any(|(place, headers)| place.ends_with("i.png") && headers.contains("image/avif")));
    let written = serde_json(&look);
    assert!(!written.contains("canary") && written.contains("step=…"), "{written}");
}

fn serde_json(look: &domain::performance::pages::PageLook) -> String {
    format!("{look:?}")
}

#[tokio::test]
async fn a_connection_is_used_again_over_http_1_and_a_closed_one_is_not() {
    let internet = Internet::open().await;
    let page = "<!doctype html><script src=/1.js></script><script src=/2.js></script><script src=https://closing.example/3.js></script>
                <script src=https://closing.example/4.js></script>";
    internet.put("old.example/", html(page));
    for place in ["old.example/1.js", "old.example/2.js"] {
        internet.put(place, Reply::ok("text/javascript", "a()"));
    }
    for place in ["closing.example/3.js", "closing.example/4.js"] {
        internet.put(place, Reply::ok("text/javascript", "a()").with("connection", "close"));
    }
    let limits = Limits { at_once: 1, ..Limits::default() };
    let look = internet.web(limits).fetch("https://old.example/").await.unwrap();
    let connected: Vec<bool> =
        look.resources.iter().map(|file| file.answer.known().unwrap().connect_ms.is_some()).collect();
    assert_eq!((connected, internet.connections()), (vec![false, false, true, true], 3));
    assert_eq!(look.answer.http, Http::OneOne);
}

#[tokio::test]
async fn redirects_are_followed_and_kept() {
    let internet = Internet::open().await;
    internet.put("shop.example/", Reply::redirect(301, "https://shop.example/en?token=canary"));
    internet.put("shop.example/en?token=canary", Reply::redirect(302, "/en/home"));
    internet.put("shop.example/en/home", html("<img src=a.png>"));
    let look = internet.web(Limits::default()).fetch("http://shop.example/").await.unwrap();
    let from: Vec<(&str, u16)> = look.answer.redirects.iter().map(|hop| (hop.url.as_str(), hop.status)).collect();
    assert_eq!(from, [("http://shop.example/", 301), ("https://shop.example/en?token=…", 302)]);
    assert_eq!(
        (look.answer.url.as_str(), look.resources[0].url.as_str()),
        ("https://shop.example/en/home", "https://shop.example/en/a.png")
    );
}

#[tokio::test]
async fn what_is_beyond_a_limit_is_counted_and_not_asked_for() {
    let internet = Internet::open().await;
    let images: String = (0..300).map(|at| format!("<img src=/{at}.png>")).collect();
    internet.put("shop.example/", html(&images));
    let look =
        internet.web(Limits { files_max: 10, ..Limits::default() }).fetch("https://shop.example/").await.unwrap();
    assert_eq!((look.resources.len(), look.left_out, internet.asked().len()), (10, 290.0, 11));
    let look =
        internet.web(Limits { page_bytes_max: 100, ..Limits::default() }).fetch("https://shop.example/").await.unwrap();
    assert_eq!(look.left_out, 300.0);
}

#[tokio::test]
async fn a_static_file_is_asked_for_again_where_a_cache_missed() {
    let internet = Internet::open().await;
    internet.put("shop.example/", html("<script src=/a.js></script><script src=/b.js></script>"));
    internet.put("shop.example/a.js", Reply::ok("text/javascript", "a()").with("x-cache", "Hit from cloudfront"));
    internet.put("shop.example/b.js", Reply::ok("text/javascript", "b()").with("x-cache", "Miss from cloudfront"));
    let look = internet.web(Limits::default()).fetch("https://shop.example/").await.unwrap();
    assert_eq!(look.again.unwrap().url, "https://shop.example/b.js");
}
