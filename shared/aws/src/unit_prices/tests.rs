//! Every price by its usage type.

use super::*;
use crate::scripted::{Answer, Service};
use domain::cost::prices::DatabaseClass;
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
        // Load balancers are told apart by their operation alone, databases by their engine.
        let filters = |value: &str| asked["Filters"].as_array().unwrap().iter().any(|of| of["Value"] == value);
        let is_it = asked["ServiceCode"] == service
            && (service != "AWSELB" || filters("LoadBalancing:Network"))
            && (!usage_type.contains("Usage") || service != "AmazonRDS" || filters("Aurora MySQL"))
            && filters(usage_type);
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
        ("AmazonVPC", "USE1-PublicIPv4:IdleAddress", "Hrs", &["0.005"], "us-east-1", Sold::IdleAddressHour, 5_000.0),
        ("AmazonCloudWatch", "USE1-TimedStorage-ByteHrs", "GB-Mo", &["0", "0.03"], "us-east-1", Sold::LogGib, 30_000.0),
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
        ("AmazonEC2", "EUC1-NatGateway-Bytes", "GB", &["0.052"], "eu-central-1", Sold::NatGatewayGib, 52_000.0),
        (
            "AmazonVPC",
            "EU-VpcEndpoint-Hours",
            "Hrs",
            &["0.011", "0.009"],
            "eu-west-1",
            Sold::InterfaceEndpointHour,
            11_000.0,
        ),
        (
            "AmazonECS",
            "USE1-Fargate-vCPU-Hours:perCPU",
            "hours",
            &["0.04048"],
            "us-east-1",
            Sold::TaskVcpuHour { is_arm: false },
            40_480.0,
        ),
        (
            "AmazonECS",
            "EUC1-Fargate-ARM-GB-Hours",
            "hours",
            &["0.00409"],
            "eu-central-1",
            Sold::TaskGbHour { is_arm: true },
            4_090.0,
        ),
        (
            "AWSLambda",
            "EUC1-Lambda-GB-Second-ARM",
            "Lambda-GB-Second",
            &["0.0000133334", "0.0000120001", "0.0000106667"],
            "eu-central-1",
            Sold::FunctionGbSecond { is_arm: true },
            13.3334,
        ),
        (
            "AWSLambda",
            "Lambda-GB-Second",
            "Second",
            &["0", "0.0000166667"],
            "us-east-1",
            Sold::FunctionGbSecond { is_arm: false },
            16.6667,
        ),
        (
            "AmazonECR",
            "USE1-TimedStorage-ByteHrs",
            "GB-Mo",
            &["0.10"],
            "us-east-1",
            Sold::ImageRepositoryGib,
            100_000.0,
        ),
        (
            "AmazonRedshift",
            "EUC1-Node:ra3.xlplus",
            "Hrs",
            &["1.235"],
            "eu-central-1",
            Sold::WarehouseHour("ra3.xlplus".to_owned()),
            1_235_000.0,
        ),
        (
            "AmazonES",
            "EU-ESInstance:m5.large",
            "Hrs",
            &["0.158"],
            "eu-west-1",
            Sold::SearchHour("m5.large.elasticsearch".to_owned()),
            158_000.0,
        ),
        ("AmazonES", "ES:GP3-Storage", "GB-Mo", &["0.122"], "us-east-1", Sold::SearchGib(kind()), 122_000.0),
        (
            "AWSELB",
            "EUW2-LoadBalancerUsage",
            "Hrs",
            &["0.02646"],
            "eu-west-2",
            Sold::LoadBalancerHour(Balancer::Network),
            26_460.0,
        ),
        (
            "AmazonRDS",
            "EUC1-InstanceUsageIOOptimized:db.r6g.2xl",
            "Hrs",
            &["1.61"],
            "eu-central-1",
            Sold::DatabaseHour(aurora(true)),
            1_610_000.0,
        ),
        (
            "AmazonDynamoDB",
            "EUC1-WriteCapacityUnit-Hrs",
            "WriteCapacityUnit-Hrs",
            &["0", "0.000793"],
            "eu-central-1",
            Sold::WriteCapacityHour,
            793.0,
        ),
        (
            "AmazonDynamoDB",
            "ReadRequestUnits",
            "ReadRequestUnits",
            &["0.000000125"],
            "us-east-1",
            Sold::ReadRequest,
            0.125,
        ),
        (
            "AmazonElastiCache",
            "EUC1-NodeUsage:cache.r6g.xlarge",
            "Hrs",
            &["0.49"],
            "eu-central-1",
            Sold::CacheHour { node_type: "cache.r6g.xlarge".to_owned(), engine: "valkey".to_owned() },
            490_000.0,
        ),
        (
            "AmazonRDS",
            "EUC1-RDS:Multi-AZ-GP3-Storage",
            "GB-Mo",
            &["0.274"],
            "eu-central-1",
            Sold::DatabaseGib { storage_type: kind(), is_multi_az: true },
            274_000.0,
        ),
    ] {
        let found = read(&list(service, usage_type, unit, prices), region, sold).await;
        let Observed::Known(price) = found else { panic!("{usage_type}: {found:?}") };
        assert!((price.usd_micros - usd_micros).abs() < 1e-6, "{usage_type}: {price:?}");
        assert_eq!(price.from, PriceSource::List);
    }
}

fn aurora(is_io_optimized: bool) -> DatabaseClass {
    let (class, engine) = ("db.r6g.2xlarge".to_owned(), "aurora-mysql".to_owned());
    DatabaseClass { class, engine, is_multi_az: false, is_io_optimized }
}

#[tokio::test]
async fn an_engine_with_licences_has_no_price_that_its_name_tells() {
    let service = list("AmazonRDS", "EUC1-InstanceUsage:db.r6g.2xl", "Hrs", &["1.0"]);
    let oracle = DatabaseClass { engine: "oracle-ee".to_owned(), ..aurora(false) };
    assert!(read(&service, "eu-central-1", Sold::DatabaseHour(oracle)).await.is_missing());
    assert_eq!(service.requests(), 0, "the list is not asked in vain");
}

#[tokio::test]
async fn fault_what_has_no_price_or_can_t_be_read_is_missing_with_its_reason() {
    let other_unit = list("AmazonEC2", "NatGateway-Hours", "GB", &["0.045"]);
    assert!(matches!(
        read(&other_unit, "us-east-1", Sold::NatGatewayHour).await,
        Observed::Missing(Missing::NotPublished(_))
    ));
    let denied = Service::new(|_, _| Answer(400, br#"{"__type": "AccessDeniedException", "message": "no"}"#.to_vec()));
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

/// A class of databases with the terms that AWS sells it on.
fn on_all_terms() -> String {
    let dimensions = |unit: &str, usd: &str| json!({"R": {"unit": unit, "pricePerUnit": {"USD": usd}}});
    let reserved = |length: &str, option: &str, class: &str, usd: &str| {
        json!({
            "priceDimensions": {
                "H": {"unit": "Hrs", "pricePerUnit": {"USD": usd}},
                "U": {"unit": "Quantity", "pricePerUnit": {"USD": "900"}},
            },
            "termAttributes": {"LeaseContractLength": length, "PurchaseOption": option, "OfferingClass": class},
        })
    };
    json!({"terms": {
        "OnDemand": {"D": {"priceDimensions": dimensions("Hrs", "0.5"), "termAttributes": {}}},
        "Reserved": {
            "A": reserved("1yr", "No Upfront", "standard", "0.36"),
            "B": reserved("3yr", "No Upfront", "standard", "0.45"),
            "C": reserved("1yr", "Partial Upfront", "standard", "0.46"),
            "D": reserved("1yr", "No Upfront", "convertible", "0.47"),
        },
    }})
    .to_string()
}

#[tokio::test]
async fn a_reservation_is_that_of_one_year_with_nothing_upfront() {
    use domain::cost::prices::Meter;
    let list = Service::new(|_, body| {
        let asked: Value = serde_json::from_slice(body).unwrap();
        let filters = |value: &str| asked["Filters"].as_array().unwrap().iter().any(|of| of["Value"] == value);
        let is_it = asked["ServiceCode"] == "AmazonRDS"
            && filters("EUC1-InstanceUsage:db.r6g.large")
            && filters("CreateDBInstance:0014");
        let found = if is_it { vec![on_all_terms()] } else { Vec::new() };
        Answer(200, json!({"FormatVersion": "aws_v1", "PriceList": found}).to_string().into_bytes())
    });
    let meter = |operation: &str| Meter {
        usage_type: "InstanceUsage:db.r6g.large".to_owned(),
        operation: operation.to_owned(),
    };
    let postgres = || meter("CreateDBInstance:0014");
    for (sold, usd_micros) in [(Sold::ReservedHour(postgres()), 360_000.0), (Sold::OnDemandHour(postgres()), 500_000.0)]
    {
        let price = UnitPrice { usd_micros, from: PriceSource::List };
        assert_eq!(read(&list, "eu-central-1", sold).await, Observed::Known(price));
    }
    assert!(read(&list, "eu-central-1", Sold::ReservedHour(meter("CreateDBInstance:0002"))).await.is_missing());
}
