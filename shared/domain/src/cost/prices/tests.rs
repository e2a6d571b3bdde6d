//! Prices of the bill and of the list.

use super::*;
use crate::cost::bill::Line;
use jiff::civil::date;

fn line(usage_type: &str, cost: i64, quantity: f64) -> Line {
    Line {
        day: date(2026, 11, 1),
        service: "EC2 - Other".to_owned(),
        usage_type: usage_type.to_owned(),
        cost: UsdMicros(cost),
        quantity,
        unit: "GB-Mo".to_owned(),
        is_estimated: false,
    }
}

fn bill(lines: Vec<Line>) -> Bill {
    let (from, to) = (date(2026, 11, 1), date(2026, 12, 1));
    Bill {
        from,
        to,
        currency: "USD".to_owned(),
        lines,
        by_app: Vec::new(),
        on_demand: None,
        plan: Observed::Known(None),
        calls: 1,
    }
}

#[test]
fn the_bill_comes_first_and_the_list_fills_its_gaps() {
    let gp2 = Sold::VolumeGib("gp2".to_owned());
    let wanted = [gp2.clone(), Sold::IdleAddressHour];
    // 0.107 USD a GB-month: a tenth below the list; the refund is no price.
    let ours = [line("EUC1-EBS:VolumeUsage.gp2", 1_070_000, 10.0), line("EUC1-EBS:VolumeUsage.gp2", -500_000, 3.0)];
    let book = PriceBook::of_bill(&bill(ours.to_vec()), &wanted, "EUC1-");
    assert_eq!(book.month(&gp2, 500.0), Observed::Known(UsdMicros(53_500_000)));
    assert!(book.month(&Sold::IdleAddressHour, 1.0).is_missing());
    let listed = |sold: Sold, usd_micros| (sold, Observed::Known(UnitPrice { usd_micros, from: PriceSource::List }));
    let list = PriceBook { units: vec![listed(gp2.clone(), 119_000.0), listed(Sold::IdleAddressHour, 5_000.0)] };
    let both = book.or(list);
    assert_eq!(both.month(&gp2, 500.0), Observed::Known(UsdMicros(53_500_000)), "discounts are in");
    assert_eq!(both.month(&Sold::IdleAddressHour, 1.0), Observed::Known(UsdMicros(3_650_000)));
}

/// S3 stores by the same usage type as logs, throughput is billed by the GiB a second, and names differ from those of EC2.
#[test]
fn regression_a_price_of_the_bill_is_that_of_its_service_unit_and_name() {
    let of = |service: &str, usage_type: &str, cost, quantity, unit: &str| Line {
        service: service.to_owned(),
        unit: unit.to_owned(),
        ..line(usage_type, cost, quantity)
    };
    let lines = vec![
        of("Amazon Simple Storage Service", "USE1-TimedStorage-ByteHrs", 23_000, 1.0, "GB-Mo"),
        of("AmazonCloudWatch", "USE1-TimedStorage-ByteHrs", 30_000, 1.0, "GB-Mo"),
        of("Amazon EC2 Container Registry (ECR)", "USE1-TimedStorage-ByteHrs", 100_000, 1.0, "GB-Mo"),
        of("Amazon Virtual Private Cloud", "USE1-PublicIPv4:IdleAddress", 120_000, 24.0, "Hrs"),
        of("EC2 - Other", "EBS:VolumeP-Throughput.gp3", 40_960_000, 1.0, "GiBps-mo"),
        of("EC2 - Other", "EBS:VolumeUsage.piops", 125_000, 1.0, "GB-Mo"),
        of("EC2 - Other", "EBS:VolumeUsage", 50_000, 1.0, "GB-Mo"),
    ];
    let volume = |kind: &str| Sold::VolumeGib(kind.to_owned());
    for (sold, usd_micros) in [
        (Sold::LogGib, 30_000.0),
        (Sold::ImageRepositoryGib, 100_000.0),
        (Sold::IdleAddressHour, 5_000.0),
        (Sold::VolumeMibps("gp3".to_owned()), 40_000.0),
        (volume("io1"), 125_000.0),
        (volume("standard"), 50_000.0),
    ] {
        let book = PriceBook::of_bill(&bill(lines.clone()), std::slice::from_ref(&sold), "");
        let price = UnitPrice { usd_micros, from: PriceSource::Bill };
        assert_eq!(book.unit(&sold), Observed::Known(price), "{sold:?}");
    }
}

#[test]
fn a_bill_in_another_currency_knows_no_price() {
    let euros = Bill { currency: "EUR".to_owned(), ..bill(vec![line("EBS:VolumeUsage.gp2", 1_000_000, 10.0)]) };
    assert_eq!(PriceBook::of_bill(&euros, &[Sold::VolumeGib("gp2".to_owned())], ""), PriceBook::default());
}
