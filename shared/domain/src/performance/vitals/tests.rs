use super::*;
use crate::performance::rules::fixture;
use jiff::SignedDuration;

fn setting(value: &str, unit: Option<&str>) -> Setting {
    Setting { value: value.to_owned(), unit: unit.map(str::to_owned), source: "default".to_owned() }
}

#[test]
fn a_setting_is_a_number_of_bytes_or_seconds() {
    assert_eq!(setting("16384", Some("8kB")).number(), Some(134_217_728.0));
    assert_eq!(setting("4096", Some("kB")).number(), Some(4_194_304.0));
    assert_eq!(setting("1024", Some("MB")).number(), Some(1_073_741_824.0));
    assert_eq!(setting("300", Some("s")).number(), Some(300.0));
    assert_eq!(setting("60000", Some("ms")).number(), Some(60.0));
    assert_eq!(setting("0.2", None).number(), Some(0.2));
    assert_eq!(setting("on", None).number(), None);
    assert_eq!(setting("1", Some("lightyears")).number(), None);
}

#[test]
fn the_threshold_is_that_of_postgres() {
    let table = fixture::table("orders", 1_000_000.0, 0.0);
    assert_eq!(table.vacuum_threshold(), 200_050.0);
    let limited = VacuumRule { most: Some(100_000.0), ..table.rule.clone() };
    assert_eq!(TableState { rule: limited, ..table.clone() }.vacuum_threshold(), 100_000.0);
    let unlimited = VacuumRule { most: Some(-1.0), ..table.rule.clone() };
    assert_eq!(TableState { rule: unlimited, ..table.clone() }.vacuum_threshold(), 200_050.0);
    assert_eq!(TableState { rows: -1.0, ..table }.vacuum_threshold(), 50.0, "never analyzed");
}

#[test]
fn what_overflows_is_the_smaller_of_column_and_sequence() {
    let sequence = fixture::sequence(4.0, 1_073_741_823.5);
    assert!((sequence.used() - 0.5).abs() < 1e-9, "a column of four bytes fed by a sequence of eight");
    let of_eight = Sequence { column_bytes: 8.0, ..sequence.clone() };
    assert!(of_eight.used() < 1e-9);
    assert_eq!(Sequence { end: 1e9, last: 9e8, ..sequence.clone() }.used(), 0.9, "the sequence ends before");
    assert_eq!(Sequence { end: 1e9, last: 9e8, cycles: true, ..sequence.clone() }.used(), 0.0, "it begins anew");
    let overflows = Sequence { cycles: true, ..sequence.clone() };
    assert!((overflows.used() - 0.5).abs() < 1e-9, "the column overflows before it begins anew");
    assert_eq!(Sequence { end: -1e3, last: -900.0, ..sequence }.used(), 0.9, "downwards");
}

#[test]
fn counters_that_were_reset_say_nothing() {
    let calm = fixture::vitals();
    let did = calm.activity().unwrap();
    assert_eq!((did.read, did.temp_files, calm.seconds()), (100.0, 0.0, Some(900.0)));
    let mut reset = calm.clone();
    fixture::closed(&mut reset, |look| {
        let Observed::Known(activity) = &mut look.activity else { panic!("it is known") };
        activity.reset_s = Some(7.0);
        let Observed::Known(checkpoints) = &mut look.checkpoints else { panic!("it is known") };
        checkpoints.requested = -1.0;
    });
    assert_eq!((reset.activity(), reset.checkpoints()), (None, None));
    let mut backwards = calm;
    fixture::closed(&mut backwards, |look| look.at = look.at.checked_sub(SignedDuration::from_hours(1)).unwrap());
    assert_eq!(backwards.seconds(), None);
}

#[test]
fn every_part_that_is_missing_is_named() {
    let mut vitals = fixture::vitals();
    fixture::closed(&mut vitals, |look| {
        look.sessions = Observed::Missing(Missing::Denied("pg_monitor".to_owned()));
        look.slots = Observed::Missing(Missing::NoData);
    });
    let names: Vec<&str> = vitals.closed.known().unwrap().missing().iter().map(|(what, _)| *what).collect();
    assert_eq!(names, ["sessions", "replication slots"]);
}
