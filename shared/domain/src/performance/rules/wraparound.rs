//! Numbers of transactions that run out: at two thousand million of age, less three million, the server takes no more writes.
//!
//! Autovacuum begins to freeze at `autovacuum_freeze_max_age` (200 million), and an age a little beyond that is every day's. Half as much again
//! says that it does not get through. From `vacuum_failsafe_age` (1.6 billion) vacuum itself drops all restraint (14 and later), at 40
//! million left the server warns with every statement, at 3 million left it stops (`SetTransactionIdLimit` in `varsup.c`).

use super::words::{count, holder};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::{Ages, Look, TableState};

/// Multiples of `autovacuum_freeze_max_age` from which freezing does not get through.
const LATE: f64 = 1.5;
/// Age from which it is a matter of days: the default of `vacuum_failsafe_age`, as for groups of row locks.
const FAILSAFE_AGE: f64 = 1.6e9;
/// Age at which numbers come round.
const WRAP_AGE: f64 = 2_147_483_648.0;
/// Numbers that are kept back for whoever repairs it.
const STOP_LEFT: f64 = 3e6;

pub(super) fn find(seen: &Seen<'_>, _: &Policy) -> Vec<Told> {
    let Some((look, ages)) = seen.look().and_then(|look| Some((look, look.ages.known()?))) else { return Vec::new() };
    let of = |what, age: f64, max: f64| {
        let bound = (LATE * max).min(FAILSAFE_AGE);
        (age > bound).then(|| told(what, age, bound, ages, look))
    };
    let transactions = of("transactions", ages.transactions, ages.freeze_max);
    let multixacts = of("multixacts", ages.multixacts, ages.multixact_freeze_max);
    transactions.into_iter().chain(multixacts).collect()
}

fn told(what: &str, age: f64, bound: f64, ages: &Ages, look: &Look) -> Told {
    let left = (WRAP_AGE - STOP_LEFT - age).max(0.0);
    let oldest = look.tables.known().into_iter().flatten();
    let oldest: Option<&TableState> = oldest.max_by(|a, b| a.age.transactions.total_cmp(&b.age.transactions));
    let is_here = ages.oldest == look.database;
    let freeze = match oldest {
        Some(table) if is_here && what == "transactions" => {
            format!("VACUUM (FREEZE) {} first, then all", table.name.sql)
        }
        _ => format!("connect to {} and run VACUUM (FREEZE)", ages.oldest.sql),
    };
    let first = holder(look).map_or(String::new(), |holder| format!("End what holds it back, {holder}; then "));
    Told {
        about: format!("wraparound/{what}"),
        severity: if age >= FAILSAFE_AGE { Severity::Critical } else { Severity::High },
        confidence: 1.0,
        summary: format!(
            "{} of {} is {} {what} old and freezing does not get through: after {} more the server takes no writes. {first}{freeze}",
            if what == "transactions" { "the oldest row" } else { "the oldest lock" },
            crate::text::line(&ages.oldest.plain),
            count(age),
            count(left),
        ),
        evidence: vec![Evidence::against("db_wraparound_age", age, bound, format!("{what} of age"))],
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, name, rule, vitals};
    use crate::finding::Severity;
    use crate::observed::Observed;
    use crate::performance::vitals::{Ages, Vitals};

    fn aged(change: impl Fn(&mut Ages)) -> Vitals {
        let mut vitals = vitals();
        closed(&mut vitals, |look| {
            let Observed::Known(ages) = &mut look.ages else { panic!("they are known") };
            change(ages);
        });
        vitals
    }

    #[test]
    fn an_age_at_which_autovacuum_freezes_is_every_days_and_half_as_much_again_is_not() {
        assert!(rule("wraparound", &aged(|ages| ages.transactions = 299e6)).is_empty());
        let told = rule("wraparound", &aged(|ages| ages.transactions = 301e6));
        assert_eq!(told[0].severity, Severity::High);
        assert!(
            told[0].summary.ends_with("VACUUM (FREEZE) \"public\".\"orders\" first, then all"),
            "{}",
            told[0].summary
        );
        assert!(told[0].summary.contains("after 1.84 billion more the server takes no writes"), "{}", told[0].summary);
        let told = rule("wraparound", &aged(|ages| ages.transactions = 1.6e9));
        assert_eq!(told[0].severity, Severity::Critical);
    }

    #[test]
    fn a_server_that_freezes_late_on_purpose_is_told_at_the_failsafe() {
        let late = |age: f64| aged(move |ages| (ages.transactions, ages.freeze_max) = (age, 1.5e9));
        assert!(rule("wraparound", &late(1.59e9)).is_empty());
        assert_eq!(rule("wraparound", &late(1.61e9)).len(), 1);
    }

    #[test]
    fn another_database_of_the_server_stops_all_and_locks_run_out_too() {
        let told = rule("wraparound", &aged(|ages| (ages.oldest, ages.transactions) = (name("old"), 5e8)));
        assert!(told[0].summary.ends_with("connect to \"old\" and run VACUUM (FREEZE)"), "{}", told[0].summary);
        assert!(rule("wraparound", &aged(|ages| ages.multixacts = 599e6)).is_empty());
        let told = rule("wraparound", &aged(|ages| ages.multixacts = 601e6));
        assert_eq!(told[0].resource.as_str(), "orders/wraparound/multixacts");
    }
}
