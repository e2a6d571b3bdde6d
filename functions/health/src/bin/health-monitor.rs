//! Lambda: measures one application. Reads only.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_health::monitor::{World, monitor};
use maintainer_health::observe;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, places) = (start.settings()?, start.places()?);
    let (leases, artifacts) = (start.leases()?, start.artifacts()?);
    serve("health-monitor", async |call: Call<Run>| {
        let app = settings.app(&call.input.app).await?;
        let at = places.to_read(call.input.place.as_ref(), call.input.execution_id.as_str()).await?;
        let (inventory, telemetry, prices) = (at.inventory(), at.telemetry(), at.prices());
        let see = observe::World { clock: &start.clock, inventory: &inventory, telemetry: &telemetry };
        monitor(call.input, &app, &World { see, prices: &prices, leases: &leases, artifacts: &artifacts }).await
    })
    .await
}
