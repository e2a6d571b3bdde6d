//! Unit prices of the Price List for what is paid for by its mere existence. Asking is free of charge; what is known is
//! asked once in a process.

use crate::prices::PriceList;
use async_trait::async_trait;
use domain::cost::prices::{Balancer, PriceBook, PriceSource, Sold, UnitPrice};
use domain::observed::{Missing, Observed};
use engine::ports::{PortResult, UnitPrices as Port};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// IAM actions, in the account of the deployment.
pub const PERMISSIONS: &[&str] = &["pricing:GetProducts"];

/// What the usage types of a Region begin with on the bill, and in the Price List. (AWS, "AWS Region billing codes".)
const PREFIXES: &[(&str, &str)] = &[
    ("af-south-1", "AFS1-"),
    ("ap-east-1", "APE1-"),
    ("ap-east-2", "APE2-"),
    ("ap-northeast-1", "APN1-"),
    ("ap-northeast-2", "APN2-"),
    ("ap-northeast-3", "APN3-"),
    ("ap-south-1", "APS3-"),
    ("ap-south-2", "APS5-"),
    ("ap-southeast-1", "APS1-"),
    ("ap-southeast-2", "APS2-"),
    ("ap-southeast-3", "APS4-"),
    ("ap-southeast-4", "APS6-"),
    ("ap-southeast-5", "APS7-"),
    ("ap-southeast-6", "APS8-"),
    ("ap-southeast-7", "APS9-"),
    ("ca-central-1", "CAN1-"),
    ("ca-west-1", "CAN2-"),
    ("eu-central-1", "EUC1-"),
    ("eu-central-2", "EUC2-"),
    ("eu-north-1", "EUN1-"),
    ("eu-south-1", "EUS1-"),
    ("eu-south-2", "EUS2-"),
    ("eu-west-1", "EU-"),
    ("eu-west-2", "EUW2-"),
    ("eu-west-3", "EUW3-"),
    ("il-central-1", "ILC1-"),
    ("me-central-1", "MEC1-"),
    ("me-south-1", "MES1-"),
    ("mx-central-1", "MXC1-"),
    ("sa-east-1", "SAE1-"),
    ("us-east-1", ""),
    ("us-east-2", "USE2-"),
    ("us-gov-east-1", "UGE1-"),
    ("us-gov-west-1", "UGW1-"),
    ("us-west-1", "USW1-"),
    ("us-west-2", "USW2-"),
];
/// Some services have a prefix in US East (N. Virginia), too.
const SPELLED_OUT: (&str, &str) = ("us-east-1", "USE1-");
/// MiB in a GiB: throughput is sold by the GiB a second.
const MIB_PER_GIB: f64 = 1_024.0;

/// EC2 instances on Linux without further software, on shared hardware, that run.
const LINUX: &[(&str, &str)] =
    &[("operatingSystem", "Linux"), ("preInstalledSw", "NA"), ("tenancy", "Shared"), ("capacitystatus", "Used")];

/// See [`engine::ports::UnitPrices`].
#[derive(Clone, Debug)]
pub struct UnitPrices {
    list: PriceList,
    region: String,
    known: Arc<Mutex<BTreeMap<Sold, f64>>>,
}

impl UnitPrices {
    /// Prices in a Region.
    pub fn new(list: PriceList, region: &str) -> Self {
        Self { list, region: region.to_owned(), known: Arc::default() }
    }

    async fn price(&self, sold: &Sold) -> Observed<UnitPrice> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(sold).copied();
        let usd_micros = match known {
            Some(price) => price,
            None => match self.ask(sold).await {
                Ok(Some(price)) => price,
                Ok(None) => {
                    let what = format!("a price of {} in {}", sold.usage_type(), self.region);
                    return Observed::Missing(Missing::NotPublished(what));
                }
                Err(error) => return Observed::Missing(error.missing()),
            },
        };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(sold.clone(), usd_micros);
        Observed::Known(UnitPrice { usd_micros, from: PriceSource::List })
    }

    async fn ask(&self, sold: &Sold) -> PortResult<Option<f64>> {
        let Some(narrowed) = narrowed(sold) else { return Ok(None) };
        let usage_type = sold.usage_type();
        let spelled_out = (self.region == SPELLED_OUT.0).then(|| SPELLED_OUT.1.to_owned());
        for prefix in [Some(self.usage_type_prefix()), spelled_out].into_iter().flatten() {
            let usage_type = format!("{prefix}{usage_type}");
            let mut filters = vec![("usagetype", usage_type.as_str())];
            filters.extend(narrowed);
            if let Sold::OnDemandHour(meter) | Sold::ReservedHour(meter) = sold {
                filters.push(("operation", &meter.operation));
            }
            let products = self.list.products(&self.region, service(sold), &filters, &usage_type).await?;
            if let Some(price) = dearest(&products, sold) {
                return Ok(Some(price));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Port for UnitPrices {
    async fn list(&self, sold: &[Sold]) -> PriceBook {
        let mut units = Vec::with_capacity(sold.len());
        for of in sold {
            units.push((of.clone(), self.price(of).await));
        }
        PriceBook { units }
    }

    /// Of a Region that is not in the table, one that no usage type begins with: nothing on the bill is taken for its
    /// price.
    fn usage_type_prefix(&self) -> String {
        let found = PREFIXES.iter().find(|(region, _)| *region == self.region);
        found.map_or_else(|| format!("{}-", self.region), |(_, prefix)| (*prefix).to_owned())
    }
}

/// What tells it from others of the same usage type; none where the list can't be asked by what is known of it.
fn narrowed(sold: &Sold) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match sold {
        Sold::InstanceHour(_) => LINUX,
        Sold::OnDemandHour(meter) | Sold::ReservedHour(meter) if meter.is_instance() => LINUX,
        Sold::LoadBalancerHour(Balancer::Application) => &[("operation", "LoadBalancing:Application")],
        Sold::LoadBalancerHour(Balancer::Network) => &[("operation", "LoadBalancing:Network")],
        Sold::LoadBalancerHour(Balancer::Classic) => &[("operation", "LoadBalancing")],
        Sold::DatabaseHour(class) => of_engine(&class.engine)?,
        Sold::CacheHour { engine, .. } => match engine.as_str() {
            "redis" => &[("cacheEngine", "Redis")],
            "valkey" => &[("cacheEngine", "Valkey")],
            "memcached" => &[("cacheEngine", "Memcached")],
            _ => return None,
        },
        _ => &[],
    })
}

/// The engine of a database as the list calls it; of those with licences and editions none is told by its name alone.
fn of_engine(engine: &str) -> Option<&'static [(&'static str, &'static str)]> {
    Some(match engine {
        "postgres" => &[("databaseEngine", "PostgreSQL")],
        "mysql" => &[("databaseEngine", "MySQL")],
        "mariadb" => &[("databaseEngine", "MariaDB")],
        "aurora-postgresql" => &[("databaseEngine", "Aurora PostgreSQL")],
        "aurora-mysql" => &[("databaseEngine", "Aurora MySQL")],
        _ => return None,
    })
}

/// The service that sells it, by its code in the Price List.
fn service(sold: &Sold) -> &'static str {
    match sold {
        Sold::LogGib | Sold::AlarmMetric { .. } => "AmazonCloudWatch",
        Sold::ImageRepositoryGib => "AmazonECR",
        Sold::WarehouseHour(_) => "AmazonRedshift",
        Sold::SearchHour(_) | Sold::SearchGib(_) => "AmazonES",
        Sold::Secret => "AWSSecretsManager",
        Sold::ObjectGib(_) | Sold::TieredObject => "AmazonS3",
        Sold::IdleAddressHour | Sold::InterfaceEndpointHour => "AmazonVPC",
        Sold::LoadBalancerHour(_) => "AWSELB",
        Sold::ReadCapacityHour | Sold::WriteCapacityHour | Sold::ReadRequest | Sold::WriteRequest => "AmazonDynamoDB",
        Sold::CacheHour { .. } => "AmazonElastiCache",
        Sold::TaskVcpuHour { .. } | Sold::TaskGbHour { .. } => "AmazonECS",
        Sold::FunctionGbSecond { .. } => "AWSLambda",
        Sold::OnDemandHour(meter) | Sold::ReservedHour(meter) if meter.is_instance() => "AmazonEC2",
        Sold::OnDemandHour(meter) | Sold::ReservedHour(meter) if meter.is_cache() => "AmazonElastiCache",
        Sold::OnDemandHour(_) | Sold::ReservedHour(_) => "AmazonRDS",
        Sold::DatabaseHour(_) | Sold::DatabaseGib { .. } | Sold::DatabaseSnapshotGib => "AmazonRDS",
        Sold::VolumeGib(_)
        | Sold::VolumeIops(_)
        | Sold::VolumeMibps(_)
        | Sold::SnapshotGib
        | Sold::InstanceHour(_)
        | Sold::NatGatewayGib
        | Sold::NatGatewayHour => "AmazonEC2",
    }
}

/// What a unit of the list is in units of `sold`; none where it is another thing.
fn units(sold: &Sold, unit: &str) -> Option<f64> {
    let one_of = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(unit)).then_some(1.0);
    match sold {
        Sold::VolumeGib(_)
        | Sold::SnapshotGib
        | Sold::LogGib
        | Sold::ObjectGib(_)
        | Sold::ImageRepositoryGib
        | Sold::SearchGib(_)
        | Sold::DatabaseGib { .. }
        | Sold::DatabaseSnapshotGib => one_of(&["GB-Mo", "GB-month"]),
        Sold::Secret => one_of(&["Secrets"]),
        Sold::NatGatewayGib => one_of(&["GB"]),
        Sold::AlarmMetric { .. } => one_of(&["Alarms"]),
        Sold::TieredObject => one_of(&["Objects"]),
        // Capacity and requests are sold by units of their own names.
        Sold::ReadCapacityHour | Sold::WriteCapacityHour | Sold::ReadRequest | Sold::WriteRequest => {
            one_of(&[sold.usage_type().as_str()])
        }
        Sold::FunctionGbSecond { .. } => one_of(&["Lambda-GB-Second", "Second", "Seconds"]),
        Sold::VolumeIops(_) => one_of(&["IOPS-Mo"]),
        Sold::VolumeMibps(_) if unit.eq_ignore_ascii_case("GiBps-mo") => Some(MIB_PER_GIB),
        Sold::VolumeMibps(_) => one_of(&["MiBps-Mo"]),
        Sold::IdleAddressHour
        | Sold::InstanceHour(_)
        | Sold::NatGatewayHour
        | Sold::InterfaceEndpointHour
        | Sold::LoadBalancerHour(_)
        | Sold::DatabaseHour(_)
        | Sold::WarehouseHour(_)
        | Sold::SearchHour(_)
        | Sold::TaskVcpuHour { .. }
        | Sold::TaskGbHour { .. }
        | Sold::OnDemandHour(_)
        | Sold::ReservedHour(_)
        | Sold::CacheHour { .. } => one_of(&["Hrs", "Hours"]),
    }
}

/// The highest price, on demand or reserved, among these products, in millionths of a US dollar for a unit: where it falls with the
/// amount, or begins with something free, that of the dearest step.
fn dearest(products: &[Value], sold: &Sold) -> Option<f64> {
    let is_reserved = matches!(sold, Sold::ReservedHour(_));
    let kind = if is_reserved { "/terms/Reserved" } else { "/terms/OnDemand" };
    let terms = products.iter().filter_map(|product| product.pointer(kind)?.as_object());
    let terms = terms.flat_map(|terms| terms.values()).filter(|term| !is_reserved || is_what_is_advised(term));
    let dimensions = terms.filter_map(|term| term.get("priceDimensions")?.as_object());
    let prices = dimensions.flat_map(|dimensions| dimensions.values()).filter_map(|dimension| {
        let units = units(sold, dimension.get("unit")?.as_str()?)?;
        let usd: f64 = dimension.pointer("/pricePerUnit/USD")?.as_str()?.parse().ok()?;
        Some(usd * 1_000_000.0 / units)
    });
    prices.filter(|price| price.is_finite() && *price > 0.0).max_by(f64::total_cmp)
}

/// True for terms of one year, nothing upfront, of the standard class. (AWS Price List, `termAttributes` of `Reserved` terms.)
fn is_what_is_advised(term: &Value) -> bool {
    let is = |name: &str, value: &str| {
        term.pointer(&format!("/termAttributes/{name}")).and_then(Value::as_str) == Some(value)
    };
    is("LeaseContractLength", "1yr") && is("PurchaseOption", "No Upfront") && is("OfferingClass", "standard")
}

#[cfg(test)]
mod tests;
