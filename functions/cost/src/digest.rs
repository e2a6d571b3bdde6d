//! Tells people what is left to them: advice and patches, which the maintainer itself never carries out. Each is told once; a message
//! comes when there is something new, and then names all.

use domain::cost::money::UsdMicros;
use domain::cost::rest::{is_rest, place_of};
use domain::cost::savings::Sums;
use domain::cost::{Opportunity, Remedy};
use domain::finding::Severity;
use domain::ids::AppId;
use domain::observed::Missing;
use domain::plan::Plan;
use domain::resource::ResourceKind;
use domain::text::{chat, line, subject};
use engine::documents;
use engine::ports::{Artifacts, Message, Notifier};
use engine::run::Run;
use engine::step::StepError;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::fmt::Write;

/// `detail-type` of the digest on the event bus.
pub const SAVINGS: &str = "Maintainer Savings";
/// Opportunities named in a message; the record holds all.
const ITEMS_MAX: usize = 12;

/// What is told.
pub(crate) struct Digest<'a> {
    /// All opportunities, largest saving first.
    pub(crate) opportunities: &'a [Opportunity],
    /// What this phase does about them.
    pub(crate) plan: &'a Plan,
    /// Savings so far.
    pub(crate) sums: Sums,
    /// Kinds of resources that could not be read, with the reason.
    pub(crate) unread: &'a [(ResourceKind, Missing)],
}

/// What a run says of the rest of another place, the artifact `digest`: the survey tells people of all places at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Things that cost more than they must.
    pub opportunities: usize,
    /// What they would save a month, as far as their prices are known.
    pub saving: UsdMicros,
    /// Those that were not there when the place was looked through before.
    pub new: usize,
    /// The largest saving, in words with its rule.
    pub largest: Option<String>,
    /// Kinds of resources that could not be read, each with its reason.
    pub unread: Vec<String>,
}

/// Tells people where something new is left to them, and remembers what they were told.
///
/// # Errors
/// When they can't be told, or a document can't be read or kept.
pub(crate) async fn tell(
    run: &Run,
    digest: &Digest<'_>,
    artifacts: &dyn Artifacts,
    notifier: &dyn Notifier,
) -> Result<(), StepError> {
    let key = format!("memory/{}/advised.json", run.app);
    let told: BTreeSet<String> = documents::get(artifacts, &key).await?.unwrap_or_default();
    let left: Vec<(&Opportunity, String)> = digest
        .opportunities
        .iter()
        .filter(|opportunity| is_left_to_people(opportunity, &run.app))
        .map(|opportunity| (opportunity, format!("{} {}", opportunity.rule, opportunity.resource)))
        .collect();
    let names: BTreeSet<String> = left.iter().map(|(_, name)| name.clone()).collect();
    let is_elsewhere = place_of(&run.app).is_some();
    // What a step that is repeated wrote the first time knows what was new.
    if is_elsewhere && documents::get::<Summary>(artifacts, &run.key("digest")).await?.is_none() {
        documents::put(artifacts, &run.key("digest"), &summary(digest, names.difference(&told).count())).await?;
    }
    if names != told {
        if !is_elsewhere && !names.is_subset(&told) {
            notifier.notify(&message(run, &left, &told, digest)).await?;
        }
        // What is gone is forgotten, and told again should it come back.
        documents::put(artifacts, &key, &names).await?;
    }
    Ok(())
}

fn summary(digest: &Digest<'_>, new: usize) -> Summary {
    let largest = digest.opportunities.first().map(|opportunity| {
        let saving = opportunity.saving.known().map_or_else(String::new, |saving| format!(", {} USD", saving.likely));
        line(&format!("{}{saving} ({})", opportunity.summary, opportunity.rule))
    });
    Summary {
        opportunities: digest.opportunities.len(),
        saving: likely(digest.opportunities),
        new,
        largest,
        unread: digest.unread.iter().map(|(kind, why)| line(&format!("every {kind}: {why}"))).collect(),
    }
}

/// What they would save a month together, as far as their prices are known.
fn likely(opportunities: &[Opportunity]) -> UsdMicros {
    opportunities.iter().filter_map(|opportunity| opportunity.saving.known()).map(|saving| saving.likely).sum()
}

/// Nothing of what belongs to no application is changed by the maintainer.
fn is_left_to_people(opportunity: &Opportunity, app: &AppId) -> bool {
    match opportunity.remedy {
        Remedy::Advice { .. } | Remedy::Patch { .. } => true,
        Remedy::Change { .. } => is_rest(app),
        Remedy::Wait { .. } => false,
    }
}

fn message(run: &Run, left: &[(&Opportunity, String)], told: &BTreeSet<String>, digest: &Digest<'_>) -> Message {
    let whose = if is_rest(&run.app) { "what belongs to no application".to_owned() } else { run.app.to_string() };
    let headline = format!(
        "{whose}: {} thing(s) cost more than they must, about {} USD a month",
        digest.opportunities.len(),
        likely(digest.opportunities)
    );
    let text = text(&headline, left, told, digest, run);
    Message {
        kind: SAVINGS.to_owned(),
        severity: Severity::Low,
        subject: subject(&format!("[maintainer] {headline}")),
        detail: json!({
            "version": 1, "app": run.app, "execution_id": run.execution_id, "execution_arn": run.execution_arn,
            "reason": headline, "savings": digest.sums,
            "left": left.iter().take(ITEMS_MAX).map(|(opportunity, name)| json!({
                "rule": opportunity.rule, "resource": opportunity.resource, "risk": opportunity.risk,
                "saving": opportunity.saving.known(), "summary": line(&opportunity.summary),
                "is_new": !told.contains(name),
            })).collect::<Vec<_>>(),
            "text": chat(&text),
        }),
        text,
    }
}

fn text(
    headline: &str,
    left: &[(&Opportunity, String)],
    told: &BTreeSet<String>,
    digest: &Digest<'_>,
    run: &Run,
) -> String {
    let mut text = format!("{headline}.\n\nWhat is left to you:\n");
    for (opportunity, name) in left.iter().take(ITEMS_MAX) {
        let new = if told.contains(name) { "" } else { "new: " };
        let saving = match opportunity.saving.known() {
            Some(saving) => format!("{} USD a month", saving.likely),
            None => "price not known".to_owned(),
        };
        let said = format!("{new}{saving}, {} risk: {} ({})", opportunity.risk, opportunity.summary, opportunity.rule);
        let _infallible = writeln!(text, "- {}", line(&said));
    }
    if left.len() > ITEMS_MAX {
        let _infallible = writeln!(text, "- and {} more, see the record", left.len() - ITEMS_MAX);
    }
    if !digest.plan.changes.is_empty() {
        text.push_str("\nWhat the maintainer looks after itself, as far as its guards and your mode let it:\n");
        for change in digest.plan.changes.iter().take(ITEMS_MAX) {
            let _infallible = writeln!(text, "- {}", line(&change.in_words()));
        }
    }
    if digest.sums.applied.0 != 0 {
        let _infallible = writeln!(text, "\nSavings so far: {}.", digest.sums);
    }
    let _infallible = write!(
        text,
        "\nCommands and patches: start the state machine `explain` with {{\"execution_id\": \"{}\"}}.\n\
         Each of these is told once; a tag maintainer:protected keeps a resource out of it.\n",
        run.execution_id
    );
    text
}
