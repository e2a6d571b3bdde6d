//! Unit prices of the Price List for what is paid for by its mere existence. Asking is free of charge; what is known is
//! asked once in a process.

use crate::prices::PriceList;
use async_trait::async_trait;
use domain::cost::prices::{PriceBook, PriceSource, Sold, UnitPrice};
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
        let usage_type = sold.usage_type();
        let spelled_out = (self.region == SPELLED_OUT.0).then(|| SPELLED_OUT.1.to_owned());
        for prefix in [Some(self.usage_type_prefix()), spelled_out].into_iter().flatten() {
            let usage_type = format!("{prefix}{usage_type}");
            let mut filters = vec![("usagetype", usage_type.as_str())];
            if matches!(sold, Sold::InstanceHour(_)) {
                filters.extend([
                    ("operatingSystem", "Linux"),
                    ("preInstalledSw", "NA"),
                    ("tenancy", "Shared"),
                    ("capacitystatus", "Used"),
                ]);
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

/// The service that sells it, by its code in the Price List.
fn service(sold: &Sold) -> &'static str {
    match sold {
        Sold::LogGib => "AmazonCloudWatch",
        Sold::IdleAddressHour => "AmazonVPC",
        Sold::VolumeGib(_)
        | Sold::VolumeIops(_)
        | Sold::VolumeMibps(_)
        | Sold::SnapshotGib
        | Sold::InstanceHour(_)
        | Sold::NatGatewayHour => "AmazonEC2",
    }
}

/// What a unit of the list is in units of `sold`; none where it is another thing.
fn units(sold: &Sold, unit: &str) -> Option<f64> {
    let one_of = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(unit)).then_some(1.0);
    match sold {
        Sold::VolumeGib(_) | Sold::SnapshotGib | Sold::LogGib => one_of(&["GB-Mo", "GB-month"]),
        Sold::VolumeIops(_) => one_of(&["IOPS-Mo"]),
        Sold::VolumeMibps(_) if unit.eq_ignore_ascii_case("GiBps-mo") => Some(MIB_PER_GIB),
        Sold::VolumeMibps(_) => one_of(&["MiBps-Mo"]),
        Sold::IdleAddressHour | Sold::InstanceHour(_) | Sold::NatGatewayHour => one_of(&["Hrs", "Hours"]),
    }
}

/// The highest price on demand among these products, in millionths of a US dollar for a unit: where it falls with the
/// amount, or begins with something free, that of the dearest step.
fn dearest(products: &[Value], sold: &Sold) -> Option<f64> {
    let terms = products.iter().filter_map(|product| product.pointer("/terms/OnDemand")?.as_object());
    let dimensions = terms.flat_map(|terms| terms.values()).filter_map(|term| term.get("priceDimensions")?.as_object());
    let prices = dimensions.flat_map(|dimensions| dimensions.values()).filter_map(|dimension| {
        let units = units(sold, dimension.get("unit")?.as_str()?)?;
        let usd: f64 = dimension.pointer("/pricePerUnit/USD")?.as_str()?.parse().ok()?;
        Some(usd * 1_000_000.0 / units)
    });
    prices.filter(|price| price.is_finite() && *price > 0.0).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Service};
    use serde_json::json;

    fn product(unit: &str, prices: &[&str]) -> String {
        let dimensions: serde_json::Map<String, Value> =
            prices.iter().map(|usd| ((*usd).to_owned(), json!({"unit": unit, "pricePerUnit": {"USD": usd}}))).collect();
        json!({"terms": {"OnDemand": {"X": {"priceDimensions": dimensions}}}}).to_string()
    }

    /// A list with one product, by service and usage type.
    fn list(service: &'static str, usage_type: &'static str, unit: &'static str, prices: &'static [&str]) -> Service {
        Service::new(move |_, body| {
            let asked: Value = serde_json::from_slice(body).unwrap();
            let is_it = asked["ServiceCode"] == service
                && asked["Filters"].as_array().unwrap().iter().any(|filter| filter["Value"] == usage_type);
            let found = if is_it { vec![product(unit, prices)] } else { Vec::new() };
            Answer(200, json!({"FormatVersion": "aws_v1", "PriceList": found}).to_string().into_bytes())
        })
    }

    async fn read(list: &Service, region: &str, sold: Sold) -> Observed<UnitPrice> {
        let prices = UnitPrices::new(PriceList::new(&list.clients()), region);
        prices.list(&[sold]).await.units.remove(0).1
    }

    #[tokio::test]
    async fn everything_is_found_by_its_usage_type() {
        let kind = || "gp3".to_owned();
        for (service, usage_type, unit, prices, region, sold, usd_micros) in [
            (
                "AmazonEC2",
                "EUC1-EBS:VolumeUsage.gp3",
                "GB-Mo",
                &["0.0952"][..],
                "eu-central-1",
                Sold::VolumeGib(kind()),
                95_200.0,
            ),
            (
                "AmazonEC2",
                "EBS:VolumeUsage.piops",
                "GB-Mo",
                &["0.125"],
                "us-east-1",
                Sold::VolumeGib("io1".to_owned()),
                125_000.0,
            ),
            (
                "AmazonEC2",
                "EU-EBS:VolumeP-IOPS.gp3",
                "IOPS-Mo",
                &["0.0055"],
                "eu-west-1",
                Sold::VolumeIops(kind()),
                5_500.0,
            ),
            (
                "AmazonEC2",
                "EBS:VolumeP-Throughput.gp3",
                "GiBps-mo",
                &["40.96"],
                "us-east-1",
                Sold::VolumeMibps(kind()),
                40_000.0,
            ),
            ("AmazonEC2", "EBS:SnapshotUsage", "GB-Mo", &["0.05"], "us-east-1", Sold::SnapshotGib, 50_000.0),
            (
                "AmazonVPC",
                "USE1-PublicIPv4:IdleAddress",
                "Hrs",
                &["0.005"],
                "us-east-1",
                Sold::IdleAddressHour,
                5_000.0,
            ),
            (
                "AmazonCloudWatch",
                "USE1-TimedStorage-ByteHrs",
                "GB-Mo",
                &["0", "0.03"],
                "us-east-1",
                Sold::LogGib,
                30_000.0,
            ),
            (
                "AmazonEC2",
                "USW2-BoxUsage:t3.micro",
                "Hrs",
                &["0.0104"],
                "us-west-2",
                Sold::InstanceHour("t3.micro".to_owned()),
                10_400.0,
            ),
            ("AmazonEC2", "NatGateway-Hours", "Hrs", &["0.045"], "us-east-1", Sold::NatGatewayHour, 45_000.0),
        ] {
            let found = read(&list(service, usage_type, unit, prices), region, sold).await;
            let Observed::Known(price) = found else { panic!("{usage_type}: {found:?}") };
            assert!((price.usd_micros - usd_micros).abs() < 1e-6, "{usage_type}: {price:?}");
            assert_eq!(price.from, PriceSource::List);
        }
    }

    #[tokio::test]
    async fn fault_what_has_no_price_or_can_t_be_read_is_missing_with_its_reason() {
        let other_unit = list("AmazonEC2", "NatGateway-Hours", "GB", &["0.045"]);
        assert!(matches!(
            read(&other_unit, "us-east-1", Sold::NatGatewayHour).await,
            Observed::Missing(Missing::NotPublished(_))
        ));
        let denied =
            Service::new(|_, _| Answer(400, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec()));
        assert!(matches!(read(&denied, "us-east-1", Sold::SnapshotGib).await, Observed::Missing(Missing::Denied(_))));
    }

    #[tokio::test]
    async fn what_is_known_is_asked_once() {
        let service = list("AmazonEC2", "EBS:SnapshotUsage", "GB-Mo", &["0.05"]);
        let prices = UnitPrices::new(PriceList::new(&service.clients()), "us-east-1");
        for _ in 0..3 {
            assert!(!prices.list(&[Sold::SnapshotGib]).await.units.remove(0).1.is_missing());
        }
        assert_eq!(service.requests(), 1);
    }

    #[test]
    fn a_region_has_its_prefix_and_an_unknown_one_none_that_could_be_mistaken() {
        let service = Service::new(|_, _| Answer(500, Vec::new()));
        let prefix = |region| UnitPrices::new(PriceList::new(&service.clients()), region).usage_type_prefix();
        for (region, expected) in
            [("us-east-1", ""), ("eu-central-1", "EUC1-"), ("eu-west-1", "EU-"), ("xx-new-9", "xx-new-9-")]
        {
            assert_eq!(prefix(region), expected);
        }
        let mut sorted = PREFIXES.to_vec();
        sorted.sort_unstable_by_key(|(_, prefix)| *prefix);
        sorted.dedup_by_key(|(_, prefix)| *prefix);
        assert_eq!(sorted.len(), PREFIXES.len(), "every prefix is of one Region");
    }
}
