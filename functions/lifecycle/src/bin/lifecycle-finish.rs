//! Lambda: closes the record, reports, gives the lease back.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::finish::{World, finish};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (executions, journal, leases) = (start.executions()?, start.journal()?, start.leases()?);
    let (episodes, starter) = (start.episodes()?, start.starter()?);
    let (watch, notifier, approvals) = (start.watch()?, start.notifier()?, start.approvals()?);
    serve("lifecycle-finish", async |call: Call<Run>| {
        let world = World {
            clock: &start.clock,
            executions: &executions,
            approvals: &approvals,
            journal: &journal,
            leases: &leases,
            episodes: &episodes,
            starter: &starter,
            watch: &watch,
            notifier: &notifier,
        };
        finish(call.input, &world).await
    })
    .await
}
