//! Unit prices: from the account's own bill first, so that its discounts are in them, then from AWS's price list.

use super::bill::Bill;
use super::estate::Estate;
use super::money::UsdMicros;
use crate::observed::{Missing, Observed};
use crate::resource::Live;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Hours that AWS bills for a month, on average over a year.
pub const HOURS_PER_MONTH: f64 = 730.0;
/// The prefix of US East (N. Virginia) on usage types of newer services; the older ones have none there.
const SPELLED_OUT: &str = "USE1-";

/// Something that is paid for by what exists, by hour or by month.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "sold", content = "of")]
pub enum Sold {
    /// A GiB of an EBS volume of this type, a month.
    VolumeGib(String),
    /// An I/O operation a second of a volume of this type beyond what is included, a month.
    VolumeIops(String),
    /// A MiB a second of a volume of this type beyond what is included, a month.
    VolumeMibps(String),
    /// A GiB of an EBS snapshot, a month.
    SnapshotGib,
    /// An Elastic IP address that nothing uses, an hour.
    IdleAddressHour,
    /// A GiB of stored logs, a month.
    LogGib,
    /// An EC2 instance of this type, an hour, on demand, Linux.
    InstanceHour(String),
    /// A NAT gateway, an hour.
    NatGatewayHour,
}

impl Sold {
    /// How the bill's usage type ends, after the Region's prefix (`EUC1-`; US East (N. Virginia) has none).
    pub fn usage_type(&self) -> String {
        match self {
            Self::VolumeGib(kind) => format!("EBS:VolumeUsage{}", billed(kind)),
            Self::VolumeIops(kind) => format!("EBS:VolumeP-IOPS{}", billed(kind)),
            Self::VolumeMibps(kind) => format!("EBS:VolumeP-Throughput.{kind}"),
            Self::SnapshotGib => "EBS:SnapshotUsage".to_owned(),
            Self::IdleAddressHour => "PublicIPv4:IdleAddress".to_owned(),
            Self::LogGib => "TimedStorage-ByteHrs".to_owned(),
            Self::InstanceHour(kind) => format!("BoxUsage:{kind}"),
            Self::NatGatewayHour => "NatGateway-Hours".to_owned(),
        }
    }

    /// The service of its lines on the bill: a usage type alone may be of several (logs and S3 both store `TimedStorage-ByteHrs`).
    pub fn service(&self) -> &'static str {
        match self {
            Self::VolumeGib(_)
            | Self::VolumeIops(_)
            | Self::VolumeMibps(_)
            | Self::SnapshotGib
            | Self::NatGatewayHour => "EC2 - Other",
            Self::IdleAddressHour => "Amazon Virtual Private Cloud",
            Self::LogGib => "AmazonCloudWatch",
            Self::InstanceHour(_) => "Amazon Elastic Compute Cloud - Compute",
        }
    }

    /// Units of it in one unit of a bill's line: throughput is billed by the GiB a second.
    pub(super) fn in_billed(&self, unit: &str) -> f64 {
        if matches!(self, Self::VolumeMibps(_)) && unit.eq_ignore_ascii_case("GiBps-mo") { 1_024.0 } else { 1.0 }
    }

    /// True for what is sold by the hour, false for what is sold by the month.
    pub fn is_by_hour(&self) -> bool {
        match self {
            Self::IdleAddressHour | Self::InstanceHour(_) | Self::NatGatewayHour => true,
            Self::VolumeGib(_) | Self::VolumeIops(_) | Self::VolumeMibps(_) | Self::SnapshotGib | Self::LogGib => false,
        }
    }

    /// Units that a month has of it: 730 for what is sold by the hour, else 1.
    pub fn per_month(&self) -> f64 {
        if self.is_by_hour() { HOURS_PER_MONTH } else { 1.0 }
    }

    /// False where another service bills by the same usage type: logs and objects are both stored by the hour.
    pub(super) fn is_told_by_its_usage_type(&self) -> bool {
        !matches!(self, Self::LogGib)
    }
}

/// Everything whose price rules may ask for, of what an estate is made of, sorted.
pub fn wanted(estate: &Estate) -> Vec<Sold> {
    let mut wanted = BTreeSet::new();
    for item in &estate.items {
        match &item.resource.live {
            Live::Volume(volume) => {
                wanted.extend([Sold::VolumeGib(volume.volume_type.clone()), Sold::SnapshotGib]);
                if volume.volume_type == "gp2" {
                    let gp3 = || "gp3".to_owned();
                    wanted.extend([Sold::VolumeGib(gp3()), Sold::VolumeIops(gp3()), Sold::VolumeMibps(gp3())]);
                }
            }
            Live::DiskSnapshot(_) => drop(wanted.insert(Sold::SnapshotGib)),
            Live::Address(_) => drop(wanted.insert(Sold::IdleAddressHour)),
            Live::LogGroup(_) => drop(wanted.insert(Sold::LogGib)),
            Live::Machine(machine) => drop(wanted.insert(Sold::InstanceHour(machine.instance_type.clone()))),
            Live::NatGateway(_) => drop(wanted.insert(Sold::NatGatewayHour)),
            Live::AutoScalingGroup(fleet) => {
                let types = fleet.instances.iter().filter_map(|instance| instance.instance_type.clone());
                wanted.extend(types.map(Sold::InstanceHour));
            }
            _ => {}
        }
    }
    wanted.into_iter().collect()
}

/// A unit price with where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitPrice {
    /// Millionths of a US dollar for a unit. A fraction, since some units cost less than one.
    pub usd_micros: f64,
    /// Where it comes from.
    pub from: PriceSource,
}

/// Where a price comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriceSource {
    /// Cost divided by quantity on the account's own bill.
    Bill,
    /// AWS's price list.
    List,
}

/// Prices for one Region.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PriceBook {
    /// By what is sold. What is absent, or missing, is not known.
    pub units: Vec<(Sold, Observed<UnitPrice>)>,
}

impl PriceBook {
    /// The unit price of something; missing with its reason where neither bill nor list knows it.
    pub fn unit(&self, sold: &Sold) -> Observed<UnitPrice> {
        let found = self.units.iter().find(|(of, _)| of == sold).map(|(_, price)| price.clone());
        found.unwrap_or_else(|| Observed::Missing(Missing::NotPublished(format!("a price of {}", sold.usage_type()))))
    }

    /// What so many units of it cost a month.
    pub fn month(&self, sold: &Sold, units: f64) -> Observed<UsdMicros> {
        #[expect(clippy::cast_possible_truncation, reason = "saturates, and NaN becomes 0")]
        self.unit(sold).map(|price| UsdMicros((price.usd_micros * units * sold.per_month()).round() as i64))
    }

    /// The prices that a bill knows, of these things, in the Region with this prefix (`EUC1-`, or nothing).
    ///
    /// Days whose cost or quantity is not positive are left out: credits and refunds are no prices. A bill in another currency
    /// than US dollars knows none.
    pub fn of_bill(bill: &Bill, wanted: &[Sold], region_prefix: &str) -> Self {
        if bill.currency != "USD" {
            return Self::default();
        }
        let mut sums: BTreeMap<(&str, &str), (i64, f64, &str)> = BTreeMap::new();
        for line in bill.lines.iter().filter(|line| line.cost.0 > 0 && line.quantity > 0.0) {
            let Some(kind) = in_region(&line.usage_type, region_prefix) else { continue };
            let sum = sums.entry((&line.service, kind)).or_default();
            *sum = (sum.0.saturating_add(line.cost.0), sum.1 + line.quantity, &line.unit);
        }
        let price = |sold: &Sold| {
            let usage_type = sold.usage_type();
            let (cost, quantity, unit) = sums.get(&(sold.service(), usage_type.as_str()))?;
            #[expect(clippy::cast_precision_loss, reason = "a month's bill in millionths of a dollar fits")]
            let usd_micros = *cost as f64 / (quantity * sold.in_billed(unit));
            Some((sold.clone(), Observed::Known(UnitPrice { usd_micros, from: PriceSource::Bill })))
        };
        Self { units: wanted.iter().filter_map(price).collect() }
    }

    /// These prices, and for what they don't know those of another book.
    #[must_use]
    pub fn or(mut self, list: Self) -> Self {
        for (sold, price) in list.units {
            match self.units.iter_mut().find(|(of, _)| *of == sold) {
                Some((_, Observed::Known(_))) => {}
                Some((_, known)) => *known = price,
                None => self.units.push((sold, price)),
            }
        }
        self
    }
}

/// A usage type of the Region with this prefix, without it. Some services have a prefix in US East (N. Virginia), too.
pub(super) fn in_region<'a>(usage_type: &'a str, prefix: &str) -> Option<&'a str> {
    let kind = usage_type.strip_prefix(prefix)?;
    Some(if prefix.is_empty() { kind.strip_prefix(SPELLED_OUT).unwrap_or(kind) } else { kind })
}

/// What the bill calls a type of volume: `io1` by its older name, the magnetic ones by none.
fn billed(kind: &str) -> String {
    match kind {
        "standard" => String::new(),
        "io1" => ".piops".to_owned(),
        other => format!(".{other}"),
    }
}

#[cfg(test)]
mod tests {
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
        Bill { from, to, currency: "USD".to_owned(), lines, by_app: Vec::new(), calls: 1 }
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
        let listed =
            |sold: Sold, usd_micros| (sold, Observed::Known(UnitPrice { usd_micros, from: PriceSource::List }));
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
            of("Amazon Virtual Private Cloud", "USE1-PublicIPv4:IdleAddress", 120_000, 24.0, "Hrs"),
            of("EC2 - Other", "EBS:VolumeP-Throughput.gp3", 40_960_000, 1.0, "GiBps-mo"),
            of("EC2 - Other", "EBS:VolumeUsage.piops", 125_000, 1.0, "GB-Mo"),
            of("EC2 - Other", "EBS:VolumeUsage", 50_000, 1.0, "GB-Mo"),
        ];
        let volume = |kind: &str| Sold::VolumeGib(kind.to_owned());
        for (sold, usd_micros) in [
            (Sold::LogGib, 30_000.0),
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
}
