//! Lambda: tells people and other agents.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::escalate::{World, escalate};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (executions, journal) = (start.executions()?, start.journal()?);
    let (artifacts, notifier) = (start.artifacts()?, start.notifier()?);
    serve("lifecycle-escalate", async |call: Call<Run>| {
        let world = World { executions: &executions, journal: &journal, artifacts: &artifacts, notifier: &notifier };
        escalate(call.input, &world).await
    })
    .await
}
