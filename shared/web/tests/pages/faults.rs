//! What is done when things go wrong, or are meant to.

use crate::made::gzip;
use crate::server::{Fault, Internet, MODERN, Reply};
use domain::observed::{Missing, Observed};
use domain::performance::pages::PageLook;
use engine::ports::{Pages as _, PortError};
use maintainer_web::Limits;
use std::time::{Duration, Instant};

fn html(body: impl Into<Vec<u8>>) -> Reply {
    Reply::ok("text/html; charset=utf-8", body)
}

/// Short enough that a test which waits for it is quick.
fn short() -> Limits {
    Limits { answer: Duration::from_millis(300), ..Limits::default() }
}

async fn refused(internet: &Internet, url: &str) -> PortError {
    internet.web(short()).fetch(url).await.unwrap_err()
}

fn why(look: &PageLook, at: usize) -> String {
    match &look.resources[at].answer {
        Observed::Missing(Missing::Failed(why)) => why.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_that_can_t_be_had_is_one_sentence_that_says_what_to_do() {
    let internet = Internet::open().await;
    let fault = |fault| Reply { fault: Some(fault), ..html("<p>a page of some length") };
    for (place, reply) in [
        ("cut", fault(Fault::Cut)),
        ("silent", fault(Fault::Silent)),
        ("dropped", fault(Fault::Dropped)),
        ("noise", fault(Fault::Noise)),
        ("endless", fault(Fault::EndlessHead)),
        ("loop", Reply::redirect(302, "/loop")),
        ("nowhere", Reply::redirect(302, "javascript:alert(1)")),
        ("login", Reply { status: 401, ..html("") }),
        ("gone", Reply { status: 404, ..html("") }),
        ("busy", Reply { status: 429, ..html("") }),
        ("down", Reply { status: 503, ..html("") }),
        ("json", Reply::ok("application/json", "{}")),
        ("damaged", html("<p>").with("content-encoding", "gzip")),
        (
            "bomb",
            Reply { body: gzip(&gzip(&vec![0; 60 << 20], 9), 9), ..html("").with("content-encoding", "gzip, gzip") },
        ),
        ("large", html(vec![b' '; 9 << 20])),
    ] {
        internet.put(&format!("shop.example/{place}"), reply);
    }
    for at in 0..20 {
        internet.put(&format!("shop.example/far{at}"), Reply::redirect(307, &format!("/far{}", at + 1)));
    }
    for (place, says) in [
        ("cut", "the connection broke before the answer was whole"),
        ("silent", "no answer within"),
        ("dropped", "the connection broke"),
        ("noise", "the connection broke"),
        ("endless", "the connection broke"),
        ("loop", "redirects, or one that leads back: correct the rule"),
        ("nowhere", "a redirect that leads nowhere"),
        ("far0", "more than 10 redirects"),
        ("login", "access denied, grant reading it without a login (401)"),
        ("gone", "correct its address"),
        ("busy", "throttled"),
        ("down", "the error 503: look at its log"),
        ("json", "its Content-Type says application/json: name a page"),
        ("damaged", "not what its Content-Encoding says"),
        ("bomb", "it unpacks to more than is read"),
        ("large", "it is larger than"),
    ] {
        let error = refused(&internet, &format!("http://shop.example/{place}")).await;
        assert!(error.to_string().contains(says), "{place}: {error}");
        assert!(!error.to_string().contains('\n') && error.to_string().len() < 500, "{error}");
    }
    let nobody = refused(&internet, "https://nobody.example/").await;
    assert!(
        matches!(&nobody, PortError::Unknown { why, .. } if why.contains("nobody.example is not known")),
        "{nobody}"
    );
    let closed = refused(&internet, "https://shop.example:444/").await;
    assert!(closed.to_string().contains("shop.example:444 does not take connections: start its server"), "{closed}");
    internet.lies_at("stranger.example", &[MODERN]);
    let untrusted = refused(&internet, "https://stranger.example/").await;
    assert!(
        matches!(&untrusted, PortError::Rejected { why, .. } if why.contains("certificate of stranger.example")),
        "{untrusted}"
    );
    for no in ["", "ftp://shop.example/", "file:///etc/passwd", "https://"] {
        assert!(refused(&internet, no).await.to_string().contains("correct it under pages"), "{no}");
    }
}

#[tokio::test]
async fn what_goes_wrong_with_a_file_stays_with_that_file() {
    let internet = Internet::open().await;
    internet.put(
        "shop.example/",
        html("<!doctype html><img src=/cut.png><img src=/silent.png><img src=/bomb.png><img src=/loop.png><img src=https://nobody.example/a>
              <img src=/good.png>"),
    );
    let fault = |fault| Reply { fault: Some(fault), ..Reply::ok("image/png", vec![1; 1_000]) };
    internet.put("shop.example/cut.png", fault(Fault::Cut));
    internet.put("shop.example/silent.png", fault(Fault::Silent));
    internet.put(
        "shop.example/bomb.png",
        Reply { body: gzip(&vec![0; 40 << 20], 9), ..Reply::ok("image/png", "").with("content-encoding", "gzip") },
    );
    internet.put("shop.example/loop.png", Reply::redirect(302, "/loop.png"));
    internet.put("shop.example/good.png", Reply::ok("image/png", vec![1; 1_000]));
    for scheme in ["http", "https"] {
        let look = internet.web(short()).fetch(&format!("{scheme}://shop.example/")).await.unwrap();
        assert!(why(&look, 0).contains("before the answer was whole"), "{}", why(&look, 0));
        assert!(why(&look, 1).contains("no answer within"));
        let bomb = look.resources[2].answer.known().unwrap();
        assert!(
            bomb.body.is_missing() && bomb.transferred < 100_000.0,
            "known on the wire, and not unpacked: {}",
            bomb.transferred
        );
        assert!(why(&look, 3).contains("redirects"));
        assert!(why(&look, 4).contains("nobody.example"));
        assert_eq!(look.resources[5].answer.known().unwrap().transferred, 1_000.0);
    }
}

#[tokio::test]
async fn a_page_of_the_internet_does_not_make_us_ask_machines_of_ours() {
    let internet = Internet::open().await;
    // One whose name leads to both, one that comes back with another answer, and every way to write an address.
    internet.lies_at("both.example", &["169.254.169.254", "127.0.0.1", "10.1.2.3"]);
    let inside = [
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://10.0.0.1/",
        "https://inner.example/",
        "https://meta.example/",
        "https://here.example/",
        "http://both.example/",
    ];
    internet.lies_at("localhost", &["127.0.0.1"]);
    let mut page = String::from("<!doctype html><link rel=stylesheet href=/a.css>");
    for (at, url) in inside.iter().enumerate() {
        page.push_str(&format!("<img src='{url}'><script src='/to{at}'></script>"));
        internet.put(&format!("shop.example/to{at}"), Reply::redirect(302, url));
        internet.put(&format!("shop.example/page{at}"), Reply::redirect(302, url));
    }
    internet.put("shop.example/", html(page));
    let imports: String = inside.iter().map(|url| format!("@import '{url}';")).collect();
    internet.put("shop.example/a.css", Reply::ok("text/css", imports));
    let web = internet.web(Limits::default());
    let look = web.fetch("https://shop.example/").await.unwrap();
    let forbidden = look.resources.iter().filter(|file| match &file.answer {
        Observed::Missing(Missing::Failed(why)) => why.contains("may not make us ask"),
        _ => false,
    });
    // Three of them are written differently and are one address.
    assert_eq!(forbidden.count(), 2 * inside.len() - 2);
    for (at, place) in inside.iter().enumerate() {
        let error = web.fetch(&format!("https://shop.example/page{at}")).await.unwrap_err();
        assert!(error.to_string().contains("may not make us ask"), "{place}: {error}");
    }
    let reached = internet.reached.lock().unwrap().clone();
    assert!(reached.iter().all(|address| address.ip().to_string() == MODERN), "{reached:?}");
    // A page that is inside itself sees its own side, and still not the credentials.
    internet.put(
        "inner.example/",
        html("<img src=https://inner.example/a.png><img src=http://169.254.169.254/><img src=https://here.example/>"),
    );
    let look = web.fetch("https://inner.example/").await.unwrap();
    assert_eq!(look.resources[0].answer.known().unwrap().status, 404);
    assert!(why(&look, 1).contains("may not make us ask") && why(&look, 2).contains("may not make us ask"));
    let error = web.fetch("https://meta.example/").await.unwrap_err();
    assert!(error.to_string().contains("may not make us ask"), "{error}");
}

#[tokio::test]
async fn hostile_html_is_read_in_one_pass() {
    let internet = Internet::open().await;
    let long = "x".repeat(1_000_000);
    let pages: Vec<Vec<u8>> = vec![
        format!("<p title='{long}'>a<img src='/{long}'>").into_bytes(),
        "<div>".repeat(400_000).into_bytes(),
        format!("{}{}", "<b><i><a>".repeat(20_000), "</p></x></b>".repeat(40_000)).into_bytes(),
        "<table><tr><td>".repeat(50_000).into_bytes(),
        b"<img src=\0/a.png\0><\0script>\0".repeat(20_000),
        "<!--".repeat(200_000).into_bytes(),
        "<script>".repeat(200_000).into_bytes(),
        "<style>@import '".repeat(50_000).into_bytes(),
        "<a ".repeat(400_000).into_bytes(),
        format!("<p {}>", (0..100_000).map(|at| format!("a{at}=b ")).collect::<String>()).into_bytes(),
        format!("<img srcset='{}' sizes='{}'>", "a.png 1w,".repeat(100_000), "(min-width: 1px) 1px,".repeat(100_000))
            .into_bytes(),
        (0..=255_u8).cycle().take(1_000_000).collect(),
        Vec::new(),
    ];
    for (at, page) in pages.iter().enumerate() {
        internet.put(
            &format!("shop.example/{at}"),
            Reply { body: gzip(page, 1), ..html("").with("content-encoding", "gzip") },
        );
        let begun = Instant::now();
        let look = internet.web(Limits::default()).fetch(&format!("https://shop.example/{at}")).await.unwrap();
        let written = format!("{look:?}");
        assert!(!written.contains('\0') && look.resources.iter().all(|file| file.url.chars().count() < 300), "{at}");
        // Far from what takes a time that grows with the square.
        assert!(begun.elapsed() < Duration::from_secs(8), "{at}: {:?}", begun.elapsed());
    }
    internet.put(
        "shop.example/charset",
        Reply::ok("text/html; charset=utf-16", b"<!doctype html><img src=/a.png>".to_vec()),
    );
    assert!(internet.web(Limits::default()).fetch("https://shop.example/charset").await.unwrap().resources.is_empty());
}
