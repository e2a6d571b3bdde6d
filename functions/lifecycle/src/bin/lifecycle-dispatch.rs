//! Lambda: alarm events in, at most one run per application and episode out.

use aws::start::Start;
use engine::runtime::{Call, serve};
use maintainer_lifecycle::dispatch::{World, dispatch};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, home) = (start.settings()?, start.home()?);
    let (inventory, places) = (start.inventory(), start.places()?);
    let (episodes, leases) = (start.episodes()?, start.leases()?);
    let (starter, performance_starter) = (start.starter()?, start.performance_starter()?);
    let dead_letters = start.dead_letters()?;
    serve("lifecycle-dispatch", async |call: Call<Value>| {
        let config = settings.current().await?;
        let world = World {
            clock: &start.clock,
            inventory: &inventory,
            places: &places,
            episodes: &episodes,
            leases: &leases,
            starter: &starter,
            performance_starter: &performance_starter,
            dead_letters: &dead_letters,
            home: home.clone(),
        };
        dispatch(&call.input, &config, &world).await
    })
    .await
}
