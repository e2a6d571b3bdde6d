//! Transactions that waited for each other, of which the server had to end one: each is a request that failed.
//!
//! Transactions that were rolled back are counted by the server, too, and are no sign of anything: many drivers end what only read with
//! `ROLLBACK`.

use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;

const HOUR_S: f64 = 3_600.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some((did, seconds)) = seen.vitals.activity().zip(seen.vitals.seconds()) else { return Vec::new() };
    let hour = did.deadlocks / seconds * HOUR_S;
    if did.deadlocks < 1.0 || hour <= policy.deadlocks_hour_max {
        return Vec::new();
    }
    vec![Told {
        about: "deadlocks".to_owned(),
        severity: Severity::Medium,
        confidence: 0.9,
        summary: format!(
            "the server ended {} transaction(s) of the window that waited for each other: each is a request that failed. Let all of them take rows in \
             one order (ORDER BY the key before FOR UPDATE), and try again what ends with 40P01; the server's log has both statements",
            did.deadlocks
        ),
        evidence: vec![Evidence::against("db_deadlocks_hour", hour, policy.deadlocks_hour_max, "an hour")],
    }]
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{did, rule, vitals};

    #[test]
    fn a_deadlock_an_hour_is_borne_and_rolled_back_transactions_are_none() {
        let mut vitals = vitals();
        did(&mut vitals, |activity| activity.rollbacks = 1e6);
        assert!(rule("deadlocks", &vitals).is_empty());
        // The window is a quarter of an hour: one in it are four an hour.
        did(&mut vitals, |activity| activity.deadlocks = 1.0);
        let told = rule("deadlocks", &vitals);
        assert!(told.len() == 1 && told[0].summary.starts_with("the server ended 1 transaction(s)"), "{told:?}");
        did(&mut vitals, |activity| activity.deadlocks = 0.0);
        assert!(rule("deadlocks", &vitals).is_empty());
    }
}
