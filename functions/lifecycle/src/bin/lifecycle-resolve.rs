//! Lambda: which applications a run is for.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::resolve::{Request, World, resolve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, inventory) = (start.settings()?, start.inventory());
    let (watch, notifier, silence_s) = (start.watch()?, start.notifier()?, start.silence_s()?);
    serve("lifecycle-resolve", async |call: Call<Request>| {
        let config = settings.current().await?;
        let world = World { clock: &start.clock, inventory: &inventory, watch: &watch, notifier: &notifier, silence_s };
        resolve(call.input, &config, &world).await
    })
    .await
}
