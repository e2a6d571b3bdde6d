//! The bill and the prices, of what exists in the cloud.

use crate::{Cloud, later};
use aws::prices::PriceList;
use aws::{Billing, UnitPrices};
use domain::cost::money::UsdMicros;
use domain::cost::prices::{PriceSource, Sold, StorageClass, UnitPrice};
use domain::observed::Observed;
use engine::ports::{Billing as _, UnitPrices as _};
use jiff::tz::Offset;

#[tokio::test]
async fn the_bill_names_what_exists_by_usage_type_and_by_application() {
    let Some(cloud) = Cloud::connect("bill").await else { return };
    cloud.gp2_volume().await;
    let today = Offset::UTC.to_datetime(cloud.now()).date();
    let yesterday = Offset::UTC.to_datetime(later(cloud.now(), -86_400)).date();
    let from = Offset::UTC.to_datetime(later(cloud.now(), -45 * 86_400)).date();
    // What 500 GiB of gp2 cost a day, at 0.10 USD a month.
    let gp2_day = 50_000_000 / i64::from(from.days_in_month());
    let bill = Billing::new(&cloud.clients).read(from, today).await.unwrap();
    assert_eq!((bill.from, bill.to, bill.currency.as_str()), (from, today, "USD"));
    assert_eq!(bill.calls, 10, "45 days are three pages, three times, and what a plan would cover");
    // Whether instances run here at this moment other tests decide.
    let Observed::Known(plan) = bill.plan else { panic!("{:?}", bill.plan) };
    assert!(plan.is_none_or(|plan| (plan.rate - 0.72).abs() < 1e-3 && plan.least_hour <= plan.mean_hour), "{plan:?}");
    let of_day = |day| bill.lines.iter().filter(move |line| line.day == day);
    let line = of_day(from).find(|line| line.usage_type == "EBS:VolumeUsage.gp2").unwrap();
    assert_eq!((line.service.as_str(), line.unit.as_str(), line.is_estimated), ("EC2 - Other", "GB-Mo", false));
    assert!(line.cost >= UsdMicros(gp2_day), "{line:?}");
    #[allow(clippy::cast_precision_loss, reason = "a day's cost")]
    let unit_usd_micros = line.cost.0 as f64 / line.quantity;
    assert!((unit_usd_micros - 100_000.0).abs() < 1.0, "{unit_usd_micros}");
    assert!(of_day(yesterday).all(|line| line.is_estimated));
    let by_usage: UsdMicros = of_day(from).map(|line| line.cost).sum();
    let by_app: UsdMicros = bill.by_app.iter().filter(|line| line.day == from).map(|line| line.cost).sum();
    // Each line is rounded by itself.
    assert!((by_usage - by_app).0.abs() < 100, "{by_usage:?} by usage, {by_app:?} by application");
    let ours: Vec<_> = bill.by_app.iter().filter(|line| line.day == from && line.app == cloud.name).collect();
    assert_eq!((ours[0].usage_type.as_str(), ours[0].unit.as_str()), ("EBS:VolumeUsage.gp2", "GB-Mo"));
    assert!((ours[0].quantity * f64::from(from.days_in_month()) - 500.0).abs() < 1e-6, "{ours:?}");
    assert!(ours.len() == 1 && (ours[0].cost.0 - gp2_day).abs() < 2, "{ours:?}");
}

#[tokio::test]
async fn everything_that_is_sold_has_a_price() {
    let Some(cloud) = Cloud::connect("unit prices").await else { return };
    let prices = UnitPrices::new(PriceList::new(&cloud.clients), "eu-central-1");
    assert_eq!(prices.usage_type_prefix(), "EUC1-");
    for region in ["us-east-1", "eu-central-1"] {
        let prices = UnitPrices::new(PriceList::new(&cloud.clients), region);
        let gp = |number: u32| format!("gp{number}");
        let expected = [
            (Sold::VolumeGib(gp(2)), 100_000.0),
            (Sold::VolumeGib(gp(3)), 80_000.0),
            (Sold::VolumeIops(gp(3)), 5_000.0),
            (Sold::VolumeMibps(gp(3)), 40_000.0),
            (Sold::VolumeGib("io1".to_owned()), 125_000.0),
            (Sold::SnapshotGib, 50_000.0),
            (Sold::IdleAddressHour, 5_000.0),
            (Sold::LogGib, 30_000.0),
            (Sold::InstanceHour("t3.micro".to_owned()), 10_400.0),
            (Sold::NatGatewayHour, 45_000.0),
            (Sold::NatGatewayGib, 45_000.0),
            (Sold::InterfaceEndpointHour, 10_000.0),
            (Sold::ImageRepositoryGib, 100_000.0),
            (Sold::WarehouseHour("ra3.xlplus".to_owned()), 1_086_000.0),
            (Sold::SearchHour("r6g.large.search".to_owned()), 167_000.0),
            (Sold::SearchGib("gp3".to_owned()), 122_000.0),
            (Sold::Secret, 400_000.0),
            (Sold::AlarmMetric { is_high_resolution: false }, 100_000.0),
            (Sold::ObjectGib(StorageClass::Standard), 23_000.0),
            (Sold::ObjectGib(StorageClass::Infrequent), 12_500.0),
            (Sold::TieredObject, 2.5),
            (Sold::TaskVcpuHour { is_arm: false }, 40_480.0),
            (Sold::TaskGbHour { is_arm: true }, 3_560.0),
            (Sold::FunctionGbSecond { is_arm: true }, 13.3334),
        ];
        let sold: Vec<Sold> = expected.iter().map(|(sold, _)| sold.clone()).collect();
        let book = prices.list(&sold).await;
        for (sold, usd_micros) in &expected {
            let Observed::Known(UnitPrice { usd_micros: found, from }) = book.unit(sold) else {
                panic!("no price of {sold:?} in {region}")
            };
            assert!((found - usd_micros).abs() < 1e-6 && from == PriceSource::List, "{sold:?} in {region}: {found}");
        }
        assert!(prices.list(&[Sold::VolumeGib("gp9".to_owned())]).await.units[0].1.is_missing());
    }
}
