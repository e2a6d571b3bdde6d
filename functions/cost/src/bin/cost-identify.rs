//! Lambda: what could be saved and what this phase does. Calls no application.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_cost::identify::{World, identify};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let settings = start.settings()?;
    let (artifacts, executions, journal) = (start.artifacts()?, start.executions()?, start.journal()?);
    let (savings_book, notifier) = (start.savings_book()?, start.notifier()?);
    serve("cost-identify", async |call: Call<Run>| {
        let app = settings.app(&call.input.app).await?;
        let world = World {
            clock: &start.clock,
            artifacts: &artifacts,
            executions: &executions,
            journal: &journal,
            savings_book: &savings_book,
            notifier: &notifier,
        };
        identify(call.input, &app, &world).await
    })
    .await
}
