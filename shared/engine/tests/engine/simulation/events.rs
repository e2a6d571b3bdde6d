//! What may happen in a simulation, as a list of events. The list alone decides everything: it is generated from a seed, told as a
//! story, one line an event, and made shorter when something is wrong.

use super::catalog::{RESOURCES, Wanted};
use domain::execution::Cycle;
use domain::mode::Mode;
use std::fmt;
use testkit::Fault;

/// A process, by its number: `run-1` is that of number 1.
pub type Number = usize;

/// What is found out about a change once it is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It has helped.
    Helped,
    /// It has not.
    InVain,
    /// It could not be measured.
    Nothing,
}

/// How a run begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// Its number.
    pub run: Number,
    /// Its cycle.
    pub cycle: Cycle,
    /// A person orders it, to take back what this run has done.
    pub rolls_back: Option<Number>,
    /// Seconds by which the clock of its process is ahead.
    pub ahead_s: i64,
    /// Mode that it was told.
    pub mode: Option<Mode>,
    /// Whether it finds that what others have left has helped.
    pub finds_good: bool,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The application has these limits.
    Limits {
        /// Changes of a run.
        execution: u32,
        /// Changes in an hour.
        hour: u32,
        /// Changes in a day.
        day: u32,
        /// Undone changes in a day.
        undos: u32,
        /// Seconds between two changes of a resource.
        cooldown_s: u32,
    },
    /// A fleet or service has this size at the beginning.
    Size(usize, u32),
    /// A run begins.
    Begins(Start),
    /// A step of this run is delivered to another process as well.
    Again {
        /// Number of the other process.
        process: Number,
        /// The run.
        of: Number,
        /// Seconds by which the clock of that process is ahead.
        ahead_s: i64,
    },
    /// In this iteration a run wants this.
    Plan {
        /// The run.
        run: Number,
        /// The iteration.
        iteration: u32,
        /// What.
        wanted: Wanted,
        /// US cents a month that it adds, where that is known.
        cost: Option<i64>,
        /// What is found out about it.
        found: Found,
    },
    /// A call of a process goes wrong.
    Fault(Number, usize, Fault),
    /// A process makes so many calls, while all others pause.
    Calls(Number, usize),
    /// The clock of a process jumps: from now on it is so many seconds ahead.
    Jump(Number, i64),
    /// Time passes.
    Pass(u32),
    /// Somebody else sets a size.
    Resize(usize, u32),
    /// Somebody else deletes a resource.
    Delete(usize),
    /// The kill switch is turned on or off.
    KillSwitch(bool),
    /// A freeze begins or ends.
    Freeze(bool),
    /// A surge is announced, or called off.
    Surge(bool),
    /// The owner sets the mode.
    Mode(Mode),
    /// A person answers the newest question, by a clock that is so many seconds ahead.
    Says(bool, i64),
    /// Somebody stops a run: it is over for everybody but the process that is at work for it.
    Stops(Number),
    /// From here on the processes that are left take turns by this seed; without it, one call each in turn.
    Mix(u64),
}

fn clock(ahead_s: i64) -> String {
    match ahead_s {
        0 => String::new(),
        s if s > 0 => format!(", its clock {s} s ahead"),
        s => format!(", its clock {} s behind", -s),
    }
}

fn cents(cost: Option<i64>) -> String {
    cost.map_or_else(String::new, |cost| format!(" for {cost} cents a month"))
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Limits { execution, hour, day, undos, cooldown_s } => write!(
                f,
                "at most {execution} changes in a run, {hour} in an hour, {day} in a day, {undos} undos, {cooldown_s} s apart"
            ),
            Self::Size(of, size) => write!(f, "{} has {size} members", RESOURCES[*of]),
            Self::Begins(start) => {
                let what = match start.rolls_back {
                    Some(of) => format!("to take back what run-{of} has done"),
                    None => format!("for {}", start.cycle),
                };
                write!(f, "run-{} begins {what}{}", start.run, clock(start.ahead_s))?;
                if let Some(mode) = start.mode {
                    write!(f, ", told to {mode}")?;
                }
                if start.finds_good { f.write_str(", finds that what is left has helped") } else { Ok(()) }
            }
            Self::Again { process, of, ahead_s } => {
                write!(f, "a step of run-{of} is delivered to process {process} as well{}", clock(*ahead_s))
            }
            Self::Plan { run, iteration, wanted, cost, found } => {
                let found = match found {
                    Found::Helped => "it will help",
                    Found::InVain => "it will not help",
                    Found::Nothing => "it will not be measured",
                };
                write!(f, "run-{run} plans in iteration {iteration} to {wanted}{}: {found}", cents(*cost))
            }
            Self::Fault(run, call, fault) => write!(f, "call {call} of process {run}: {fault:?}"),
            Self::Calls(run, calls) => write!(f, "process {run} makes {calls} calls, the others pause"),
            Self::Jump(run, 0) => write!(f, "the clock of process {run} is set right"),
            Self::Jump(run, ahead_s) => write!(f, "process {run} goes on{}", clock(*ahead_s)),
            Self::Pass(seconds) => write!(f, "{seconds} s pass"),
            Self::Resize(of, size) => write!(f, "somebody else sets {} to {size}", RESOURCES[*of]),
            Self::Delete(of) => write!(f, "somebody else deletes {}", RESOURCES[*of]),
            Self::KillSwitch(on) => write!(f, "the kill switch is turned {}", if *on { "on" } else { "off" }),
            Self::Freeze(on) => write!(f, "a freeze {}", if *on { "begins" } else { "ends" }),
            Self::Surge(on) => write!(f, "a surge is {}", if *on { "announced" } else { "called off" }),
            Self::Mode(mode) => write!(f, "the owner sets the mode {mode}"),
            Self::Says(yes, ahead_s) => {
                write!(f, "a person says {}{}", if *yes { "yes" } else { "no" }, clock(*ahead_s))
            }
            Self::Stops(run) => write!(f, "somebody stops run-{run}"),
            Self::Mix(seed) => write!(f, "all that is left happens at the same time, in the order {seed}"),
        }
    }
}

impl Event {
    /// The same with simpler numbers, the simplest first.
    pub fn simpler(&self) -> Vec<Self> {
        let smaller = |n: usize| [1, n / 2, n.saturating_sub(1)].into_iter().filter(move |m| *m < n && *m > 0);
        match self {
            Self::Begins(start) => {
                let mut simpler =
                    nearer(start.ahead_s).map(|ahead_s| Start { ahead_s, ..start.clone() }).collect::<Vec<_>>();
                if start.mode.is_some() {
                    simpler.push(Start { mode: None, ..start.clone() });
                }
                if start.finds_good {
                    simpler.push(Start { finds_good: false, ..start.clone() });
                }
                if start.cycle != Cycle::Health {
                    simpler.push(Start { cycle: Cycle::Health, ..start.clone() });
                }
                simpler.into_iter().map(Self::Begins).collect()
            }
            Self::Again { process, of, ahead_s } => {
                nearer(*ahead_s).map(|ahead_s| Self::Again { process: *process, of: *of, ahead_s }).collect()
            }
            Self::Plan { run, iteration, wanted, cost, found } => {
                let with = |iteration: u32, cost: Option<i64>, found: Found| Self::Plan {
                    run: *run,
                    iteration,
                    wanted: wanted.clone(),
                    cost,
                    found,
                };
                let mut simpler = Vec::new();
                if *iteration > 1 {
                    simpler.push(with(iteration - 1, *cost, *found));
                }
                if cost.is_some() {
                    simpler.push(with(*iteration, None, *found));
                }
                if *found != Found::Nothing {
                    simpler.push(with(*iteration, *cost, Found::Nothing));
                }
                simpler
            }
            Self::Fault(run, call, fault) => match fault {
                Fault::Delay(s) | Fault::LandLate(s) if *s > 1 => {
                    let with = |s| if matches!(fault, Fault::Delay(_)) { Fault::Delay(s) } else { Fault::LandLate(s) };
                    vec![Self::Fault(*run, *call, with(1)), Self::Fault(*run, *call, with(s / 2))]
                }
                _ => Vec::new(),
            },
            Self::Calls(run, calls) => smaller(*calls).map(|calls| Self::Calls(*run, calls)).collect(),
            Self::Jump(run, ahead_s) => nearer(*ahead_s).map(|ahead_s| Self::Jump(*run, ahead_s)).collect(),
            Self::Pass(s) => [1, s / 2].into_iter().filter(|m| m < s && *m > 0).map(Self::Pass).collect(),
            Self::Says(yes, ahead_s) => nearer(*ahead_s).map(|ahead_s| Self::Says(*yes, ahead_s)).collect(),
            Self::Size(of, size) if *size > 1 => vec![Self::Size(*of, size - 1)],
            _ => Vec::new(),
        }
    }
}

/// Seconds nearer to none.
fn nearer(seconds: i64) -> impl Iterator<Item = i64> {
    [0, seconds / 2, seconds / 60 * 60].into_iter().filter(move |near| near.abs() < seconds.abs())
}
