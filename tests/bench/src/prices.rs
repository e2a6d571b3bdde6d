//! Prices: AWS's public list prices for US East (N. Virginia) in USD, without free tiers. Each service's own pricing page is
//! the source. Compared with published copies of those pages in November 2026: metrics requested, custom metrics, state
//! transitions and DynamoDB's units, which make up over nine tenths of a bill; the others were written down by hand. A price
//! that has changed is changed here and nowhere else.

/// CloudWatch, GetMetricData: a metric requested.
pub const METRIC_REQUESTED_USD: f64 = 0.01 / 1_000.0;
/// CloudWatch: any other request.
pub const CLOUDWATCH_REQUEST_USD: f64 = 0.01 / 1_000.0;
/// CloudWatch: a custom metric for an hour (0.30 a month of 730 hours; charged for hours in which it is sent).
pub const CUSTOM_METRIC_HOUR_USD: f64 = 0.30 / HOURS_PER_MONTH;
/// CloudWatch: an alarm for a month.
pub const ALARM_MONTH_USD: f64 = 0.10;
/// CloudWatch: a dashboard for a month.
pub const DASHBOARD_MONTH_USD: f64 = 3.0;
/// Secrets Manager: a secret for a month.
pub const SECRET_MONTH_USD: f64 = 0.40;
/// CloudWatch Logs: a byte taken in.
pub const LOG_BYTE_USD: f64 = 0.50 / 1e9;
/// Step Functions Standard: a state transition.
pub const TRANSITION_USD: f64 = 0.025 / 1_000.0;
/// Step Functions Express: a request. Its duration is far below a cent and left out.
pub const EXPRESS_REQUEST_USD: f64 = 1.0 / 1e6;
/// Lambda: a request.
pub const INVOCATION_USD: f64 = 0.20 / 1e6;
/// Lambda on arm64: a gigabyte of memory for a second.
pub const GB_SECOND_USD: f64 = 0.000_013_333_4;
/// X-Ray: a trace recorded.
pub const TRACE_USD: f64 = 5.0 / 1e6;
/// DynamoDB on demand: a write unit, one KB.
pub const WRITE_UNIT_USD: f64 = 0.625 / 1e6;
/// DynamoDB on demand: a read unit, four KB.
pub const READ_UNIT_USD: f64 = 0.125 / 1e6;
/// S3 Standard: a PUT, POST, COPY or LIST.
pub const S3_WRITE_USD: f64 = 0.005 / 1_000.0;
/// S3 Standard: a GET.
pub const S3_READ_USD: f64 = 0.0004 / 1_000.0;
/// S3 Standard: a byte kept for a month.
pub const S3_BYTE_MONTH_USD: f64 = 0.023 / 1e9;
/// Cost Explorer: a request, each page of an answer.
pub const COST_EXPLORER_USD: f64 = 0.01;
/// Secrets Manager: a request.
pub const SECRET_REQUEST_USD: f64 = 0.05 / 10_000.0;
/// SNS: a publish.
pub const PUBLISH_USD: f64 = 0.50 / 1e6;
/// EventBridge: an event of one's own.
pub const EVENT_USD: f64 = 1.0 / 1e6;
/// SQS: a request.
pub const QUEUE_REQUEST_USD: f64 = 0.40 / 1e6;
/// Hours of a month, as AWS counts.
pub const HOURS_PER_MONTH: f64 = 730.0;
