//! Lambda: the page and the dashboard widget on which people answer.

use aws::start::Start;
use engine::runtime::{Call, serve as run};
use maintainer_lifecycle::page::{World, serve};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load().await?;
    let (approvals, waker, key) = (start.approvals()?, start.waker(), start.signing_key()?);
    let (runs, executions) = (start.runs()?, start.executions()?);
    run("lifecycle-page", async |call: Call<Value>| {
        let world = World {
            clock: &start.clock,
            approvals: &approvals,
            waker: &waker,
            key: &key,
            runs: &runs,
            executions: &executions,
            function_arn: &call.function_arn,
        };
        serve(call.input, &world).await
    })
    .await
}
