//! What earlier changes have saved: as they were identified, as they stand, and as the bill shows it by now.

use crate::analyze::Read;
use domain::cost::Opportunity;
use domain::cost::money::UsdMicros;
use domain::cost::savings::{Made, Reading, Savings, savings};
use domain::execution::Cycle;
use domain::resource::APP_TAG;
use engine::ports::{Entry, EntryState, PortResult, SavingsBook};
use engine::run::Run;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// Days for which a change is looked at: the bill of thirty days then still has five whole ones before it.
const LOOK_BACK_DAYS: i64 = 24;
/// Millionths of a dollar in a cent.
const MICROS_A_CENT: i64 = 10_000;

/// Looks at the bill for what the journal's changes have saved, and notes it.
///
/// # Errors
/// When the note can't be taken.
pub(crate) async fn note(
    run: &Run,
    journal: &[Entry],
    read: &Read,
    opportunities: &[Opportunity],
    now: Timestamp,
    savings_book: &dyn SavingsBook,
) -> PortResult<Savings> {
    let from = now.checked_sub(SignedDuration::from_hours(24 * LOOK_BACK_DAYS)).unwrap_or(Timestamp::MIN);
    let made: Vec<Made> = journal.iter().filter(|entry| entry.intended_at >= from).filter_map(made).collect();
    let reading = Reading {
        app: &run.app,
        region_prefix: &read.region_prefix,
        traffic: &read.traffic,
        today: Offset::UTC.to_datetime(now).date(),
    };
    let told = savings(&made, opportunities, &read.bill, &read.prices, &reading);
    for saving in &told.changes {
        savings_book.note(&run.app, saving, now).await?;
    }
    tracing::info!(
        identified = %told.sums.identified,
        applied = %told.sums.applied,
        verified = %told.sums.verified,
        "savings in USD a month"
    );
    Ok(told)
}

/// A change of this cycle that has happened, whether it stands or was taken back.
fn made(entry: &Entry) -> Option<Made> {
    let day = |at: Timestamp| Offset::UTC.to_datetime(at).date();
    let until = match entry.state {
        EntryState::Applied | EntryState::Kept => None,
        EntryState::Undone | EntryState::Superseded => Some(day(entry.settled_at?)),
        EntryState::Intended | EntryState::NotApplied | EntryState::UndoIntended => return None,
    };
    (entry.workflow.cycle() == Cycle::Cost).then_some(())?;
    let cents = -entry.change.cost_usd_cents_month.unwrap_or_default();
    Some(Made {
        execution: entry.execution.clone(),
        iteration: entry.iteration,
        id: entry.id().clone(),
        resource: entry.change.resource.clone(),
        action: entry.change.action.clone(),
        prior: entry.prior.live.clone(),
        expected: UsdMicros(cents.saturating_mul(MICROS_A_CENT)),
        on: day(entry.applied_at?),
        until,
        is_tagged: entry.prior.tags.get(APP_TAG).is_some_and(|app| app == entry.app.as_str()),
    })
}
