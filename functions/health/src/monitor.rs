//! monitor: the snapshot of this iteration; that of the first is the baseline, recorded before anything changes.

use config::ResolvedApp;
use domain::price::sold;
use engine::documents;
use engine::ports::{Artifacts, Leases, Prices};
use engine::run::{Decision, Run};
use engine::step::StepError;
use steps::observe::{self, observe};
use steps::records::keep_lease;

/// What monitor needs of the world.
pub struct World<'a> {
    /// The application.
    pub see: observe::World<'a>,
    /// Prices, so that the plan knows what it costs.
    pub prices: &'a dyn Prices,
    /// Leases.
    pub leases: &'a dyn Leases,
    /// Snapshots.
    pub artifacts: &'a dyn Artifacts,
}

/// Measures the application.
///
/// # Errors
/// When the lease is lost, or a port fails.
pub async fn monitor(mut run: Run, app: &ResolvedApp, world: &World<'_>) -> Result<Run, StepError> {
    keep_lease(&mut run, world.leases, world.see.clock).await?;
    let mut snapshot = observe(app, run.place.as_ref(), &world.see).await?;
    snapshot.prices = world.prices.read(&sold(&snapshot.resources)).await;
    documents::put(world.artifacts, &run.key("snapshot"), &snapshot).await?;
    tracing::info!(
        resources = snapshot.resources.len(),
        signals = snapshot.measurements.len(),
        known_pct = snapshot.completeness() * 100.0,
        "measured"
    );
    run.decision = Decision::Measured;
    Ok(run)
}
