//! silence: tells people which applications nobody looks after, once per silence.
//!
//! The alarm on the state machine notices when no run ends well at all. This notices when one application is left out
//! while the others are looked after. The rule is `domain::watch`.

use crate::story::console_link;
use domain::finding::Severity;
use domain::ids::AppId;
use domain::text::{chat, line, subject};
use domain::watch::Watched;
use engine::ports::{Clock, Message, Notifier, Watch};
use engine::step::StepError;
use serde_json::json;
use std::fmt::Write;

/// `detail-type` of the notice on the event bus.
pub const SILENCE: &str = "Maintainer Silence";
/// Applications that one notice names.
const NAMED_MAX: usize = 50;

/// What the notice needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Who was looked at when.
    pub watch: &'a dyn Watch,
    /// People and agents.
    pub notifier: &'a dyn Notifier,
    /// Seconds after which an application that no run has looked after is silent.
    pub limit_s: u32,
}

/// Notes that a round begins for these applications, and tells people about those that earlier rounds have left out.
/// One that is no longer known is told once and then forgotten.
///
/// # Errors
/// When a port fails. Whoever was not told then is told in the next round.
pub async fn round(known: &[AppId], execution_arn: &str, world: &World<'_>) -> Result<(), StepError> {
    let now = world.clock.now();
    let roll = world.watch.roll().await?.called(known, now);
    world.watch.call(&roll).await?;
    let mut silent = Vec::new();
    for app in &roll.apps {
        let watched = world.watch.known(app, now).await?;
        if watched.is_silent(&roll, world.limit_s, now) {
            silent.push((watched, known.contains(app)));
        }
    }
    if silent.iter().all(|(watched, _)| watched.is_told()) {
        return Ok(());
    }
    world.notifier.notify(&message(&silent, execution_arn, world.limit_s)).await?;
    for (watched, is_known) in &silent {
        if *is_known {
            world.watch.told(&watched.app, now).await?;
        } else {
            world.watch.forget(&watched.app).await?;
        }
    }
    Ok(())
}

fn message(silent: &[(Watched, bool)], execution_arn: &str, limit_s: u32) -> Message {
    let text = text(silent, execution_arn, limit_s);
    let title = match silent {
        [(one, _)] => format!("[maintainer] nobody looks after {}", one.app),
        several => format!("[maintainer] nobody looks after {} applications", several.len()),
    };
    Message {
        kind: SILENCE.to_owned(),
        severity: Severity::High,
        subject: subject(&title),
        detail: json!({
            "version": 1, "limit_hours": limit_s / 3_600, "execution_arn": execution_arn, "text": chat(&text),
            "apps": silent.iter().take(NAMED_MAX).map(|(watched, is_known)| json!({
                "app": watched.app, "since": watched.since, "looked_at": watched.looked_at, "known": is_known,
            })).collect::<Vec<_>>(),
        }),
        text,
    }
}

fn text(silent: &[(Watched, bool)], execution_arn: &str, limit_s: u32) -> String {
    let mut text = format!("No run of the maintainer has ended well for over {} hours on:\n\n", limit_s / 3_600);
    for (watched, is_known) in silent.iter().take(NAMED_MAX) {
        let app = line(watched.app.as_str());
        let last = match watched.looked_at {
            Some(at) => format!("last at {at:.0}"),
            None => format!("never, and it is known since {:.0}", watched.since),
        };
        let gone = if *is_known {
            ""
        } else {
            "; no resource carries its tag any more and maintainer.yaml does not have it. If that is meant, all is well"
        };
        push(&mut text, format_args!("- {app}: {last}{gone}\n"));
    }
    if silent.len() > NAMED_MAX {
        push(&mut text, format_args!("- and {} more\n", silent.len() - NAMED_MAX));
    }
    push(
        &mut text,
        format_args!(
            "\nLook at the executions of the state machine that name it: a failed one says why. A new round has begun:\n{}\n\n\
             You are told once, and again only after it has been looked after in between.\n",
            console_link(execution_arn)
        ),
    );
    text
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _always_ok = text.write_fmt(arguments);
}
