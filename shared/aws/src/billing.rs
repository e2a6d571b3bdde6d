//! The bill, as Cost Explorer tells it. Each page of an answer is charged by AWS, 0.01 USD at the time of writing, so
//! pages are counted.

use crate::clients::{Clients, Lazy};
use crate::decimal;
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_costexplorer::Client;
use aws_sdk_costexplorer::operation::get_cost_and_usage::GetCostAndUsageOutput;
use aws_sdk_costexplorer::types::{
    DateInterval, Dimension, DimensionValues, Expression, Granularity, Group, GroupDefinition, GroupDefinitionType,
    LookbackPeriodInDays, MetricValue, PaymentOption, ResultByTime, SavingsPlansPurchaseRecommendationDetail as Detail,
    SupportedSavingsPlansType, TermInYears,
};
use domain::cost::bill::{AppLine, Bill, Line, OnDemandLine, PlanOffer};
use domain::cost::money::UsdMicros;
use domain::observed::Observed;
use domain::resource::APP_TAG;
use engine::ports::{Billing as Port, PortError, PortResult};
use futures::future::BoxFuture;
use jiff::civil::Date;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[ACTION, PLAN_ACTION];

/// Where Cost Explorer is asked; it knows all Regions.
const REGION: &str = "us-east-1";
const ACTION: &str = "ce:GetCostAndUsage";
const PLAN_ACTION: &str = "ce:GetSavingsPlansPurchaseRecommendation";
const COST: &str = "UnblendedCost";
const QUANTITY: &str = "UsageQuantity";
/// The record type of what is charged on demand, covered by no commitment.
const ON_DEMAND: &str = "Usage";
/// Services whose instances can be reserved, as the bill calls them.
const RESERVABLE: [&str; 3] =
    ["Amazon Elastic Compute Cloud - Compute", "Amazon Relational Database Service", "Amazon ElastiCache"];
/// Pages of one answer, at most: a bill that has more is not paid for unseen.
const PAGES_MAX: u32 = 50;

/// See [`engine::ports::Billing`].
#[derive(Clone, Debug)]
pub struct Billing {
    client: Lazy<Client>,
}

impl Billing {
    /// The bill of the account of these clients.
    pub fn new(home: &Clients) -> Self {
        Self { client: home.in_region(REGION).costexplorer() }
    }

    /// Days with their groups, and the number of pages they came in.
    fn days(
        &self,
        from: Date,
        to: Date,
        by: Vec<GroupDefinition>,
        only: Option<Expression>,
    ) -> BoxFuture<'_, PortResult<(Vec<ResultByTime>, u32)>> {
        Box::pin(async move {
            let (mut days, mut calls, mut token) = (Vec::new(), 0, None);
            loop {
                let page = self.page(from, to, &by, only.clone(), token).await?;
                calls += 1;
                days.extend(page.results_by_time.unwrap_or_default());
                token = page.next_page_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    return Ok((days, calls));
                }
                if calls >= PAGES_MAX {
                    return Err(rejected(format!(
                        "the bill has more than {PAGES_MAX} pages, which is more than is paid for"
                    )));
                }
            }
        })
    }

    /// What a Compute Savings Plan for a year, nothing upfront, would cover: one question.
    async fn plan(&self) -> PortResult<Option<PlanOffer>> {
        let answer = self
            .client
            .get_savings_plans_purchase_recommendation()
            .savings_plans_type(SupportedSavingsPlansType::ComputeSp)
            .term_in_years(TermInYears::OneYear)
            .payment_option(PaymentOption::NoUpfront)
            .lookback_period_in_days(LookbackPeriodInDays::SixtyDays)
            .send()
            .await;
        let answer = answer.map_err(|error| {
            let code = error.as_service_error().and_then(|error| error.meta().code()).unwrap_or_default();
            let text = error.as_service_error().and_then(|error| error.meta().message()).unwrap_or_default();
            explained(code, text, port_error(PLAN_ACTION, "", &error))
        })?;
        let advised = answer.savings_plans_purchase_recommendation;
        let details = advised.and_then(|advised| advised.savings_plans_purchase_recommendation_details);
        details.unwrap_or_default().first().map_or(Ok(None), offer)
    }

    async fn page(
        &self,
        from: Date,
        to: Date,
        by: &[GroupDefinition],
        only: Option<Expression>,
        token: Option<String>,
    ) -> PortResult<GetCostAndUsageOutput> {
        let period = DateInterval::builder().start(from.to_string()).end(to.to_string()).build();
        let period = period.map_err(|error| rejected(error.to_string()))?;
        let answer = self
            .client
            .get_cost_and_usage()
            .time_period(period)
            .granularity(Granularity::Daily)
            .metrics(COST)
            .metrics(QUANTITY)
            .set_filter(only)
            .set_group_by(Some(by.to_vec()))
            .set_next_page_token(token)
            .send()
            .await;
        answer.map_err(|error| {
            let code = error.as_service_error().and_then(|error| error.meta().code()).unwrap_or_default();
            let text = error.as_service_error().and_then(|error| error.meta().message()).unwrap_or_default();
            explained(code, text, port_error(ACTION, "", &error))
        })
    }
}

#[async_trait]
impl Port for Billing {
    async fn read(&self, from: Date, to: Date) -> PortResult<Bill> {
        let usage = vec![
            group_by(GroupDefinitionType::Dimension, "SERVICE"),
            group_by(GroupDefinitionType::Dimension, "USAGE_TYPE"),
        ];
        let app =
            vec![group_by(GroupDefinitionType::Tag, APP_TAG), group_by(GroupDefinitionType::Dimension, "USAGE_TYPE")];
        let metered = vec![
            group_by(GroupDefinitionType::Dimension, "USAGE_TYPE"),
            group_by(GroupDefinitionType::Dimension, "OPERATION"),
        ];
        let (by_usage, by_app, on_demand, plan) = futures::join!(
            self.days(from, to, usage, None),
            self.days(from, to, app, None),
            self.days(from, to, metered, Some(on_demand_of_reservable())),
            self.plan()
        );
        let ((by_usage, calls), (by_app, more)) = (by_usage?, by_app?);
        // Without it nothing can be said of commitments; everything else rests on the other two.
        let (on_demand, still_more) = match on_demand {
            Ok((days, calls)) => (Some(days), calls),
            Err(error @ PortError::Throttled { .. }) => return Err(error),
            Err(_) => (None, 0),
        };
        let (plan, plan_calls) = match plan {
            Ok(offer) => (Observed::Known(offer), 1),
            // What was paid for is not thrown away for it.
            Err(error) => (Observed::Missing(error.missing()), 0),
        };
        let mut bill = Bill {
            from,
            to,
            currency: String::new(),
            lines: Vec::new(),
            by_app: Vec::new(),
            on_demand: None,
            plan,
            calls: calls + more + still_more + plan_calls,
        };
        for (day, is_estimated, group) in groups(by_usage)? {
            let cost = amount(&group, COST)?;
            let (quantity, unit) = used(&group)?;
            let [service, usage_type] = keys(&group);
            see_currency(&mut bill, cost)?;
            bill.lines.push(Line { day, service, usage_type, cost: micros(cost)?, quantity, unit, is_estimated });
        }
        for (day, _, group) in groups(by_app)? {
            let cost = amount(&group, COST)?;
            see_currency(&mut bill, cost)?;
            let (quantity, unit) = used(&group)?;
            let [key, usage_type] = keys(&group);
            // "maintainer:app$shop"; with nothing behind the sign for what has no such tag.
            let app = key.split_once('$').map_or("", |(_, app)| app).to_owned();
            bill.by_app.push(AppLine { day, app, usage_type, cost: micros(cost)?, quantity, unit });
        }
        if let Some(days) = on_demand {
            let mut metered = Vec::new();
            for (day, _, group) in groups(days)? {
                let cost = amount(&group, COST)?;
                see_currency(&mut bill, cost)?;
                let (quantity, unit) = used(&group)?;
                let [usage_type, operation] = keys(&group);
                // Of one service and usage type there is one unit; what is not by the hour is not reserved.
                if unit.eq_ignore_ascii_case("hrs") {
                    metered.push(OnDemandLine { day, usage_type, operation, cost: micros(cost)?, hours: quantity });
                }
            }
            bill.on_demand = Some(metered);
        }
        if bill.currency.is_empty() {
            // Nothing was charged, in no currency at all.
            "USD".clone_into(&mut bill.currency);
        }
        Ok(bill)
    }
}

/// What AWS has computed of a plan; none where it would cover nothing.
fn offer(detail: &Detail) -> PortResult<Option<PlanOffer>> {
    let number = |name: &str, text: Option<&str>| {
        let text = text.unwrap_or_default();
        decimal::micros(text)
            .map(UsdMicros)
            .ok_or_else(|| no_plan(format!("\"{text}\" is no {name} of a Savings Plan")))
    };
    let currency = detail.currency_code().unwrap_or_default();
    if currency != "USD" {
        return Err(no_plan(format!(
            "a Savings Plan is told in \"{currency}\", and amounts are understood in USD alone"
        )));
    }
    let paid = number("cost", detail.estimated_sp_cost())?;
    let used_pct = number("utilization", detail.estimated_average_utilization())?.usd();
    let before = number("cost on demand", detail.estimated_on_demand_cost_with_current_commitment())?;
    let left = number("cost on demand", detail.estimated_on_demand_cost())?;
    let covered = (before - left).usd();
    if covered <= 0.0 {
        return Ok(None);
    }
    Ok(Some(PlanOffer {
        least_hour: number("hour", detail.current_minimum_hourly_on_demand_spend())?,
        mean_hour: number("hour", detail.current_average_hourly_on_demand_spend())?,
        commitment_hour: number("commitment", detail.hourly_commitment_to_purchase())?,
        // What was used of the plan, against what the same use cost on demand.
        rate: paid.usd() * used_pct / 100.0 / covered,
    }))
}

/// What is charged on demand for what can be reserved.
fn on_demand_of_reservable() -> Expression {
    let one_of = |key: Dimension, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        Expression::builder().dimensions(DimensionValues::builder().key(key).set_values(Some(values)).build()).build()
    };
    Expression::builder()
        .and(one_of(Dimension::RecordType, &[ON_DEMAND]))
        .and(one_of(Dimension::Service, &RESERVABLE))
        .build()
}

fn group_by(kind: GroupDefinitionType, key: &str) -> GroupDefinition {
    GroupDefinition::builder().r#type(kind).key(key).build()
}

/// Every group with its day, and whether that may still change.
fn groups(days: Vec<ResultByTime>) -> PortResult<Vec<(Date, bool, Group)>> {
    let mut all = Vec::new();
    for result in days {
        let start = result.time_period.map(|period| period.start).unwrap_or_default();
        let day: Date = start.parse().map_err(|_| rejected(format!("\"{start}\" is no day")))?;
        all.extend(result.groups.unwrap_or_default().into_iter().map(|group| (day, result.estimated, group)));
    }
    Ok(all)
}

fn keys<const N: usize>(group: &Group) -> [String; N] {
    let mut keys = group.keys().iter();
    std::array::from_fn(|_| keys.next().cloned().unwrap_or_default())
}

fn amount<'a>(group: &'a Group, metric: &str) -> PortResult<&'a MetricValue> {
    let value = group.metrics().and_then(|metrics| metrics.get(metric));
    value.ok_or_else(|| rejected(format!("a line of the bill has no {metric}")))
}

fn micros(value: &MetricValue) -> PortResult<UsdMicros> {
    let text = value.amount().unwrap_or_default();
    decimal::micros(text).map(UsdMicros).ok_or_else(|| rejected(format!("\"{text}\" is no amount")))
}

/// How much was used, and its unit.
fn used(group: &Group) -> PortResult<(f64, String)> {
    let value = group.metrics().and_then(|metrics| metrics.get(QUANTITY));
    let unit = value.and_then(MetricValue::unit).unwrap_or_default().to_owned();
    let Some(text) = value.and_then(MetricValue::amount) else { return Ok((0.0, unit)) };
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(|number| (number, unit)).ok_or_else(|| rejected(format!("\"{text}\" is no quantity")))
}

/// One bill has one currency.
fn see_currency(bill: &mut Bill, cost: &MetricValue) -> PortResult<()> {
    let unit = cost.unit().unwrap_or_default();
    if bill.currency.is_empty() {
        unit.clone_into(&mut bill.currency);
    }
    if unit != bill.currency {
        return Err(rejected(format!("the bill is in {} and in {unit}", bill.currency)));
    }
    Ok(())
}

fn rejected(why: String) -> PortError {
    PortError::Rejected { operation: ACTION.to_owned(), why }
}

fn no_plan(why: String) -> PortError {
    PortError::Rejected { operation: PLAN_ACTION.to_owned(), why }
}

/// What a person has to do, where AWS does not say it.
fn explained(code: &str, text: &str, error: PortError) -> PortError {
    match code {
        "DataUnavailableException" => rejected(
            "Cost Explorer has no data: open it once in the Billing console of this account, which enables it, and wait 24 hours"
                .to_owned(),
        ),
        "LimitExceededException" => PortError::Throttled { operation: ACTION.to_owned() },
        "AccessDeniedException" if text.contains("not enabled for cost explorer") => rejected(
            "Cost Explorer is closed to this account: enable it in the Billing console, in an organization in its management account"
                .to_owned(),
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
