//! A transaction that takes very long, or one that was prepared and forgotten: no row that was deleted since can be removed, and every change
//! of a table waits for it.

use super::idle_in_transaction::is_idle;
use super::words::{end, time, who};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::Busy;
use std::collections::BTreeMap;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(look) = seen.look() else { return Vec::new() };
    let bound_s = f64::from(policy.long_transaction_s);
    let evidence = |age_s: f64, holds_back: f64| {
        vec![
            Evidence::against("db_transaction_s", age_s, bound_s, "seconds since it began"),
            Evidence::level("db_dead_rows_kept_transactions", holds_back, "transactions begun since"),
        ]
    };
    // Whoever is idle is told as that, and whoever waits for another is told with the other.
    let busy = look.sessions.known().into_iter().flat_map(|sessions| &sessions.busy);
    let mut of: BTreeMap<String, Vec<(&Busy, f64)>> = BTreeMap::new();
    for session in busy.filter(|session| !is_idle(session) && session.blocked_by.is_empty()) {
        if let Some(age_s) = session.transaction_s.filter(|age_s| *age_s > bound_s) {
            of.entry(who(&session.user, &session.application)).or_default().push((session, age_s));
        }
    }
    let long = of.into_iter().filter_map(|(who, sessions)| {
        let (oldest, age_s) = sessions.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(Told {
            severity: Severity::Medium,
            confidence: 0.8,
            summary: format!(
                "{} transaction(s) of {who} run, one for {} (process {}): dead rows stay until it ends. Do it in smaller parts; to end it: {}",
                sessions.len(),
                time(*age_s),
                oldest.pid,
                end(oldest)
            ),
            evidence: evidence(*age_s, oldest.holds_back),
            about: format!("sessions/{who}"),
        })
    });
    let prepared = look.prepared.known().into_iter().flatten().filter(|one| one.age_s > bound_s).map(|one| Told {
        about: format!("prepared/{}", crate::text::line(&one.name.plain)),
        severity: Severity::High,
        confidence: 0.9,
        summary: format!(
            "a transaction was prepared {} ago and never ended: it keeps its locks and dead rows, over restarts too. Whoever prepared it \
             decides: COMMIT PREPARED {name} or ROLLBACK PREPARED {name}",
            time(one.age_s),
            name = one.name.sql
        ),
        evidence: evidence(one.age_s, one.holds_back),
    });
    long.chain(prepared).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{busy, closed, rule, text, vitals, with_busy};
    use crate::observed::Observed;
    use crate::performance::vitals::{Busy, Prepared};

    #[test]
    fn a_nightly_job_under_the_bound_is_left_alone_and_one_beyond_is_told() {
        let mut vitals = vitals();
        let job = |age| Busy { transaction_s: Some(age), ..busy(7, "active", 1.0) };
        with_busy(&mut vitals, vec![job(3_599.0)]);
        assert!(rule("long_transaction", &vitals).is_empty());
        with_busy(&mut vitals, vec![job(3_601.0)]);
        let told = rule("long_transaction", &vitals);
        assert!(told[0].summary.contains("pid = 7 AND backend_start = '2026-01-01"), "{}", told[0].summary);
        with_busy(&mut vitals, vec![Busy { blocked_by: vec![9], ..job(9_000.0) }]);
        assert!(rule("long_transaction", &vitals).is_empty(), "it is the other one's fault");
        with_busy(&mut vitals, vec![Busy { transaction_s: Some(9_000.0), ..busy(7, "idle in transaction", 9_000.0) }]);
        assert!(rule("long_transaction", &vitals).is_empty(), "told once, as idle");
    }

    #[test]
    fn a_prepared_transaction_that_is_forgotten_is_told_with_both_ways_out() {
        let mut vitals = vitals();
        let prepared = |age_s| vec![Prepared { name: text("it's"), age_s, holds_back: 3.0 }];
        closed(&mut vitals, |look| look.prepared = Observed::Known(prepared(60.0)));
        assert!(rule("long_transaction", &vitals).is_empty(), "it is about to be committed");
        closed(&mut vitals, |look| look.prepared = Observed::Known(prepared(7_000.0)));
        let told = rule("long_transaction", &vitals);
        assert!(
            told[0].summary.ends_with("COMMIT PREPARED 'it''s' or ROLLBACK PREPARED 'it''s'"),
            "{}",
            told[0].summary
        );
    }
}
