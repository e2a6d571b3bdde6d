//! Lambda: tells the whole story of a run.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::explain::{World, explain};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (executions, journal, artifacts) = (start.executions()?, start.journal()?, start.artifacts()?);
    serve("lifecycle-explain", async |call: Call<Value>| {
        explain(&call.input, &World { executions: &executions, journal: &journal, artifacts: &artifacts }).await
    })
    .await
}
