//! Lambda: whether an index has helped the statements that it was built for. Reads only.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_performance::validate::{Request, World, validate};
use postgres::Databases;
use steps::observe;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, places, leases) = (start.settings()?, start.places()?, start.leases()?);
    let (artifacts, executions, journal) = (start.artifacts()?, start.executions()?, start.journal()?);
    let secrets = start.secrets();
    serve("performance-validate", async |call: Call<Request>| {
        let app = settings.app(&call.input.run.app).await?;
        let run = &call.input.run;
        let at = places.to_read(run.place.as_ref(), run.execution_id.as_str()).await?;
        let (inventory, telemetry) = (at.inventory(), at.telemetry());
        let world = World {
            see: observe::World { clock: &start.clock, inventory: &inventory, telemetry: &telemetry },
            databases: &Databases::new(&app.databases, &secrets, &start.clock),
            leases: &leases,
            artifacts: &artifacts,
            executions: &executions,
            journal: &journal,
        };
        validate(call.input, &app, &world).await
    })
    .await
}
