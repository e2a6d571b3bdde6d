//! Prices of the AWS Price List: on demand, Linux, without discounts. Asking is free of charge; what is known is asked once
//! in a process.
//!
//! The Price List is the same for everybody and has an endpoint in a few Regions only, so it is asked from the account of the
//! deployment wherever an application lives. What a task of an application is made of, its own place tells.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_pricing::Client;
use aws_sdk_pricing::types::{Filter, FilterType};
use domain::observed::{Missing, Observed};
use domain::price::{Price, Sold};
use engine::ports::{PortError, PortResult, Prices as Port};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// IAM actions in the place of an application.
pub const PERMISSIONS: &[&str] = &["ecs:DescribeTaskDefinition"];
/// IAM actions in the account of the deployment.
pub const LIST_PERMISSIONS: &[&str] = &["pricing:GetProducts"];

/// Where the Price List is asked; it knows all Regions.
const LIST_REGION: &str = "us-east-1";
const ACTION: &str = "pricing:GetProducts";
/// Products in an answer, at most.
const PAGE: i32 = 100;
/// CPU units of ECS in a vCPU.
const UNITS_PER_VCPU: i64 = 1_024;
/// MiB in what the Price List calls a GB.
const MIB_PER_GB: i64 = 1_024;

/// The Price List, with what this process knows of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PriceList {
    client: Lazy<Client>,
    known: Arc<Mutex<BTreeMap<(String, Sold), i64>>>,
}

impl PriceList {
    /// The list as these clients, which are those of the deployment, may read it.
    pub fn new(home: &Clients) -> Self {
        Self { client: home.in_region(LIST_REGION).pricing(), known: Arc::default() }
    }

    /// All products of a service in a Region that pass the filters.
    pub(crate) async fn products(
        &self,
        region: &str,
        service: &str,
        filters: &[(&str, &str)],
        subject: &str,
    ) -> PortResult<Vec<Value>> {
        let mut request = self.client.get_products().service_code(service).max_results(PAGE);
        for (field, value) in filters.iter().copied().chain([("regionCode", region)]) {
            let filter = Filter::builder().r#type(FilterType::TermMatch).field(field).value(value).build();
            request = request.filters(
                filter.map_err(|error| PortError::Rejected { operation: ACTION.to_owned(), why: error.to_string() })?,
            );
        }
        let mut pages = request.into_paginator().items().send();
        let mut products = Vec::new();
        while let Some(product) = pages.next().await {
            let text = product.map_err(|error| port_error(ACTION, subject, &error))?;
            products.extend(serde_json::from_str::<Value>(&text));
        }
        Ok(products)
    }
}

/// See [`engine::ports::Prices`].
#[derive(Debug)]
pub struct Prices {
    list: PriceList,
    ecs: Lazy<aws_sdk_ecs::Client>,
    region: String,
}

impl Prices {
    /// Prices of what an application has in the place of these clients.
    pub fn new(list: PriceList, there: &Clients) -> Self {
        Self { list, ecs: there.ecs(), region: there.region().unwrap_or_default().to_owned() }
    }

    async fn price(&self, sold: &Sold) -> Observed<i64> {
        let key = (self.region.clone(), sold.clone());
        let known = self.list.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some(price) = known {
            return Observed::Known(price);
        }
        let read = match sold {
            Sold::Instance(instance_type) => self.instance(instance_type).await,
            Sold::Task(definition) => self.task(definition).await,
        };
        match read {
            Ok(Some(price)) => {
                self.list.known.lock().unwrap_or_else(PoisonError::into_inner).insert(key, price);
                Observed::Known(price)
            }
            Ok(None) => Observed::Missing(Missing::Failed(format!("no price of {sold} in {}", self.region))),
            Err(error) => Observed::Missing(error.missing()),
        }
    }

    async fn instance(&self, instance_type: &str) -> PortResult<Option<i64>> {
        let filters = [
            ("instanceType", instance_type),
            ("operatingSystem", "Linux"),
            ("preInstalledSw", "NA"),
            ("tenancy", "Shared"),
            ("capacitystatus", "Used"),
        ];
        let products = self.list.products(&self.region, "AmazonEC2", &filters, instance_type).await?;
        Ok(dearest(&products, |_| true))
    }

    async fn task(&self, definition: &str) -> PortResult<Option<i64>> {
        let output = self.ecs.describe_task_definition().task_definition(definition).send().await;
        let output = output.map_err(|error| port_error("ecs:DescribeTaskDefinition", definition, &error))?;
        let Some(task) = output.task_definition else { return Ok(None) };
        let size = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
        let (Some(cpu), Some(memory)) = (size(task.cpu()), size(task.memory())) else { return Ok(None) };
        let is_arm = task
            .runtime_platform()
            .and_then(|platform| platform.cpu_architecture())
            .is_some_and(|cpu| *cpu == aws_sdk_ecs::types::CpuArchitecture::Arm64);
        let products = self.list.products(&self.region, "AmazonECS", &[], definition).await?;
        // Usage types end alike in all Regions: USE1-Fargate-vCPU-Hours:perCPU, EUC1-Fargate-ARM-GB-Hours.
        let of = |what: &str| {
            let end = if is_arm { format!("Fargate-ARM-{what}") } else { format!("Fargate-{what}") };
            dearest(&products, |product| usage_type(product).is_some_and(|usage| usage.ends_with(&end)))
        };
        let (Some(vcpu), Some(gb)) = (of("vCPU-Hours:perCPU"), of("GB-Hours")) else { return Ok(None) };
        Ok(Some(vcpu * cpu / UNITS_PER_VCPU + gb * memory / MIB_PER_GB))
    }
}

#[async_trait]
impl Port for Prices {
    async fn read(&self, sold: &BTreeSet<Sold>) -> Vec<Price> {
        let mut prices = Vec::with_capacity(sold.len());
        for of in sold {
            prices.push(Price { of: of.clone(), usd_micros_hour: self.price(of).await });
        }
        prices
    }
}

fn usage_type(product: &Value) -> Option<&str> {
    product.pointer("/product/attributes/usagetype")?.as_str()
}

/// The highest price on demand among these products, in millionths of a US dollar an hour.
fn dearest(products: &[Value], is_meant: impl Fn(&Value) -> bool) -> Option<i64> {
    let terms = products
        .iter()
        .filter(|product| is_meant(product))
        .filter_map(|product| product.pointer("/terms/OnDemand")?.as_object());
    let dimensions = terms.flat_map(|terms| terms.values()).filter_map(|term| term.get("priceDimensions")?.as_object());
    let prices = dimensions.flat_map(|dimensions| dimensions.values()).filter_map(|dimension| {
        let unit = dimension.get("unit")?.as_str()?;
        let is_hourly = unit == "Hrs" || unit.eq_ignore_ascii_case("hours") || unit.ends_with("-Hours");
        let usd = dimension.pointer("/pricePerUnit/USD")?.as_str()?;
        is_hourly.then(|| micros(usd)).flatten()
    });
    prices.filter(|price| *price > 0).max()
}

/// "0.0168000000" as millionths, rounded down.
fn micros(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{fraction:0<6}");
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = digits.get(..6)?.parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Service};

    /// A product as the Price List gives it: a JSON document in a string.
    fn product(usage: &str, unit: &str, usd: &str) -> String {
        let dimension = serde_json::json!({"unit": unit, "pricePerUnit": {"USD": usd}, "rateCode": "X.Y.Z"});
        let terms = serde_json::json!({"OnDemand": {"X.Y": {"priceDimensions": {"X.Y.Z": dimension}}},
            "Reserved": {"X.R": {"priceDimensions": {"X.R.Z": {"unit": "Hrs", "pricePerUnit": {"USD": "99.0"}}}}}});
        serde_json::json!({"product": {"attributes": {"usagetype": usage}}, "terms": terms}).to_string()
    }

    fn list(products: &[String]) -> Answer {
        Answer(200, serde_json::json!({"FormatVersion": "aws_v1", "PriceList": products}).to_string().into_bytes())
    }

    fn prices(service: &Service) -> Prices {
        Prices::new(PriceList::new(&service.clients()), &service.clients())
    }

    async fn read(service: &Service, sold: &Sold) -> Observed<i64> {
        prices(service).read(&BTreeSet::from([sold.clone()])).await.remove(0).usd_micros_hour
    }

    #[test]
    fn a_price_is_read_digit_by_digit() {
        let table = [("0.0168000000", 16_800), ("1", 1_000_000), ("0.0044450000", 4_445), ("2.5", 2_500_000)];
        for (text, price) in table {
            assert_eq!(micros(text), Some(price), "{text}");
        }
        for text in ["", "-", "free", "0.x"] {
            assert_eq!(micros(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn an_instance_costs_its_price_on_demand_and_is_asked_for_once() {
        let service = Service::new(|_, _| list(&[product("BoxUsage:t4g.small", "Hrs", "0.0168000000")]));
        let sold = Sold::Instance("t4g.small".to_owned());
        let prices = prices(&service);
        for _ in 0..3 {
            let read = prices.read(&BTreeSet::from([sold.clone()])).await;
            assert_eq!(read, [Price { of: sold.clone(), usd_micros_hour: Observed::Known(16_800) }]);
        }
        assert_eq!(service.requests(), 1);
    }

    #[tokio::test]
    async fn a_task_costs_its_share_of_cpu_and_memory() {
        let service = Service::new(|number, _| {
            if number == 0 {
                let task = serde_json::json!({"taskDefinition": {"cpu": "512", "memory": "1024"}});
                return Answer(200, task.to_string().into_bytes());
            }
            list(&[
                product("USE1-Fargate-vCPU-Hours:perCPU", "hours", "0.0404800000"),
                product("USE1-Fargate-GB-Hours", "hours", "0.0044450000"),
                product("USE1-Fargate-ARM-vCPU-Hours:perCPU", "hours", "0.0323800000"),
                product("USE1-Fargate-EphemeralStorage-GB-Hours", "GB-Hours", "0.0001110000"),
            ])
        });
        let sold = Sold::Task("arn:aws:ecs:us-east-1:1:task-definition/worker:3".to_owned());
        assert_eq!(read(&service, &sold).await, Observed::Known(20_240 + 4_445));
    }

    #[tokio::test]
    async fn fault_what_has_no_price_or_can_t_be_read_is_missing_with_its_reason() {
        let sold = Sold::Instance("t9.huge".to_owned());
        let nothing = Service::new(|_, _| list(&[product("BoxUsage:t9.huge", "Quantity", "1.0")]));
        let Observed::Missing(why) = read(&nothing, &sold).await else { panic!("a price from nowhere") };
        assert_eq!(why.to_string(), "the read failed: no price of t9.huge in us-east-1");
        let denied =
            Service::new(|_, _| Answer(400, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec()));
        assert!(matches!(read(&denied, &sold).await, Observed::Missing(Missing::Denied(_))));
    }
}
