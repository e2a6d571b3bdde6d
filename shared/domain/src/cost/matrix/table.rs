//! The table: a line for each rule, a column for each class of risk, sums below.

use super::{Cell, RISKS, cells};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::Opportunity;
use std::fmt::Write as _;

/// The table, in US dollars a month, aligned for a font of fixed width. A cell is `saving (count)`; what has no known
/// price is `? (count)`.
pub fn text(opportunities: &[Opportunity]) -> String {
    let cells = cells(opportunities);
    if cells.is_empty() {
        return "nothing to save was found\n".to_owned();
    }
    let mut rows = vec![head()];
    let mut rules: Vec<&str> = Vec::new();
    for cell in &cells {
        if !rules.contains(&cell.rule.as_str()) {
            rules.push(&cell.rule);
        }
    }
    rows.extend(rules.iter().map(|rule| row(rule, &cells, |cell| cell.rule == **rule)));
    rows.push(row("sum", &cells, |_| true));
    aligned(&rows)
}

fn head() -> Vec<String> {
    let risks = RISKS.iter().map(|risk| format!("{risk} risk"));
    std::iter::once("USD a month".to_owned()).chain(risks).chain(["sum".to_owned()]).collect()
}

fn row(name: &str, cells: &[Cell], is_in: impl Fn(&Cell) -> bool) -> Vec<String> {
    let of = |risk: Option<crate::mode::Risk>| {
        written(cells.iter().filter(|cell| is_in(cell) && risk.is_none_or(|risk| cell.risk == risk)))
    };
    let risks = RISKS.iter().map(|risk| of(Some(*risk)));
    std::iter::once(name.to_owned()).chain(risks).chain([of(None)]).collect()
}

fn written<'a>(cells: impl Iterator<Item = &'a Cell>) -> String {
    let (mut priced, mut unpriced, mut sum) = (0, 0, UsdMicros::default());
    for cell in cells {
        (priced, unpriced, sum) = (priced + cell.priced, unpriced + cell.unpriced, sum + cell.saving.likely);
    }
    match (priced, unpriced) {
        (0, 0) => "-".to_owned(),
        (0, unpriced) => format!("? ({unpriced})"),
        (priced, 0) => format!("{sum} ({priced})"),
        (priced, unpriced) => format!("{sum} ({priced}), ? ({unpriced})"),
    }
}

/// The first column to the left, the others to the right; a rule below the head and above the last row.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line: usize = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1);
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        if number == 1 || number + 1 == rows.len() {
            let _ = writeln!(text, "{}", "-".repeat(line));
        }
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}
