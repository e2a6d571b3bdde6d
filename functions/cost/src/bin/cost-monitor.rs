//! Lambda: whether users have suffered from a phase. Reads the application only.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_cost::monitor::{Request, World, monitor};
use steps::observe;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, places, leases) = (start.settings()?, start.places()?, start.leases()?);
    let (artifacts, executions, journal) = (start.artifacts()?, start.executions()?, start.journal()?);
    serve("cost-monitor", async |call: Call<Request>| {
        let app = settings.app(&call.input.run.app).await?;
        let run = &call.input.run;
        let at = places.to_read(run.place.as_ref(), run.execution_id.as_str()).await?;
        let (inventory, telemetry) = (at.inventory(), at.telemetry());
        let see = observe::World { clock: &start.clock, inventory: &inventory, telemetry: &telemetry };
        let world = World { see, leases: &leases, artifacts: &artifacts, executions: &executions, journal: &journal };
        monitor(call.input, &app, &world).await
    })
    .await
}
