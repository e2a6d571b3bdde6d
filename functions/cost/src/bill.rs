//! The bill of the day: read once for the whole account, because AWS charges for every look.

use crate::analyze::World;
use domain::cost::bill::Bill;
use domain::observed::{Missing, Observed};
use engine::documents;
use engine::ports::{LeaseAnswer, PortError};
use engine::run::Run;
use engine::step::StepError;
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::Offset;

/// Days that are read.
const DAYS: i64 = 30;
/// Seconds for which whoever reads the bill keeps others from doing so.
const READING_S: u32 = 120;

/// The bill of the last 30 days, from the document of the day or from AWS; missing with its reason where AWS does not give it.
///
/// # Errors
/// [`StepError::Transient`] while another run reads it; what the stores say.
pub(crate) async fn read(run: &Run, world: &World<'_>) -> Result<Observed<Bill>, StepError> {
    let now = world.see.clock.now();
    let today = Offset::UTC.to_datetime(now).date();
    let key = format!("bills/{today}.json");
    if let Some(bill) = documents::get::<Bill>(world.artifacts, &key).await? {
        return Ok(Observed::Known(Bill { calls: 0, ..bill }));
    }
    let lease = format!("bill#{today}");
    if let LeaseAnswer::Busy(other) = world.leases.acquire(&lease, &run.execution_id, now, READING_S).await? {
        return Err(StepError::Transient(format!("{} is reading the bill of {today}", other.holder)));
    }
    let read = world.billing.read(from(today), tomorrow(today)).await;
    if let Ok(bill) = &read {
        documents::put(world.artifacts, &key, bill).await?;
    }
    world.leases.release(&lease, &run.execution_id).await?;
    Ok(match read {
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
    })
}

fn from(today: Date) -> Date {
    today.checked_sub(DAYS.days()).unwrap_or(Date::MIN)
}

/// Cost Explorer's end is the day after the last one.
fn tomorrow(today: Date) -> Date {
    today.checked_add(1.day()).unwrap_or(Date::MAX)
}
