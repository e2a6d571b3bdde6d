//! Lambda: the bill, everything that is paid for, and its use. Reads only.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_cost::analyze::{World, analyze};
use steps::observe;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, places, billing) = (start.settings()?, start.places()?, start.billing());
    let (leases, artifacts) = (start.leases()?, start.artifacts()?);
    serve("cost-analyze", async |call: Call<Run>| {
        let app = settings.app(&call.input.app).await?;
        let at = places.to_read(call.input.place.as_ref(), call.input.execution_id.as_str()).await?;
        let (inventory, telemetry) = (at.inventory(), at.telemetry());
        let (estates, prices) = (at.estates(), at.unit_prices());
        let see = observe::World { clock: &start.clock, inventory: &inventory, telemetry: &telemetry };
        let world = World {
            see,
            estates: &estates,
            billing: &billing,
            prices: &prices,
            leases: &leases,
            artifacts: &artifacts,
        };
        analyze(call.input, &app, &world).await
    })
    .await
}
