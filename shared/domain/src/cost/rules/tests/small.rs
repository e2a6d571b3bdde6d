//! Savings that are small by themselves.

use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, found, item, volume};
use crate::resource::{Live, Secret};

fn secret(number: u32) -> Item {
    let live = Secret {
        last_accessed: Some(days_ago(200)),
        last_changed: None,
        is_owned_by_service: false,
        is_rotated: false,
        is_replica: false,
    };
    item(&format!("secret/{number}"), Live::Secret(live))
}

#[test]
fn what_people_are_told_to_clean_up_is_summed_by_rule() {
    let secrets = |count: u32| found((0..count).map(secret).collect(), Vec::new()).len();
    // 0.40 US dollars a month each; 1.00 is the least.
    assert_eq!((secrets(1), secrets(2), secrets(3), secrets(10)), (0, 0, 3, 10));
}

#[test]
fn a_change_must_be_worth_it_by_itself() {
    // 0.0238 US dollars a GiB less, and 3 MiB/s more at 0.048.
    let disks = |size_gib, count: u32| {
        let disk = |number| item(&format!("volume/vol-{number}"), Live::Volume(volume("gp2", size_gib, &["i-1"])));
        found((0..count).map(disk).collect(), Vec::new()).len()
    };
    assert_eq!((disks(40, 1), disks(40, 100), disks(100, 1), disks(100, 3)), (0, 0, 1, 3));
}
