//! The alarms of an application: the triggers of the product's specification, each with the maintainer's topic as action.

use super::StudioError;
use super::planted;
use crate::cloud::Cloud;
use crate::model::{Names, Params};
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, Statistic, Tag};
use domain::resource::APP_TAG;

/// One alarm.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmPlan {
    /// Its name.
    pub name: String,
    /// What it says to a person.
    pub description: String,
    /// CloudWatch namespace.
    pub namespace: &'static str,
    /// Metric.
    pub metric: &'static str,
    /// Statistic, or a percentile such as `p95`.
    pub stat: &'static str,
    /// Names and values of the dimensions.
    pub dimensions: Vec<(&'static str, String)>,
    /// It goes off above this.
    pub threshold: f64,
    /// In this many minutes on end.
    pub minutes: i32,
    /// What minutes without data mean.
    pub missing: &'static str,
}

/// Connections that the studio's database accepts.
const DATABASE_CONNECTIONS: f64 = 450.0;
/// Namespace of the checks of an alarm storm.
pub(super) const CHECKS: &str = "Studio/Checks";

/// The alarms of the specification for an application of this size.
pub fn alarm_plans(app: &str, names: &Names, params: &Params) -> Vec<AlarmPlan> {
    let group = vec![("AutoScalingGroupName", names.group.clone())];
    let targets = vec![("TargetGroup", names.target_group.clone()), ("LoadBalancer", names.load_balancer.clone())];
    let plan = |name: &str, what: &str, (namespace, metric, stat), dimensions, threshold, minutes| AlarmPlan {
        name: format!("{app}-{name}"),
        description: what.to_owned(),
        namespace,
        metric,
        stat,
        dimensions,
        threshold,
        minutes,
        missing: "missing",
    };
    let mut errors = plan(
        "error-rate",
        "more than 1 % of the usual requests fail",
        ("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "Sum"),
        targets.clone(),
        // AWS's alarm on a rate needs metric math, which the local cloud does not evaluate: 1 % of the usual load.
        (0.01 * 60.0 * params.web.load_rps).round(),
        3,
    );
    // A minute without errors publishes none.
    errors.missing = "notBreaching";
    vec![
        plan("cpu", "CPU above 70 % for 5 minutes", ("AWS/EC2", "CPUUtilization", "Average"), group.clone(), 70.0, 5),
        plan("memory", "memory above 85 %", ("CWAgent", "mem_used_percent", "Average"), group, 85.0, 3),
        plan("latency-p95", "p95 above 1 s", ("AWS/ApplicationELB", "TargetResponseTime", "p95"), targets, 1.0, 3),
        plan(
            "queue-depth",
            "more than 1,000 messages wait",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "Maximum"),
            vec![("QueueName", names.queue.clone())],
            1_000.0,
            2,
        ),
        plan(
            "db-connections",
            "more than 80 % of the database's connections are taken",
            ("AWS/RDS", "DatabaseConnections", "Average"),
            vec![("DBInstanceIdentifier", names.database.clone())],
            0.8 * DATABASE_CONNECTIONS,
            3,
        ),
        errors,
    ]
}

/// What the names of a storm's alarms end in, in turn: text that is data to whoever reads no more into it.
const HOSTILE: [&str; 10] = [
    "",
    "\",\"mode\":\"auto\",\"x\":\"",
    "\\\"}",
    "' OR '1'='1'; DROP TABLE changes; --",
    "$.run",
    "$$.Task.Token",
    "States.Format('{}', $)",
    "{% $states.input %}",
    "${OptimizeFunction} $(id) `id`",
    "<script>alert(1)</script><!channel>",
];

/// The alarms on single checks that a storm sets off.
pub fn storm_plans(app: &str, count: u32) -> Vec<AlarmPlan> {
    (1..=count)
        .zip(HOSTILE.iter().cycle())
        .map(|(number, ending)| AlarmPlan {
            name: format!("{app}-check-{number:03}{ending}"),
            description: format!("check {number} of {app} fails {ending}"),
            namespace: CHECKS,
            metric: "CheckFailed",
            stat: "Maximum",
            dimensions: vec![("App", app.to_owned()), ("Check", format!("{number:03}"))],
            threshold: 0.0,
            minutes: 1,
            missing: "notBreaching",
        })
        .collect()
}

/// Creates alarms with the maintainer's topic as their action, or without any action when there is no topic.
///
/// # Errors
/// When the cloud refuses one.
pub async fn put(cloud: &Cloud, app: &str, plans: &[AlarmPlan], topic: Option<&str>) -> Result<(), StudioError> {
    let cloudwatch = cloud.cloudwatch();
    for plan in plans {
        let dimensions =
            plan.dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(value).build());
        let mut call = cloudwatch
            .put_metric_alarm()
            .alarm_name(&plan.name)
            .alarm_description(&plan.description)
            .namespace(plan.namespace)
            .metric_name(plan.metric)
            .set_dimensions(Some(dimensions.collect()))
            .period(60)
            .evaluation_periods(plan.minutes)
            .threshold(plan.threshold)
            .comparison_operator(ComparisonOperator::GreaterThanThreshold)
            .treat_missing_data(plan.missing)
            .set_alarm_actions(topic.map(|topic| vec![topic.to_owned()]))
            .tags(Tag::builder().key(APP_TAG).value(app).build())
            .tags(Tag::builder().key(planted::TAG.0).value(planted::TAG.1).build());
        call = if plan.stat.starts_with('p') {
            call.extended_statistic(plan.stat)
        } else {
            call.statistic(Statistic::from(plan.stat))
        };
        call.send().await.map_err(StudioError::call("PutMetricAlarm", &plan.name))?;
    }
    Ok(())
}
