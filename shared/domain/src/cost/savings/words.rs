//! Savings in words.

use super::{Basis, ChangeSaving, Sums};
use crate::changes::spec;
use crate::observed::Observed;
use std::fmt;

/// `identified 60.00, applied 40.00, verified on the bill 38.20 USD a month`.
impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "identified {}, applied {}, verified on the bill {} USD a month",
            self.identified, self.applied, self.verified
        )?;
        if self.open.0 == 0 {
            return Ok(());
        }
        write!(f, "; of {} USD the bill does not say anything yet", self.open)
    }
}

/// The change, what it promised, and what the bill shows of it, one line.
impl fmt::Display for ChangeSaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} on {} ({}): {} USD a month promised",
            spec(self.kind).name,
            self.resource,
            self.on,
            self.identified
        )?;
        let shown = match &self.verified {
            Observed::Known(shown) => shown,
            Observed::Missing(why) => return write!(f, "; on the bill not to be seen: {why}"),
        };
        let of = match shown.basis {
            Basis::Application => "the application's lines",
            Basis::Account => "the whole account's lines",
        };
        let saving = shown.saving;
        write!(f, ", {} on the bill ({} to {}, ", saving.likely, saving.low, saving.high)?;
        write!(f, "{of}, {} whole days before and {} after)", shown.days_before, shown.days_after)?;
        if shown.is_certain() { Ok(()) } else { f.write_str("; no saving for certain") }
    }
}
