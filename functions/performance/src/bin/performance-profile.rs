//! Lambda: what the databases and caches do while users work, and what pages load. Reads only.

use aws::start::Start;
use caches::Caches;
use engine::runtime::{Call, serve};
use maintainer_performance::profile::{Request, World, profile};
use postgres::Databases;
use steps::observe;
use web::Web;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, places, leases) = (start.settings()?, start.places()?, start.leases()?);
    let (artifacts, secrets) = (start.artifacts()?, start.secrets());
    let web = Web::new()?;
    serve("performance-profile", async |call: Call<Request>| {
        let app = settings.app(&call.input.run.app).await?;
        let run = &call.input.run;
        let at = places.to_read(run.place.as_ref(), run.execution_id.as_str()).await?;
        let (inventory, telemetry) = (at.inventory(), at.telemetry());
        let see = observe::World { clock: &start.clock, inventory: &inventory, telemetry: &telemetry };
        let databases = Databases::new(&app.databases, &secrets, &start.clock);
        let caches = Caches::new(&app.caches, &secrets, &start.clock);
        let world =
            World { see, databases: &databases, caches: &caches, pages: &web, leases: &leases, artifacts: &artifacts };
        profile(call.input, &app, &world).await
    })
    .await
}
