//! Plans one change: new statistics of a table, or else the index that saves the most of those that may be built. One at a time, since two could
//! not be measured apart.

use super::bottlenecks::Bottleneck;
use super::index::{Index, IndexState};
use super::policy::Policy;
use super::stale::Stale;
use crate::change::{self, Action, Better, Change, ChangeKind, Expectation};
use crate::finding::{Evidence, Finding, Severity};
use crate::ids::{ExecutionId, ResourceId, RuleId, SignalId};
use crate::outcome::Verdict;
use crate::plan::Plan;
use crate::resource::{Live, Resource, Tags};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The signal that verifies an index: mean time of the statements that it helps, each as often as it was asked before.
pub const SIGNAL: &str = "db_statement_mean_ms";
/// The rule that asks for an index.
pub const RULE: &str = "missing_index";
const DAY_H: i64 = 24;
const MIB: f64 = 1_048_576.0;

/// An earlier change of the cycle, as the planner looks at it.
#[derive(Clone, Debug)]
pub struct Past {
    /// Run and iteration that made it.
    pub made_in: (ExecutionId, u32),
    /// The index.
    pub resource: ResourceId,
    /// What measurement said.
    pub verdict: Option<Verdict>,
    /// When.
    pub at: Timestamp,
}

/// What limits a database besides the policy.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// Bytes that are free, where that is known.
    pub free_bytes: Option<f64>,
}

/// What is to be measured of a planned index: the artifact that the validation reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// The change.
    pub change: crate::ids::ChangeId,
    /// The database.
    pub database: String,
    /// Statements that it should help.
    pub readers: Vec<i64>,
    /// Every other statement on its table: those that write must maintain it, the plans of those that read may change.
    #[serde(alias = "writers")]
    pub neighbours: Vec<i64>,
    /// Statements that read nothing of its table: what they do in the meantime is no merit and no fault of it.
    #[serde(default)]
    pub untouched: Vec<i64>,
}

/// Which statements of a database touch which tables.
#[derive(Clone, Debug, Default)]
pub struct Touching {
    /// By schema and table.
    on: BTreeMap<(String, String), BTreeSet<i64>>,
    /// Those of which every table is known.
    whole: BTreeSet<i64>,
}

impl Touching {
    /// Notes the tables of a statement, by schema and name; what it reads beside them, if anything, is a view, a function or unknown.
    pub fn note(&mut self, statement: i64, tables: impl IntoIterator<Item = (String, String)>, is_all: bool) {
        let mut has_one = false;
        for table in tables {
            self.on.entry(table).or_default().insert(statement);
            has_one = true;
        }
        if is_all && has_one {
            self.whole.insert(statement);
        }
    }

    /// Statements on a table.
    pub fn on(&self, schema: &str, table: &str) -> Vec<i64> {
        self.on.get(&(schema.to_owned(), table.to_owned())).into_iter().flatten().copied().collect()
    }

    /// Statements of which all tables are known, and are others.
    pub fn beside(&self, schema: &str, table: &str) -> Vec<i64> {
        let on = self.on.get(&(schema.to_owned(), table.to_owned()));
        self.whole.iter().filter(|id| on.is_none_or(|on| !on.contains(id))).copied().collect()
    }
}

/// A plan with what is to be measured and the resources that it modifies.
#[derive(Clone, Debug, Default)]
pub struct Indexed {
    /// Changes and findings.
    pub plan: Plan,
    /// What is to be measured.
    pub targets: Vec<Target>,
    /// Resources that the plan modifies, as they are: not there yet.
    pub resources: Vec<Resource>,
}

/// The id of an index as a resource.
pub fn resource_id(database: &str, index: &str) -> ResourceId {
    ResourceId::new(format!("index/{database}/{index}"))
}

/// What the planner looks at.
#[derive(Clone, Copy, Debug)]
pub struct Planning<'a> {
    /// Indexes that would help, those that save the most first.
    pub bottlenecks: &'a [Bottleneck],
    /// Tables whose statistics are too old, those with the most time first.
    pub stale: &'a [Stale],
    /// Which statements touch which tables, by database.
    pub touching: &'a BTreeMap<String, Touching>,
    /// What limits a database, by its name.
    pub rooms: &'a BTreeMap<String, Room>,
    /// Earlier changes of the cycle.
    pub past: &'a [Past],
    /// Thresholds.
    pub policy: &'a Policy,
    /// The run, and its iteration.
    pub run: (&'a ExecutionId, u32),
    /// Now.
    pub now: Timestamp,
}

/// A change that may be planned, before it has an id.
pub(super) struct Planned {
    pub(super) kind: ChangeKind,
    pub(super) action: Action,
    pub(super) because: RuleId,
    pub(super) reason: String,
    pub(super) expected: Expectation,
    /// Database, schema and table.
    pub(super) on: (String, String, String),
    pub(super) readers: Vec<i64>,
    pub(super) resource: Resource,
}

/// Plans the next change: new statistics of a table before any index on it, since indexes are priced by them.
pub fn plan(of: &Planning<'_>) -> Indexed {
    let mut indexed = Indexed::default();
    let day_ago = of.now.checked_sub(SignedDuration::from_hours(DAY_H)).unwrap_or(Timestamp::MIN);
    let today = || of.past.iter().filter(|past| past.at > day_ago);
    let iterations: BTreeSet<&(ExecutionId, u32)> = today().map(|past| &past.made_in).collect();
    let spent = iterations.len() >= usize::try_from(of.policy.iterations_per_day_max).unwrap_or(usize::MAX);
    let spent = spent.then(|| format!("{} iterations have changed something today", iterations.len()));
    let waits = |stale: &Stale| !today().any(|past| past.resource == stale.resource_id());
    for bottleneck in of.bottlenecks.iter().filter(|bottleneck| bottleneck.is_worth_it) {
        let spec = &bottleneck.advised.index;
        let id = resource_id(&bottleneck.database, &spec.name());
        let on = (&bottleneck.database, &spec.schema, &spec.table);
        let is_stale =
            of.stale.iter().any(|stale| waits(stale) && (&stale.database, &stale.schema, &stale.table) == on);
        let held = held(bottleneck, &id, of.rooms.get(&bottleneck.database), of.past, of.policy)
            .or_else(|| spent.clone())
            .or_else(|| is_stale.then(|| "new statistics of the table first, by which it is priced".to_owned()))
            .or_else(|| indexed.held());
        indexed.plan.findings.push(finding(bottleneck, &id, held.as_deref()));
        if held.is_none() {
            indexed.take(planned(bottleneck, id), of);
        }
    }
    // After the indexes of other tables: a table that may not be analyzed holds up nothing but itself.
    for stale in of.stale {
        let again = || {
            "it was analyzed within a day and is too old again: let autovacuum look sooner (autovacuum_analyze_scale_factor of the table)"
                .to_owned()
        };
        let held = (!waits(stale)).then(again).or_else(|| spent.clone()).or_else(|| indexed.held());
        indexed.plan.findings.push(stale.finding(held.as_deref()));
        if held.is_none() {
            indexed.take(stale.planned(of.policy), of);
        }
    }
    indexed
}

impl Indexed {
    /// Why nothing else is planned now: two changes could not be measured apart.
    fn held(&self) -> Option<String> {
        match self.plan.changes.first()?.action {
            Action::CreateIndex { .. } => Some("one index at a time".to_owned()),
            _ => Some("one change at a time".to_owned()),
        }
    }

    fn take(&mut self, planned: Planned, of: &Planning<'_>) {
        let id = planned.resource.id.clone();
        let change = Change {
            id: change::id(of.run.0, of.run.1, planned.kind, &id),
            action: planned.action,
            resource: id,
            because: planned.because,
            reason: planned.reason,
            expected: planned.expected,
            cost_usd_cents_month: None,
            rollout: None,
        };
        let (database, schema, table) = planned.on;
        let statements = of.touching.get(&database);
        self.targets.push(Target {
            change: change.id.clone(),
            readers: planned.readers,
            neighbours: statements.map_or_else(Vec::new, |of| of.on(&schema, &table)),
            untouched: statements.map_or_else(Vec::new, |of| of.beside(&schema, &table)),
            database,
        });
        self.resources.push(planned.resource);
        self.plan.changes.push(change);
    }
}

fn planned(bottleneck: &Bottleneck, id: ResourceId) -> Planned {
    let (database, spec) = (&bottleneck.database, &bottleneck.advised.index);
    Planned {
        kind: ChangeKind::CreateIndex,
        action: Action::CreateIndex { database: database.clone(), index: Box::new(spec.clone()) },
        because: RuleId::from(RULE),
        reason: reason(bottleneck),
        expected: Expectation {
            signal: SignalId::from(SIGNAL),
            resource: id.clone(),
            better: Better::Lower,
            before: bottleneck.before_ms,
            after: bottleneck.after_ms,
        },
        on: (database.clone(), spec.schema.clone(), spec.table.clone()),
        readers: bottleneck.advised.helps.iter().map(|help| help.statement).collect(),
        resource: Resource {
            id,
            name: spec.name(),
            tags: Tags::default(),
            live: Live::Index(Index {
                database: database.clone(),
                schema: spec.schema.clone(),
                table: spec.table.clone(),
                name: spec.name(),
                state: IndexState::Absent,
                table_bytes: 0.0,
                oldest_transaction_s: 0.0,
                busy: None,
            }),
        },
    }
}

/// Why an index is not planned now.
fn held(
    bottleneck: &Bottleneck,
    id: &ResourceId,
    room: Option<&Room>,
    past: &[Past],
    policy: &Policy,
) -> Option<String> {
    let bytes = bottleneck.advised.bytes;
    if let Some(before) = past.iter().rev().find(|past| past.resource == *id && past.verdict.is_some()) {
        let verdict = before.verdict.unwrap_or(Verdict::Inconclusive);
        return Some(format!("it was tried on {}: {verdict}", change::day(before.at)));
    }
    if bytes > policy.index_bytes_max {
        return Some(format!(
            "it would take {:.0} MiB, {:.0} MiB are allowed (index_bytes_max)",
            bytes / MIB,
            policy.index_bytes_max / MIB
        ));
    }
    // A build sorts beside the index, which takes as much again.
    match room.and_then(|room| room.free_bytes) {
        Some(free) if 2.0 * bytes > free / 2.0 => {
            Some(format!("building it takes up to {:.0} MiB, only {:.0} MiB are free", 2.0 * bytes / MIB, free / MIB))
        }
        _ => None,
    }
}

fn reason(bottleneck: &Bottleneck) -> String {
    let statements = match bottleneck.advised.helps.len() {
        1 => "one statement takes".to_owned(),
        several => format!("{several} statements take"),
    };
    format!(
        "{statements} {} ms on average, {:.0} % of the time spent in the database; {} ms are expected with it, by the planner's costs, which \
         saves {:.0} s of database time in an hour",
        figure(bottleneck.before_ms),
        bottleneck.share_pct,
        figure(bottleneck.after_ms),
        bottleneck.saves_ms_hour / 1_000.0
    )
}

/// Milliseconds with as many digits as a reader needs.
pub(super) fn figure(ms: f64) -> String {
    if ms >= 10.0 { format!("{ms:.0}") } else { format!("{ms:.2}") }
}

fn finding(bottleneck: &Bottleneck, id: &ResourceId, held: Option<&str>) -> Finding {
    let held = held.map(|why| format!("; not built now: {why}")).unwrap_or_default();
    Finding {
        rule: RuleId::from(RULE),
        resource: id.clone(),
        member: None,
        severity: Severity::Medium,
        confidence: 0.8,
        summary: format!("an index on {} is missing: {}{held}", bottleneck.advised.index, reason(bottleneck)),
        evidence: bottleneck
            .advised
            .helps
            .iter()
            .map(|help| {
                Evidence::against(
                    SIGNAL,
                    help.mean_ms,
                    help.expected_ms(),
                    format!(
                        "statement {}, {:.0} times an hour, planner's cost {:.0} to {:.0}",
                        help.statement, help.calls_hour, help.cost_before, help.cost_after
                    ),
                )
            })
            .collect(),
    }
}

#[cfg(test)]
pub(super) mod tests;
