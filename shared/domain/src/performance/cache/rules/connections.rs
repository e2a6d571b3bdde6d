//! Nearly all connections are taken, some were refused, or clients open one for every few commands.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::rules::Told;

/// Commands for each connection under which clients do not keep it.
const COMMANDS_EACH_MIN: f64 = 10.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    limit(seen, policy).into_iter().chain(churn(seen, policy)).collect()
}

fn limit(seen: &Seen<'_>, policy: &Policy) -> Option<Told> {
    let ends = [seen.ends.opened.known(), seen.ends.closed.known()].into_iter().flatten();
    // The fuller end of the window: a peak is what clients are refused at.
    let levels =
        ends.filter_map(|look| Some((look.info.number("connected_clients")?, look.info.number("maxclients")?)));
    let (open, limit) = levels.max_by(|a, b| (a.0 / a.1.max(1.0)).total_cmp(&(b.0 / b.1.max(1.0))))?;
    let refused = seen.did().and_then(|did| did.counted("rejected_connections")).unwrap_or_default();
    let pct = 100.0 * open / limit.max(1.0);
    if pct <= policy.connections_pct_max && refused < 1.0 {
        return None;
    }
    let said = if refused >= 1.0 { format!(", and {refused:.0} were refused in the window") } else { String::new() };
    let mut evidence =
        vec![Evidence::against("cache_connections_pct", pct, policy.connections_pct_max, "of the limit are open")];
    if refused >= 1.0 {
        evidence.push(Evidence::level("cache_connections_refused", refused, "in the window"));
    }
    Some(Told {
        about: "connections".to_owned(),
        severity: if refused >= 1.0 { Severity::Critical } else { Severity::High },
        confidence: 0.95,
        summary: format!(
            "{open:.0} of {limit:.0} connections are open ({pct:.0} %){said}. Make the pools of the application smaller, close those that are \
             idle ({}), and raise maxclients last",
            seen.set("timeout", "300")
        ),
        evidence,
    })
}

fn churn(seen: &Seen<'_>, policy: &Policy) -> Option<Told> {
    let did = seen.did()?;
    let (opened, commands) = (did.counted("total_connections_received")?, did.commands()?);
    let a_second = opened / did.seconds;
    let each = commands / opened.max(1.0);
    (a_second > policy.cache_connects_s_max && each < COMMANDS_EACH_MIN).then(|| Told {
        about: "connects".to_owned(),
        severity: Severity::Medium,
        confidence: 0.85,
        summary: format!(
            "{a_second:.0} connections a second are opened, for {each:.1} commands each: opening one takes longer than a command, with TLS many \
             times. Make the client once when the process starts and keep it, with a pool where it needs several"
        ),
        evidence: vec![
            Evidence::against("cache_connects_s", a_second, policy.cache_connects_s_max, "connections a second"),
            Evidence::against("cache_commands_a_connection", each, COMMANDS_EACH_MIN, "commands for each"),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, ends, field, grew, opened, rule};
    use crate::finding::Severity;

    #[test]
    fn the_fuller_end_counts_and_whoever_was_refused() {
        let mut ends = ends();
        opened(&mut ends, |look| field(look, "connected_clients", "8100"));
        let told = rule("cache_connections", &ends);
        assert!(
            told[0].severity == Severity::High
                && told[0].summary.starts_with("8100 of 10000 connections are open (81 %).")
        );
        opened(&mut ends, |look| field(look, "connected_clients", "8000"));
        assert!(rule("cache_connections", &ends).is_empty());
        closed(&mut ends, |look| field(look, "rejected_connections", "7"));
        let told = rule("cache_connections", &ends);
        assert!(told[0].severity == Severity::Critical && told[0].summary.contains("7 were refused"), "{told:?}");
    }

    #[test]
    fn connections_for_a_few_commands_each_are_told_and_many_that_work_are_not() {
        let mut ends = ends();
        grew(&mut ends, "total_connections_received", 90_000.0);
        grew(&mut ends, "total_commands_processed", 270_000.0);
        let told = rule("cache_connections", &ends);
        assert_eq!(told[0].resource.as_str(), "carts/connects");
        assert!(told[0].summary.starts_with("100 connections a second are opened, for 3.0 commands each"));
        grew(&mut ends, "total_commands_processed", 27_000_000.0);
        assert!(rule("cache_connections", &ends).is_empty());
        grew(&mut ends, "total_connections_received", 900.0);
        grew(&mut ends, "total_commands_processed", 900.0);
        assert!(rule("cache_connections", &ends).is_empty(), "one a second is nothing");
    }
}
