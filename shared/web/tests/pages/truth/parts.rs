//! A page of parts, each of which is broken in a known way, or looks like it and is well.

use super::texts::texts;
use crate::made::{gif, noise, png, style, webp, zstd};
use crate::server::{Internet, Reply};
use fastrand::Rng;
use std::collections::BTreeSet;

/// What can be broken.
pub const PARTS: [&str; 38] = [
    "page_uncompressed",
    "page_weak_compression",
    "page_short_cache",
    "page_not_immutable",
    "page_long_cached_page",
    "page_not_restored",
    "page_old_image_format",
    "page_oversized_image",
    "page_unsized_image",
    "page_eager_images",
    "page_lazy_first_image",
    "page_first_image_late",
    "page_animated_gif",
    "page_render_blocking",
    "page_script_weight",
    "page_style_weight",
    "page_total_weight",
    "page_many_requests",
    "page_redirects",
    "page_slow_server",
    "page_old_http",
    "page_no_reuse",
    "page_no_tls",
    "page_mixed_content",
    "page_cdn_miss",
    "page_dom_size",
    "page_font_display",
    "page_no_preconnect",
    "page_duplicates",
    "page_unminified",
    "page_document_write",
    "page_legacy_script",
    "page_no_doctype",
    "page_no_charset",
    "page_no_viewport",
    "page_broken_files",
    "page_unused_preload",
    "page_import_chain",
];
/// What static files of a page that is well are sent with.
const KEPT: &str = "public, max-age=31536000, immutable";

/// A page that stands.
pub struct Built {
    pub url: String,
    pub broken: BTreeSet<&'static str>,
}

/// A page in the making.
pub(super) struct Page<'a> {
    pub(super) internet: &'a Internet,
    pub(super) rng: Rng,
    pub(super) broken: BTreeSet<&'static str>,
    pub(super) head: String,
    pub(super) body: String,
    files: u32,
}

impl Page<'_> {
    pub(super) fn is(&self, part: &'static str) -> bool {
        self.broken.contains(part)
    }

    /// A name with a hash.
    pub(super) fn name(&mut self, ending: &str) -> String {
        self.files += 1;
        format!("f{}.{:08x}a1.{ending}", self.files, self.rng.u32(..))
    }

    pub(super) fn put(&self, host: &str, name: &str, reply: Reply) {
        let is_told = reply.headers.iter().any(|(name, _)| name == "cache-control");
        let reply = if is_told { reply } else { reply.with("cache-control", KEPT) };
        self.internet.put(&format!("{host}/{name}"), reply);
    }

    /// A file on a host, and its address.
    pub(super) fn file(&mut self, host: &str, ending: &str, content_type: &str, body: Vec<u8>) -> String {
        let name = self.name(ending);
        self.put(host, &name, Reply::ok(content_type, body));
        format!("https://{host}/{name}")
    }

    /// A text that came packed.
    pub(super) fn packed(&mut self, ending: &str, content_type: &str, plain: &[u8]) -> String {
        let name = self.name(ending);
        self.put("shop.example", &name, Reply::ok(content_type, zstd(plain)).with("content-encoding", "zstd"));
        format!("https://shop.example/{name}")
    }

    pub(super) fn script(&mut self, text: &str) -> String {
        let src = self.packed("js", "text/javascript", text.as_bytes());
        format!("<script async src='{src}'></script>")
    }

    /// A script that the page runs.
    pub(super) fn run(&mut self, text: &str) {
        let script = self.script(text);
        self.body += &script;
    }

    fn image(&mut self, width: u32, height: u32, bytes: usize) -> String {
        let image = webp(&mut self.rng, width, height, bytes);
        self.file("shop.example", "webp", "image/webp", image)
    }
}

/// Makes a page; over all seeds each part is broken and well.
pub fn build(internet: &Internet, seed: u64) -> Built {
    let mut rng = Rng::with_seed(seed);
    // The first pages: all is well, and all is broken that can be at once.
    let share = if seed == 0 {
        0.0
    } else if seed == 1 {
        1.0
    } else {
        0.4
    };
    let mut broken: BTreeSet<&str> = PARTS.into_iter().filter(|_| rng.f64() < share).collect();
    // Of these only one can be.
    for alternatives in [
        ["page_lazy_first_image", "page_first_image_late"],
        ["page_long_cached_page", "page_not_restored"],
        ["page_no_tls", "page_mixed_content"],
    ] {
        if alternatives.iter().all(|part| broken.contains(part)) {
            broken.remove(alternatives[usize::from(seed.is_multiple_of(2))]);
        }
    }
    let mut page = Page { internet, rng, broken, head: String::new(), body: String::new(), files: 0 };
    pictures(&mut page);
    texts(&mut page);
    connections(&mut page);
    styles(&mut page);
    gallery(&mut page);
    let url = whole(&mut page, seed);
    Built { url, broken: page.broken }
}

fn pictures(page: &mut Page<'_>) {
    // The first large image.
    let hero = page.image(1_200, 600, 9_000);
    let how = match (page.is("page_lazy_first_image"), page.is("page_first_image_late")) {
        (true, _) => "loading=lazy",
        (_, true) => "",
        _ => "fetchpriority=high",
    };
    page.body += &format!("<img src='{hero}' width=1200 height=600 {how}>");
    // Twice as dense is right.
    let (width, height) = if page.is("page_oversized_image") { (2_000, 1_500) } else { (800, 600) };
    let image = page.image(width, height, 30_000);
    page.body += &format!("<img src='{image}' width=400 height=300>");
    let image = page.image(320, 150, 4_000);
    page.body += &match page.is("page_unsized_image") {
        true => format!("<img src='{image}'>"),
        false => format!("<img src='{image}' class=shaped>"),
    };
    // Noise is what a PNG can't pack; one colour is.
    let image = png(&mut page.rng, 100, 100, page.broken.contains("page_old_image_format"));
    let image = page.file("shop.example", "png", "image/png", image);
    page.body += &format!("<img src='{image}' width=100 height=100>");
    let svg = page.packed("svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>");
    page.body += &format!("<img src='{svg}' width=20 height=20 loading=lazy>");
    // A GIF that stands still is as large.
    let (side, frames) = if page.is("page_animated_gif") { (250, 2) } else { (350, 1) };
    let image = gif(&mut page.rng, side, frames);
    assert!(image.len() > 110_000);
    let image = page.file("shop.example", "gif", "image/gif", image);
    page.body += &format!("<img src='{image}' width={side} height={side}>");
}

fn connections(page: &mut Page<'_>) {
    let small = |page: &mut Page<'_>, host: &str, reply: Reply| {
        let name = page.name("js");
        page.put(host, &name, reply);
        page.body += &format!("<script async src='https://{host}/{name}'></script>");
    };
    let of = |at: u32| Reply::ok("text/javascript", format!("a({at})"));
    for at in 0..if page.is("page_old_http") { 8 } else { 5 } {
        small(page, "old.example", of(at));
    }
    for at in 0..if page.is("page_no_reuse") { 3 } else { 1 } {
        small(page, "closing.example", of(at).with("connection", "close"));
    }
    let miss = ("x-cache", "Miss from cloudfront");
    let mut reply = of(1).with(miss.0, miss.1);
    if !page.is("page_cdn_miss") {
        let hit = of(1).with("cache-control", KEPT).with(miss.0, "Hit from cloudfront");
        reply.later = Some(hit.headers);
    }
    small(page, "cdn.example", reply);
    if page.is("page_redirects") {
        let name = page.name("js");
        page.put("shop.example", "latest.js", Reply::redirect(302, &format!("https://shop.example/{name}")));
        page.put("shop.example", &name, of(2));
        page.body += "<script async src='https://shop.example/latest.js'></script>";
    }
    // A link loads nothing.
    page.body += "<a href='http://other.example/'>elsewhere</a>";
    if page.is("page_mixed_content") {
        page.put("shop.example", "mixed.js", of(3));
        page.body += "<script async src='http://shop.example/mixed.js'></script>";
    }
    // What may not be asked for is no fault of the page.
    page.body += "<img src='https://inner.example/a.png' width=10 height=10>";
    if page.is("page_broken_files") {
        page.body += "<script async src='https://shop.example/nowhere.js'></script>";
    }
}

fn styles(page: &mut Page<'_>) {
    let font = |page: &mut Page<'_>, host: &str| {
        let data = noise(&mut page.rng, 8_000);
        page.file(host, "woff2", "font/woff2", data)
    };
    let (own, far, preloaded) = (font(page, "shop.example"), font(page, "fonts.example"), font(page, "shop.example"));
    let display = if page.is("page_font_display") { "" } else { ";font-display:swap" };
    let mut text = format!(
        "@font-face{{font-family:Own;src:url({own}){display}}}@font-face{{font-family:Far;src:url({far});font-display:optional}}"
    );
    text += &format!("@font-face{{font-family:Early;src:url({preloaded});font-display:fallback}}");
    // Nobody uses it, so nobody loads it.
    text += "@font-face{font-family:Unused;src:url(/unused.woff2)}body{font-family:Own,Far,Early}.shaped{width:320px;aspect-ratio:32/15}";
    text += ".elsewhere{background:url(/none.png)}";
    if !page.is("page_no_preconnect") {
        page.head += "<link rel=preconnect href='https://fonts.example' crossorigin>";
    }
    page.head += &format!("<link rel=preload as=font href='{preloaded}' crossorigin>");
    let imported = style(&mut page.rng, 3_000);
    let imported = page.packed("css", "text/css", imported.as_bytes());
    let medium = if page.is("page_import_chain") { "" } else { " print" };
    text = format!("@import url({imported}){medium};{text}{}", style(&mut page.rng, 40_000));
    let sheet = page.packed("css", "text/css", text.as_bytes());
    page.head += &format!("<link rel=stylesheet href='{sheet}'>");
    // What is for print is loaded, too, and holds up nothing.
    let bytes = if page.is("page_style_weight") { 300_000 } else { 2_000 };
    let print = style(&mut page.rng, bytes);
    let print = page.packed("css", "text/css", print.as_bytes());
    page.head += &format!("<link rel=stylesheet href='{print}' media=print>");
    if page.is("page_unused_preload") {
        let unused = style(&mut page.rng, 2_000);
        let unused = page.packed("css", "text/css", unused.as_bytes());
        page.head += &format!("<link rel=preload as=style href='{unused}'>");
    }
    let src = page.packed("js", "text/javascript", b"first()");
    let how = if page.is("page_render_blocking") { "" } else { "defer" };
    page.head += &format!("<script {how} src='{src}'></script>");
    let (module, last) =
        (page.packed("js", "text/javascript", b"module()"), page.packed("js", "text/javascript", b"last()"));
    page.head += &format!("<script type=module src='{module}'></script>");
    page.body += &format!("<script src='{last}'></script>");
}

/// Images below the first screen, last of all.
fn gallery(page: &mut Page<'_>) {
    let how = if page.is("page_eager_images") { "" } else { "loading=lazy" };
    for _ in 0..6 {
        let image = page.image(200, 200, 6_000);
        page.body += &format!("<img src='{image}' width=200 height=200 {how}>");
    }
    let count = if page.is("page_dom_size") { 1_500 } else { 900 };
    page.body += &"<span>a</span>".repeat(count);
}

/// The page itself, and where it stands.
fn whole(page: &mut Page<'_>, seed: u64) -> String {
    let part = |is_broken: bool, text: &str| if is_broken { String::new() } else { text.to_owned() };
    let doctype = part(page.is("page_no_doctype"), "<!DOCTYPE html>");
    let viewport = part(page.is("page_no_viewport"), "<meta name=viewport content='width=device-width'>");
    let html = format!(
        "{doctype}<html><head>{viewport}<title>a</title>{}</head><body><p>a</p>{}</body></html>",
        page.head, page.body
    );
    let charset = part(page.is("page_no_charset"), "; charset=utf-8");
    let cache = match (page.is("page_long_cached_page"), page.is("page_not_restored")) {
        (true, _) => "max-age=86400",
        (_, true) => "no-store",
        _ => "max-age=60",
    };
    let reply = Reply::ok(&format!("text/html{charset}"), zstd(html.as_bytes()))
        .with("content-encoding", "zstd")
        .with("cache-control", cache);
    let takes_ms = if page.is("page_slow_server") { 900 } else { 300 };
    page.internet.put("shop.example/page", Reply { takes_ms, ..reply });
    if page.is("page_no_tls") {
        return "http://shop.example/page".to_owned();
    }
    if seed.is_multiple_of(3) {
        // People type http.
        page.internet.put("http://shop.example/page", Reply::redirect(301, "https://shop.example/page"));
        return "http://shop.example/page".to_owned();
    }
    "https://shop.example/page".to_owned()
}
