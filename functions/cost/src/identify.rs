//! identify: what could be saved, and what of it this phase does. The decisions are `domain::cost`'s.

use crate::analyze::Read;
use crate::bill_alert;
use crate::digest;
use crate::savings;
use config::ResolvedApp;
use digest::Digest;
use domain::cost::bill_analysis::{BillAnalysis, analyse};
use domain::cost::on_demand::OnDemand;
use domain::cost::rest::{hands_off, is_rest};
use domain::cost::savings::Savings;
use domain::cost::{self, Estate, Opportunity, Past};
use domain::finding::{Finding, Severity};
use domain::health::Analysis;
use domain::ids::{ResourceId, RuleId};
use domain::mode::Mode;
use domain::observed::{Missing, Observed};
use domain::plan::Plan;
use domain::snapshot::Snapshot;
use engine::documents;
use engine::ports::{Artifacts, Clock, Entry, EntryState, Executions, Journal, Notifier, SavingsBook};
use engine::run::{Decision, Run};
use engine::settle;
use engine::step::StepError;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};
use steps::records::{iteration, running};

/// What identify needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Documents.
    pub artifacts: &'a dyn Artifacts,
    /// Records.
    pub executions: &'a dyn Executions,
    /// Earlier changes.
    pub journal: &'a dyn Journal,
    /// What changes have saved.
    pub savings_book: &'a dyn SavingsBook,
    /// People and agents.
    pub notifier: &'a dyn Notifier,
}

/// What was decided, the artifact `analysis`: in the shape that questions, escalations and stories of every cycle read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The opportunities as findings.
    pub analysis: Analysis,
    /// What this phase does.
    pub plan: Plan,
    /// What could be saved, with its price.
    pub opportunities: Vec<Opportunity>,
    /// Savings against risk, as a table for people.
    pub matrix: String,
    /// What the bill says, or why it could not be read.
    pub bill: Observed<BillAnalysis>,
    /// What earlier changes have saved, and what these opportunities promise.
    pub savings: Savings,
}

/// Finds what could be saved and plans a phase.
///
/// # Errors
/// When what analysis has read is not there, or a port fails.
pub async fn identify(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    let read: Read = documents::need(world.artifacts, &run.key("estate")).await?;
    let opportunities = cost::rules::find(&read.estate, &app.cost, &read.prices);
    let now = world.clock.now();
    let bill = read.bill.clone().map(|bill| analyse(&bill, &app.cost, Offset::UTC.to_datetime(now).date()));
    let journal = world.journal.since(&run.app, settle::look_back(now)).await?;
    let savings = savings::note(&run, &journal, &read, &opportunities, now, world.savings_book).await?;
    // A run that has asked people measures again in the same iteration.
    let is_first = run.iteration == 1 && run.asked_in.is_none();
    if let (Some(bill), true, true) = (bill.known(), read.is_bill_ours, is_first) {
        bill_alert::tell(&run, bill, world.notifier).await?;
    }
    let past: Vec<Past> = journal.iter().filter_map(past).collect();
    let mut plan = if is_rest(&run.app) {
        hands_off(&opportunities)
    } else {
        cost::plan(&opportunities, &past, &app.cost, &app.limits, (&run.execution_id, run.iteration), now)
    };
    if !plan.changes.is_empty() {
        let before: Snapshot = documents::need(world.artifacts, &run.key("snapshot")).await?;
        cost::tell_response_times(&mut plan, &before);
    }
    // A preview by hand is read by whoever asked for it.
    if run.iteration == 1 && (run.mode != Some(Mode::Observe) || is_rest(&run.app)) {
        let told =
            Digest { opportunities: &opportunities, plan: &plan, sums: savings.sums, unread: &read.estate.unread };
        digest::tell(&run, &told, world.artifacts, world.notifier).await?;
    }
    run.decision = match (plan.changes.is_empty(), run.mode) {
        (false, _) => Decision::Act,
        (true, Some(Mode::Observe)) => Decision::Previewed,
        (true, _) => Decision::NothingToDo,
    };
    if plan.changes.is_empty() {
        let said = format!("{} opportunities, nothing to be changed now", opportunities.len());
        run.conclusion = Some(format!("{said}{}", not_looked_at(&unmeasured(&read.estate))));
    }
    // Without a change there is nothing to watch.
    run.wait_s = if plan.changes.is_empty() { 0 } else { app.cost.watch_s };
    let mut record = running(&run, world.executions).await?;
    iteration(&mut record, run.iteration, read.estate.taken_at);
    world.executions.save(&record).await?;
    tracing::info!(opportunities = opportunities.len(), changes = plan.changes.len(), "identified savings");
    let analysis = Analysis {
        score: Observed::Missing(Missing::NotPublished("a health score: this cycle looks at cost".to_owned())),
        confidence: 1.0,
        signals: Vec::new(),
        findings: bill.known().and_then(growth).into_iter().chain(opportunities.iter().map(finding)).collect(),
        trends: Vec::new(),
        anomalies: Vec::new(),
        no_opportunity_because: opportunities.is_empty().then(|| nothing_because(&unmeasured(&read.estate))),
        unmeasured: unmeasured(&read.estate),
    };
    let matrix = cost::matrix::text(&opportunities);
    let decided = Decided { analysis, plan, opportunities, matrix, bill, savings };
    documents::put(world.artifacts, &run.key("analysis"), &decided).await?;
    Ok(run)
}

/// What could not be read is not free of waste.
fn nothing_because(unmeasured: &[String]) -> String {
    match unmeasured {
        [] => "nothing that is paid for is waste".to_owned(),
        some => format!("nothing was found{}", not_looked_at(some)),
    }
}

/// Kinds that are named one by one; of more only the number is told.
const NAMED_MAX: usize = 3;

/// The end of a sentence that says what could not be looked at.
fn not_looked_at(unmeasured: &[String]) -> String {
    let named = unmeasured.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    match unmeasured.len() {
        0 => String::new(),
        number if number > NAMED_MAX => format!("; not looked at: {named} and {} more", number - NAMED_MAX),
        _ => format!("; not looked at: {named}"),
    }
}

/// What could not be looked at, with the reason.
fn unmeasured(estate: &Estate) -> Vec<String> {
    let commitments = match &estate.on_demand {
        Some(Observed::Missing(why)) => Some(format!("commitments of the account ({why})")),
        Some(Observed::Known(OnDemand { plan: Observed::Missing(why), .. })) => {
            Some(format!("a Savings Plan for the account ({why})"))
        }
        _ => None,
    };
    estate.unread.iter().map(|(kind, why)| format!("every {kind} ({why})")).chain(commitments).collect()
}

/// An earlier change as the planner looks at it; what never happened does not count.
fn past(entry: &Entry) -> Option<Past> {
    (entry.state != EntryState::NotApplied).then(|| Past {
        execution: entry.execution.clone(),
        kind: entry.change.action.kind(),
        resource: entry.change.resource.clone(),
        stands: entry.state.is_open() || entry.state == EntryState::Kept,
        verdict: entry.outcome.as_ref().map(|outcome| outcome.verdict),
        at: entry.applied_at.unwrap_or(entry.intended_at),
    })
}

/// That the account's cost has grown by more than people want to hear of, week over week.
fn growth(bill: &BillAnalysis) -> Option<Finding> {
    let week = bill.week.as_ref().filter(|week| week.is_steep)?;
    let drivers = week.drivers.iter().map(|driver| driver.usage_type.as_str()).collect::<Vec<_>>().join(", ");
    Some(Finding {
        rule: RuleId::from("cost_growth"),
        resource: ResourceId::from("account"),
        member: None,
        severity: Severity::Medium,
        confidence: 1.0,
        summary: format!(
            "the account's bill went from {} to {} USD, week over week; most of it comes from {drivers}",
            week.before, week.last
        ),
        evidence: Vec::new(),
    })
}

fn finding(opportunity: &Opportunity) -> Finding {
    let saving = match opportunity.saving.known() {
        Some(saving) => format!("; saves about {} USD a month", saving.likely),
        None => "; its price is not known, so no saving is claimed".to_owned(),
    };
    Finding {
        rule: opportunity.rule.clone(),
        resource: opportunity.resource.clone(),
        member: None,
        severity: Severity::Low,
        confidence: opportunity.confidence,
        summary: format!("{}{saving}", opportunity.summary),
        evidence: opportunity.evidence.clone(),
    }
}
