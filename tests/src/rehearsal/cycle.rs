//! One run of the cycle on a stage: the order of the state machine, the product's decisions, no calls.

use super::stage::Stage;
use crate::scenario::{AppScenario, Trigger};
use domain::approval::Consent;
use domain::arbitration::Restraints;
use domain::change::{Change, Reversal};
use domain::execution::IterationRecord;
use domain::guard::{self, Facts, KillSwitch, Limits};
use domain::health::{self, Memory, Next, Policy, Tried};
use domain::ids::ExecutionId;
use domain::mode::Mode;
use domain::objective::Objectives;
use domain::outcome::{Outcome, Verdict};
use domain::resource::Resource;
use domain::rollout::Rollout;
use domain::snapshot::{AlarmState, Snapshot};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// A rehearsal of one application.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// Thresholds.
    pub policy: Policy,
    /// What the application promises.
    pub objectives: Objectives,
    /// How much may be changed.
    pub limits: Limits,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Made {
    /// The change.
    pub change: Change,
    /// Its resource right before.
    pub prior: Resource,
    /// When.
    pub at: Timestamp,
    /// Its verification.
    pub outcome: Option<Outcome>,
    /// It was undone.
    pub undone: bool,
}

/// How a rehearsal ended.
#[derive(Clone, Debug)]
pub struct End {
    /// How the run ended; `None` when nothing started one or the time was up.
    pub next: Option<Next>,
    /// Its iterations.
    pub iterations: Vec<IterationRecord>,
    /// Changes that were made.
    pub made: Vec<Made>,
    /// Changes that were refused, with the reason.
    pub refused: Vec<String>,
    /// Rules that were named.
    pub rules: BTreeSet<String>,
    /// The story, one line each.
    pub story: Vec<String>,
    /// The stage at the end.
    pub stage: Stage,
}

/// Minutes from the alarm to the snapshot, and from the snapshot to the changes: none to this many, by the seed. A fast
/// machine sees less of a sickness before it decides.
const REACTION_MIN_MAX: u64 = 3;

/// Plays one application of a scenario with this seed.
pub fn rehearse(rules: &Rehearsal, name: &str, app: &AppScenario, trigger: &Trigger, limit_min: f64, seed: u64) -> End {
    let mut run = Run {
        rules,
        execution: ExecutionId::new(format!("rehearsal-{seed}")),
        memory: Memory::default(),
        reaction_min: u32::try_from(seed % (REACTION_MIN_MAX + 1)).unwrap_or(0),
        end: End {
            next: None,
            iterations: Vec::new(),
            made: Vec::new(),
            refused: Vec::new(),
            rules: BTreeSet::new(),
            story: Vec::new(),
            stage: Stage::new(name, app, seed),
        },
    };
    if run.is_started(trigger, limit_min) {
        while run.end.next.is_none() && f64_of(run.end.stage.minute()) < limit_min {
            run.iteration();
        }
    }
    run.end
}

#[allow(clippy::cast_precision_loss, reason = "a few thousand minutes")]
fn f64_of(minute: i64) -> f64 {
    minute as f64
}

struct Run<'a> {
    rules: &'a Rehearsal,
    execution: ExecutionId,
    memory: Memory,
    reaction_min: u32,
    end: End,
}

impl Run<'_> {
    fn live(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.end.stage.live();
        }
    }

    fn tell(&mut self, text: String) {
        let minute = self.end.stage.minute();
        self.end.story.push(format!("{minute:>4}  {text}"));
    }

    fn is_started(&mut self, trigger: &Trigger, limit_min: f64) -> bool {
        while f64_of(self.end.stage.minute()) < limit_min {
            self.live(1);
            let started = match trigger {
                Trigger::Manual { at_min, .. } | Trigger::Schedule { at_min } => {
                    f64_of(self.end.stage.minute()) >= *at_min
                }
                Trigger::Alarm => self.end.stage.alarms().iter().any(|alarm| alarm.state == AlarmState::Alarm),
            };
            if started {
                return true;
            }
        }
        false
    }

    fn iteration(&mut self) {
        let policy = &self.rules.policy;
        let number = u32::try_from(self.end.iterations.len() + 1).unwrap_or(u32::MAX);
        self.live(self.reaction_min);
        let before = self.end.stage.snapshot(policy.window_s);
        let (mut analysis, memory) =
            health::analyze(&before, &self.rules.objectives, policy, std::mem::take(&mut self.memory));
        self.memory = memory;
        let tried: Vec<Tried> = self.end.made.iter().map(tried).collect();
        let mut plan = health::plan(&before, &analysis, policy, &self.rules.limits, &tried, &self.execution, number);
        analysis.findings.append(&mut plan.findings);
        let found: Vec<String> =
            analysis.findings.iter().map(|f| format!("{} ({}): {}", f.rule, f.severity, f.summary)).collect();
        self.tell(format!("{number}: score {:?}; {found:?}; not now {:?}", analysis.score, plan.passed_over));
        self.end.rules.extend(analysis.findings.iter().map(|finding| finding.rule.to_string()));
        self.live(self.reaction_min);
        let first = self.end.made.len();
        let refused_before = self.end.refused.len();
        for change in &plan.changes {
            self.make(change, &before);
        }
        let settle = plan.changes.iter().map(|change| change.action.spec().settle_s + policy.window_s).max();
        self.live(settle.unwrap_or(0).max(policy.wait_s) / 60);
        let mut after = self.end.stage.snapshot(policy.window_s);
        let made: Vec<_> = self.end.made[first..].iter().map(|made| (&made.change, made.at)).collect();
        after.weeks = self.end.stage.weeks(&made, &after, self.rules);
        let score_after =
            health::analyze(&after, &self.rules.objectives, policy, self.memory.clone()).0.score.known().copied();
        let (verified, undone) = self.verify(first, &before, &after);
        self.tell(format!("{number}: score after {score_after:?}"));
        self.end.iterations.push(IterationRecord {
            iteration: number,
            at: before.taken_at,
            score: analysis.score.known().copied(),
            score_after,
            measured_at: Some(after.taken_at),
            applied: small(self.end.made.len() - first),
            verified,
            undone,
            refused: small(self.end.refused.len() - refused_before),
            answer_lost: false,
        });
        match health::iterate(&self.end.iterations, policy, self.end.stage.now()) {
            Next::Continue => {}
            next => {
                self.tell(format!("{next:?}"));
                self.end.next = Some(next);
            }
        }
    }

    fn make(&mut self, change: &Change, before: &Snapshot) {
        let Some(prior) = self.end.stage.resources().into_iter().find(|resource| resource.id == change.resource) else {
            return;
        };
        let facts = self.facts(change, &prior, before);
        match guard::clear(change, &facts, &self.rules.limits) {
            Err(refusal) => {
                self.tell(format!("refused: {}: {refusal}", change.in_words()));
                self.end.refused.push(refusal.to_string());
            }
            Ok(_) => {
                self.tell(format!("applied: {}; {}", change.in_words(), change.reason));
                self.end.stage.apply(&change.action);
                let at = self.end.stage.now();
                self.end.made.push(Made { change: change.clone(), prior, at, outcome: None, undone: false });
            }
        }
    }

    fn facts(&self, change: &Change, prior: &Resource, before: &Snapshot) -> Facts {
        let now = self.end.stage.now();
        let hour_ago = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MIN);
        let of_resource = || self.end.made.iter().filter(|made| made.change.resource == change.resource);
        let follows = |made: &&Made| change.rollout.as_ref().is_some_and(|part| part.follows(&made.change.id));
        let is_rest = |made: &&Made| matches!(made.change.rollout, Some(Rollout::Rest { .. }));
        let others = || of_resource().filter(|made| !follows(made));
        let repeats = others().filter(|made| !is_rest(made) && made.change.remedy() == change.remedy()).count();
        Facts {
            now,
            mode: Mode::Auto,
            consent: Consent::NotAsked,
            kill_switch: KillSwitch::Off,
            calendar_closed: None,
            freeze: None,
            other_owner: None,
            protected: false,
            live: prior.live.clone(),
            snapshot_at: before.taken_at,
            completeness: before.completeness(),
            changes_in_execution: small(self.end.made.len()),
            resource_changes_last_hour: small(of_resource().filter(|made| made.at > hour_ago).count()),
            resource_changes_last_day: small(of_resource().count()),
            changes_last_hour: small(self.end.made.iter().filter(|made| made.at > hour_ago).count()),
            changes_last_day: small(self.end.made.len()),
            undos_last_day: small(self.end.made.iter().filter(|made| made.undone).count()),
            resource_changed_at: others().map(|made| made.at).max(),
            open_change: None,
            repeats_last_day: small(repeats),
            spent_usd_cents_month: 0,
            app_spent_usd_cents_month: 0,
            restraints: Restraints::default(),
            takes_back: None,
            rolled_back: None,
        }
    }

    /// Judges the changes of this iteration, newest first; what is not kept is undone where it can be.
    fn verify(&mut self, first: usize, before: &Snapshot, after: &Snapshot) -> (u32, u32) {
        let (mut verified, mut undone) = (0, 0);
        for index in (first..self.end.made.len()).rev() {
            let made = &self.end.made[index];
            let outcome = health::verify(&made.change, before, after, made.at, &self.rules.policy);
            self.tell(format!("{}: keep {}: {}", outcome.verdict, outcome.keep, outcome.why));
            verified += u32::from(outcome.verdict == Verdict::Verified);
            let made = &mut self.end.made[index];
            if !outcome.keep && made.change.action.spec().reversal == Reversal::Undoable {
                made.undone = true;
                undone += 1;
                let prior = made.prior.live.clone();
                self.end.stage.restore(&prior);
            }
            self.end.made[index].outcome = Some(outcome);
        }
        (verified, undone)
    }
}

fn tried(made: &Made) -> Tried {
    Tried::of(&made.change, made.outcome.as_ref(), made.at)
}

fn small(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
