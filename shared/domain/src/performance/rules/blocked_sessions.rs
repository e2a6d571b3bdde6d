//! Sessions that wait long for a lock, told by the session that holds them all up, which waits for nobody.

use super::words::{end, time, who};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::{Busy, Look, Sessions};
use std::collections::{BTreeMap, BTreeSet};

/// Sessions held up by one that are more than an annoyance.
const MANY: usize = 5;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(now) = seen.look().and_then(|look| look.sessions.known()) else { return Vec::new() };
    let bound_s = f64::from(policy.blocked_s);
    let before = seen.vitals.opened.known();
    let window_s = seen.vitals.seconds().unwrap_or(0.0);
    let mut held_up: BTreeMap<i32, (usize, f64)> = BTreeMap::new();
    for session in now.busy.iter().filter(|session| !session.blocked_by.is_empty()) {
        // Version 13 does not tell since when: then only who waited for the same session at the beginning has waited long.
        let waited_s = session.waits_s.unwrap_or(if waited_then(session, before) { window_s } else { 0.0 });
        if waited_s > bound_s {
            for root in roots(session, now) {
                let (count, longest) = held_up.entry(root).or_default();
                (*count, *longest) = (*count + 1, longest.max(waited_s));
            }
        }
    }
    let mut held_up: Vec<_> = held_up.into_iter().collect();
    held_up.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    held_up.into_iter().map(|(pid, (count, waited_s))| told(pid, count, waited_s, bound_s, now)).collect()
}

fn told(pid: i32, count: usize, waited_s: f64, bound_s: f64, now: &Sessions) -> Told {
    let root = now.busy.iter().find(|session| session.pid == pid);
    let (about, name, way_out) = match root {
        Some(root) => {
            let who = who(&root.user, &root.application);
            let name = format!("process {pid} of {who} ({})", crate::text::line(&root.state));
            (format!("sessions/{who}"), name, format!("To end it: {}", end(root)))
        }
        // Process 0 stands for a prepared transaction.
        None if pid == 0 => (
            "prepared".to_owned(),
            "a prepared transaction".to_owned(),
            "COMMIT PREPARED or ROLLBACK PREPARED what SELECT * FROM pg_prepared_xacts shows".to_owned(),
        ),
        None => (
            format!("process/{pid}"),
            format!("process {pid}"),
            format!("See SELECT * FROM pg_stat_activity WHERE pid = {pid}"),
        ),
    };
    Told {
        about,
        severity: if count >= MANY { Severity::High } else { Severity::Medium },
        confidence: 0.95,
        summary: format!("{count} session(s) wait for locks of {name}, the longest for {}. {way_out}", time(waited_s)),
        evidence: vec![
            Evidence::against("db_lock_wait_s", waited_s, bound_s, "seconds the longest has waited"),
            Evidence::level("db_blocked_sessions", count_of(count), "sessions wait"),
        ],
    }
}

fn count_of(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// Whether it waited for the same process at the beginning of the window.
fn waited_then(session: &Busy, before: Option<&Look>) -> bool {
    let then = before.and_then(|look| look.sessions.known()).into_iter().flat_map(|sessions| &sessions.busy);
    let mut same = then.filter(|other| other.pid == session.pid && other.since == session.since);
    same.any(|other| other.blocked_by.iter().any(|pid| session.blocked_by.contains(pid)))
}

/// Who holds it up and waits for nobody. In a circle, which the server breaks within a second, nobody is.
fn roots(session: &Busy, now: &Sessions) -> BTreeSet<i32> {
    let (mut roots, mut known, mut open) = (BTreeSet::new(), BTreeSet::new(), session.blocked_by.clone());
    while let Some(pid) = open.pop() {
        if !known.insert(pid) {
            continue;
        }
        match now.busy.iter().find(|other| other.pid == pid && !other.blocked_by.is_empty()) {
            Some(waiting) => open.extend(&waiting.blocked_by),
            None => {
                roots.insert(pid);
            }
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{busy, opened, rule, vitals, with_busy};
    use crate::observed::Observed;
    use crate::performance::vitals::{Busy, Vitals};

    fn waiting(pid: i32, by: i32, waits_s: Option<f64>) -> Busy {
        Busy { blocked_by: vec![by], waits_s, ..busy(pid, "active", 40.0) }
    }

    #[test]
    fn who_waits_long_is_told_with_the_one_at_the_root() {
        let mut vitals = vitals();
        let holder = busy(1, "idle in transaction", 50.0);
        with_busy(&mut vitals, vec![waiting(2, 1, Some(29.0)), holder.clone()]);
        assert!(rule("blocked_sessions", &vitals).is_empty(), "a lock is waited for every day");
        with_busy(&mut vitals, vec![waiting(2, 1, Some(31.0)), waiting(3, 2, Some(45.0)), holder]);
        let told = rule("blocked_sessions", &vitals);
        assert_eq!(told.len(), 1);
        assert!(
            told[0].summary.starts_with("2 session(s) wait for locks of process 1 of shop/api"),
            "{}",
            told[0].summary
        );
        assert!(told[0].summary.contains("the longest for 45 s"));
    }

    #[test]
    fn a_server_that_does_not_tell_since_when_is_believed_if_both_ends_show_it() {
        let mut vitals = vitals();
        let sessions = || vec![waiting(2, 1, None), busy(1, "active", 50.0)];
        with_busy(&mut vitals, sessions());
        assert!(rule("blocked_sessions", &vitals).is_empty());
        let set = |vitals: &mut Vitals| {
            opened(vitals, |look| {
                let Observed::Known(now) = &mut look.sessions else { panic!("it is known") };
                now.busy = sessions();
            });
        };
        set(&mut vitals);
        assert_eq!(rule("blocked_sessions", &vitals).len(), 1);
    }

    #[test]
    fn a_prepared_transaction_and_a_circle_are_understood() {
        let mut vitals = vitals();
        with_busy(&mut vitals, vec![waiting(2, 0, Some(90.0))]);
        assert!(rule("blocked_sessions", &vitals)[0].summary.contains("a prepared transaction"));
        with_busy(&mut vitals, vec![waiting(2, 3, Some(90.0)), waiting(3, 2, Some(90.0))]);
        assert!(rule("blocked_sessions", &vitals).is_empty());
    }
}
