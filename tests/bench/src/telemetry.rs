//! monitor reads ten thousand metrics from a CloudWatch that enforces its limits: calls, time on the clock against the
//! least that the limits allow, CPU of its own, money.

use crate::cloudwatch::{Asked, CALLS_PER_S, CloudWatch, DATAPOINTS_PER_S};
use crate::estate;
use crate::http::service;
use crate::prices::METRIC_REQUESTED_USD;
use crate::report::{Failure, figure, say};
use async_trait::async_trait;
use aws::{Clients, SystemClock, Telemetry};
use aws_sdk_sfn::config::Credentials;
use config::{ResolvedApp, Selector};
use domain::ids::AppId;
use domain::resource::Resource;
use engine::ports::{Alarms as _, Clock, Discovery, Inventory, MetricQuery, PortResult, Telemetry as _};
use health::observe::{World, observe};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

const METRICS: usize = 10_000;
/// Queries that one call takes.
const QUERIES_PER_CALL: usize = 500;
/// Datapoints of the short reading: the observed window.
const WINDOW_MIN: i64 = 5;

/// An inventory that always finds the same.
struct Known(Vec<Resource>);

#[async_trait]
impl Inventory for Known {
    async fn discover(&self, _: &Selector) -> PortResult<Discovery> {
        Ok(Discovery { resources: self.0.clone(), undiscovered: Vec::new() })
    }

    async fn tagged_apps(&self) -> PortResult<Vec<AppId>> {
        Ok(Vec::new())
    }

    async fn alarm_tags(&self, _: &str) -> PortResult<BTreeMap<String, String>> {
        Ok(BTreeMap::new())
    }
}

/// What one reading took and brought.
#[derive(Clone, Copy, Debug, Default)]
struct Took {
    wall_s: f64,
    cpu_s: f64,
    known_pct: f64,
}

/// A reading that is measured.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// The snapshot that monitor takes; else the observed window alone.
    is_snapshot: bool,
    /// What others in the account leave of the limits.
    share: f64,
}

const CASES: [Case; 3] = [
    Case { name: "window of five minutes", is_snapshot: false, share: 1.0 },
    Case { name: "snapshot of monitor", is_snapshot: true, share: 1.0 },
    Case { name: "snapshot of monitor while others take half of the limits", is_snapshot: true, share: 0.5 },
];

/// Measures each reading.
///
/// # Errors
/// When the service can't be started or the reading fails.
pub fn measure() -> Result<(), Failure> {
    for case in CASES {
        let clock = SystemClock::new(None, None).map_err(|error| error.to_string())?;
        let cloudwatch = CloudWatch::new(case.share, move || clock.now());
        let answering = cloudwatch.clone();
        let address = service(move |request| answering.answer(request))?;
        // On the main thread, as in a function: the heaps of other threads grow and shrink by calls of the kernel. The service
        // answers on threads of its own, so its work is not counted.
        let took = read(address, case.is_snapshot)?;
        tell(case, took, cloudwatch.asked())?;
    }
    Ok(())
}

fn tell(case: Case, took: Took, asked: Asked) -> Result<(), Failure> {
    let reading = case.name;
    let least_calls = METRICS.div_ceil(QUERIES_PER_CALL) as u64;
    // What a metric has of datapoints, for all metrics: refused ones had to be asked for too.
    let datapoints = asked.datapoints as f64 / asked.metrics.max(1) as f64 * METRICS as f64;
    let least_s = (datapoints / DATAPOINTS_PER_S).max(least_calls as f64 / CALLS_PER_S) / case.share;
    let Took { wall_s, cpu_s, known_pct } = took;
    // Of the metrics that were answered: a refused one costs nearly nothing and brings nothing.
    let cpu_us = cpu_s * 1e6 / asked.metrics.max(1) as f64;
    let point_ns = cpu_s * 1e9 / asked.datapoints.max(1) as f64;
    let usd = asked.metrics as f64 * METRIC_REQUESTED_USD;
    say(&format!(
        "{reading}: {} calls ({} refused), {wall_s:.2} s of at least {least_s:.2} s, {cpu_us:.1} µs CPU a metric \
         ({point_ns:.0} ns a datapoint), {known_pct:.1} % known, USD {usd:.3}",
        asked.calls, asked.throttled
    ));
    if asked.old_windows > 0 {
        say(&format!(
            "  {} calls started more than three hours ago, where the service allows half the datapoints",
            asked.old_windows
        ));
    }
    let about = json!({"metrics": METRICS, "reading": reading, "datapoints": datapoints});
    let with = |more: serde_json::Value| {
        let mut context = about.clone();
        if let (Some(context), Some(more)) = (context.as_object_mut(), more.as_object()) {
            context.extend(more.clone());
        }
        context
    };
    let context = with(
        json!({"aim": least_calls, "refused": asked.throttled, "other_calls": asked.others, "known_pct": known_pct}),
    );
    figure("get_metric_data_calls", asked.calls as f64, "calls", context)?;
    figure("telemetry_cpu_per_metric", cpu_us, "µs", with(json!({"aim": 10, "ns_per_datapoint": point_ns.round()})))?;
    let context = with(
        json!({"least_s": least_s, "aim": 1.2, "ratio": wall_s / least_s, "known_pct": known_pct, "old_windows": asked.old_windows}),
    );
    figure("telemetry_wall", wall_s, "s", context)?;
    figure("telemetry_cost", usd, "USD", with(json!({"per_1000_metrics": METRIC_REQUESTED_USD * 1000.0})))
}

fn read(address: SocketAddr, is_snapshot: bool) -> Result<Took, Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let clock = SystemClock::new(None, None).map_err(|error| error.to_string())?;
        let credentials = Credentials::new("test", "test", None, None, "bench");
        let settings = aws::environment::at("us-east-1", credentials).endpoint_url(format!("http://{address}"));
        let clients = Clients::load_from(settings);
        // What every process pays once (the HTTPS client, the endpoint rules) is part of its start, not of a metric.
        warm_up(&clients, &clock).await;
        let telemetry = Arc::new(Telemetry::new(&clients, clock));
        let app = estate::app()?;
        let inventory = Known(estate::resources(METRICS));
        let (began, cpu_s) = (Instant::now(), thread_cpu_s()?);
        let known_pct = if is_snapshot {
            snapshot(&app, &clock, &inventory, &telemetry).await?
        } else {
            window(&clock, &inventory.0, &telemetry).await
        };
        Ok(Took { wall_s: began.elapsed().as_secs_f64(), cpu_s: thread_cpu_s()? - cpu_s, known_pct })
    })
}

async fn warm_up(clients: &Clients, clock: &SystemClock) {
    let telemetry = Telemetry::new(clients, *clock);
    // Counted by nobody: without a query there is no call.
    telemetry.alarms(&AppId::from("bench"), &[]).await.ok();
    telemetry.read(&[], clock.now(), clock.now(), 60).await;
}

async fn snapshot(
    app: &ResolvedApp,
    clock: &SystemClock,
    inventory: &Known,
    telemetry: &Telemetry,
) -> Result<f64, Failure> {
    let world = World { clock, inventory, telemetry };
    let snapshot = observe(app, None, &world).await.map_err(|error| error.to_string())?;
    Ok(100.0 * snapshot.completeness())
}

async fn window(clock: &SystemClock, resources: &[Resource], telemetry: &Telemetry) -> f64 {
    let queries: Vec<MetricQuery> = domain::reading::readings(resources)
        .into_iter()
        .map(|reading| {
            let (namespace, metric, stat) = reading.source();
            MetricQuery {
                namespace: namespace.to_owned(),
                metric: metric.to_owned(),
                stat: stat.to_owned(),
                scale: reading.spec.scale,
                target: reading.target.clone(),
            }
        })
        .collect();
    let seconds = clock.now().as_second();
    let to = Timestamp::from_second(seconds - seconds.rem_euclid(60)).unwrap_or(Timestamp::MIN);
    let answers = telemetry.read(&queries, to - SignedDuration::from_mins(WINDOW_MIN), to, 60).await;
    let known = answers.iter().filter(|answer| answer.known().is_some()).count();
    100.0 * known as f64 / answers.len().max(1) as f64
}

/// CPU time of this thread, as the kernel's scheduler counts it.
fn thread_cpu_s() -> Result<f64, Failure> {
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let ns = text.split(' ').next().and_then(|ns| ns.parse::<f64>().ok());
    ns.map(|ns| ns / 1e9).ok_or_else(|| format!("{path} is not understood"))
}
