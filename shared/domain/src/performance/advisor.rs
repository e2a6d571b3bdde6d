//! Chooses a small set of indexes for a whole workload. It asks what things would cost and never looks itself: [`Advisor::questions`]
//! says what it needs to know next, [`Advisor::answer`] takes what the planner of the server has said, until there is nothing to ask.
//!
//! First every statement is priced as it is, and with all its candidates at once: those that the planner would use are the pool. Then
//! the index that saves most time for its size is taken, again and again, each time priced together with those taken before, until the
//! next one saves too little (greedy selection under a budget, as in Chaudhuri and Narasayya, 1997).

use super::catalog::Catalog;
use super::index::IndexSpec;
use super::profile::Used;
use super::shape::{Shape, Verb};
use crate::performance::candidates::candidates;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// A statement with the time it takes.
#[derive(Clone, Debug)]
pub struct Work {
    /// What it did in the window.
    pub used: Used,
    /// Its shape.
    pub shape: Shape,
}

/// Bounds of a choice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Indexes at most.
    pub indexes_max: usize,
    /// Size of all of them in bytes, at most.
    pub bytes_max: f64,
    /// Least share of the time of the whole workload that an index must save, 0 to 1.
    pub share_min: f64,
    /// How the time of a statement counts.
    pub weighs: Weighs,
}

/// How the time of a statement counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighs {
    /// By the time that it takes in the window: what saves the database the most.
    Time,
    /// Each statement alike, by the factor by which it gets faster: how benchmarks count.
    Factor,
}

/// What is to be priced: a statement with hypothetical indexes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Text of the statement.
    pub text: String,
    /// Indexes that are to be thought of.
    pub indexes: Vec<IndexSpec>,
}

/// What the planner says to a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Priced {
    /// Cost of the plan, in the planner's units.
    pub cost: f64,
    /// Which of the indexes it uses, by their place in the question.
    pub uses: Vec<usize>,
    /// Size of each index in bytes, in their order.
    pub bytes: Vec<f64>,
}

/// An index that is worth building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Advised {
    /// The index.
    pub index: IndexSpec,
    /// Its size in bytes, as estimated.
    pub bytes: f64,
    /// What it does to each statement that it helps.
    pub helps: Vec<Helped>,
}

/// What an index does to a statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Helped {
    /// The server's number for the statement.
    pub statement: i64,
    /// Its cost without the index, but with those advised before it, in the planner's units.
    pub cost_before: f64,
    /// Its cost with it.
    pub cost_after: f64,
    /// Milliseconds of one execution in the window.
    pub mean_ms: f64,
    /// Executions in the window.
    pub calls: f64,
    /// Executions an hour.
    pub calls_hour: f64,
}

impl Helped {
    /// Milliseconds that are expected of one execution afterwards: in proportion to the planner's costs.
    pub fn expected_ms(&self) -> f64 {
        self.mean_ms * (self.cost_after / self.cost_before).clamp(0.0, 1.0)
    }
}

type Set = Vec<usize>;

/// The advisor at work.
#[derive(Debug)]
pub struct Advisor {
    work: Vec<Work>,
    seconds: f64,
    /// All candidates of all statements.
    pool: Vec<IndexSpec>,
    /// Candidates of each statement, by place in the pool.
    of: Vec<Set>,
    budget: Budget,
    known: BTreeMap<(usize, Set), Option<Priced>>,
    bytes: BTreeMap<usize, f64>,
    asked: Vec<(usize, Set)>,
    questions_asked: usize,
}

/// What is taken so far, and what statements cost with it.
struct Chosen {
    base: Vec<f64>,
    costs: Vec<f64>,
    taken: Set,
    bytes: f64,
}

/// One more index, with what the statements that it helps cost then.
struct Step {
    value: f64,
    place: usize,
    after: Vec<(usize, f64)>,
}

/// Share of its cost that a statement must lose for an index to count as a help.
const HELP_SHARE_MIN: f64 = 0.05;
/// Smallest size that counts in the choice, in bytes: among small indexes the saving alone decides.
const BYTES_FLOOR: f64 = 262_144.0;
/// How much the size of an index counts against what it saves.
const SIZE_EXPONENT: f64 = 0.7;

impl Advisor {
    /// Begins with the statements of a window of so many seconds. Only what reads can be priced; the rest is left out.
    pub fn new(work: Vec<Work>, seconds: f64, catalog: &Catalog, budget: Budget) -> Self {
        let work: Vec<Work> = work.into_iter().filter(|work| work.shape.verb == Verb::Select).collect();
        let mut pool: Vec<IndexSpec> = Vec::new();
        let mut places: BTreeMap<IndexSpec, usize> = BTreeMap::new();
        let mut of = Vec::new();
        for work in &work {
            let own = candidates(&work.shape, catalog).into_iter().map(|candidate| {
                *places.entry(candidate.clone()).or_insert_with(|| {
                    pool.push(candidate);
                    pool.len() - 1
                })
            });
            let mut own: Set = own.collect();
            own.sort_unstable();
            of.push(own);
        }
        Self {
            work,
            seconds,
            pool,
            of,
            budget,
            known: BTreeMap::new(),
            bytes: BTreeMap::new(),
            asked: Vec::new(),
            questions_asked: 0,
        }
    }

    /// What must be known next; empty when the choice is made.
    pub fn questions(&mut self) -> Vec<Question> {
        let mut wanted = BTreeSet::new();
        let _ = self.choose(&mut wanted);
        self.asked = wanted.into_iter().collect();
        self.questions_asked += self.asked.len();
        let question = |(statement, set): &(usize, Set)| Question {
            text: self.work[*statement].used.text.clone(),
            indexes: set.iter().map(|place| self.pool[*place].clone()).collect(),
        };
        self.asked.iter().map(question).collect()
    }

    /// Takes the answers, in the order of the questions; `None` for a statement that the planner could not price.
    pub fn answer(&mut self, answers: Vec<Option<Priced>>) {
        let mut answers = answers.into_iter();
        for (statement, set) in std::mem::take(&mut self.asked) {
            let answer = answers.next().flatten().filter(|priced| priced.cost.is_finite());
            if let Some(priced) = &answer {
                for (place, bytes) in set.iter().zip(&priced.bytes) {
                    self.bytes.insert(*place, *bytes);
                }
            }
            self.known.insert((statement, set), answer);
        }
    }

    /// Questions asked so far: calls of the planner.
    pub fn questions_asked(&self) -> usize {
        self.questions_asked
    }

    /// What is advised, the most useful first; what was not answered counts as no help.
    pub fn advice(&self) -> Vec<Advised> {
        self.choose(&mut BTreeSet::new()).unwrap_or_default()
    }

    /// Statements that the planner could not price, by the server's number.
    pub fn unpriced(&self) -> Vec<i64> {
        let is_unpriced = |at: &usize| matches!(self.known.get(&(*at, Vec::new())), Some(None));
        (0..self.work.len()).filter(is_unpriced).map(|at| self.work[at].used.id).collect()
    }

    fn ask(&self, statement: usize, set: Set, wanted: &mut BTreeSet<(usize, Set)>) -> Option<&Priced> {
        let key = (statement, set);
        match self.known.get(&key) {
            Some(answer) => answer.as_ref(),
            None => {
                wanted.insert(key);
                None
            }
        }
    }

    /// The choice, as far as what is known allows; `None` when more must be known, which is then in `wanted`.
    fn choose(&self, wanted: &mut BTreeSet<(usize, Set)>) -> Option<Vec<Advised>> {
        let mut costs: Vec<f64> = Vec::new();
        let mut useful: BTreeSet<usize> = BTreeSet::new();
        for (statement, own) in self.of.iter().enumerate() {
            let base = self.ask(statement, Vec::new(), wanted).map(|priced| priced.cost);
            costs.push(base.unwrap_or(f64::NAN));
            if own.is_empty() || matches!(self.known.get(&(statement, Vec::new())), Some(None)) {
                continue;
            }
            if let Some(all) = self.ask(statement, own.clone(), wanted) {
                useful.extend(all.uses.iter().filter_map(|at| own.get(*at)));
            }
        }
        if !wanted.is_empty() {
            return None;
        }
        // What the planner would take when it has the choice, and the smaller forms of it.
        let forms: BTreeSet<usize> = (0..self.pool.len())
            .filter(|place| useful.iter().any(|used| used == place || self.pool[*used].covers(&self.pool[*place])))
            .collect();
        let mut chosen = Chosen { base: costs.clone(), costs, taken: Vec::new(), bytes: 0.0 };
        let mut advised: Vec<Advised> = Vec::new();
        while chosen.taken.len() < self.budget.indexes_max {
            let best = self.best(&forms, &chosen, wanted);
            if !wanted.is_empty() {
                return None;
            }
            let Some(Step { place, after, .. }) = best else { break };
            let bytes = self.bytes.get(&place).copied().unwrap_or(0.0);
            let helps = after
                .iter()
                .filter(|(statement, cost)| *cost < chosen.costs[*statement] * (1.0 - HELP_SHARE_MIN))
                .map(|(statement, cost)| self.helped(*statement, chosen.costs[*statement], *cost))
                .collect();
            for (statement, cost) in after {
                chosen.costs[statement] = cost;
            }
            chosen.bytes += bytes;
            chosen.taken.push(place);
            advised.push(Advised { index: self.pool[place].clone(), bytes, helps });
        }
        Some(without_covered(advised))
    }

    /// The index that saves most for its size beside those that are taken.
    fn best(&self, forms: &BTreeSet<usize>, chosen: &Chosen, wanted: &mut BTreeSet<(usize, Set)>) -> Option<Step> {
        let least = self.total(&chosen.base, &chosen.base) * self.budget.share_min;
        let mut best: Option<Step> = None;
        // What one that is taken serves as well would be written twice for little.
        let is_served = |place: &usize| chosen.taken.iter().any(|taken| self.pool[*taken].covers(&self.pool[*place]));
        for place in forms.iter().filter(|place| !is_served(place)) {
            let (mut after, mut gain) = (Vec::new(), 0.0);
            for (statement, own) in self.of.iter().enumerate() {
                let before = chosen.costs[statement];
                if !own.contains(place) || !before.is_finite() {
                    continue;
                }
                let mut set: Set = chosen.taken.iter().filter(|there| own.contains(there)).copied().collect();
                set.push(*place);
                set.sort_unstable();
                let Some(priced) = self.ask(statement, set, wanted) else { continue };
                if priced.cost < before {
                    gain += self.worth(statement, chosen.base[statement], before, priced.cost);
                    after.push((statement, priced.cost));
                }
            }
            let bytes = self.bytes.get(place).copied().unwrap_or(0.0);
            if gain <= 0.0 || gain < least || chosen.bytes + bytes > self.budget.bytes_max {
                continue;
            }
            let value = gain / bytes.max(BYTES_FLOOR).powf(SIZE_EXPONENT);
            if best.as_ref().is_none_or(|best| value > best.value) {
                best = Some(Step { value, place: *place, after });
            }
        }
        best
    }

    fn total(&self, base: &[f64], costs: &[f64]) -> f64 {
        let all = (0..self.work.len()).filter(|statement| base[*statement].is_finite());
        match self.budget.weighs {
            Weighs::Time => all.map(|at| self.work[at].used.total_ms() * costs[at] / base[at].max(1e-9)).sum(),
            Weighs::Factor => all.count() as f64,
        }
    }

    /// What it is worth that a statement costs less.
    fn worth(&self, statement: usize, base: f64, before: f64, after: f64) -> f64 {
        match self.budget.weighs {
            Weighs::Time => self.work[statement].used.total_ms() * (before - after) / base.max(1e-9),
            Weighs::Factor => (before.max(1e-9) / after.max(1e-9)).ln(),
        }
    }

    fn helped(&self, statement: usize, cost_before: f64, cost_after: f64) -> Helped {
        let used = &self.work[statement].used;
        Helped {
            statement: used.id,
            cost_before,
            cost_after,
            mean_ms: used.mean_ms,
            calls: used.calls,
            calls_hour: used.calls / self.seconds.max(1.0) * 3_600.0,
        }
    }
}

/// Without those that a later one serves as well; what they help goes to it.
fn without_covered(advised: Vec<Advised>) -> Vec<Advised> {
    let mut kept: Vec<Advised> = Vec::new();
    for one in advised.into_iter().rev() {
        match kept.iter_mut().find(|later| later.index.covers(&one.index)) {
            Some(later) => one.helps.into_iter().for_each(|help| take_over(&mut later.helps, help)),
            None => kept.push(one),
        }
    }
    kept.reverse();
    kept
}

/// One help in place of two one after the other.
fn take_over(helps: &mut Vec<Helped>, help: Helped) {
    match helps.iter_mut().find(|there| there.statement == help.statement) {
        Some(there) => {
            there.cost_before = there.cost_before.max(help.cost_before);
            there.cost_after = there.cost_after.min(help.cost_after);
        }
        None => helps.push(help),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_later_index_serves_as_well_is_left_out_and_its_help_is_kept() {
        let help = |statement| Helped {
            statement,
            cost_before: 9.0,
            cost_after: 1.0,
            mean_ms: 9.0,
            calls: 1.0,
            calls_hour: 1.0,
        };
        let advised = |columns: &[&str], statement| Advised {
            index: IndexSpec::btree("public", "orders", columns),
            bytes: 1.0,
            helps: vec![help(statement)],
        };
        let left = without_covered(vec![advised(&["a"], 1), advised(&["b"], 2), advised(&["a", "c"], 3)]);
        assert_eq!(left.len(), 2);
        assert_eq!(left[1].index, IndexSpec::btree("public", "orders", &["a", "c"]));
        assert_eq!(left[1].helps.iter().map(|help| help.statement).collect::<Vec<_>>(), [3, 1]);
    }
}
