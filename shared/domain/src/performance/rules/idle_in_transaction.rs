//! Sessions that have begun a transaction and do nothing: they keep their locks, and no row that was deleted since can be removed.

use super::words::{time, who};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::Busy;
use std::collections::BTreeMap;

/// Multiples of the bound from which it is more than untidy.
const LONG: f64 = 6.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some((look, sessions)) = seen.look().and_then(|look| Some((look, look.sessions.known()?))) else {
        return Vec::new();
    };
    let bound_s = f64::from(policy.idle_in_transaction_s);
    let mut of: BTreeMap<String, Vec<&Busy>> = BTreeMap::new();
    for session in sessions.busy.iter().filter(|session| is_idle(session) && idle_s(session) > bound_s) {
        of.entry(who(&session.user, &session.application)).or_default().push(session);
    }
    let told = of.into_iter().filter_map(|(who, sessions)| {
        let oldest = sessions.iter().max_by(|a, b| idle_s(a).total_cmp(&idle_s(b)))?;
        let idle_s = idle_s(oldest);
        let count = sessions.len();
        Some(Told {
            severity: if idle_s > LONG * bound_s { Severity::High } else { Severity::Medium },
            confidence: 0.95,
            summary: format!(
                "{count} session(s) of {who} idle in a transaction, one for {} (process {}): they keep locks and dead rows. Commit before \
                 waiting; as a net: ALTER DATABASE {} SET idle_in_transaction_session_timeout = '{}s'",
                time(idle_s),
                oldest.pid,
                look.database.sql,
                policy.idle_in_transaction_s
            ),
            evidence: vec![
                Evidence::against("db_idle_in_transaction_s", idle_s, bound_s, "seconds idle in a transaction"),
                Evidence::level("db_dead_rows_kept_transactions", oldest.holds_back, "transactions begun since"),
            ],
            about: format!("sessions/{who}"),
        })
    });
    told.collect()
}

/// In a transaction, waiting for its client.
pub(super) fn is_idle(session: &Busy) -> bool {
    session.state.starts_with("idle in transaction")
}

fn idle_s(session: &Busy) -> f64 {
    session.state_s.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{busy, closed, rule, vitals, with_busy};

    #[test]
    fn a_session_that_idles_in_a_transaction_is_told_beyond_the_bound_only() {
        let mut vitals = vitals();
        with_busy(&mut vitals, vec![busy(7, "idle in transaction", 299.0)]);
        assert!(rule("idle_in_transaction", &vitals).is_empty());
        let aborted = busy(8, "idle in transaction (aborted)", 400.0);
        with_busy(&mut vitals, vec![busy(7, "idle in transaction", 301.0), aborted]);
        let told = rule("idle_in_transaction", &vitals);
        assert_eq!(told.len(), 1, "one user, one finding");
        assert_eq!(told[0].resource.as_str(), "orders/sessions/shop/api");
        assert!(told[0].summary.contains("2 session(s) of shop/api") && told[0].summary.contains("process 8"));
        assert!(told[0].summary.ends_with("ALTER DATABASE \"shop\" SET idle_in_transaction_session_timeout = '300s'"));
    }

    #[test]
    fn whoever_works_or_has_no_transaction_is_left_alone() {
        let mut vitals = vitals();
        with_busy(&mut vitals, vec![busy(7, "active", 2_000.0), busy(8, "idle", 90_000.0)]);
        assert!(rule("idle_in_transaction", &vitals).is_empty());
        closed(&mut vitals, |look| look.sessions = super::super::fixture::missing());
        assert!(rule("idle_in_transaction", &vitals).is_empty(), "what was not read is not told");
    }
}
