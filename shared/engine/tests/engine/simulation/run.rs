//! Lets the events of a simulation happen: every process in turn, call by call, as the list says.

use super::broken::Defect;
use super::catalog;
use super::cycle::{Actor, execution, second_delivery};
use super::events::{Event, Found, Number, Start};
use domain::approval::{Answer, RequestState, Via};
use domain::change::Change;
use domain::execution::Cycle;
use domain::guard::{KillSwitch, Limits};
use domain::mode::Mode;
use domain::plan::Plan;
use domain::resource::{Live, Resource};
use domain::snapshot::Snapshot;
use engine::ports::{Approvals, Life};
use engine::run::Run;
use futures::FutureExt;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use testkit::{Fault, World, build};

/// More calls than any simulation makes: a process that is still running then is stuck.
const POLLS_MAX: usize = 200_000;

/// A change that a run will plan.
#[derive(Clone)]
pub struct Planned {
    /// What.
    pub wanted: catalog::Wanted,
    /// US cents a month that it adds.
    pub cost: Option<i64>,
    /// What is found out about it.
    pub found: Found,
}

/// What the owner has decided, since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decrees {
    /// Since when, by the clock of the world.
    pub since: Timestamp,
    /// The mode.
    pub mode: Mode,
    /// A freeze holds.
    pub frozen: bool,
    /// A surge is announced.
    pub surge: bool,
}

/// A simulation that is under way.
pub struct Scene {
    /// The world.
    pub world: Arc<World>,
    /// The resources at the beginning.
    pub initial: Vec<Resource>,
    /// Limits of the application.
    pub limits: Limits,
    /// Plans, by run and iteration.
    pub plans: BTreeMap<(Number, u32), Vec<Planned>>,
    /// Cycles, by run.
    pub cycles: BTreeMap<Number, Cycle>,
    /// Runs of which a step is delivered to another process as well.
    again: BTreeSet<Number>,
    /// What is broken on purpose.
    pub defect: Option<Defect>,
    state: Mutex<State>,
}

struct State {
    decrees: Vec<Decrees>,
    stopped: BTreeSet<String>,
    delivered: BTreeMap<Number, (Run, Plan, Snapshot)>,
    planned: BTreeMap<Number, Vec<Change>>,
    seen: BTreeMap<&'static str, usize>,
}

impl Scene {
    fn of(events: &[Event], defect: Option<Defect>) -> Self {
        let mut limits = build::limits();
        let mut initial = catalog::resources();
        let mut plans: BTreeMap<(Number, u32), Vec<Planned>> = BTreeMap::new();
        for event in events {
            match event {
                Event::Limits { execution, hour, day, undos, cooldown_s } => {
                    limits.changes_per_execution_max = *execution;
                    limits.changes_per_hour_max = *hour;
                    limits.changes_per_day_max = *day;
                    limits.undos_per_day_max = *undos;
                    limits.cooldown_s = *cooldown_s;
                }
                Event::Size(of, size) => resize(&mut initial[*of], *size),
                Event::Plan { run, iteration, wanted, cost, found } => {
                    let planned = Planned { wanted: wanted.clone(), cost: *cost, found: *found };
                    plans.entry((*run, *iteration)).or_default().push(planned);
                }
                _ => {}
            }
        }
        let cycle = |event: &Event| match event {
            Event::Begins(start) if start.rolls_back.is_none() => Some((start.run, start.cycle)),
            _ => None,
        };
        let cycles = events.iter().filter_map(cycle).collect();
        let again = |event: &Event| if let Event::Again { of, .. } = event { Some(*of) } else { None };
        let again = events.iter().filter_map(again).collect();
        let world = Arc::new(World::of(initial.clone()));
        let decrees = Decrees { since: world.now(), mode: Mode::Auto, frozen: false, surge: false };
        let state = State {
            decrees: vec![decrees],
            stopped: BTreeSet::new(),
            delivered: BTreeMap::new(),
            planned: BTreeMap::new(),
            seen: BTreeMap::new(),
        };
        Self { world, initial, limits, plans, cycles, again, defect, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The cycle under whose lease a run works: a rollback takes that of the run whose changes it undoes.
    pub fn cycle_of(&self, start: &Start) -> Cycle {
        let of = start.rolls_back.and_then(|of| self.cycles.get(&of));
        of.copied().unwrap_or(start.cycle)
    }

    /// What the owner has decided, as it is now.
    pub fn decrees(&self) -> Decrees {
        *self.state().decrees.last().unwrap()
    }

    /// All that the owner has decided, in turn.
    pub fn all_decrees(&self) -> Vec<Decrees> {
        self.state().decrees.clone()
    }

    fn decree(&self, change: impl FnOnce(&mut Decrees)) {
        let mut decrees = Decrees { since: self.world.now(), ..self.decrees() };
        change(&mut decrees);
        self.state().decrees.push(decrees);
    }

    /// Whether somebody has stopped this run.
    pub fn is_stopped(&self, run: &str) -> bool {
        self.state().stopped.contains(run)
    }

    /// A step of a run is delivered for the first time.
    pub fn deliver(&self, number: Number, run: &Run, plan: &Plan, snapshot: &Snapshot) {
        let mut state = self.state();
        state.planned.entry(number).or_default().extend(plan.changes.iter().cloned());
        if self.again.contains(&number) {
            state.delivered.insert(number, (run.clone(), plan.clone(), snapshot.clone()));
        }
    }

    /// The step of a run that was delivered last.
    pub fn delivered(&self, number: Number) -> Option<(Run, Plan, Snapshot)> {
        self.state().delivered.get(&number).cloned()
    }

    /// Iterations of a run.
    pub fn iterations(&self, number: Number) -> u32 {
        self.plans.keys().filter(|(run, _)| *run == number).map(|(_, iteration)| *iteration).max().unwrap_or(1)
    }

    /// Something has happened that a simulation should have seen.
    pub fn note(&self, what: &'static str) {
        *self.state().seen.entry(what).or_default() += 1;
    }

    /// How often what has happened.
    pub fn seen(&self) -> BTreeMap<&'static str, usize> {
        self.state().seen.clone()
    }

    /// All changes that a run has planned.
    pub fn planned(&self, number: Number) -> Vec<Change> {
        self.state().planned.get(&number).cloned().unwrap_or_default()
    }
}

fn resize(resource: &mut Resource, size: u32) {
    let fresh = match &resource.live {
        Live::EcsService(_) => build::service(&resource.name, size),
        _ => build::fleet(&resource.name, size),
    };
    match (&mut resource.live, fresh.live) {
        (Live::AutoScalingGroup(fleet), Live::AutoScalingGroup(fresh)) => {
            (fleet.desired, fleet.instances) = (fresh.desired, fresh.instances);
        }
        (live, fresh) => *live = fresh,
    }
}

type Fiber<'a> = (&'a Actor, Pin<Box<dyn Future<Output = ()> + 'a>>);

/// What has happened.
pub struct Played {
    /// The world as it was left.
    pub scene: Arc<Scene>,
    /// Faults that came to pass.
    pub injected: usize,
    /// Processes that died.
    pub crashes: usize,
    /// Requests were made to land late.
    pub is_late: bool,
    /// A process never came to an end.
    pub is_stuck: bool,
}

/// Lets it all happen.
pub fn play(events: &[Event], defect: Option<Defect>) -> Played {
    let scene = Arc::new(Scene::of(events, defect));
    let actors: BTreeMap<Number, Actor> =
        events.iter().filter_map(|event| Some((number_of(event)?, Actor::of(event, events, &scene)?))).collect();
    let mut fibers: BTreeMap<Number, Fiber<'_>> = BTreeMap::new();
    let mut order = None;
    for event in events {
        match event {
            Event::Begins(start) => begin(start, &scene, &actors, &mut fibers),
            Event::Again { process, of, .. } => {
                let actor = &actors[process];
                fibers.entry(*process).or_insert_with(|| (actor, Box::pin(second_delivery(&scene, actor, *of))));
            }
            Event::Calls(number, calls) => (0..*calls).for_each(|_| poll(*number, &mut fibers)),
            Event::Mix(seed) => order = Some(fastrand::Rng::with_seed(*seed)),
            Event::Jump(number, ahead_s) => {
                if let Some(actor) = actors.get(number) {
                    actor.process.set_ahead(SignedDuration::from_secs(*ahead_s));
                }
            }
            other => outside(other, &scene),
        }
    }
    let is_stuck = !finish(&mut fibers, order);
    let is_late = events.iter().any(|event| matches!(event, Event::Fault(_, _, Fault::LandLate(_))));
    drop(fibers);
    let injected = actors.values().map(|actor| usize::try_from(actor.process.injected()).unwrap()).sum();
    let crashes = actors.values().filter(|actor| actor.process.has_crashed()).count();
    Played { scene, injected, crashes, is_late, is_stuck }
}

fn number_of(event: &Event) -> Option<Number> {
    match event {
        Event::Begins(start) => Some(start.run),
        Event::Again { process, .. } => Some(*process),
        _ => None,
    }
}

fn begin<'a>(
    start: &'a Start,
    scene: &'a Scene,
    actors: &'a BTreeMap<Number, Actor>,
    fibers: &mut BTreeMap<Number, Fiber<'a>>,
) {
    let actor = &actors[&start.run];
    fibers.entry(start.run).or_insert_with(|| (actor, Box::pin(execution(scene, actor, start))));
}

/// One call of a process, if it still runs.
fn poll(number: Number, fibers: &mut BTreeMap<Number, Fiber<'_>>) {
    let Some((actor, work)) = fibers.get_mut(&number) else { return };
    if actor.process.has_crashed() {
        return;
    }
    let mut context = Context::from_waker(Waker::noop());
    if let Poll::Ready(()) = work.as_mut().poll(&mut context) {
        *work = Box::pin(std::future::pending());
        actor.ends();
    }
}

/// Everybody goes on to their end. False when that never comes.
fn finish(fibers: &mut BTreeMap<Number, Fiber<'_>>, mut order: Option<fastrand::Rng>) -> bool {
    let mut running: Vec<Number> = fibers.keys().copied().collect();
    let mut turn = 0;
    for _ in 0..POLLS_MAX {
        running.retain(|number| !fibers[number].0.is_over());
        if running.is_empty() {
            return true;
        }
        turn = match &mut order {
            Some(random) => random.usize(0..running.len()),
            None => (turn + 1) % running.len(),
        };
        poll(running[turn], fibers);
    }
    false
}

/// What somebody else does.
fn outside(event: &Event, scene: &Scene) {
    let world = &scene.world;
    match event {
        Event::Pass(seconds) => world.pass_s(*seconds),
        Event::Resize(of, size) => world.edit_capacity(&catalog::id(*of), *size),
        Event::Delete(of) => {
            world.remove(&catalog::id(*of));
        }
        Event::KillSwitch(is_on) => world.set_kill_switch(if *is_on { KillSwitch::On } else { KillSwitch::Off }),
        Event::Freeze(is_on) => scene.decree(|decrees| decrees.frozen = *is_on),
        Event::Surge(is_on) => scene.decree(|decrees| decrees.surge = *is_on),
        Event::Mode(mode) => scene.decree(|decrees| decrees.mode = *mode),
        Event::Says(yes, ahead_s) => answer(world, *yes, *ahead_s),
        Event::Stops(number) => {
            let run = format!("run-{number}");
            world.end(&run, Life::Stopped);
            scene.state().stopped.insert(run);
        }
        _ => {}
    }
}

/// A person answers the newest question, if its page still takes an answer. An answer counts once.
fn answer(world: &World, yes: bool, ahead_s: i64) {
    let at = world.now() + SignedDuration::from_secs(ahead_s);
    let Some(asked) = world.requests().pop() else { return };
    if matches!(asked.state_at(at), RequestState::Lapsed | RequestState::Withdrawn) {
        return;
    }
    let approved =
        if yes { asked.questions.iter().map(|question| question.change.clone()).collect() } else { Vec::new() };
    let (by, remark) = ("a person".to_owned(), String::new());
    let answer = Answer { approved, by, remark, via: Via::Link, at };
    let request = domain::approval::Request { state: RequestState::Answered, answer: Some(answer), ..asked };
    let _the_second_answer_is_refused = Approvals::close(world, &request).now_or_never();
}
