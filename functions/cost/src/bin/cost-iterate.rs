//! Lambda: another phase, done, or a person must look.

use aws::start::Start;
use engine::run::Run;
use engine::runtime::{Call, serve};
use maintainer_cost::iterate::iterate;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let start = Start::load()?;
    let executions = start.executions()?;
    serve("cost-iterate", async |call: Call<Run>| iterate(call.input, &executions).await).await
}
