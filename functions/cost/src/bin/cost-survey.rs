//! Lambda: tells people what was found in all other places. Calls no application.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_cost::survey::{Request, World, tell};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (executions, artifacts, notifier) = (start.executions()?, start.artifacts()?, start.notifier()?);
    serve("cost-survey", async |call: Call<Request>| {
        tell(&call.input, &World { executions: &executions, artifacts: &artifacts, notifier: &notifier }).await
    })
    .await
}
