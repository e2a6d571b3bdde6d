//! Lambda: asks people for their consent.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::ask::{Input, World, ask};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, page_url) = (start.settings()?, start.page_url()?);
    let (artifacts, approvals, signing_key) = (start.artifacts()?, start.approvals()?, start.signing_key()?);
    let (episodes, leases) = (start.episodes()?, start.leases()?);
    let executions = start.executions()?;
    let (starter, notifier) = (start.starter()?, start.notifier()?);
    serve("lifecycle-ask", async |call: Call<Input>| {
        let app = settings.app(&call.input.run.app).await?;
        let world = World {
            clock: &start.clock,
            executions: &executions,
            artifacts: &artifacts,
            approvals: &approvals,
            signing_key: &signing_key,
            page_url: &page_url,
            episodes: &episodes,
            leases: &leases,
            starter: &starter,
            notifier: &notifier,
        };
        ask(call.input, &app, &world).await
    })
    .await
}
