//! Lambda: go on, succeeded, or a person must look.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_performance::iterate::{World, iterate};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, executions, artifacts) = (start.settings()?, start.executions()?, start.artifacts()?);
    serve("performance-iterate", async |call: Call<Run>| {
        let app = settings.app(&call.input.app).await?;
        iterate(call.input, &app, &World { executions: &executions, artifacts: &artifacts }).await
    })
    .await
}
