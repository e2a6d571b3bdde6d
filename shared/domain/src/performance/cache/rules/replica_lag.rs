//! A replica does not follow its primary: it answers with what was, and can't take over.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::cache::Look;
use crate::performance::policy::Policy;
use crate::performance::rules::Told;
use crate::performance::rules::words::time;
use crate::text::line;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(look) = seen.look() else { return Vec::new() };
    as_replica(look, policy).into_iter().chain(as_primary(look, policy)).collect()
}

/// What a replica says of its link.
fn as_replica(look: &Look, policy: &Policy) -> Option<Told> {
    let info = &look.info;
    if !matches!(info.text("role"), Some("slave" | "replica")) {
        return None;
    }
    let (is_down, silent_s) = match info.text("master_link_status") {
        Some("down") => (true, info.number("master_link_down_since_seconds").unwrap_or_default()),
        _ => (false, info.number("master_last_io_seconds_ago").unwrap_or_default()),
    };
    if !is_down && silent_s <= policy.cache_replica_lag_s_max {
        return None;
    }
    let state = if is_down { "has no link to its primary" } else { "hears nothing of its primary" };
    Some(told("replica", format!("this replica {state}, for {}", time(silent_s)), silent_s, policy))
}

/// What a primary sees of its replicas: the one that is farthest behind.
fn as_primary(look: &Look, policy: &Policy) -> Option<Told> {
    // One that is just being filled answers nothing meanwhile.
    let online = look.info.copies.iter().filter(|copy| copy.state == "online");
    let late: Vec<_> = online.filter(|copy| copy.lag_s > policy.cache_replica_lag_s_max).collect();
    let worst = late.iter().max_by(|a, b| a.lag_s.total_cmp(&b.lag_s))?;
    let (some, all) = (late.len(), look.info.copies.len());
    let said = format!("{some} of {all} replicas ({}) did not answer for {}", line(&worst.state), time(worst.lag_s));
    Some(told("replicas", said, worst.lag_s, policy))
}

fn told(about: &str, said: String, lag_s: f64, policy: &Policy) -> Told {
    Told {
        about: about.to_owned(),
        severity: Severity::High,
        confidence: 0.9,
        summary: format!(
            "{said}: it answers with what was, and what was written since is lost if it takes over. See the network and its log; where it starts \
             anew again and again, CONFIG SET repl-backlog-size 268435456 and a larger client-output-buffer-limit"
        ),
        evidence: vec![Evidence::against("cache_replica_lag_s", lag_s, policy.cache_replica_lag_s_max, "seconds")],
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::look::Copy;
    use super::super::fixture::{closed, ends, field, rule};

    #[test]
    fn a_replica_without_a_link_and_one_that_hears_nothing_are_told() {
        let mut ends = ends();
        closed(&mut ends, |look| {
            field(look, "role", "slave");
            field(look, "master_link_status", "down");
            field(look, "master_link_down_since_seconds", "75");
        });
        assert!(
            rule("cache_replica_lag", &ends)[0]
                .summary
                .starts_with("this replica has no link to its primary, for 75 s")
        );
        closed(&mut ends, |look| {
            field(look, "master_link_status", "up");
            field(look, "master_last_io_seconds_ago", "2");
        });
        assert!(rule("cache_replica_lag", &ends).is_empty());
    }

    #[test]
    fn a_primary_tells_of_those_that_do_not_answer_and_not_of_one_that_is_being_filled() {
        let mut ends = ends();
        let copy = |state: &str, lag_s| Copy { state: state.to_owned(), lag_s };
        closed(&mut ends, |look| look.info.copies = vec![copy("online", 1.0), copy("send_bulk", 90.0)]);
        assert!(rule("cache_replica_lag", &ends).is_empty());
        closed(&mut ends, |look| look.info.copies = vec![copy("online", 1.0), copy("online", 40.0)]);
        assert!(
            rule("cache_replica_lag", &ends)[0].summary.starts_with("1 of 2 replicas (online) did not answer for 40 s")
        );
    }
}
