//! Opportunities: what could be saved, how surely, at which risk, and what undoes it.

use super::money::UsdMicros;
use crate::change::Action;
use crate::finding::Evidence;
use crate::ids::{ResourceId, RuleId};
use crate::mode::Risk;
use crate::observed::Observed;
use crate::plan::Plan;
use serde::{Deserialize, Serialize};

/// One saving that a rule has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opportunity {
    /// The rule.
    pub rule: RuleId,
    /// The resource.
    pub resource: ResourceId,
    /// Its short name.
    pub name: String,
    /// One sentence for a person, with the numbers.
    pub summary: String,
    /// The measurements that prove it.
    pub evidence: Vec<Evidence>,
    /// What it saves a month; missing where no price is known, and then no saving is claimed.
    pub saving: Observed<Saving>,
    /// Risk for whoever uses the resource.
    pub risk: Risk,
    /// Work for a person.
    pub effort: Effort,
    /// How sure the rule is, 0 to 1.
    pub confidence: f64,
    /// What to do.
    pub remedy: Remedy,
    /// What undoes it, in words.
    pub way_back: String,
}

/// A saving a month with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saving {
    /// At least, US dollars a month.
    pub low: UsdMicros,
    /// Most likely.
    pub likely: UsdMicros,
    /// At most.
    pub high: UsdMicros,
}

impl Saving {
    /// A saving that is known exactly, as far as its price is.
    pub fn exactly(amount: UsdMicros) -> Self {
        Self { low: amount, likely: amount, high: amount }
    }
}

/// Work for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effort {
    /// The maintainer does it.
    None,
    /// A few minutes.
    Minutes,
    /// Hours.
    Hours,
    /// Days.
    Days,
}

/// What to do about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "remedy")]
pub enum Remedy {
    /// Changes that the maintainer makes, the next one first: those behind it wait for later runs (a time of grace).
    Change {
        /// What to do now.
        action: Action,
    },
    /// Nothing to do now: it waits for something, in words (a time of grace, a snapshot that is not complete).
    Wait {
        /// For what.
        why: String,
    },
    /// A person does it.
    Advice {
        /// What to do, exactly.
        what: String,
    },
    /// A template manages the resource: the patch for it.
    Patch {
        /// Text of the patch, ready for a pull request.
        text: String,
    },
}

/// What analysis and planning came to, the artifact `analysis`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// What could be saved.
    pub opportunities: Vec<Opportunity>,
    /// What is done about it in this phase.
    pub plan: Plan,
}
