//! Lambda: the page and the dashboard widget on which people answer.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::page::{self, World};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (approvals, waker, signing_key) = (start.approvals()?, start.waker(), start.signing_key()?);
    let (runs, executions) = (start.runs()?, start.executions()?);
    serve("lifecycle-page", async |call: Call<Value>| {
        let world = World {
            clock: &start.clock,
            approvals: &approvals,
            waker: &waker,
            signing_key: &signing_key,
            runs: &runs,
            executions: &executions,
            function_arn: &call.function_arn,
        };
        page::respond(call.input, &world).await
    })
    .await
}
