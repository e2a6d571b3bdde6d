//! `studio --state FILE --scenario FILE [--minutes N] [--topic ARN]`: lets the applications of a scenario live in a
//! running local cloud and prints a line for every minute. For looking around; `demo` plays whole scenarios.

use maintainer_tests::cloud::Cloud;
use maintainer_tests::scenario::{Scenario, load};
use maintainer_tests::studio::{Life, Minute};
use std::error::Error;
use std::io::Write;
use std::path::PathBuf;

const USAGE: &str = "usage: studio --state FILE --scenario FILE [--minutes N] [--topic ARN]";

struct Arguments {
    state: PathBuf,
    scenario: PathBuf,
    minutes: u32,
    topic: Option<String>,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut state, mut scenario, mut topic, mut minutes) = (None, None, None, u32::MAX);
    while let Some(word) = words.next() {
        let value = words.next().ok_or_else(|| format!("{word} needs a value; {USAGE}"))?;
        match word.as_str() {
            "--state" => state = Some(PathBuf::from(value)),
            "--scenario" => scenario = Some(PathBuf::from(value)),
            "--topic" => topic = Some(value),
            "--minutes" => minutes = value.parse().map_err(|_| format!("--minutes must be a number, not {value:?}"))?,
            _ => return Err(format!("{word} is not known; {USAGE}")),
        }
    }
    Ok(Arguments { state: state.ok_or(USAGE)?, scenario: scenario.ok_or(USAGE)?, minutes, topic })
}

fn line(app: &str, minute: &Minute) -> String {
    let sample = &minute.sample;
    let cpu = sample.servers.iter().map(|server| server.cpu_pct).sum::<f64>() / f64::from(sample.in_service.max(1));
    let memory =
        sample.servers.iter().map(|server| server.memory_pct).sum::<f64>() / f64::from(sample.in_service.max(1));
    format!(
        "{app:<12} {:>4} min  servers {:>2}/{:<2}  p95 {:>6.0} ms  errors {:>6.2} %  cpu {cpu:>3.0} %  memory {memory:>3.0} %  \
         cache {:>3.0} %  db {:>3.0} % {:>4.0} conn  tasks {}/{}  queue {:>6.0}",
        minute.minute,
        sample.in_service,
        sample.desired,
        sample.latency.p95_ms(),
        100.0 * (sample.errors_5xx + sample.lb_errors_5xx) / sample.requests.max(1.0),
        100.0 * sample.hits / (sample.hits + sample.misses).max(1.0),
        sample.database.cpu_pct,
        sample.database.connections,
        sample.service.running,
        sample.service.desired,
        sample.queue.depth,
    )
}

async fn live(cloud: &Cloud, scenario: &Scenario, arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let lives = scenario.apps.iter().map(|(app, setup)| async move {
        let mut life = Life::begin(cloud, app, setup, arguments.topic.as_deref()).await?;
        loop {
            let minute = life.minute(cloud).await?;
            writeln!(std::io::stdout().lock(), "{}", line(app, &minute))?;
            if minute.minute >= arguments.minutes {
                return Ok::<(), Box<dyn Error>>(());
            }
        }
    });
    futures::future::try_join_all(lives).await.map(drop)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments(std::env::args().skip(1))?;
    let cloud = Cloud::from_state_file(&arguments.state)?;
    let scenario = load(&arguments.scenario)?;
    live(&cloud, &scenario, &arguments).await
}
