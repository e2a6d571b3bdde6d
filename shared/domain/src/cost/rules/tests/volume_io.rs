//! I/O that was bought and never used.

use super::{claims, tagged};
use crate::cost::estate::Item;
use crate::cost::fixture::{found, history, item, unread, volume};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Opportunity, Remedy, Saving};
use crate::cost::usage::{Quantity, Usage};
use crate::observed::Observed;
use crate::resource::{Live, Volume};

const RULE: &str = "oversized_volume_io";
const MIB_PER_MIN: f64 = 60.0 * 1_048_576.0;

fn disk(kind: &str, iops: u32, mibps: Option<u32>, instances: &[&str]) -> Item {
    let live = Volume { iops: Some(iops), throughput_mibps: mibps, ..volume(kind, 500, instances) };
    item("volume/vol-1", Live::Volume(live))
}

/// Operations a second and MiB a second in every minute, and whether it was short in hour 500.
fn did(it: &Item, ops: f64, mibps: f64, short: bool) -> Vec<Usage> {
    let exceeded = move |hour: i64| Some(f64::from(u8::from(short && hour == 500)));
    vec![
        history(it, Quantity::BusiestOps, move |_| Some(ops * 60.0)),
        history(it, Quantity::OpsExceeded, exceeded),
        history(it, Quantity::BusiestBytes, move |_| Some(mibps * MIB_PER_MIN)),
        history(it, Quantity::BytesExceeded, exceeded),
    ]
}

fn one(it: Item, usage: Vec<Usage>) -> Option<Opportunity> {
    found(vec![it], usage).into_iter().find(|one| one.rule.as_str() == RULE)
}

#[test]
fn twice_the_busiest_minute_is_enough_and_what_gp3_includes_costs_nothing() {
    let is = |iops, ops| {
        let it = disk("gp3", iops, Some(125), &["i-1"]);
        let usage = did(&it, ops, 10.0, false);
        claims(RULE, vec![it], usage)
    };
    assert!(is(6_000, 2_900.0) && !is(6_000, 2_951.0), "rounded up to the next hundred it is all that there is");
    assert!(!is(3_000, 1.0) && !is(2_900, 1.0), "nothing was bought");
    let it = disk("gp3", 9_000, Some(500), &["i-1"]);
    let usage = did(&it, 2_000.0, 100.0, false);
    let one = one(it, usage).unwrap();
    // 5,000 operations at 0.006 USD and 300 MiB/s at 0.048 USD.
    assert_eq!(one.saving, Observed::Known(Saving::exactly(UsdMicros(30_000_000 + 14_400_000))));
    let Remedy::Advice { what } = &one.remedy else { panic!("{one:?}") };
    assert!(what.ends_with("aws ec2 modify-volume --volume-id vol-1 --iops 4000 --throughput 200"), "{what}");
    assert!(one.way_back.ends_with("--iops 9000 --throughput 500"), "{}", one.way_back);
}

#[test]
fn gp3_keeps_the_operations_that_its_throughput_needs() {
    // A quarter of a MiB a second for each operation: 1,000 MiB/s that are in use need 4,000.
    let it = disk("gp3", 16_000, Some(1_000), &["i-1"]);
    let usage = did(&it, 500.0, 600.0, false);
    let busy = one(it, usage).unwrap();
    assert!(
        matches!(&busy.remedy, Remedy::Advice { what } if what.ends_with("--volume-id vol-1 --iops 4000")),
        "{busy:?}"
    );
    let it = disk("gp3", 16_000, Some(1_000), &["i-1"]);
    let usage = did(&it, 500.0, 390.0, false);
    let idle = one(it, usage).unwrap();
    let command = "--iops 3200 --throughput 800";
    assert!(matches!(&idle.remedy, Remedy::Advice { what } if what.ends_with(command)), "{idle:?}");
}

#[test]
fn provisioned_types_need_a_hundred_operations_and_those_of_io2_are_claimed_up_to_its_first_price() {
    let it = disk("io2", 40_000, None, &["i-1"]);
    let usage = did(&it, 1.0, 1.0, false);
    let one = one(it, usage).unwrap();
    assert!(matches!(&one.remedy, Remedy::Advice { what } if what.ends_with("--iops 100")), "{one:?}");
    let Observed::Known(saving) = one.saving else { panic!("its price is known") };
    // 31,900 operations at 0.078 USD.
    assert_eq!(saving.likely, UsdMicros(2_488_200_000));
}

#[test]
fn what_was_ever_short_is_not_known_whole_or_is_shared_is_left_alone() {
    let it = || disk("gp3", 9_000, Some(125), &["i-1"]);
    let usage = |short| did(&it(), 100.0, 1.0, short);
    assert!(claims(RULE, vec![it()], usage(false)) && !claims(RULE, vec![it()], usage(true)));
    for quantity in [Quantity::BusiestOps, Quantity::OpsExceeded] {
        let mut some = usage(false);
        some.retain(|of| of.quantity != quantity);
        assert!(!claims(RULE, vec![it()], some.clone()), "never asked for");
        some.push(unread(&it(), quantity));
        assert!(!claims(RULE, vec![it()], some.clone()), "denied");
        some.pop();
        some.push(history(&it(), quantity, |hour| (hour >= 720 - 13 * 24).then_some(0.0)));
        assert!(!claims(RULE, vec![it()], some), "13 days");
    }
    for instances in [&[][..], &["i-1", "i-2"]] {
        assert!(!claims(RULE, vec![disk("io2", 9_000, None, instances)], usage(false)), "{instances:?}");
    }
    assert!(!claims(RULE, vec![disk("gp2", 9_000, None, &["i-1"])], usage(false)), "it follows from its size");
    assert!(!claims(RULE, vec![tagged(it(), "role", "standby")], usage(false)));
}
