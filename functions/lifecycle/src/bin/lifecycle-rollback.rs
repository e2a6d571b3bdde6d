//! Lambda: begins a rollback that a person orders.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::rollback::{Request, World, rollback};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, leases) = (start.settings()?, start.leases()?);
    let (executions, journal) = (start.executions()?, start.journal()?);
    let (liveness, artifacts) = (start.liveness(), start.artifacts()?);
    serve("lifecycle-rollback", async |call: Call<Request>| {
        let config = settings.current().await?;
        let world = World {
            clock: &start.clock,
            leases: &leases,
            liveness: &liveness,
            executions: &executions,
            journal: &journal,
            artifacts: &artifacts,
        };
        rollback(call.input, &config, &world).await
    })
    .await
}
