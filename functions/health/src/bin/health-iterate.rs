//! Lambda: go on, succeeded, or a person must look.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_health::iterate::{World, iterate};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, executions) = (start.settings()?, start.executions()?);
    serve("health-iterate", async |call: Call<Run>| {
        let app = settings.app(&call.input.app).await?;
        iterate(call.input, &app, &World { clock: &start.clock, executions: &executions }).await
    })
    .await
}
