//! Instances of their own.

use super::disks::disk;
use super::{Draft, HOURS, Made, Verdict};
use domain::cost::usage::Quantity;
use domain::resource::{Live, Machine};

const STOPPED: &str = "stopped_machine";
const OVERSIZED: &str = "oversized_machine";
const NIGHTS: &str = "idle_nights";
const OLDER: &str = "previous_generation";

pub(super) fn add(made: &mut Made) {
    stopped(made);
    oversized(made);
    nights(made);
    older(made);
}

fn machine(made: &mut Made, instance_type: &str, is_running: bool, since_days: i64, volumes: Vec<String>) -> Draft {
    let machine = Machine {
        instance_type: instance_type.to_owned(),
        is_running,
        since: Some(made.days_ago(since_days)),
        volumes,
        architecture: "x86_64".to_owned(),
    };
    made.draft("ec2", "instance/", "i-", Live::Machine(machine))
}

/// A machine that stopped so many days ago, with one or two disks, which are gp3 and so no matter of another rule.
fn off(made: &mut Made, days: i64) -> Draft {
    let mut volumes = Vec::new();
    for _ in 0..made.rng.u32(1..3) {
        let size = made.rng.u32(20..500);
        let draft = disk(made, "gp3", size, &["i-0"]);
        volumes.push(draft.item.resource.name.clone());
        made.innocent("unattached_volume", "the disk of a stopped machine", draft);
    }
    machine(made, "m5.large", false, days, volumes)
}

fn stopped(made: &mut Made) {
    let days = made.rng.i64(31..400);
    let draft = off(made, days).history(made, Quantity::CpuPct, |_| None);
    made.waste(STOPPED, "stopped for months", draft);

    let draft = off(made, 6).history(made, Quantity::CpuPct, |hour| (hour % 168 == 9).then_some(40.0));
    made.innocent(STOPPED, "starts on Mondays", draft);
    let draft = off(made, 20).history(made, Quantity::CpuPct, |hour| (190..200).contains(&hour).then_some(40.0));
    made.innocent(STOPPED, "ran for the month's end three weeks ago", draft);
    let days = made.rng.i64(0..14);
    let draft = off(made, days).history(made, Quantity::CpuPct, |hour| (hour < HOURS - days * 24).then_some(40.0));
    made.innocent(STOPPED, "stopped for some days", draft);
    let draft = off(made, 90).unread(Quantity::CpuPct);
    made.innocent(STOPPED, "metrics denied", draft);
    let mut draft = off(made, 90).history(made, Quantity::CpuPct, |_| None);
    if let Live::Machine(machine) = &mut draft.item.resource.live {
        machine.since = None;
    }
    made.innocent(STOPPED, "since when is not known", draft);
    let draft = off(made, 90).history(made, Quantity::CpuPct, |_| None);
    let draft = made.kept(draft);
    made.innocent(STOPPED, "kept by tag", draft);
}

fn on(made: &mut Made, instance_type: &str) -> Draft {
    let days = made.rng.i64(14..500);
    machine(made, instance_type, true, days, vec!["vol-0".to_owned()])
}

/// Runs and hardly uses its network.
fn quiet(made: &mut Made, instance_type: &str) -> Draft {
    on(made, instance_type).history(made, Quantity::NetworkBytes, |_| Some(1e7))
}

fn oversized(made: &mut Made) {
    let kind = ["m5.xlarge", "m5.2xlarge", "c5.9xlarge"][made.rng.usize(0..3)];
    let (cpu, memory) = (1.0 + 25.0 * made.rng.f64(), 3.0 + 29.0 * made.rng.f64());
    let draft = quiet(made, kind).loaded(made, cpu, memory);
    made.waste(OVERSIZED, "never near its size", draft);

    let draft = quiet(made, kind).busy(made, (cpu, cpu * 0.5), |_, hour| hour > 9);
    made.put(OVERSIZED, Verdict::Unproven, "its memory is not known", draft);
    let draft = quiet(made, kind).loaded(made, cpu, memory).tag("role", "standby");
    made.innocent(OVERSIZED, "a standby without traffic", draft);
    let memory_high = 41.0 + 50.0 * made.rng.f64();
    let draft = quiet(made, kind).loaded(made, cpu, memory_high);
    made.innocent(OVERSIZED, "its memory is needed", draft);
    let draft = on(made, kind).loaded(made, cpu, memory).history(made, Quantity::NetworkBytes, |_| Some(9e12));
    made.innocent(OVERSIZED, "a proxy: its network is needed", draft);
    let draft = on(made, kind).loaded(made, cpu, memory).unread(Quantity::NetworkBytes);
    made.innocent(OVERSIZED, "its network could not be read", draft);
    let draft = on(made, "m5.large").loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "the family has no smaller size", draft);
    let draft = machine(made, kind, true, 3, Vec::new()).loaded(made, cpu, memory);
    made.innocent(OVERSIZED, "got its size three days ago", draft);
    let (day, hour) = (made.rng.i8(0..7), made.rng.i8(0..24));
    let draft = quiet(made, kind).busy(made, (95.0, 3.0), |d, h| d == day && h == hour).memory(made, memory);
    made.innocent(OVERSIZED, "a job once a week", draft);
    let draft = quiet(made, kind).busy(made, (90.0, 2.0), |_, hour| hour < 5).memory(made, memory);
    made.innocent(OVERSIZED, "a batch host, busy at night", draft);
    let draft = quiet(made, kind).unread(Quantity::CpuPct).memory(made, memory);
    made.innocent(OVERSIZED, "metrics denied", draft);
    let draft = quiet(made, kind)
        .history(made, Quantity::CpuPct, |hour| (hour > HOURS - 10 * 24).then_some(5.0))
        .memory(made, memory);
    made.innocent(OVERSIZED, "ten days of history", draft);
}

/// Busy in the office hours of some place.
pub(super) fn office(made: &mut Made) -> impl Fn(i8, i8) -> bool + use<> {
    let (from, to) = (made.rng.i8(7..11), made.rng.i8(16..20));
    move |day, hour| day < 5 && (from..to).contains(&hour)
}

fn nights(made: &mut Made) {
    let levels = |made: &mut Made| (40.0 + 55.0 * made.rng.f64(), 0.5 + 5.0 * made.rng.f64());
    for tag in [Some("dev"), Some("Staging"), None] {
        let (office, levels) = (office(made), levels(made));
        let draft = on(made, "m5.large").busy(made, levels, office);
        let draft = match tag {
            Some(tag) => draft.tag("Environment", tag),
            None => draft,
        };
        made.waste(NIGHTS, "office hours", draft);
    }
    let (office_hours, at) = (office(made), levels(made));
    let tag = ["prod", "Production", "live"][made.rng.usize(0..3)];
    let draft = on(made, "m5.large").busy(made, at, office_hours).tag("env", tag);
    made.innocent(NIGHTS, "production", draft);
    let (office_hours, at) = (office(made), levels(made));
    let draft = on(made, "m5.large").busy(made, at, office_hours).tag("env", "dev").tag("role", "warm-standby");
    made.innocent(NIGHTS, "a standby", draft);
    let at = levels(made);
    let draft = on(made, "m5.large").busy(made, at, |_, hour| !(6..20).contains(&hour)).tag("env", "dev");
    made.innocent(NIGHTS, "a batch host, idle by day", draft);
    let (office_hours, at, night) = (office(made), levels(made), made.rng.i8(0..5));
    let draft = on(made, "m5.large")
        .busy(made, at, |day, hour| office_hours(day, hour) || (day == 2 && hour == night))
        .tag("env", "test");
    made.innocent(NIGHTS, "a nightly job once a week", draft);
    let draft = on(made, "m5.large").busy(made, (80.0, 45.0), |day, hour| day < 5 && hour > 8).tag("env", "qa");
    made.innocent(NIGHTS, "never idle", draft);
    let mut rng = made.rng.fork();
    let level = 0.2 + 1.5 * rng.f64();
    let draft = on(made, "m5.large").history(made, Quantity::CpuPct, |_| Some(level + rng.f64())).tag("env", "dev");
    made.innocent(NIGHTS, "never busy", draft);
    let draft = on(made, "m5.large");
    let clock = super::load::clock(made, &draft);
    let draft = draft
        .history(made, Quantity::CpuPct, |hour| {
            let (day, hour) = clock[usize::try_from(hour).expect("an hour")];
            (day < 5 && (8..18).contains(&hour)).then_some(60.0)
        })
        .tag("env", "dev");
    made.innocent(NIGHTS, "off at night already", draft);
}

fn older(made: &mut Made) {
    let draft = on(made, "m4.xlarge");
    made.waste(OLDER, "of a previous generation", draft);
    let draft = on(made, "r4.large");
    made.put(OLDER, Verdict::Unproven, "of a previous generation, the price of the next is not known", draft);
    let draft = on(made, "m5.large");
    made.innocent(OLDER, "of a generation that is still sold", draft);
    let draft = on(made, "m3.medium");
    made.innocent(OLDER, "the next generation has no such size", draft);
    let draft = machine(made, "m4.xlarge", false, 3, vec!["vol-0".to_owned()]);
    made.innocent(OLDER, "it does not run", draft);
    let draft = on(made, "m4.xlarge");
    let draft = made.kept(draft);
    made.innocent(OLDER, "kept by tag", draft);
}
