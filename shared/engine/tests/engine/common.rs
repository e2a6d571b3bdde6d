//! A run on a small shop: the world, the rules, and the steps of one iteration.

use domain::approval::Consent;
use domain::change::{Action, Change};
use domain::execution::Cycle;
use domain::guard::Limits;
use domain::ids::{AppId, ChangeId, ExecutionId, ResourceId};
use domain::mode::Mode;
use domain::outcome::{Outcome, Verdict};
use domain::plan::Plan;
use domain::resource::{Live, Resource};
use domain::snapshot::Snapshot;
use engine::act::{self, ActError, Context, Report, Rules, Timing};
use engine::lease;
use engine::ports::{Clock, Entry, EntryState, LeaseAnswer, PortError, PortResult};
use engine::run::Run;
use engine::settle::{self, Settlement};
use engine::{undo, verdict};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use testkit::check::{self, Checked};
use testkit::{End, Process, World, build, run_to_end};

/// Longer than any step may take.
const STEP_S: i64 = 840;

/// The application in every test.
pub const APP: &str = "shop";

type ModeFn = Box<dyn Fn(&Change) -> Mode + Send + Sync>;
type ConsentFn = Box<dyn Fn(&Change, &Live) -> Consent + Send + Sync>;
type FreezeFn = Box<dyn Fn(Timestamp) -> Option<String> + Send + Sync>;

/// A run with its world and its rules.
pub struct Bench {
    pub world: Arc<World>,
    pub limits: Limits,
    pub mode: ModeFn,
    pub consent: ConsentFn,
    pub earn_after: u32,
    pub freeze: FreezeFn,
    pub surge: FreezeFn,
    pub timing: Timing,
    pub run: Run,
    pub snapshot: Snapshot,
}

impl Bench {
    /// A run `run-1` that has just begun on these resources.
    pub fn of(resources: Vec<Resource>) -> Self {
        let world = Arc::new(World::of(resources));
        Self::on(&world, "run-1")
    }

    /// Another run on a world; the lease must be free.
    pub fn on(world: &Arc<World>, execution: &str) -> Self {
        Self::try_on(world, execution).expect("the lease is free")
    }

    /// Another run on a world, unless another one holds the lease.
    pub fn try_on(world: &Arc<World>, execution: &str) -> Option<Self> {
        Self::try_of_cycle(world, execution, Cycle::Health)
    }

    /// A run of this cycle on a world, unless another one holds its lease.
    pub fn try_of_cycle(world: &Arc<World>, execution: &str, cycle: Cycle) -> Option<Self> {
        let process = Process::sound(world);
        let (app, id) = (AppId::from(APP), ExecutionId::from(execution));
        let work = lease::acquire(process.ports().leases, &process, cycle, &app, &id);
        let answer = run_to_end(&process, work).finished()?.ok()?;
        let LeaseAnswer::Held(lease) = answer else { return None };
        Some(Self {
            limits: build::limits(),
            mode: Box::new(|_| Mode::Auto),
            consent: Box::new(|_, _| Consent::NotAsked),
            earn_after: 0,
            freeze: Box::new(|_| None),
            surge: Box::new(|_| None),
            timing: Timing::default(),
            run: Run { cycle, workflow: cycle.workflow(), ..build::run(APP, execution, lease) },
            snapshot: build::snapshot(APP, &world.resources(), world.now()),
            world: Arc::clone(world),
        })
    }

    /// What a step of this run works with.
    pub fn context<'a>(&'a self, process: &'a Process) -> Context<'a> {
        Context {
            ports: process.ports(),
            run: &self.run,
            rules: Rules {
                limits: &self.limits,
                mode: &*self.mode,
                consent: &*self.consent,
                earn_after: self.earn_after,
                freeze: &*self.freeze,
                surge: &*self.surge,
                other_owner: &|_| None,
                calendar_closed: None,
                circuit_closed_at: None,
                timing: self.timing,
            },
            deadline: process.now() + SignedDuration::from_secs(STEP_S),
        }
    }

    /// Carries a plan out in a sound process.
    pub fn act(&self, plan: &Plan) -> Result<Report, ActError> {
        self.act_in(&Process::sound(&self.world), plan).finished().expect("a sound process does not die")
    }

    /// Carries a plan out in a process.
    pub fn act_in(&self, process: &Process, plan: &Plan) -> End<Result<Report, ActError>> {
        let context = self.context(process);
        run_to_end(process, act::carry_out(&context, plan, &self.snapshot))
    }

    /// Carries out one change and gives its line.
    pub fn make(&self, id: &str, action: Action) -> act::ChangeReport {
        let mut report = self.act(&build::plan(vec![build::change(id, action)])).expect("the step ends");
        report.changes.remove(0)
    }

    /// Settles what other runs left, in a sound process.
    pub fn residue(&self) -> Result<Settlement, ActError> {
        let process = Process::sound(&self.world);
        let context = self.context(&process);
        run_to_end(&process, settle::residue(&context)).finished().expect("a sound process does not die")
    }

    /// Writes down whether what others left has helped.
    pub fn judge(&self, helped: impl Fn(&Entry) -> bool) {
        let process = Process::sound(&self.world);
        let work = judge(&process, &self.run, &self.world, helped);
        run_to_end(&process, work).finished().expect("a sound process does not die").expect("the journal answers");
    }

    /// Undoes what others left and what did not help, in a sound process.
    pub fn undo_residue(&self) -> Result<Settlement, ActError> {
        let process = Process::sound(&self.world);
        let context = self.context(&process);
        run_to_end(&process, undo::residue(&context)).finished().expect("a sound process does not die")
    }

    /// Undoes what did not help, in a sound process.
    pub fn undo(&self, outcomes: &[Outcome]) -> Result<Settlement, ActError> {
        let process = Process::sound(&self.world);
        let context = self.context(&process);
        run_to_end(&process, undo::carry_out(&context, outcomes)).finished().expect("a sound process does not die")
    }

    /// Keeps what helped, in a sound process.
    pub fn keep(&self, outcomes: &[Outcome]) -> Result<undo::Verdicts, ActError> {
        let process = Process::sound(&self.world);
        let context = self.context(&process);
        run_to_end(&process, undo::keep(&context, outcomes)).finished().expect("a sound process does not die")
    }

    /// State of a change in the journal.
    pub fn state(&self, change: &str) -> Option<EntryState> {
        self.world.entry(&ChangeId::from(change)).map(|entry| entry.state)
    }

    /// Capacity of a fleet or service.
    pub fn capacity(&self, id: &str) -> Option<u32> {
        self.world.capacity(&ResourceId::from(id))
    }
}

/// Judges all residue that has certainly happened, as the measuring step does.
pub async fn judge(process: &Process, run: &Run, world: &World, helped: impl Fn(&Entry) -> bool) -> PortResult<()> {
    let journal = process.ports().journal;
    let residue = verdict::residue(journal, run, process.now()).await?;
    for entry in residue.into_iter().filter(|entry| entry.state == EntryState::Applied) {
        let outcome = build::outcome(&entry.change, Verdict::Inconclusive, helped(&entry), world.now());
        match verdict::note(journal, run, entry, &outcome, world.now()).await {
            Ok(_) | Err(PortError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The number of the first call of an operation when a plan is carried out on a world of these resources.
pub fn call_of(resources: Vec<Resource>, plan: &Plan, operation: &str) -> usize {
    call_again(resources, plan, operation, 0)
}

/// The number of the call of an operation that is made for the given time, from 0.
pub fn call_again(resources: Vec<Resource>, plan: &Plan, operation: &str, time: usize) -> usize {
    let twin = Bench::of(resources);
    let process = Process::sound(&twin.world);
    let _report = twin.act_in(&process, plan);
    let calls = process.calls();
    let mut numbers =
        calls.iter().enumerate().filter(|(_, call)| call.operation == operation).map(|(number, _)| number);
    numbers.nth(time).expect("the plan makes such a call so often")
}

/// Verdicts for changes: kept or not.
pub fn outcomes(changes: &[(&Change, bool)], at: Timestamp) -> Vec<Outcome> {
    let verdict = |keep| if keep { Verdict::Verified } else { Verdict::Regressed };
    changes.iter().map(|(change, keep)| build::outcome(change, verdict(*keep), *keep, at)).collect()
}

/// Lets the lease of a dead run expire, settles until nothing is on its way any more, and judges what was left, as a later
/// run would: nothing has helped.
pub fn recover(world: &Arc<World>, execution: &str) -> Bench {
    recover_and(world, execution, |_| false)
}

/// The same with a verdict for each change: whether it helped.
pub fn recover_and(world: &Arc<World>, execution: &str, helped: impl Fn(&Entry) -> bool) -> Bench {
    let bench = settled(world, execution);
    bench.judge(helped);
    let settlement = bench.undo_residue().expect("a sound run undoes");
    assert_eq!(settlement.left_open().count(), 0, "{settlement:?}");
    bench
}

/// Lets the lease of a dead run expire and settles until nothing is on its way any more.
pub fn settled(world: &Arc<World>, execution: &str) -> Bench {
    world.set_kill_switch(domain::guard::KillSwitch::Off);
    // Some more than the lease lasts: it may have been renewed by a clock that is ahead.
    world.pass_s(engine::run::LEASE_TTL_S + engine::act::CLOCK_OFF_MAX_S + 300);
    let bench = Bench::try_on(world, execution).expect("an expired lease is never in the way");
    // A clock that was set back makes an intent look younger than it is, so once may not be enough.
    for _ in 0..20 {
        let settlement = bench.residue().expect("a sound run settles");
        let Some(retry_after_s) = settlement.retry_after_s() else { return bench };
        world.pass_s(retry_after_s + 1);
    }
    panic!("a change is on its way for ever: {:#?}", world.journal());
}

/// What must hold in every world at every time, whatever went wrong. `may_be_late`: requests were made to land late, and
/// then nobody can promise who holds the lease.
pub fn assert_sound(world: &World, may_be_late: bool) {
    holds(check::sound(world, may_be_late), world);
}

/// What must hold once everything is settled: journal, ledger and live state tell the same story.
pub fn assert_settled(world: &World) {
    holds(check::settled(world), world);
}

fn holds(checked: Checked, world: &World) {
    if let Err(violation) = checked {
        panic!("{}: {}\n{:#?}\n{:#?}", violation.promise, violation.told, world.journal(), world.ledger());
    }
}
