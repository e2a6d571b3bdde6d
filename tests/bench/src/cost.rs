//! Cost of one run of each cycle, played in a local cloud with every AWS call, transition, log line and metric counted, priced by
//! list prices; and from that of the health cycle the cost of a month.

use crate::calls::{Count, Kind};
use crate::cloud::{Cloud, Logs, SPEED};
use crate::history::{self, History};
use crate::place::Place;
use crate::prices as price;
use crate::report::{Failure, figure, say};
use crate::template::Template;
use crate::tree::Tree;
use domain::execution::Cycle;
use serde_json::json;
use std::collections::BTreeMap;

/// A run that is measured.
#[derive(Clone, Copy)]
struct Played {
    cycle: Cycle,
    /// Of `tests/scenarios`.
    scenario: &'static str,
    /// What it is, for people.
    about: &'static str,
}

/// For the health cycle nothing is wrong, as in most of its runs; the others change one thing and keep it.
const RUNS: [Played; 3] = [
    Played { cycle: Cycle::Health, scenario: "healthy", about: "a healthy application" },
    Played { cycle: Cycle::Cost, scenario: "dear_disks", about: "the cost cycle that changes the type of a disk" },
    Played { cycle: Cycle::Performance, scenario: "slow_query", about: "the performance cycle that builds an index" },
];
/// The default schedule.
const RUNS_PER_MONTH: f64 = price::HOURS_PER_MONTH / 4.0;
/// Applications of the table.
const APPS: [u32; 4] = [1, 10, 50, 200];
/// Transitions of the execution that starts one run per application: resolve, choose, map, choose, end.
const TRANSITIONS_PER_ROUND: f64 = 5.0;
/// Months that artifacts are kept.
const KEPT_MONTHS: f64 = 3.0;

/// What one run used.
struct Used {
    played: Played,
    history: History,
    calls: BTreeMap<Kind, Count>,
    logs: Logs,
}

/// Plays the runs and tells what they cost.
///
/// # Errors
/// When the cloud does not start or a run does not end as it should.
pub async fn measure(place: &Place, tree: &Tree, template: &Template) -> Result<(), Failure> {
    for played in RUNS {
        let used = one(place, tree, template, played).await?;
        let usd = used.tell(template)?;
        if played.cycle == Cycle::Health {
            month(template, usd, &used)?;
        }
    }
    Ok(())
}

async fn one(place: &Place, tree: &Tree, template: &Template, played: Played) -> Result<Used, Failure> {
    let cloud = Cloud::start(place, tree, template)?;
    cloud.play(place, played.scenario).await?;
    for (function, mb) in cloud.resident_mb(template) {
        say(&format!("  {function:20} {mb:6.1} MB after the run"));
        figure("resident_memory_after_run", mb, "MB", json!({"function": function, "scenario": played.scenario}))?;
    }
    let history = history::read(&cloud.stack, place, template, played.cycle).await?;
    Ok(Used { played, history, calls: cloud.calls.counts(), logs: cloud.logs()? })
}

impl Used {
    fn sum(&self, wanted: impl Fn(&Kind) -> bool, of: impl Fn(&Count) -> u64) -> f64 {
        self.calls.iter().filter(|(kind, _)| wanted(kind)).map(|(_, count)| of(count)).sum::<u64>() as f64
    }

    /// Hours in which each metric of the application was sent. A run that lasts `t` hours touches `1 + t` of the clock's
    /// hours on average.
    fn metric_hours(&self) -> f64 {
        let own = self.logs.metrics.iter().filter(|metric| !metric.is_shared());
        own.map(|metric| 1.0 + (metric.last_s - metric.first_s) * SPEED / 3_600.0).sum()
    }

    /// Metrics that all applications share.
    fn shared_metrics(&self) -> usize {
        self.logs.metrics.iter().filter(|metric| metric.is_shared()).count()
    }

    /// What each part of a run costs, in USD.
    fn parts(&self, template: &Template) -> Vec<(&'static str, f64)> {
        let of = |service: &'static str, operations: &'static [&'static str]| {
            move |kind: &Kind| kind.service == service && operations.contains(&kind.operation.as_str())
        };
        let calls = |count: &Count| count.calls;
        let memory_gb = |binary: &str| {
            let function = template.functions.iter().find(|function| function.binary == binary);
            function.map_or(0.0, |function| f64::from(function.memory_mb) / 1024.0)
        };
        let invocations: f64 = self.history.functions.values().map(|(count, _)| *count as f64).sum();
        let gb_seconds: f64 =
            self.history.functions.iter().map(|(binary, (_, seconds))| memory_gb(binary) * seconds).sum();
        // Each write of an item is written to its index too.
        let writes = 2.0 * self.sum(of("dynamodb", &["PutItem", "UpdateItem", "DeleteItem"]), |count| count.kilobytes);
        // A transaction costs twice.
        let transactions = 4.0 * self.sum(of("dynamodb", &["TransactWriteItems"]), |count| count.kilobytes);
        let reads = self.sum(of("dynamodb", &["GetItem", "Query", "Scan", "BatchGetItem"]), calls);
        let (puts, gets) = (self.sum(of("s3", &["PUT", "POST"]), calls), self.sum(of("s3", &["GET", "HEAD"]), calls));
        let kept = self.sum(of("s3", &["PUT"]), |count| count.bytes) * KEPT_MONTHS;
        let metrics = self.sum(|kind| kind.operation == "GetMetricData", |count| count.metrics);
        let requests = self.sum(|kind| kind.service == "monitoring" && kind.operation != "GetMetricData", calls);
        let messages = self.sum(of("sns", &["Publish"]), calls) * price::PUBLISH_USD
            + self.sum(of("events", &["PutEvents"]), calls) * price::EVENT_USD
            + self.sum(|kind| kind.service == "sqs", calls) * price::QUEUE_REQUEST_USD;
        vec![
            (
                "Step Functions, transitions",
                self.history.transitions as f64 * price::TRANSITION_USD + price::EXPRESS_REQUEST_USD,
            ),
            ("Lambda", invocations * price::INVOCATION_USD + gb_seconds * price::GB_SECOND_USD),
            ("CloudWatch, metrics read", metrics * price::METRIC_REQUESTED_USD),
            ("CloudWatch, other requests", requests * price::CLOUDWATCH_REQUEST_USD),
            ("CloudWatch Logs", self.logs.bytes as f64 * price::LOG_BYTE_USD),
            ("X-Ray", invocations * price::TRACE_USD),
            ("DynamoDB", (writes + transactions) * price::WRITE_UNIT_USD + reads * price::READ_UNIT_USD),
            ("Cost Explorer", self.sum(|kind| kind.service == "ce", calls) * price::COST_EXPLORER_USD),
            ("Secrets Manager", self.sum(|kind| kind.service == "secretsmanager", calls) * price::SECRET_REQUEST_USD),
            ("S3", puts * price::S3_WRITE_USD + gets * price::S3_READ_USD + kept * price::S3_BYTE_MONTH_USD),
            ("SNS, EventBridge, SQS", messages),
        ]
    }

    fn tell(&self, template: &Template) -> Result<f64, Failure> {
        let History { transitions, functions, .. } = &self.history;
        let Played { scenario, about, .. } = self.played;
        say(&format!("one run of {about} ({scenario}.yaml): {transitions} transitions"));
        figure("transitions_per_run", *transitions as f64, "transitions", json!({"scenario": scenario}))?;
        for (function, (invocations, seconds)) in functions {
            say(&format!("  {function:20} {invocations:2} invocations, {seconds:.2} s"));
        }
        let mut services: BTreeMap<String, BTreeMap<&str, u64>> = BTreeMap::new();
        for (kind, count) in &self.calls {
            *services.entry(kind.service.clone()).or_default().entry(&kind.operation).or_default() += count.calls;
        }
        for (service, operations) in &services {
            let calls: u64 = operations.values().sum();
            let list: Vec<String> =
                operations.iter().map(|(operation, calls)| format!("{calls} {operation}")).collect();
            say(&format!("  {service:20} {calls:3} calls: {}", list.join(", ")));
            figure(
                "calls_per_run",
                calls as f64,
                "calls",
                json!({"service": service, "operations": operations, "scenario": scenario}),
            )?;
        }
        let metrics = self.sum(|kind| kind.operation == "GetMetricData", |count| count.metrics);
        figure("metrics_requested_per_run", metrics, "metrics", json!({"scenario": scenario}))?;
        let parts = self.parts(template);
        let usd: f64 = parts.iter().map(|(_, usd)| usd).sum();
        say(&format!("one run costs USD {usd:.5}:"));
        for (part, usd) in &parts {
            say(&format!("  {part:28} {usd:.6}"));
        }
        let parts: BTreeMap<&str, f64> = parts.into_iter().collect();
        let context = json!({"scenario": scenario, "parts": parts, "prices": "us-east-1, list, no free tier"});
        figure("cost_per_run", usd, "USD", context)?;
        Ok(usd)
    }
}

/// The cost of a month at one run in four hours for each application.
fn month(template: &Template, run_usd: f64, used: &Used) -> Result<(), Failure> {
    let fixed_usd = template.alarms as f64 * price::ALARM_MONTH_USD
        + template.dashboards as f64 * price::DASHBOARD_MONTH_USD
        + template.secrets as f64 * price::SECRET_MONTH_USD
        // Sent by some application in nearly every hour.
        + used.shared_metrics() as f64 * price::CUSTOM_METRIC_HOUR_USD * price::HOURS_PER_MONTH
        + RUNS_PER_MONTH * TRANSITIONS_PER_ROUND * price::TRANSITION_USD;
    let own_metrics_usd = used.metric_hours() * RUNS_PER_MONTH * price::CUSTOM_METRIC_HOUR_USD;
    let app_usd = run_usd * RUNS_PER_MONTH + own_metrics_usd;
    say(&format!(
        "a month: USD {fixed_usd:.2} for the stack ({} alarms, {} dashboards, {} secrets, {} metrics), and for each application {:.2} for {RUNS_PER_MONTH:.0} runs \
         and {own_metrics_usd:.2} for metrics about the maintainer itself",
        template.alarms,
        template.dashboards,
        template.secrets,
        used.shared_metrics(),
        run_usd * RUNS_PER_MONTH
    ));
    say("| applications | USD a month |\n|---:|---:|");
    for apps in APPS {
        let usd = fixed_usd + f64::from(apps) * app_usd;
        say(&format!("| {apps} | {usd:.2} |"));
        let context = json!({"applications": apps, "runs_each": RUNS_PER_MONTH.round(), "fixed_usd": fixed_usd,
            "runs_usd_each": run_usd * RUNS_PER_MONTH, "own_metrics_usd_each": own_metrics_usd});
        figure("cost_per_month", usd, "USD", context)?;
    }
    Ok(())
}
