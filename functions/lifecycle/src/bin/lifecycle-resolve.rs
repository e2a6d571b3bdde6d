//! Lambda: which applications a run is for.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::resolve::{Request, resolve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, inventory) = (start.settings()?, start.inventory());
    serve("lifecycle-resolve", async |call: Call<Request>| {
        let config = settings.current().await?;
        resolve(call.input, &config, &inventory).await
    })
    .await
}
