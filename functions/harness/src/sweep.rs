//! Every call of every state of a run goes wrong in every way, every state is delivered twice, one after the other and at once, and the
//! owner forbids all changes before every state. Afterwards the same must hold, always.

use crate::{Ended, Machine, Shop, Stop};
use config::Config;
use domain::guard::KillSwitch;
use engine::ports::Life;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use testkit::check::{self, Checked, hold};
use testkit::{Call, Fault, Landing, Proof};

/// Orders in which two deliveries at once make their calls.
const ORDERS: u64 = 4;
/// Longer than any function may take.
const PAST_THE_TIME_OUT_S: u32 = 1_000;
/// Slow, but within what an intent may wait for its call and what the shortest function may take.
const SLOW_S: u32 = 28;

/// A run that is looked through, and what comes after it.
pub struct Plot<S: 'static> {
    /// What happens in it.
    pub name: &'static str,
    /// The shop right before it.
    pub begin: fn() -> S,
    /// The run.
    pub machine: for<'a> fn(&'a S) -> Machine<'a, S>,
    /// Its input.
    pub input: fn(&S) -> Value,
    /// How it ends when nothing goes wrong.
    pub ends: &'static str,
    /// Later runs, once leases have ended.
    pub later: fn(&S),
    /// What must hold besides.
    pub holds: fn(&S, &Ended<S>, &About<'_>) -> Checked,
}

/// What went wrong.
pub struct About<'a> {
    /// In which run.
    pub plot: &'static str,
    /// Where.
    pub place: &'a str,
    /// Which call, and how; a whole step otherwise.
    pub fault: Option<(usize, Call, Fault)>,
    /// In words.
    pub what: String,
}

impl fmt::Display for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {}", self.plot, self.place, self.what)
    }
}

/// What can go wrong at a call.
fn faults(call: Call) -> Vec<Fault> {
    let mut faults = vec![
        Fault::CrashBefore,
        Fault::CrashAfter,
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Throttle,
        Fault::Deny,
        Fault::Delay(SLOW_S),
        Fault::Delay(PAST_THE_TIME_OUT_S),
        Fault::KillSwitch,
    ];
    if call.writes {
        faults.push(Fault::LandLate(40));
    }
    if call.operation.starts_with("Actuator.") {
        faults.push(Fault::Resize(9));
    }
    faults
}

/// Looks through runs of one state machine, and says how many faults were survived.
///
/// `decrees` are configurations under which nothing may be changed. Each different list of calls that a state makes is looked through once. The runs must enter all states of the definition that invoke a
/// function, but those named: a new state or a new call is covered by itself, or the test fails.
///
/// # Panics
/// With everything that does not hold.
pub fn sweep<S: Shop + Sync + 'static>(proof: &'static str, plots: &[Plot<S>], decrees: &[Config], left_out: &[&str]) {
    let (proof, mut survived) = (Proof::begin(proof), 0);
    let mut entered: BTreeSet<String> = BTreeSet::new();
    let mut known: Vec<(String, Vec<Call>)> = Vec::new();
    let mut wrong = Vec::new();
    let mut tasks = BTreeSet::new();
    for plot in plots {
        let shop = (plot.begin)();
        let machine = (plot.machine)(&shop);
        tasks = machine.tasks();
        let golden = machine.recorded().run((plot.input)(&shop));
        assert_eq!(golden.state, plot.ends, "{}: {:?} {:#}", plot.name, golden.path, golden.output);
        entered.extend(golden.path.iter().cloned());
        for stop in golden.stops {
            let key = (stop.place.clone(), stop.calls.clone());
            if !known.contains(&key) {
                known.push(key);
                survived += at_stop(plot, &stop, decrees, &mut wrong);
            }
        }
    }
    let missed: Vec<_> = tasks.iter().filter(|state| !entered.contains(**state) && !left_out.contains(state)).collect();
    assert!(missed.is_empty(), "no run enters {missed:?}");
    assert!(wrong.is_empty(), "{} of {survived}:\n{}", wrong.len(), wrong.join("\n"));
    proof.survived(survived);
}

/// Everything that can go wrong from a stop on. How much it was.
fn at_stop<S: Shop + Sync>(plot: &Plot<S>, stop: &Stop<S>, decrees: &[Config], wrong: &mut Vec<String>) -> usize {
    let place = stop.place.as_str();
    let mut tries: Vec<(About<'_>, Config)> = Vec::new();
    let config = || stop.shop.config().clone();
    for (number, call) in stop.calls.iter().enumerate() {
        for fault in faults(*call) {
            let what = format!("call {number} ({}) {fault:?}", call.operation);
            tries.push((About { plot: plot.name, place, fault: Some((number, *call, fault)), what }, config()));
        }
    }
    let whole = |what: String| About { plot: plot.name, place, fault: None, what };
    if !stop.is_page() {
        tries.push((whole(TWICE.to_owned()), config()));
        tries.extend((0..ORDERS).map(|seed| (whole(format!("{AT_ONCE}{seed}")), config())));
        let decreed = |(number, decree): (usize, &Config)| (whole(format!("{DECREED}{number}")), decree.clone());
        tries.extend(decrees.iter().enumerate().map(decreed));
    }
    let next = AtomicUsize::new(0);
    let work = || {
        let mut found = Vec::new();
        while let Some((about, config)) = tries.get(next.fetch_add(1, Ordering::SeqCst)) {
            if let Err(violation) = tried(plot, stop, about, config) {
                found.push(format!("{about}: {}: {}", violation.promise, violation.told));
            }
        }
        found
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    wrong.extend(std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
    }));
    tries.len()
}

/// Whether a run must end as if nothing had gone wrong: after a death, and where one read or record failed once.
fn is_made_good(call: Call, fault: Fault) -> bool {
    match fault {
        Fault::CrashBefore | Fault::CrashAfter | Fault::Delay(_) => true,
        Fault::LoseRequest | Fault::LoseAnswer | Fault::Throttle => !call.writes && call.operation != "Switch.read",
        Fault::Deny | Fault::LandLate(_) | Fault::KillSwitch | Fault::Resize(_) => false,
    }
}

const TWICE: &str = "delivered twice";
const AT_ONCE: &str = "delivered twice at once, order ";
const DECREED: &str = "forbidden before it, decree ";

fn tried<S: Shop>(plot: &Plot<S>, stop: &Stop<S>, about: &About<'_>, config: &Config) -> Checked {
    let shop = stop.shop.fork(config.clone());
    let world = shop.world();
    let machine = (plot.machine)(&shop);
    let name = machine.name;
    let machine = match about.fault {
        Some((number, _, fault)) => machine.with_fault(about.place, number, fault),
        None if about.what == TWICE => machine.twice(),
        None => match about.what.strip_prefix(AT_ONCE) {
            Some(seed) => {
                let states: &'static [&'static str] = Box::leak(Box::new([&*stop.place.clone().leak()]));
                machine.at_once(seed.parse().unwrap(), states)
            }
            None => machine,
        },
    };
    let before = world.ledger().len();
    let ended = machine.go_on(stop);
    world.end(name, if ended.state == plot.ends { Life::Succeeded } else { Life::Failed });
    if let Some((_, call, fault)) = about.fault {
        hold("a fault that is planned comes to pass", ended.injected == 1, || format!("{call:?} {fault:?}"))?;
    }
    let may_be_late = matches!(about.fault, Some((_, _, Fault::LandLate(_))));
    check::sound(world, may_be_late)?;
    if about.what.starts_with(DECREED) {
        let applied: Vec<_> = world.ledger().split_off(before);
        let is_change = |write: &&testkit::Write| matches!(write.landing, Landing::Applied(..));
        hold(
            "a freeze and the mode observe stop every change",
            !applied.iter().any(|write| is_change(&write)),
            || format!("{applied:?}"),
        )?;
    }
    if let Some((_, call, fault)) = about.fault
        && is_made_good(call, fault)
    {
        hold("what fails once is made good", ended.state == plot.ends, || {
            format!("{}: {:?}", ended.state, ended.path)
        })?;
    }
    (plot.holds)(&shop, &ended, about)?;
    world.set_kill_switch(KillSwitch::Off);
    let is_left = world.journal().iter().any(|entry| entry.state.is_open())
        || !world.leases().is_empty()
        || !world.open_records().is_empty();
    // The owner allows it again.
    let shop = shop.fork(stop.shop.config().clone());
    let world = shop.world();
    if is_left {
        (plot.later)(&shop);
        check::sound(world, may_be_late)?;
    }
    let (leases, records) = (world.leases(), world.open_records());
    hold("no lease is stuck", leases.is_empty(), || format!("{leases:?}, {} {:?}", ended.state, ended.path))?;
    hold("every run is closed in the record", records.is_empty(), || format!("{records:?}, {}", ended.state))?;
    check::settled(world)?;
    check::follows_from_the_journal(world)
}
