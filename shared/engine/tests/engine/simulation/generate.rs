//! Events from a seed.

use super::catalog::{SIZED, Wanted};
use super::events::{Event, Found, Number, Start};
use domain::execution::Cycle;
use domain::mode::Mode;
use testkit::Fault;

/// Seconds by which a clock may be off.
pub const OFF_MAX_S: i64 = 600;

/// Number of the first process that delivers a step again.
pub const AGAIN: Number = 100;

/// All that happens under this seed.
pub fn events(seed: u64) -> Vec<Event> {
    let mut random = fastrand::Rng::with_seed(seed);
    let runs = match random.u32(0..1_000) {
        0..2 => random.usize(20..=50),
        2..20 => random.usize(9..=20),
        20..700 => random.usize(2..=4),
        _ => random.usize(5..=8),
    };
    let mut events = vec![Event::Limits {
        execution: random.u32(1..=6),
        hour: random.u32(2..=8),
        day: random.u32(4..=16),
        undos: random.u32(1..=6),
        cooldown_s: [300, 600, 1_800][random.usize(0..3)],
    }];
    events.extend((0..SIZED).map(|of| Event::Size(of, random.u32(1..=4))));
    if random.u32(0..4) == 0 {
        events.push(Event::Mode(any_mode(&mut random)));
    }
    let is_skewed = random.u32(0..4) > 0;
    let starts: Vec<Event> =
        (1..=runs).map(|run| Event::Begins(any_start(run, runs, is_skewed, &mut random))).collect();
    let mut happens = Vec::new();
    for run in 1..=runs {
        plans(run, &mut events, &mut random);
        if random.u32(0..4) > 0 {
            events
                .extend((0..random.u32(0..4)).map(|_| Event::Fault(run, random.usize(0..90), any_fault(&mut random))));
        }
        happens.extend((0..random.usize(0..6)).map(|_| Event::Calls(run, random.usize(1..30))));
        if is_skewed && random.u32(0..3) == 0 {
            happens.push(Event::Jump(run, off(&mut random)));
        }
    }
    for process in AGAIN..AGAIN + random.usize(0..3) {
        let of = random.usize(1..=runs);
        let ahead_s = if is_skewed { off(&mut random) } else { 0 };
        happens.push(Event::Again { process, of, ahead_s });
        happens.push(Event::Calls(process, random.usize(1..30)));
        events
            .extend((0..random.u32(0..2)).map(|_| Event::Fault(process, random.usize(0..40), any_fault(&mut random))));
    }
    // Sizes from 7 up and none twice, so that it can always be told who has set what.
    if random.bool() {
        happens.extend((7..random.u32(7..=12)).map(|size| outside(size, &mut random)));
    }
    happens.extend((0..random.usize(0..4)).map(|_| decree(&mut random)));
    if random.u32(0..3) == 0 {
        happens.push(Event::Stops(random.usize(1..=runs)));
    }
    happens.extend((0..random.usize(0..5)).map(|_| Event::Says(random.u32(0..4) > 0, off(&mut random))));
    random.shuffle(&mut happens);
    events.extend(begun(starts, happens, &mut random));
    events.push(Event::Mix(random.u64(0..1_000_000)));
    events
}

/// Runs begin one after the other, each before anything happens to it.
fn begun(starts: Vec<Event>, happens: Vec<Event>, random: &mut fastrand::Rng) -> Vec<Event> {
    let mut all: Vec<(usize, Event)> = Vec::new();
    let length = happens.len().max(1);
    all.extend(happens.into_iter().enumerate());
    let spread = random.u32(0..3) > 0;
    for start in starts.into_iter().rev() {
        let at = if spread { random.usize(0..length) } else { 0 };
        all.push((at, start));
    }
    all.sort_by_key(|(at, event)| (*at, !matches!(event, Event::Begins(_))));
    all.into_iter().map(|(_, event)| event).collect()
}

fn off(random: &mut fastrand::Rng) -> i64 {
    random.i64(-OFF_MAX_S..=OFF_MAX_S)
}

fn any_mode(random: &mut fastrand::Rng) -> Mode {
    match random.u32(0..8) {
        0 => Mode::Observe,
        1..5 => Mode::Approve,
        _ => Mode::Auto,
    }
}

fn any_start(run: Number, runs: usize, is_skewed: bool, random: &mut fastrand::Rng) -> Start {
    Start {
        run,
        cycle: match random.u32(0..8) {
            0 => Cycle::Cost,
            1 => Cycle::Performance,
            _ => Cycle::Health,
        },
        rolls_back: (run > 1 && random.u32(0..8) == 0).then(|| random.usize(1..=runs)),
        ahead_s: if is_skewed { off(random) } else { 0 },
        mode: (random.u32(0..8) == 0).then(|| any_mode(random)),
        finds_good: random.bool(),
    }
}

fn plans(run: Number, events: &mut Vec<Event>, random: &mut fastrand::Rng) {
    for iteration in 1..=random.u32(1..=3) {
        for _ in 0..random.u32(1..=4) {
            events.push(Event::Plan {
                run,
                iteration,
                wanted: any_wanted(random),
                cost: random.bool().then(|| random.i64(-3_000..40_000)),
                found: [Found::Helped, Found::Helped, Found::InVain, Found::InVain, Found::Nothing][random.usize(0..5)],
            });
        }
    }
}

fn any_wanted(random: &mut fastrand::Rng) -> Wanted {
    match random.u32(0..28) {
        0..10 => Wanted::Size(random.usize(0..SIZED), random.u32(0..=6)),
        10..13 => Wanted::Replace(random.usize(1..SIZED), random.u32(1..=4)),
        13..15 => Wanted::Restart(random.usize(0..SIZED)),
        15 => Wanted::OffHours(random.usize(0..2)),
        16 => Wanted::Flush,
        17 => Wanted::Invalidate,
        18 => Wanted::VolumeType(random.usize(5..=6)),
        19 | 20 => Wanted::Mark([5, 7][random.usize(0..2)]),
        21 => Wanted::Snapshot(5),
        22 => Wanted::Delete([6, 8, 9][random.usize(0..3)]),
        23 => Wanted::Retention(random.u32(1..60)),
        24 | 25 => Wanted::Index,
        _ => Wanted::Analyze,
    }
}

fn any_fault(random: &mut fastrand::Rng) -> Fault {
    match random.u32(0..12) {
        0 | 1 => Fault::CrashBefore,
        2 | 3 => Fault::CrashAfter,
        4 => Fault::LoseRequest,
        5 | 6 => Fault::LoseAnswer,
        7 => Fault::LandLate(random.u32(1..60)),
        8 => Fault::Throttle,
        9 => Fault::Deny,
        10 => Fault::KillSwitch,
        _ => Fault::Delay(random.u32(1..60)),
    }
}

/// What the rest of the world does.
fn outside(size: u32, random: &mut fastrand::Rng) -> Event {
    match random.u32(0..8) {
        0..4 => Event::Resize(random.usize(0..SIZED), size),
        4 => Event::Delete(random.usize(0..11)),
        _ => Event::Pass(random.u32(1..4_000)),
    }
}

/// What its owner decides.
fn decree(random: &mut fastrand::Rng) -> Event {
    match random.u32(0..10) {
        0 => Event::KillSwitch(true),
        1 => Event::KillSwitch(false),
        2 => Event::Freeze(true),
        3 => Event::Freeze(false),
        4 => Event::Surge(true),
        5 => Event::Surge(false),
        _ => Event::Mode(any_mode(random)),
    }
}
