//! analyze: the bill, everything that is paid for, its use over 30 days, its prices, and how users fare before anything changes.

use crate::bill;
use crate::history;
use crate::memory;
use config::ResolvedApp;
use domain::cost::bill::Bill;
use domain::cost::prices::{PriceBook, Sold};
use domain::cost::{Estate, wanted_prices};
use domain::observed::Observed;
use domain::resource::Resource;
use engine::documents;
use engine::ports::{Artifacts, Billing, Estates, Leases, Scope, UnitPrices};
use engine::run::{Decision, Run};
use engine::step::StepError;
use serde::{Deserialize, Serialize};
use steps::observe::{self, observe};
use steps::records::keep_lease;

/// What analyze needs of the world.
pub struct World<'a> {
    /// The application, and metrics.
    pub see: observe::World<'a>,
    /// What is paid for.
    pub estates: &'a dyn Estates,
    /// The bill.
    pub billing: &'a dyn Billing,
    /// AWS's price list.
    pub prices: &'a dyn UnitPrices,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Documents.
    pub artifacts: &'a dyn Artifacts,
}

/// What analysis has read, the artifact `estate`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// What is paid for, with its use.
    pub estate: Estate,
    /// Unit prices.
    pub prices: PriceBook,
    /// The bill of the last 30 days, or why it could not be read: then list prices are all that is known.
    pub bill: Observed<Bill>,
}

/// Reads all that the next step decides upon.
///
/// # Errors
/// When the lease is lost, nothing can be found at all, or documents can't be kept. A bill, a history or a price that can't be read is
/// missing in what is written.
pub async fn analyze(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    let mut snapshot = observe(app, run.place.as_ref(), &world.see).await?;
    let found = world.estates.survey(&Scope::App(app.selector.clone())).await?;
    let mut estate = Estate {
        app: run.app.clone(),
        taken_at: snapshot.taken_at,
        items: found.items,
        unread: found.unread,
        usage: Vec::new(),
    };
    if let Some(place) = &run.place {
        for item in &mut estate.items {
            item.resource.id = place.qualified(&item.resource.id);
        }
    }
    for item in &mut estate.items {
        observe::as_configured(&mut item.resource, app);
    }
    memory::remember(&run, &mut estate, world.artifacts).await?;
    estate.usage = history::read(&estate, world.see.telemetry, world.see.clock).await;
    let bill = bill::read(&run, world).await?;
    let prices = prices(&estate, &bill, world.prices).await;
    // The guards compare what they change with the snapshot that the plan rests on.
    let known: Vec<Resource> = estate.items.iter().map(|item| item.resource.clone()).collect();
    snapshot.resources.retain(|resource| known.iter().all(|item| item.id != resource.id));
    snapshot.resources.extend(known);
    snapshot.undiscovered.extend(estate.unread.iter().cloned());
    tracing::info!(
        items = estate.items.len(),
        histories = estate.usage.len(),
        bill_is_known = !bill.is_missing(),
        "read what is paid for"
    );
    documents::put(world.artifacts, &run.key("snapshot"), &snapshot).await?;
    documents::put(world.artifacts, &run.key("estate"), &Read { estate, prices, bill }).await?;
    run.decision = Decision::Measured;
    Ok(run)
}

/// Prices from the bill, and from the list what the bill does not know.
async fn prices(estate: &Estate, bill: &Observed<Bill>, unit_prices: &dyn UnitPrices) -> PriceBook {
    let wanted: Vec<Sold> = wanted_prices(estate);
    let ours = bill
        .known()
        .map_or_else(PriceBook::default, |bill| PriceBook::of_bill(bill, &wanted, &unit_prices.usage_type_prefix()));
    let lacking: Vec<Sold> = wanted.into_iter().filter(|sold| ours.unit(sold).is_missing()).collect();
    if lacking.is_empty() { ours } else { ours.or(unit_prices.list(&lacking).await) }
}
