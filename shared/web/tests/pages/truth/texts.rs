//! Scripts, data and how they are kept, broken or only looking so.

use super::parts::Page;
use crate::made::{gzip, noise, script, webp};
use crate::server::Reply;

/// Adds them to a page.
pub(super) fn texts(page: &mut Page<'_>) {
    // Small ones gain nothing; what is packed already neither.
    let bytes = if page.is("page_uncompressed") { 20_000 } else { 700 };
    let text = script(&mut page.rng, bytes);
    let src = page.file("shop.example", "js", "text/javascript", text.into_bytes());
    page.body += &format!("<script async src='{src}'></script>");
    let text = script(&mut page.rng, 120_000);
    let src = if page.is("page_weak_compression") {
        let name = page.name("js");
        page.put(
            "shop.example",
            &name,
            Reply::ok("text/javascript", gzip(text.as_bytes(), 6)).with("content-encoding", "gzip"),
        );
        format!("https://shop.example/{name}")
    } else {
        page.packed("js", "text/javascript", text.as_bytes())
    };
    page.body += &format!("<script async src='{src}'></script>");
    if page.is("page_script_weight") {
        let text = script(&mut page.rng, 900_000);
        page.run(&text);
    }
    let long: String = (0..600).map(|at| format!("var value{at} = {at}; // number {at} of the values\n    ")).collect();
    let minified: String = (0..900).map(|_| format!("v({});", page.rng.u64(..))).collect();
    let text = if page.is("page_unminified") { long } else { format!("/*! of a licence that stays */{minified}") };
    let name = page.name("js");
    page.put(
        "shop.example",
        &name,
        Reply::ok("text/javascript", gzip(text.as_bytes(), 0)).with("content-encoding", "gzip"),
    );
    page.body += &format!("<script async src='https://shop.example/{name}'></script>");
    let text =
        if page.is("page_document_write") { "document.write('<p>')" } else { "say('document.write is no more')" };
    page.run(text);
    let old = "Array.prototype.find=f;Object.assign=f;Object.defineProperty(String.prototype,'padEnd',{})";
    let text = if page.is("page_legacy_script") { old } else { "if(!Object.assign)fail();a=Array.from(b)" };
    page.run(text);
    // The same twice under one address is one file.
    let text = script(&mut page.rng, 3_000);
    let (once, again) = (page.script(&text), page.script(&text));
    page.body += &once;
    page.body += if page.is("page_duplicates") { &again } else { &once };
    if page.is("page_total_weight") {
        let data = noise(&mut page.rng, 5_100_000);
        let href = page.file("shop.example", "bin", "application/octet-stream", data);
        page.head += &format!("<link rel=preload as=fetch href='{href}'>");
    }
    let count = if page.is("page_many_requests") { 101 } else { 20 };
    for at in 0..count {
        page.run(&format!("a({at})"));
    }
    // Data that must not be kept is none of the page's.
    let name = page.name("json");
    page.put("shop.example", &name, Reply::ok("application/json", "{}").with("cache-control", "no-store"));
    page.head += &format!("<link rel=preload as=fetch href='/{name}'>");
    // A file that changes under its name is asked for each time, on purpose.
    let image = noise(&mut page.rng, 2_000);
    let reply = Reply::ok("image/png", image);
    let reply = match page.is("page_short_cache") {
        true => reply.with("cache-control", "max-age=600"),
        false => reply.with("cache-control", "no-cache").with("etag", "\"a\""),
    };
    page.put("shop.example", "logo.png", reply);
    page.body += "<img src='https://shop.example/logo.png' width=100 height=40 loading=lazy>";
    // A date is no hash.
    let name = if page.is("page_not_immutable") { page.name("webp") } else { "photo-20240131.webp".to_owned() };
    let image = webp(&mut page.rng, 100, 40, 2_000);
    page.put("shop.example", &name, Reply::ok("image/webp", image).with("cache-control", "public, max-age=31536000"));
    page.body += &format!("<img src='https://shop.example/{name}' width=100 height=40 loading=lazy>");
}
