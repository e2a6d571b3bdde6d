//! What a run does from its lease to its end, as its state machine would lead it: transient failures are delivered again, others
//! end it.

use super::broken::Broken;
use super::events::{Event, Found, Number, Start};
use super::run::Scene;
use crate::common::{APP, judge};
use domain::approval::{self, Consent, Question, Request, RequestState, Terms};
use domain::change::Change;
use domain::execution::Workflow;
use domain::ids::{AppId, ChangeId, ExecutionId, RequestId};
use domain::mode::Mode;
use domain::outcome::{Outcome, Verdict};
use domain::plan::Plan;
use domain::resource::Live;
use domain::snapshot::Snapshot;
use engine::act::{self, ActError, Context, Ports, Report, Rules, Timing};
use engine::ports::{Approvals, Clock, Lease, LeaseAnswer};
use engine::run::{Run, lease_key, lease_ttl_s};
use engine::{lease, settle, undo};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use testkit::schedule::give_way;
use testkit::{Fault, Process, build};

/// Times that a run asks for the lease, and that it looks for an answer.
const TRIES: u32 = 12;

type ModeFn = Box<dyn Fn(&Change) -> Mode + Send + Sync>;
type ConsentFn = Box<dyn Fn(&Change, &Live) -> Consent + Send + Sync>;
type WhileFn = Box<dyn Fn(Timestamp) -> Option<String> + Send + Sync>;

/// A process with the run that it works for, and what it is told by the owner and by people.
pub struct Actor {
    /// The process.
    pub process: Arc<Process>,
    number: Number,
    name: String,
    broken: Broken,
    mode: ModeFn,
    consent: ConsentFn,
    freeze: WhileFn,
    surge: WhileFn,
    has_ended: AtomicBool,
}

impl Actor {
    /// The process that this event brings, with the faults that await it.
    pub fn of(event: &Event, events: &[Event], scene: &Arc<Scene>) -> Option<Self> {
        let (number, of, ahead_s) = match event {
            Event::Begins(start) => (start.run, start.run, start.ahead_s),
            Event::Again { process, of, ahead_s } => (*process, *of, *ahead_s),
            _ => return None,
        };
        let faults = events.iter().filter_map(|event| match event {
            Event::Fault(at, call, fault) if *at == number => Some((*call, *fault)),
            _ => None,
        });
        let faults: Vec<(usize, Fault)> = faults.collect();
        let name = format!("run-{of}");
        let process = Process::with(&scene.world, faults).working_for(&name, SignedDuration::from_secs(ahead_s));
        let process = Arc::new(process);
        let decreed = || Arc::clone(scene);
        let (modes, freezes, surges, asked) = (decreed(), decreed(), decreed(), decreed());
        let (clock, id) = (Arc::clone(&process), ExecutionId::new(name.clone()));
        Some(Self {
            broken: Broken { process: Arc::clone(&process), defect: scene.defect, kept: Mutex::default() },
            number,
            name,
            mode: Box::new(move |_| modes.decrees().mode),
            consent: Box::new(move |change, live| {
                approval::consent(change, live, &id, &asked.world.requests(), &Terms::default(), clock.now())
            }),
            freeze: Box::new(move |_| freezes.decrees().frozen.then(|| "a freeze".to_owned())),
            surge: Box::new(move |_| surges.decrees().surge.then(|| "a surge".to_owned())),
            has_ended: AtomicBool::new(false),
            process,
        })
    }

    /// It has nothing more to do.
    pub fn ends(&self) {
        self.has_ended.store(true, Ordering::SeqCst);
    }

    /// Whether it has come to its end, or died.
    pub fn is_over(&self) -> bool {
        self.has_ended.load(Ordering::SeqCst) || self.process.has_crashed()
    }

    fn ports(&self) -> Ports<'_> {
        match self.broken.defect {
            Some(_) => Ports { journal: &self.broken, actuator: &self.broken, ..self.process.ports() },
            None => self.process.ports(),
        }
    }

    fn context<'a>(&'a self, scene: &'a Scene, run: &'a Run) -> Context<'a> {
        Context {
            ports: self.ports(),
            run,
            rules: Rules {
                limits: &scene.limits,
                mode: &*self.mode,
                consent: &*self.consent,
                earn_after: 0,
                freeze: &*self.freeze,
                surge: &*self.surge,
                other_owner: &|_| None,
                calendar_closed: None,
                circuit_closed_at: None,
                timing: Timing::default(),
            },
            deadline: self.process.now() + SignedDuration::from_secs(840),
        }
    }
}

/// A run from its lease to its end.
pub async fn execution(scene: &Scene, actor: &Actor, start: &Start) {
    let Some(lease) = take(scene, actor, start).await else { return };
    let mut run = build::run(APP, &actor.name, lease);
    (run.cycle, run.mode) = (scene.cycle_of(start), start.mode);
    run.workflow = if start.rolls_back.is_some() { Workflow::Rollback } else { start.cycle.workflow() };
    for iteration in 1..=scene.iterations(start.run) {
        run.iteration = iteration;
        if scene.is_stopped(&actor.name) || iterate(scene, actor, &mut run, start).await.is_err() {
            break;
        }
    }
    // Dying without giving the lease back is the ordinary case of a failure.
    let _may_expire = lease::release(actor.process.ports().leases, &run).await;
}

/// The lease, once it is free, has expired, or was that of a run that somebody has stopped.
async fn take(scene: &Scene, actor: &Actor, start: &Start) -> Option<Lease> {
    let (app, id) = (AppId::from(APP), ExecutionId::new(actor.name.clone()));
    let cycle = scene.cycle_of(start);
    let leases = actor.process.ports().leases;
    for _ in 0..TRIES {
        let held = scene.world.lease(&lease_key(cycle, &app)).filter(|lease| lease.holder != id);
        let mut answer = lease::acquire(leases, &*actor.process, cycle, &app, &id).await;
        if let Ok(LeaseAnswer::Busy(other)) = &answer
            && scene.is_stopped(other.holder.as_str())
        {
            let (key, now) = (lease_key(cycle, &app), actor.process.now());
            answer = leases.take_over(&key, other, &id, now, lease_ttl_s(cycle)).await;
        }
        match answer {
            Ok(LeaseAnswer::Held(lease)) => {
                held.into_iter().for_each(|_| scene.note("leases taken from others"));
                return Some(lease);
            }
            Ok(LeaseAnswer::Busy(_)) => give_way().await,
            Err(_) => {}
        }
    }
    None
}

async fn iterate(scene: &Scene, actor: &Actor, run: &mut Run, start: &Start) -> Result<(), ActError> {
    known(scene, actor, run).await?;
    judge_residue(scene, actor, run, start.finds_good).await?;
    repeat(scene, actor, async || undo::residue(&actor.context(scene, run)).await.map(drop)).await?;
    if let Some(of) = start.rolls_back {
        let ids: BTreeSet<ChangeId> = scene.planned(of).into_iter().map(|change| change.id).collect();
        let resources = scene.world.resources();
        return repeat(scene, actor, async || {
            undo::ordered(&actor.context(scene, run), &ids, &resources, "a person wants it so").await.map(drop)
        })
        .await;
    }
    let plan = plan(scene, actor.number, run);
    let report = deliver(scene, actor, run, &plan).await?;
    if ask(scene, actor, run, &report).await {
        let Some(lease) = take(scene, actor, start).await else {
            return Err(ActError::LeaseLost { key: run.lease_key(), why: "another run is at work".to_owned() });
        };
        run.lease = lease;
        let _report = deliver(scene, actor, run, &plan).await?;
    }
    scene.world.pass_s(600);
    give_way().await;
    repeat(scene, actor, async || settle::own(&actor.context(scene, run)).await.map(drop)).await?;
    let outcomes = outcomes(scene, actor.number, run, &plan);
    repeat(scene, actor, async || undo::keep(&actor.context(scene, run), &outcomes).await.map(drop)).await?;
    repeat(scene, actor, async || undo::carry_out(&actor.context(scene, run), &outcomes).await.map(drop)).await?;
    judge_residue(scene, actor, run, !start.finds_good).await?;
    repeat(scene, actor, async || undo::residue(&actor.context(scene, run)).await.map(drop)).await
}

/// What others have left is found out, as soon as nothing can be on its way any more.
async fn known(scene: &Scene, actor: &Actor, run: &Run) -> Result<(), ActError> {
    for _ in 0..5 {
        let mut wait_s = None;
        repeat(scene, actor, async || {
            wait_s = settle::residue(&actor.context(scene, run)).await?.retry_after_s();
            Ok(())
        })
        .await?;
        let Some(wait_s) = wait_s else { break };
        scene.world.pass_s(wait_s);
    }
    Ok(())
}

/// The plan of an iteration, for the world as it is.
fn plan(scene: &Scene, number: Number, run: &Run) -> Plan {
    let planned = scene.plans.get(&(number, run.iteration)).map_or(&[][..], Vec::as_slice);
    let changes = planned.iter().enumerate().map(|(place, planned)| {
        let id = format!("{}-{}-{place}", run.execution_id, run.iteration);
        let mut change = build::change(&id, planned.wanted.action(&scene.world));
        change.resource = planned.wanted.resource();
        change.expected.resource = change.resource.clone();
        Change { cost_usd_cents_month: planned.cost, ..change }
    });
    build::plan(changes.collect())
}

/// The step that writes, delivered until it has ended. What it leaves undone for want of time is not tried again.
async fn deliver(scene: &Scene, actor: &Actor, run: &Run, plan: &Plan) -> Result<Option<Report>, ActError> {
    let snapshot: Snapshot = build::snapshot(APP, &scene.world.resources(), actor.process.now());
    scene.deliver(actor.number, run, plan, &snapshot);
    let mut report = None;
    repeat(scene, actor, async || {
        report = Some(act::carry_out(&actor.context(scene, run), plan, &snapshot).await?);
        Ok(())
    })
    .await?;
    Ok(report)
}

/// Asks people where only their consent is lacking, and waits for the answer without the lease. True when there is one.
async fn ask(scene: &Scene, actor: &Actor, run: &Run, report: &Option<Report>) -> bool {
    let questions: Vec<Question> = report
        .iter()
        .flat_map(|report| report.askable())
        .filter_map(|line| {
            let change = scene.planned(actor.number).into_iter().rfind(|change| change.id == line.change)?;
            let size = scene.world.resource(&line.resource).and_then(|resource| approval::size(&resource.live));
            let spec = change.action.spec();
            Some(Question {
                change: change.id,
                action: change.action,
                resource: change.resource,
                before: line.before.clone(),
                size,
                reason: change.reason,
                expected: change.expected,
                risk: spec.risk,
                reversal: spec.reversal,
                cost_usd_cents_month: change.cost_usd_cents_month,
                rollout: None,
            })
        })
        .collect();
    if questions.is_empty() {
        return false;
    }
    let now = actor.process.now();
    let request = Request {
        id: RequestId::new(format!("{}-{}", run.execution_id, run.iteration)),
        app: run.app.clone(),
        execution: run.execution_id.clone(),
        execution_arn: run.execution_arn.clone(),
        place: None,
        endpoints: Vec::new(),
        cycle: run.cycle,
        iteration: run.iteration,
        evidence: Vec::new(),
        score: None,
        questions,
        asked_at: now,
        expires_at: now + SignedDuration::from_secs(3_600),
        state: RequestState::Open,
        answer: None,
    };
    if actor.process.ask(&request, "token").await.is_err() {
        return false;
    }
    let _may_expire = lease::release(actor.process.ports().leases, run).await;
    for _ in 0..TRIES {
        give_way().await;
        let asked = scene.world.requests().into_iter().find(|asked| asked.id == request.id);
        if asked.is_some_and(|asked| asked.state != RequestState::Open) {
            return true;
        }
    }
    scene.world.pass_s(3_600);
    true
}

/// What is measured of the changes of a plan.
fn outcomes(scene: &Scene, number: Number, run: &Run, plan: &Plan) -> Vec<Outcome> {
    let planned = scene.plans.get(&(number, run.iteration)).map_or(&[][..], Vec::as_slice);
    let measured = plan.changes.iter().zip(planned).filter(|(_, planned)| planned.found != Found::Nothing);
    let outcome = |(change, planned): (&Change, &super::run::Planned)| {
        build::outcome(change, Verdict::Inconclusive, planned.found == Found::Helped, scene.world.now())
    };
    measured.map(outcome).collect()
}

/// What dead runs and earlier iterations have left, judged as the measuring step does.
async fn judge_residue(scene: &Scene, actor: &Actor, run: &Run, helped: bool) -> Result<(), ActError> {
    repeat(scene, actor, async || {
        lease::renew(&actor.context(scene, run)).await?;
        let judged = judge(&actor.process, run, &scene.world, |_| helped).await;
        judged.map_err(|source| ActError::Journal { doing: "judge".to_owned(), source })
    })
    .await
}

/// Delivers a step up to three times, as the state machine does; none to a run that somebody has stopped.
async fn repeat(
    scene: &Scene,
    actor: &Actor,
    mut step: impl AsyncFnMut() -> Result<(), ActError>,
) -> Result<(), ActError> {
    let mut answer = step().await;
    for _ in 0..2 {
        match &answer {
            Ok(()) => break,
            Err(ActError::LeaseLost { .. }) => {
                scene.note("leases lost");
                break;
            }
            Err(_) if scene.is_stopped(&actor.name) => break,
            Err(ActError::InFlight { retry_after_s, .. }) => {
                scene.note("calls on their way");
                scene.world.pass_s(*retry_after_s);
            }
            Err(_) => scene.world.pass_s(5),
        }
        answer = step().await;
    }
    answer
}

/// A second delivery of a run's step: at the same time, or long after.
pub async fn second_delivery(scene: &Scene, actor: &Actor, of: Number) {
    for _ in 0..40 {
        if let Some((run, plan, snapshot)) = scene.delivered(of) {
            let _report_is_lost = act::carry_out(&actor.context(scene, &run), &plan, &snapshot).await;
            return;
        }
        give_way().await;
    }
}
