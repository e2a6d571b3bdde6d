//! What an account pays for on demand by the hour, day by day, and the pools in which a reservation of it counts.
//!
//! A reservation of EC2 (Linux, shared tenancy, a whole Region), of RDS and of ElastiCache counts for every size of its
//! family, by AWS's normalization factors. (EC2 User Guide, "How Reserved Instances are applied"; RDS User Guide,
//! "Size-flexible reserved DB instances"; ElastiCache User Guide, "Reserved nodes".) Where that is not so, or a size is not
//! known, a type is a pool of its own.

use super::bill::{Bill, PlanOffer, not_asked};
use super::bill_analysis::whole_days;
use super::policy::Policy;
use super::prices::{Meter, in_region};
use crate::observed::{Missing, Observed};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Use on demand in one Region, covered by no commitment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnDemand {
    /// First day.
    pub from: Date,
    /// Whole days.
    pub days: usize,
    /// By what is counted; none twice.
    pub meters: Vec<Metered>,
    /// What a Savings Plan would cover, of all Regions and services together.
    #[serde(default = "not_asked")]
    pub plan: Observed<Option<PlanOffer>>,
}

/// Use of one meter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metered {
    /// What is counted.
    pub meter: Meter,
    /// Hours by day, as many as there are days; 0 on a day without use.
    pub hours: Vec<f64>,
}

/// What one reservation counts for.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// `m5`, `db.r6g postgresql`, `cache.r6g redis`, or a single type.
    pub name: String,
    /// What is bought for it: the smallest size that is used, `large` at most, so that numbers fit well.
    pub buys: Meter,
    /// Type that is bought, as AWS's commands call it.
    pub buys_type: String,
    /// Product description of its reservations, as AWS's commands call it.
    pub product: &'static str,
    /// Reservations of what is bought that would have been in use, a mean of each day.
    pub by_day: Vec<f64>,
    /// Normalization factor of what is bought; 1 for a pool of a single type.
    factor: f64,
}

impl OnDemand {
    /// Of a bill as it was read on this day, by UTC, in the Region with this prefix; missing with its reason where that is too little
    /// to promise something for a year upon.
    pub fn of_bill(bill: &Bill, region_prefix: &str, policy: &Policy, today: Date) -> Observed<Self> {
        let missing = |why: String| Observed::Missing(Missing::Failed(why));
        if bill.currency != "USD" {
            return missing(format!("the bill is in {}, and amounts are understood in USD alone", bill.currency));
        }
        let Some(lines) = &bill.on_demand else {
            return missing("the bill was read without what is paid on demand".to_owned());
        };
        let (from, days) = whole_days(bill, today).unwrap_or((bill.from, 0));
        if days < usize::try_from(policy.commitment_days_min).unwrap_or(usize::MAX) {
            return missing(format!(
                "the bill has {days} whole days, and a commitment needs {}",
                policy.commitment_days_min
            ));
        }
        if bill.lines.is_empty() {
            return missing(format!("nothing was charged from {from} on"));
        }
        let mut meters: BTreeMap<Meter, Vec<f64>> = BTreeMap::new();
        for line in lines {
            let Some(usage_type) = in_region(&line.usage_type, region_prefix) else { continue };
            let Ok(place) = usize::try_from(super::bill_analysis::days_between(from, line.day).unwrap_or(-1)) else {
                continue;
            };
            let meter = Meter { usage_type: usage_type.to_owned(), operation: line.operation.clone() };
            if place < days && Kind::of(&meter).is_some() {
                let hours = meters.entry(meter).or_insert_with(|| vec![0.0; days]);
                if let Some(of_day) = hours.get_mut(place) {
                    *of_day += line.hours;
                }
            }
        }
        let meters = meters.into_iter().map(|(meter, hours)| Metered { meter, hours }).collect();
        Observed::Known(Self { from, days, meters, plan: bill.plan.clone() })
    }
}

/// The pools of this use, by name.
pub fn pools(on_demand: &OnDemand) -> Vec<Pool> {
    let mut members: BTreeMap<String, Vec<(Kind, &Metered)>> = BTreeMap::new();
    for metered in &on_demand.meters {
        if let Some(kind) = Kind::of(&metered.meter) {
            members.entry(kind.pool()).or_default().push((kind, metered));
        }
    }
    members.into_iter().filter_map(|(name, members)| pool(name, &members, on_demand.days)).collect()
}

fn pool(name: String, members: &[(Kind, &Metered)], days: usize) -> Option<Pool> {
    let (smallest, metered) = members.iter().min_by(|(a, _), (b, _)| a.factor.total_cmp(&b.factor))?;
    let is_large = smallest.is_flexible && smallest.factor > LARGE;
    let factor = if is_large { LARGE } else { smallest.factor };
    let sized = |text: &str| match text.rsplit_once('.') {
        Some((family, _)) if is_large => format!("{family}.large"),
        _ => text.to_owned(),
    };
    let mut by_day = vec![0.0; days];
    for (kind, metered) in members {
        for (sum, hours) in by_day.iter_mut().zip(&metered.hours) {
            *sum += hours * kind.factor / factor / HOURS_PER_DAY;
        }
    }
    let Meter { usage_type, operation } = &metered.meter;
    let buys = Meter { usage_type: sized(usage_type), operation: operation.clone() };
    let buys_type = if is_large { format!("{}.large", smallest.family) } else { smallest.type_name() };
    Some(Pool { name, buys, buys_type, product: smallest.product, by_day, factor })
}

impl Pool {
    /// Reservations that so much of a meter is worth in this pool; none where it is of another one.
    pub fn worth(&self, meter: &Meter, count: f64) -> Option<f64> {
        let kind = Kind::of(meter).filter(|kind| kind.pool() == self.name)?;
        Some(count * kind.factor / self.factor)
    }
}

const HOURS_PER_DAY: f64 = 24.0;
/// Factor of a `large`.
const LARGE: f64 = 4.0;
/// Engines by their operation on the bill, as reservations call them. Those with licences are not among them: their
/// reservations count for one size alone, or need a licence of one's own.
const ENGINES: [(&str, &str); 8] = [
    ("CreateDBInstance:0002", "mysql"),
    ("CreateDBInstance:0014", "postgresql"),
    ("CreateDBInstance:0016", "aurora-mysql"),
    ("CreateDBInstance:0018", "mariadb"),
    ("CreateDBInstance:0021", "aurora-postgresql"),
    ("CreateCacheCluster:0001", "memcached"),
    ("CreateCacheCluster:0002", "redis"),
    ("CreateCacheCluster:Valkey", "valkey"),
];

/// The operation on the bill of an engine, as its service calls it; none where reservations of it are not known here.
pub fn operation_of(engine: &str) -> Option<&'static str> {
    let engine = if engine == "postgres" { "postgresql" } else { engine };
    ENGINES.iter().find(|(_, product)| *product == engine).map(|(operation, _)| *operation)
}

/// What a meter counts.
struct Kind {
    product: &'static str,
    is_multi_az: bool,
    /// `m5`, `db.r6g`, `cache.r6g`.
    family: String,
    size: String,
    is_flexible: bool,
    /// Normalization factor; 1 for a type on its own.
    factor: f64,
}

impl Kind {
    /// None for what no reservation here is for: another operating system, spot, serverless, an engine with a licence, a cluster with
    /// readable standbys, Aurora's I/O-Optimized.
    fn of(meter: &Meter) -> Option<Self> {
        let (usage, name) = meter.usage_type.split_once(':')?;
        let engine = || ENGINES.iter().find(|(operation, _)| *operation == meter.operation).map(|(_, engine)| *engine);
        let (prefix, product) = match usage {
            "BoxUsage" if meter.operation == "RunInstances" => ("", "Linux/UNIX"),
            "InstanceUsage" | "Multi-AZUsage" => ("db.", engine()?),
            "NodeUsage" => ("cache.", engine()?),
            _ => return None,
        };
        let (family, size) = name.strip_prefix(prefix)?.split_once('.')?;
        let known = factor(size).filter(|_| has_flexible_sizes(family));
        Some(Self {
            product,
            is_multi_az: usage == "Multi-AZUsage",
            family: format!("{prefix}{family}"),
            size: size.to_owned(),
            is_flexible: known.is_some(),
            factor: known.unwrap_or(1.0),
        })
    }

    fn pool(&self) -> String {
        let family = if self.is_flexible { self.family.clone() } else { self.type_name() };
        match (self.product, self.is_multi_az) {
            ("Linux/UNIX", _) => family,
            (engine, false) => format!("{family} {engine}"),
            (engine, true) => format!("{family} {engine} Multi-AZ"),
        }
    }

    /// The type as commands call it: the bill of RDS shortens `xlarge` to `xl`.
    fn type_name(&self) -> String {
        let size = self.size.strip_suffix("xl").map_or_else(|| self.size.clone(), |times| format!("{times}xlarge"));
        format!("{}.{size}", self.family)
    }
}

/// Families of the general kinds, the third generation on: all have a `large`, and none is on AWS's list of those without
/// flexible sizes (G, Gr, Hpc, Inf, U).
fn has_flexible_sizes(family: &str) -> bool {
    let mut letters = family.chars();
    let (kind, generation) = (letters.next(), letters.next().and_then(|digit| digit.to_digit(10)));
    match (kind, generation) {
        (Some('t'), Some(generation)) => generation >= 2,
        (Some('c' | 'm' | 'r'), Some(generation)) => generation >= 3,
        _ => false,
    }
}

/// AWS's normalization factor of a size.
fn factor(size: &str) -> Option<f64> {
    Some(match size {
        "nano" => 0.25,
        "micro" => 0.5,
        "small" => 1.0,
        "medium" => 2.0,
        "large" => LARGE,
        "xlarge" | "xl" => 8.0,
        _ => 8.0 * f64::from(size.strip_suffix("xlarge").or_else(|| size.strip_suffix("xl"))?.parse::<u16>().ok()?),
    })
}
