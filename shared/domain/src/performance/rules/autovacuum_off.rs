//! Autovacuum that does not come: switched off for the server, or for a table that has needed it.

use super::words::count;
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;

/// Dead rows under which it does not matter that nobody removes them.
pub(super) const DEAD_MIN: f64 = 10_000.0;

pub(super) fn find(seen: &Seen<'_>, _: &Policy) -> Vec<Told> {
    let Some(look) = seen.look() else { return Vec::new() };
    let off = ["autovacuum", "track_counts"].into_iter().find(|setting| look.is_off(setting));
    let everywhere = off.map(|setting| Told {
        about: format!("setting/{setting}"),
        severity: Severity::High,
        confidence: 1.0,
        summary: format!(
            "{setting} is off: no table is vacuumed or analyzed by itself, tables grow and plans go wrong. ALTER SYSTEM SET {setting} = on; \
             SELECT pg_reload_conf() (on RDS in the parameter group)"
        ),
        evidence: Vec::new(),
    });
    if let Some(told) = everywhere {
        return vec![told];
    }
    let tables = look.tables.known().into_iter().flatten();
    let mut off: Vec<_> = tables
        .filter(|table| !table.rule.is_on && table.dead >= DEAD_MIN && table.dead > table.vacuum_threshold())
        .collect();
    off.sort_by(|a, b| b.dead.total_cmp(&a.dead));
    let told = off.into_iter().map(|table| Told {
        about: crate::text::line(&table.name.plain),
        severity: Severity::Medium,
        confidence: 0.95,
        summary: format!(
            "autovacuum is off for {name}, which has {} dead rows beside {} others. ALTER TABLE {sql} RESET (autovacuum_enabled); VACUUM \
             (ANALYZE) {sql}",
            count(table.dead),
            count(table.rows.max(0.0)),
            name = crate::text::line(&table.name.plain),
            sql = table.name.sql
        ),
        evidence: vec![Evidence::against("db_dead_rows", table.dead, table.vacuum_threshold(), "rows are dead")],
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, rule, set, table, tables, vitals};
    use crate::performance::vitals::{TableState, VacuumRule};

    fn off(table: TableState) -> TableState {
        TableState { rule: VacuumRule { is_on: false, ..table.rule.clone() }, ..table }
    }

    #[test]
    fn a_table_that_needs_it_is_told_and_one_that_is_empty_on_purpose_is_not() {
        let mut vitals = vitals();
        tables(&mut vitals, vec![off(table("queue", 10.0, 9_999.0)), table("orders", 10.0, 90_000.0)]);
        assert!(rule("autovacuum_off", &vitals).is_empty());
        tables(&mut vitals, vec![off(table("history", 1e6, 150_000.0))]);
        assert!(rule("autovacuum_off", &vitals).is_empty(), "autovacuum would not have come either");
        tables(&mut vitals, vec![off(table("queue", 10.0, 10_000.0))]);
        let told = rule("autovacuum_off", &vitals);
        assert!(told[0].summary.ends_with(
            "ALTER TABLE \"public\".\"queue\" RESET (autovacuum_enabled); VACUUM (ANALYZE) \"public\".\"queue\""
        ));
        assert!(rule("autovacuum_lag", &vitals).is_empty(), "told once");
    }

    #[test]
    fn a_server_without_is_told_once() {
        let mut vitals = vitals();
        tables(&mut vitals, vec![off(table("queue", 10.0, 90_000.0))]);
        closed(&mut vitals, |look| set(look, "track_counts", "off", None));
        let told = rule("autovacuum_off", &vitals);
        assert_eq!((told.len(), told[0].resource.as_str()), (1, "orders/setting/track_counts"));
    }
}
