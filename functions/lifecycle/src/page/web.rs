//! Requests through the function URL: only a signed link opens anything, only `POST` acts.

use super::World;
use super::answering::{Ending, Given, take};
use super::view::{Page, Question, STYLE};
use crate::link::{Links, Ticket};
use askama::Template;
use base64::Engine;
use domain::approval::{Request, RequestState, Via};
use engine::ports::PortError;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Longest form that is read, in bytes; a whole answer has under 4 KB.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// The answer to a browser. Never an error of the function: those would show as a bare status.
pub(super) async fn respond(event: &Value, world: &World<'_>) -> Value {
    let method = event.pointer("/requestContext/http/method").and_then(Value::as_str).unwrap_or_default();
    let query = event.get("rawQueryString").and_then(Value::as_str).unwrap_or_default();
    let (status, page) = match method {
        "GET" | "HEAD" => open(query, None, world).await,
        "POST" => match form(event) {
            Some(given) => open(query, Some(given), world).await,
            None => (400, Page::notice("That form can't be read", "Nothing was changed. Open the link again.")),
        },
        _ => (405, Page::notice("Not that way", "Open the link in a browser.")),
    };
    reply(status, page)
}

async fn open(query: &str, given: Option<Given>, world: &World<'_>) -> (u16, Page) {
    let key = match world.signing_key.read().await {
        Ok(key) => key,
        Err(error) => return failed(&error),
    };
    let ticket = match Links::new(&key, "").check(query, world.clock.now()) {
        Ok(ticket) => ticket,
        Err(why) => return (403, Page::notice("This link does not open anything", why)),
    };
    let page = match given {
        None => show(&ticket, world).await,
        Some(given) => {
            take(&ticket.app, &ticket.request, &given, Via::Link, world).await.map(|ending| done(ending, &given, world))
        }
    };
    page.unwrap_or_else(|error| failed(&error))
}

async fn show(ticket: &Ticket, world: &World<'_>) -> Result<(u16, Page), PortError> {
    let found = world.approvals.read(&ticket.app, &ticket.request).await?;
    let Some(request) = found.map(|asked| asked.request) else { return Ok(unknown()) };
    let now = world.clock.now();
    Ok(match request.state_at(now) {
        RequestState::Open => (200, Page::asking(Question::of(&request, now))),
        RequestState::Answered | RequestState::Lapsed => (410, Page::closed(&request)),
        RequestState::Withdrawn => (410, nobody_waits(&request)),
    })
}

fn done(ending: Ending, given: &Given, world: &World<'_>) -> (u16, Page) {
    match ending {
        Ending::Taken(request) => (200, Page::taken(&request)),
        Ending::TakenLater(request) => (202, Page::taken_later(&request)),
        Ending::Closed(request) => (409, Page::closed(&request)),
        Ending::NobodyWaits(request) => (410, nobody_waits(&request)),
        Ending::NotUnderstood(request, why) => {
            (422, Page::asking_again(Question::of(&request, world.clock.now()), why, given))
        }
        Ending::Unknown => unknown(),
    }
}

fn nobody_waits(request: &Request) -> Page {
    Page::notice(
        "The run has ended meanwhile",
        &format!("Nothing was changed on {}. If it is still needed, you will be asked again.", request.app),
    )
}

fn unknown() -> (u16, Page) {
    (404, Page::notice("This question is gone", "It is older than the records are kept. Nothing was changed."))
}

/// What failed goes to the log; the person gets what to do. An answer may have been written although its writing failed, so
/// nothing is said about that.
fn failed(error: &PortError) -> (u16, Page) {
    tracing::error!(error = %error, "the page could not answer");
    let text = "Please open the link again in a minute: it shows whether an answer has arrived.";
    (503, Page::notice("That did not work just now", text))
}

fn reply(status: u16, page: Page) -> Value {
    let (status, body) =
        page.render().map_or_else(|_| (500, "This page can't be shown.".to_owned()), |body| (status, body));
    json!({
        "statusCode": status,
        "headers": {
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
            "content-security-policy": policy(),
            // The link is a key: it must not travel on to whatever is opened next.
            "referrer-policy": "no-referrer",
            "x-content-type-options": "nosniff",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "x-robots-tag": "noindex",
        },
        "body": body,
    })
}

/// Nothing is loaded, nothing runs, no style but the page's own counts, the form goes back here, and nobody puts the page
/// into a frame.
fn policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
    });
    &POLICY
}

/// The form of an answer; `None` when it can't be read.
fn form(event: &Value) -> Option<Given> {
    let body = event.get("body").and_then(Value::as_str).unwrap_or_default();
    let is_encoded = event.get("isBase64Encoded").and_then(Value::as_bool).unwrap_or(false);
    let bytes = if is_encoded { decoded(body)? } else { body.as_bytes().to_vec() };
    if bytes.len() > BODY_BYTES_MAX {
        return None;
    }
    let mut given = Given::default();
    for (name, value) in form_urlencoded::parse(&bytes) {
        match name.as_ref() {
            "decision" => given.decision = value.into_owned(),
            "change" => given.changes.push(value.into_owned()),
            "by" => given.by = value.into_owned(),
            "remark" => given.remark = value.into_owned(),
            _ => {}
        }
    }
    Some(given)
}

fn decoded(body: &str) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(body).ok()
}
