//! What an account of 10,000 volumes and 10,000 machines costs to read and judge: calls, CPU time, peak memory, money; next to
//! Cloud Custodian with the same two questions (which volumes are attached to nothing, which machines never have more than 30 %
//! CPU) to the same server in the same run.
//!
//! Both are processes of their own; the server's work is not counted. Custodian asks for one datapoint a machine, its default for
//! a metric over 30 days; the maintainer for 720, because it judges by percentiles and by hours of the week.

mod account;
pub mod reader;

use crate::cloudwatch::{Asked, CloudWatch};
use crate::http::service;
use crate::place::Place;
use crate::prices::{GB_SECOND_USD, METRIC_REQUESTED_USD};
use crate::report::{Failure, figure, say};
use account::{Account, IDLE_EACH, UNATTACHED_EACH};
use aws::SystemClock;
use engine::ports::Clock;
use reader::Took;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Volumes, and machines.
const EACH: usize = 10_000;
/// Memory of the function in GB, by the template.
const FUNCTION_GB: f64 = 0.25;
const CUSTODIAN: &str = ".tools/c7n/bin/python";
const POLICIES: &str = "tests/bench/custodian.yml";
const SCRIPT: &str = "tests/bench/custodian.py";

/// What Cloud Custodian has found and taken.
#[derive(Debug, Deserialize)]
struct Peer {
    cpu_s: f64,
    peak_mb: f64,
    found: BTreeMap<String, usize>,
}

/// Measures both.
///
/// # Errors
/// When the server or a process can't be started, or finds something else than there is.
pub fn measure(place: &Place) -> Result<(), Failure> {
    let clock = SystemClock::new(None, None).map_err(|error| error.to_string())?;
    let account = Account::new(EACH, CloudWatch::new(1.0, move || clock.now()));
    let answering = account.clone();
    let address = service(move |request| answering.answer(request))?;
    let endpoint = format!("http://{address}");
    let (ours, wall_s) = ours(&endpoint)?;
    let (calls, asked) = (account.take_calls(), account.asked());
    tell(&ours, wall_s, &calls, asked)?;
    if !place.root.join(CUSTODIAN).exists() {
        say("Cloud Custodian is not installed (scripts/setup bench does it), so nothing is compared");
        return Ok(());
    }
    let began = Instant::now();
    let peer = custodian(&place.root, &endpoint)?;
    compare(&ours, &peer, began.elapsed().as_secs_f64(), &account.take_calls())
}

fn ours(endpoint: &str) -> Result<(Took, f64), Failure> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let began = Instant::now();
    let output = Command::new(program).args([reader::ARGUMENT, endpoint]).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("the reader did not start: {error}"))?;
    let took: Took =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("the reader said nothing: {error}"))?;
    let expected = [("unattached_volume", EACH / UNATTACHED_EACH), ("oversized_machine", EACH / IDLE_EACH)];
    for (rule, count) in expected {
        let found = took.found.get(rule).copied().unwrap_or(0);
        if found != count {
            return Err(format!("{rule}: found {found}, there are {count}; {took:?}"));
        }
    }
    Ok((took, began.elapsed().as_secs_f64()))
}

fn tell(ours: &Took, wall_s: f64, calls: &BTreeMap<String, u64>, asked: Asked) -> Result<(), Failure> {
    let all: u64 = calls.values().sum();
    let usd = asked.metrics as f64 * METRIC_REQUESTED_USD + wall_s * FUNCTION_GB * GB_SECOND_USD;
    say(&format!(
        "{} resources, {} histories ({} missing): {all} calls, {wall_s:.0} s, {:.2} s CPU, at most {:.0} MB, USD {usd:.3}",
        ours.items, ours.histories, ours.missing, ours.cpu_s, ours.peak_mb
    ));
    say(&format!("  calls: {calls:?}"));
    let about = json!({"volumes": EACH, "machines": EACH, "histories": ours.histories, "missing": ours.missing, "by_operation": calls});
    figure("account_calls", all as f64, "calls", about)?;
    figure(
        "account_metrics",
        asked.metrics as f64,
        "metrics",
        json!({"datapoints": asked.datapoints, "refused_calls": asked.throttled}),
    )?;
    figure("account_cpu", ours.cpu_s, "s", json!({}))?;
    figure("account_peak_memory", ours.peak_mb, "MB", json!({"aim": 100}))?;
    figure("account_wall", wall_s, "s", json!({"datapoints_per_s": crate::cloudwatch::DATAPOINTS_PER_S_TODAY}))?;
    figure(
        "account_cost",
        usd,
        "USD",
        json!({"lambda_gb": FUNCTION_GB, "per_1000_metrics": METRIC_REQUESTED_USD * 1000.0}),
    )
}

fn custodian(root: &Path, endpoint: &str) -> Result<Peer, Failure> {
    let output = Command::new(root.join(CUSTODIAN))
        .args([SCRIPT, POLICIES])
        .current_dir(root)
        .env_clear()
        .envs([("AWS_ENDPOINT_URL", endpoint), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")])
        .envs([("AWS_DEFAULT_REGION", "us-east-1"), ("AWS_EC2_METADATA_DISABLED", "true")])
        .stderr(Stdio::null())
        .output()
        .map_err(|error| format!("Cloud Custodian did not start: {error}"))?;
    let last = output.stdout.trim_ascii().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(last).map_err(|error| format!("Cloud Custodian gave no result: {error}"))
}

fn compare(ours: &Took, peer: &Peer, wall_s: f64, calls: &BTreeMap<String, u64>) -> Result<(), Failure> {
    let all: u64 = calls.values().sum();
    say(&format!(
        "Cloud Custodian: {:?}, {all} calls, {wall_s:.0} s, {:.1} s CPU, at most {:.0} MB: {:.0} times the CPU, {:.1} times the memory",
        peer.found,
        peer.cpu_s,
        peer.peak_mb,
        peer.cpu_s / ours.cpu_s,
        peer.peak_mb / ours.peak_mb,
    ));
    for (policy, count) in [("unattached-volumes", EACH / UNATTACHED_EACH), ("idle-machines", EACH / IDLE_EACH)] {
        let found = peer.found.get(policy).copied().unwrap_or(0);
        if found != count {
            return Err(format!("Cloud Custodian: {policy} found {found}, there are {count}"));
        }
    }
    let about = json!({"cpu_s": peer.cpu_s, "calls": all, "by_operation": calls});
    figure("custodian_cpu_of_ours", peer.cpu_s / ours.cpu_s, "times", about)?;
    figure("custodian_memory_of_ours", peer.peak_mb / ours.peak_mb, "times", json!({"peak_mb": peer.peak_mb, "aim": 5}))
}
