//! Lambda: the lease on the application and the record of the run.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::begin::{World, begin};
use maintainer_lifecycle::resolve::Start as Request;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, leases) = (start.settings()?, start.leases()?);
    let (executions, journal) = (start.executions()?, start.journal()?);
    let (liveness, circuit, approvals) = (start.liveness(), start.circuit()?, start.approvals()?);
    serve("lifecycle-begin", async |call: Call<Request>| {
        let config = settings.current().await?;
        let world = World {
            clock: &start.clock,
            leases: &leases,
            liveness: &liveness,
            executions: &executions,
            journal: &journal,
            circuit: &circuit,
            approvals: &approvals,
        };
        begin(call.input, &config, &world).await
    })
    .await
}
