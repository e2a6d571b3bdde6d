//! The matrix of savings and risk: what each rule found in each class of risk, as a table of text and as a picture.
//!
//! Decides nothing. Both show the same [`Cell`]s; text from outside is escaped in the picture and bounded in both.

mod picture;
mod table;

#[cfg(test)]
mod tests;

pub use picture::svg;
pub use table::text;

use super::money::UsdMicros;
use super::opportunity::{Opportunity, Saving};
use crate::mode::Risk;
use std::collections::BTreeMap;

/// The classes of risk, in the order in which they are shown.
const RISKS: [Risk; 3] = [Risk::Low, Risk::Medium, Risk::High];
/// Longest name of a rule that is shown, in characters.
const NAME_MAX: usize = 32;

/// What one rule found in one class of risk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The rule.
    pub rule: String,
    /// The risk.
    pub risk: Risk,
    /// Opportunities with a known saving.
    pub priced: usize,
    /// Opportunities whose saving is not known; nothing is claimed for them.
    pub unpriced: usize,
    /// Sum of the known savings a month. Intervals are added up, which is right where all err the same way and wide
    /// where not.
    pub saving: Saving,
}

/// The cells of these opportunities, those that save most first.
pub fn cells(opportunities: &[Opportunity]) -> Vec<Cell> {
    let mut found: BTreeMap<(&str, Risk), Cell> = BTreeMap::new();
    for opportunity in opportunities {
        let cell = found.entry((opportunity.rule.as_str(), opportunity.risk)).or_insert_with(|| Cell {
            rule: name(opportunity.rule.as_str()),
            risk: opportunity.risk,
            priced: 0,
            unpriced: 0,
            saving: Saving::exactly(UsdMicros::default()),
        });
        match opportunity.saving.known() {
            Some(saving) => {
                cell.priced += 1;
                cell.saving.low = cell.saving.low + saving.low;
                cell.saving.likely = cell.saving.likely + saving.likely;
                cell.saving.high = cell.saving.high + saving.high;
            }
            None => cell.unpriced += 1,
        }
    }
    let mut cells: Vec<Cell> = found.into_values().collect();
    cells.sort_by(|a, b| b.saving.likely.cmp(&a.saving.likely).then_with(|| (&a.rule, a.risk).cmp(&(&b.rule, b.risk))));
    cells
}

fn name(rule: &str) -> String {
    rule.chars().filter(|letter| !letter.is_control()).take(NAME_MAX).collect()
}
