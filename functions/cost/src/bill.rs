//! The bill of the day: read once for the whole account, because AWS charges for every look.

use crate::analyze::World;
use domain::cost::bill::Bill;
use domain::ids::ExecutionId;
use domain::observed::{Missing, Observed};
use engine::documents;
use engine::ports::{LeaseAnswer, PortError};
use engine::run::Run;
use engine::step::StepError;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// Days that are read.
const DAYS: i64 = 30;
/// Seconds for which whoever reads the bill keeps others from doing so.
const READING_S: u32 = 120;

/// The bill of a day as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    bill: Bill,
    /// The run that has read it, which tells people of it.
    read_by: ExecutionId,
}

/// The bill of the last 30 days, from the document of the day or from AWS; missing with its reason where AWS does not give it. Beside
/// it whether this run is the one that has read it.
///
/// # Errors
/// [`StepError::Transient`] while another run reads it; what the stores say.
pub(crate) async fn read(run: &Run, world: &World<'_>) -> Result<(Observed<Bill>, bool), StepError> {
    let now = world.see.clock.now();
    let today = Offset::UTC.to_datetime(now).date();
    let key = format!("bills/{today}.json");
    if let Some(Kept { bill, read_by }) = documents::get(world.artifacts, &key).await? {
        return Ok((Observed::Known(Bill { calls: 0, ..bill }), read_by == run.execution_id));
    }
    let lease = format!("bill#{today}");
    if let LeaseAnswer::Busy(other) = world.leases.acquire(&lease, &run.execution_id, now, READING_S).await? {
        return Err(StepError::Transient(format!("{} is reading the bill of {today}", other.holder)));
    }
    let read = world.billing.read(from(today), tomorrow(today)).await;
    let read = match read {
        Ok(bill) => {
            let kept = Kept { bill, read_by: run.execution_id.clone() };
            documents::put(world.artifacts, &key, &kept).await?;
            Ok(kept.bill)
        }
        Err(error) => Err(error),
    };
    world.leases.release(&lease, &run.execution_id).await?;
    let bill = match read {
        Ok(bill) => Observed::Known(bill),
        Err(error @ PortError::Throttled { .. }) => return Err(error.into()),
        Err(error) => {
            tracing::warn!("the bill could not be read, so prices are those of the list: {error}");
            Observed::Missing(match error {
                // The sentence says more than the permission alone.
                PortError::Denied { .. } => error.missing(),
                other => Missing::Failed(other.to_string()),
            })
        }
    };
    let is_ours = !bill.is_missing();
    Ok((bill, is_ours))
}

fn from(today: Date) -> Date {
    today.checked_sub(DAYS.days()).unwrap_or(Date::MIN)
}

/// Cost Explorer's end is the day after the last one.
fn tomorrow(today: Date) -> Date {
    today.checked_add(1.day()).unwrap_or(Date::MAX)
}
