//! Nearly all sessions that the server takes are open: the next ones are refused.

use super::words::who;
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::Look;

/// Share of the limit from which the next peak is refused, in per cent.
const FULL_PCT: f64 = 95.0;

/// Sessions that are open, how many may be, and of what the limit is.
struct Level {
    open: f64,
    limit: f64,
    of: &'static str,
}

impl Level {
    fn pct(&self) -> f64 {
        100.0 * self.open / self.limit.max(1.0)
    }
}

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let ends = [seen.vitals.opened.known(), seen.vitals.closed.known()];
    // The fuller end of the window: a peak is what sessions are refused at.
    let fullest = ends.into_iter().flatten().filter_map(|look| Some((level(look)?, look)));
    let Some((level, look)) = fullest.max_by(|a, b| a.0.pct().total_cmp(&b.0.pct())) else { return Vec::new() };
    let pct = level.pct();
    if pct <= policy.connections_pct_max {
        return Vec::new();
    }
    let most = look.sessions.known().and_then(|sessions| sessions.groups.first()).map(|group| {
        format!(
            ", most of {} ({:.0} {})",
            who(&group.user, &group.application),
            group.count,
            crate::text::line(&group.state)
        )
    });
    vec![Told {
        about: "connections".to_owned(),
        severity: if pct > FULL_PCT { Severity::Critical } else { Severity::High },
        confidence: 0.95,
        summary: format!(
            "{:.0} of {:.0} connections of the {} are open ({pct:.0} %){}. Beyond that clients are refused: make the pools of the application \
             smaller, or put a pooler before it (RDS Proxy, PgBouncer); each costs memory, so raise the limit last",
            level.open,
            level.limit,
            level.of,
            most.unwrap_or_default()
        ),
        evidence: [
            Some(Evidence::against("db_connections_pct", pct, policy.connections_pct_max, "of the limit are open")),
            at_once(seen).map(|of| {
                let about = "statements run at once on average, by Little's law: what pools have to be large enough for, with room for peaks";
                Evidence::against("db_statements_at_once", of, level.open, about)
            }),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }]
}

/// Statements that run at once on average: by Little's law how often they are asked times how long they take, which is all their time by the
/// time of the window. Nothing where the statements of the window are not known.
fn at_once(seen: &Seen<'_>) -> Option<f64> {
    let busy_ms: f64 = seen.work.iter().map(|work| work.used.total_ms()).sum();
    (seen.window_s > 0.0 && !seen.work.is_empty()).then(|| busy_ms / 1_000.0 / seen.window_s)
}

/// Of the limits of the server and of the database, that which is nearer.
fn level(look: &Look) -> Option<Level> {
    let sessions = look.sessions.known()?;
    let server = Level { open: sessions.open, limit: sessions.limit, of: "server" };
    let own = sessions.own_limit.map(|limit| Level { open: sessions.own, limit, of: "database" });
    Some(own.filter(|own| own.pct() > server.pct()).unwrap_or(server))
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{catalog, closed, lookup, opened, rule, told, vitals};
    use crate::finding::Severity;
    use crate::observed::Observed;
    use crate::performance::vitals::{Look, Sessions};

    fn sessions(change: impl Fn(&mut Sessions)) -> impl Fn(&mut Look) {
        move |look| {
            let Observed::Known(sessions) = &mut look.sessions else { panic!("they are known") };
            change(sessions);
        }
    }

    #[test]
    fn the_bound_is_eighty_per_cent_of_what_ordinary_users_can_have() {
        let mut vitals = vitals();
        closed(&mut vitals, sessions(|sessions| sessions.open = 80.0));
        assert!(rule("connections_near_limit", &vitals).is_empty());
        closed(&mut vitals, sessions(|sessions| sessions.open = 81.0));
        let found = rule("connections_near_limit", &vitals);
        assert_eq!(found[0].severity, Severity::High);
        assert!(found[0].summary.starts_with("81 of 100 connections of the server are open (81 %), most of shop/api"));
        opened(&mut vitals, sessions(|sessions| sessions.open = 96.0));
        assert_eq!(rule("connections_near_limit", &vitals)[0].severity, Severity::Critical, "the fuller end counts");
    }

    #[test]
    fn a_limit_of_the_database_counts_where_it_is_nearer() {
        let mut vitals = vitals();
        closed(&mut vitals, sessions(|sessions| (sessions.own, sessions.own_limit) = (9.0, Some(10.0))));
        assert!(rule("connections_near_limit", &vitals)[0].summary.contains("9 of 10 connections of the database"));
    }

    #[test]
    fn what_runs_at_once_by_littles_law_stands_beside_what_is_open() {
        let mut vitals = vitals();
        closed(&mut vitals, sessions(|sessions| sessions.open = 90.0));
        // 9,000 times 200 ms in 900 s: two at once.
        let told = told("connections_near_limit", &vitals, &catalog(), &[lookup("id", 9_000.0, 200.0)]);
        let at_once = told[0].evidence.iter().find(|evidence| evidence.signal.as_str() == "db_statements_at_once");
        assert_eq!(at_once.map(|evidence| evidence.value), Some(2.0), "{told:?}");
    }
}
