//! The maintainer's side, in a process of its own so that its CPU time and its memory are its own: everything that is paid for,
//! its histories, and what the rules find in them.

use crate::report::{Failure, say};
use aws::{Clients, Estates, SystemClock, Telemetry};
use aws_sdk_sfn::config::Credentials;
use config::Selector;
use domain::cost::policy::Policy;
use domain::cost::prices::{PriceBook, PriceSource, Sold, UnitPrice};
use domain::cost::{Estate, rules};
use domain::ids::AppId;
use domain::observed::Observed;
use domain::resource::Live;
use engine::ports::{Clock, Estates as _, Scope};
use jiff::SignedDuration;
use maintainer_cost::history;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write as _;

/// Argument that makes the benchmark this process.
pub const ARGUMENT: &str = "read-account";

/// What the process has found and taken.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Took {
    /// Resources.
    pub items: usize,
    /// Histories that are known.
    pub histories: usize,
    /// Histories that are missing.
    pub missing: usize,
    /// Findings by rule.
    pub found: BTreeMap<String, usize>,
    /// CPU time of the process in seconds.
    pub cpu_s: f64,
    /// The most memory it had, in MB.
    pub peak_mb: f64,
}

/// Reads the account at this endpoint and says on stdout what it took.
///
/// # Errors
/// When it can't be read.
pub fn run(endpoint: &str) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let mut took = runtime.block_on(read(endpoint))?;
    (took.cpu_s, took.peak_mb) = (process_cpu_s()?, peak_mb()?);
    let line = serde_json::to_string(&took).map_err(|error| error.to_string())?;
    writeln!(std::io::stdout(), "{line}").map_err(|error| format!("stdout: {error}"))
}

async fn read(endpoint: &str) -> Result<Took, Failure> {
    let clock = SystemClock::new(None, None).map_err(|error| error.to_string())?;
    let credentials = Credentials::new("test", "test", None, None, "bench");
    let settings = aws::environment::at("us-east-1", credentials).endpoint_url(endpoint);
    let clients = Clients::load_from(settings);
    let tags = [("maintainer:app".to_owned(), "shop".to_owned())].into_iter().collect();
    let scope = Scope::App(Selector { tags, ..Selector::default() });
    let found =
        Estates::new(&clients, clock, "aws", "000000000000").survey(&scope).await.map_err(|error| error.to_string())?;
    if !found.unread.is_empty() {
        say(&format!("not read: {:?}", found.unread));
    }
    say(&format!("survey: {:.0} MB so far", peak_mb()?));
    let (taken_at, app) = (clock.now(), AppId::from("shop"));
    let mut estate =
        Estate { app, taken_at, items: found.items, unread: found.unread, usage: Vec::new(), on_demand: None };
    // The maintainer remembers since when something was unused; a first look finds nothing unused for two weeks.
    for item in &mut estate.items {
        if matches!(&item.resource.live, Live::Volume(volume) if volume.attached_to.is_empty()) {
            item.unused_since = taken_at.checked_sub(SignedDuration::from_hours(24 * 30)).ok();
        }
    }
    let (policy, telemetry) = (Policy::default(), Telemetry::new(&clients, clock));
    estate.usage = history::read(&estate, &policy, &telemetry, &clock).await;
    let mut took = Took { items: estate.items.len(), ..Took::default() };
    took.histories = estate.usage.iter().filter(|usage| usage.profile.known().is_some()).count();
    let reasons = estate.usage.iter().filter_map(|usage| match &usage.profile {
        Observed::Missing(why) => Some(why.to_string()),
        Observed::Known(_) => None,
    });
    if let Some(why) = reasons.max() {
        say(&format!("missing, for example: {why}"));
    }
    took.missing = estate.usage.len() - took.histories;
    for opportunity in rules::find(&estate, &policy, &prices()) {
        *took.found.entry(opportunity.rule.as_str().to_owned()).or_default() += 1;
    }
    Ok(took)
}

fn prices() -> PriceBook {
    let listed = [
        (Sold::VolumeGib("gp3".to_owned()), 80_000.0),
        (Sold::InstanceHour("m5.xlarge".to_owned()), 192_000.0),
        (Sold::InstanceHour("m5.large".to_owned()), 96_000.0),
    ];
    let price = |usd_micros| Observed::Known(UnitPrice { usd_micros, from: PriceSource::List });
    PriceBook { units: listed.into_iter().map(|(sold, usd_micros)| (sold, price(usd_micros))).collect() }
}

/// CPU time of all threads of this process, user and system. Linux counts it in hundredths of a second.
fn process_cpu_s() -> Result<f64, Failure> {
    let path = "/proc/self/stat";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    // The name in brackets may hold anything; the twelfth and thirteenth field behind it are the times.
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = fields.filter_map(|field| field.parse().ok()).collect();
    match ticks[..] {
        [user, system] => Ok((user + system) / 100.0),
        _ => Err(format!("{path} is not understood")),
    }
}

fn peak_mb() -> Result<f64, Failure> {
    let path = "/proc/self/status";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kb = line.and_then(|line| line.split_whitespace().next()).and_then(|kb| kb.parse::<f64>().ok());
    kb.map(|kb| kb / 1_000.0).ok_or_else(|| format!("{path} is not understood"))
}
