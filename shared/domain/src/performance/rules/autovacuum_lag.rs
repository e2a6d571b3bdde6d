//! A table whose dead rows are far beyond what autovacuum comes for, at both ends of the window: it does not keep up, or can't.

use super::autovacuum_off::DEAD_MIN;
use super::words::{count, holder, time};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::TableState;

/// Multiples of the threshold from which a table is far gone.
const FAR: f64 = 10.0;
/// Share of the rows that is advised: a hundredth dead costs little to read and little to remove.
const SHARE: f64 = 0.01;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(look) = seen.look() else { return Vec::new() };
    if look.is_off("autovacuum") || look.is_off("track_counts") {
        return Vec::new();
    }
    let lags = |table: &TableState| table.dead >= DEAD_MIN && table.lag() > policy.autovacuum_lag_max;
    let tables = look.tables.known().into_iter().flatten();
    let mut late: Vec<&TableState> = tables
        .filter(|table| table.rule.is_on && !table.is_vacuumed && lags(table))
        // A batch that has just deleted much is no lag: autovacuum comes within a minute.
        .filter(|table| seen.vitals.opened.is_missing() || seen.vitals.table_before(&table.name).is_some_and(lags))
        .collect();
    late.sort_by(|a, b| b.lag().total_cmp(&a.lag()));
    let holder = holder(look);
    let told = late.into_iter().map(|table| {
        let vacuumed = table.vacuumed_s.map_or("never vacuumed".to_owned(), |age| format!("vacuumed {} ago", time(age)));
        // While something still sees them, no vacuum removes them, however often it comes.
        let advice = match &holder {
            Some(holder) => format!("{holder} keeps them from being removed: end it first, then VACUUM {}", table.name.sql),
            None => format!(
                "ALTER TABLE {sql} SET (autovacuum_vacuum_scale_factor = {SHARE}, autovacuum_vacuum_cost_delay = 0); VACUUM {sql}",
                sql = table.name.sql
            ),
        };
        Told {
            about: crate::text::line(&table.name.plain),
            severity: if table.lag() > FAR { Severity::High } else { Severity::Medium },
            confidence: if seen.vitals.opened.is_missing() { 0.6 } else { 0.9 },
            summary: format!(
                "{} has {} dead rows beside {} others, {:.1} times what autovacuum comes for ({vacuumed}). {advice}",
                crate::text::line(&table.name.plain),
                count(table.dead),
                count(table.rows.max(0.0)),
                table.lag()
            ),
            evidence: vec![
                Evidence::against("db_autovacuum_lag", table.lag(), policy.autovacuum_lag_max, "times its own threshold"),
                Evidence::against("db_dead_rows", table.dead, table.vacuum_threshold(), "rows are dead"),
            ],
        }
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{busy, opened, rule, table, tables, vitals, with_busy};
    use crate::observed::Observed;
    use crate::performance::vitals::{Busy, TableState, VacuumRule};

    #[test]
    fn twice_the_threshold_at_both_ends_is_a_lag() {
        let mut vitals = vitals();
        tables(&mut vitals, vec![table("orders", 100_000.0, 40_100.0)]);
        assert!(rule("autovacuum_lag", &vitals).is_empty(), "twice 20,050 is not exceeded");
        tables(&mut vitals, vec![table("orders", 100_000.0, 40_101.0)]);
        let told = rule("autovacuum_lag", &vitals);
        assert!(told[0].summary.contains("SET (autovacuum_vacuum_scale_factor = 0.01"), "{}", told[0].summary);
        opened(&mut vitals, |look| look.tables = Observed::Known(vec![table("orders", 100_000.0, 10.0)]));
        assert!(rule("autovacuum_lag", &vitals).is_empty(), "a batch has just deleted them");
    }

    #[test]
    fn a_small_table_with_a_huge_share_of_dead_rows_is_left_alone() {
        let mut vitals = vitals();
        tables(&mut vitals, vec![table("settings", 50.0, 9_999.0)]);
        assert!(rule("autovacuum_lag", &vitals).is_empty());
        let orders = table("orders", 1_000.0, 50_000.0);
        tables(&mut vitals, vec![TableState { is_vacuumed: true, ..orders.clone() }]);
        assert!(rule("autovacuum_lag", &vitals).is_empty(), "it is being vacuumed");
        let late = VacuumRule { base: 30_000.0, ..orders.rule.clone() };
        tables(&mut vitals, vec![TableState { rule: late, ..orders }]);
        assert!(rule("autovacuum_lag", &vitals).is_empty(), "its own settings say so");
    }

    #[test]
    fn what_keeps_the_rows_is_named_first() {
        let mut vitals = vitals();
        tables(&mut vitals, vec![table("orders", 1_000.0, 50_000.0)]);
        with_busy(&mut vitals, vec![Busy { holds_back: 90_000.0, ..busy(7, "active", 5.0) }]);
        let told = rule("autovacuum_lag", &vitals);
        assert!(told[0].summary.ends_with(
            "process 7 (shop) keeps them from being removed: end it first, then VACUUM \"public\".\"orders\""
        ));
    }
}
