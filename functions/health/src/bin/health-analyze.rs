//! Lambda: what the snapshot means and what is to be done. Calls no application.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_health::analyze::{World, analyze};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let settings = start.settings()?;
    let (artifacts, executions, journal) = (start.artifacts()?, start.executions()?, start.journal()?);
    serve("health-analyze", async |call: Call<Run>| {
        let app = settings.app(&call.input.app).await?;
        let world = World { clock: &start.clock, artifacts: &artifacts, executions: &executions, journal: &journal };
        analyze(call.input, &app, &world).await
    })
    .await
}
