//! Lambda: takes what a person said, or their silence, and goes on with the run.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::answer::{Input, World, answer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, approvals) = (start.settings()?, start.approvals()?);
    let (executions, leases) = (start.executions()?, start.leases()?);
    serve("lifecycle-answer", async |call: Call<Input>| {
        let app = settings.app(&call.input.run.app).await?;
        let world = World { clock: &start.clock, approvals: &approvals, executions: &executions, leases: &leases };
        answer(call.input, app.approval.use_within_s, &world).await
    })
    .await
}
