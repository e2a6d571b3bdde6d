//! Lambda: the only one of the performance cycle that writes to databases.

use aws::start::Start;
use engine::runtime::{Call, serve};
use postgres::Actuator;
use steps::act::{Request, World, act};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let (settings, places) = (start.settings()?, start.places()?);
    let (journal, leases) = (start.journal()?, start.leases()?);
    let (switch, approvals) = (start.switch()?, start.approvals()?);
    let (calendars, circuit) = (start.calendars(), start.circuit()?);
    let (artifacts, executions, secrets) = (start.artifacts()?, start.executions()?, start.secrets());
    serve("performance-apply", async |call: Call<Request>| {
        let app = settings.app(&call.input.run.app).await?;
        let run = &call.input.run;
        let at = places.to_change(run.place.as_ref(), run.execution_id.as_str()).await?;
        let (actuator, alarms) = (Actuator::new(&app.databases, &secrets, call.left_s), at.telemetry());
        let world = World {
            clock: &start.clock,
            speed: start.clock.speed(),
            left_s: call.left_s,
            actuator: &actuator,
            journal: &journal,
            leases: &leases,
            switch: &switch,
            approvals: &approvals,
            calendars: &calendars,
            circuit: &circuit,
            artifacts: &artifacts,
            executions: &executions,
            alarms: &alarms,
        };
        act(call.input, &app, &world).await
    })
    .await
}
