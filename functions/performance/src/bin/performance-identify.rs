//! Lambda: what is slow for want of an index, and which one is built next. Asks the planner of the database, changes nothing.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_performance::identify::{World, identify};
use postgres::Databases;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, secrets) = (start.settings()?, start.secrets());
    let (artifacts, executions, journal) = (start.artifacts()?, start.executions()?, start.journal()?);
    serve("performance-identify", async |call: Call<Run>| {
        let app = settings.app(&call.input.app).await?;
        let databases = Databases::new(&app.databases, &secrets, &start.clock);
        let world = World {
            clock: &start.clock,
            databases: &databases,
            artifacts: &artifacts,
            executions: &executions,
            journal: &journal,
        };
        identify(call.input, &app, &world).await
    })
    .await
}
