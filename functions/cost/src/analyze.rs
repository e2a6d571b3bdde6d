//! analyze: the bill, everything that is paid for, its use over 30 days, its prices, and how users fare before anything changes.

use crate::bill;
use crate::history;
use crate::memory;
use crate::traffic;
use config::ResolvedApp;
use domain::cost::bill::Bill;
use domain::cost::on_demand::OnDemand;
use domain::cost::prices::{PriceBook, Sold};
use domain::cost::rest::{REST, is_rest};
use domain::cost::{Estate, wanted_prices};
use domain::mode::Mode;
use domain::observed::Observed;
use domain::resource::Resource;
use engine::documents;
use engine::ports::{Artifacts, Billing, Estates, Leases, Scope, UnitPrices};
use engine::run::{Decision, Run};
use engine::step::StepError;
use jiff::tz::Offset;
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
    /// This run has read the bill of the day: it is the one to tell people of it.
    pub is_bill_ours: bool,
    /// Prefix of the usage types on the bill of the place in which the application lives.
    pub region_prefix: String,
    /// Requests to the application by day, from the first day of the bill on; empty where they are not known.
    pub traffic: Vec<Option<f64>>,
}

/// Reads all that the next step decides upon.
///
/// # Errors
/// When the lease is lost, nothing can be found at all, or documents can't be kept. A bill, a history or a price that can't be read is
/// missing in what is written.
pub async fn analyze(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    // First, because it may take long, as only one run reads it, and is as old as its day whenever it is read: what is measured after it is
    // fresh when the plan is carried out.
    let (bill, is_bill_ours) = bill::read(&run, world).await?;
    let mut snapshot = observe(app, run.place.as_ref(), &world.see).await?;
    let scope = if is_rest(&run.app) { Scope::Rest } else { Scope::App(app.selector.clone()) };
    if is_rest(&run.app) {
        // Nobody has put it into the maintainer's care.
        run.mode = Some(Mode::Observe);
    }
    let found = world.estates.survey(&scope).await?;
    let mut estate = Estate {
        app: run.app.clone(),
        taken_at: snapshot.taken_at,
        items: found.items,
        unread: found.unread,
        usage: Vec::new(),
        on_demand: None,
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
    estate.usage = history::read(&estate, &app.cost, world.see.telemetry, world.see.clock).await;
    let traffic = match &bill {
        Observed::Known(bill) => traffic::by_day(&snapshot, bill.from, bill.to, world.see.telemetry).await,
        Observed::Missing(_) => Vec::new(),
    };
    let region_prefix = world.prices.usage_type_prefix();
    if run.app.as_str() == REST {
        // A reservation counts for all accounts of the bill, so it is looked for once: not by each application, nor in each place.
        let today = Offset::UTC.to_datetime(estate.taken_at).date();
        estate.on_demand = Some(match &bill {
            Observed::Known(bill) => OnDemand::of_bill(bill, &region_prefix, &app.cost, today),
            Observed::Missing(why) => Observed::Missing(why.clone()),
        });
    }
    let prices = prices(&estate, &bill, &region_prefix, world.prices).await;
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
    documents::put(
        world.artifacts,
        &run.key("estate"),
        &Read { estate, prices, bill, is_bill_ours, region_prefix, traffic },
    )
    .await?;
    run.decision = Decision::Measured;
    Ok(run)
}

/// Prices from the bill, and from the list what the bill does not know.
async fn prices(
    estate: &Estate,
    bill: &Observed<Bill>,
    region_prefix: &str,
    unit_prices: &dyn UnitPrices,
) -> PriceBook {
    let wanted: Vec<Sold> = wanted_prices(estate);
    let ours = bill.known().map_or_else(PriceBook::default, |bill| PriceBook::of_bill(bill, &wanted, region_prefix));
    let lacking: Vec<Sold> = wanted.into_iter().filter(|sold| ours.unit(sold).is_missing()).collect();
    if lacking.is_empty() { ours } else { ours.or(unit_prices.list(&lacking).await) }
}
