//! A column that is about to run out of numbers. What overflows is the type of the column, not the sequence of eight bytes that feeds it.

use super::words::count;
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::vitals::Sequence;

/// Shares from which it is urgent, and from which inserts fail soon, in per cent.
const URGENT_PCT: (f64, f64) = (90.0, 98.0);

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let sequences = seen.look().and_then(|look| look.sequences.known());
    let mut near: Vec<&Sequence> = sequences
        .into_iter()
        .flat_map(|sequences| &sequences.nearest)
        .filter(|sequence| 100.0 * sequence.used() > policy.sequence_pct_max)
        .collect();
    near.sort_by(|a, b| b.used().total_cmp(&a.used()));
    near.into_iter().map(|sequence| told(sequence, policy)).collect()
}

fn told(sequence: &Sequence, policy: &Policy) -> Told {
    let pct = 100.0 * sequence.used();
    let is_small = sequence.column_bytes < 8.0;
    let widen = format!(
        "ALTER TABLE {} ALTER COLUMN {} TYPE bigint rewrites the table under a lock: a large one gets a new column, filled in parts",
        sequence.table.sql, sequence.column.sql
    );
    let longer = format!("ALTER SEQUENCE {} AS bigint NO MAXVALUE", sequence.name.sql);
    let about = format!("{}.{}", sequence.table.plain, sequence.column.plain);
    Told {
        severity: match pct {
            pct if pct >= URGENT_PCT.1 => Severity::Critical,
            pct if pct >= URGENT_PCT.0 => Severity::High,
            _ => Severity::Medium,
        },
        confidence: 1.0,
        summary: format!(
            "{} has used {} of {} numbers ({pct:.1} %): at the end every insert fails. {}",
            crate::text::line(&about),
            count(sequence.last.abs()),
            count(sequence.limit().abs()),
            if is_small { widen } else { longer }
        ),
        evidence: vec![Evidence::against(
            "db_sequence_used_pct",
            pct,
            policy.sequence_pct_max,
            "of the numbers are used",
        )],
        about: crate::text::line(&about),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, rule, sequence, vitals};
    use crate::finding::Severity;
    use crate::observed::Observed;
    use crate::performance::vitals::{Sequence, Sequences, Vitals};

    fn of(sequence: Sequence) -> Vitals {
        let mut vitals = vitals();
        let sequences = Sequences { nearest: vec![sequence], unread: 0.0 };
        closed(&mut vitals, |look| look.sequences = Observed::Known(sequences.clone()));
        vitals
    }

    #[test]
    fn four_bytes_end_at_two_thousand_million_and_eight_do_not() {
        let limit = 2_147_483_647.0;
        assert!(rule("sequence_overflow", &of(sequence(4.0, 0.799 * limit))).is_empty());
        assert!(rule("sequence_overflow", &of(sequence(8.0, 0.99 * limit))).is_empty(), "a column of eight bytes");
        let told = rule("sequence_overflow", &of(sequence(4.0, 0.801 * limit)));
        assert_eq!((told[0].severity, told[0].resource.as_str()), (Severity::Medium, "orders/public.orders.id"));
        assert!(told[0].summary.contains("ALTER TABLE \"public\".\"orders\" ALTER COLUMN \"id\" TYPE bigint"));
        assert_eq!(rule("sequence_overflow", &of(sequence(4.0, 0.99 * limit)))[0].severity, Severity::Critical);
        assert_eq!(rule("sequence_overflow", &of(sequence(2.0, 30_000.0)))[0].severity, Severity::High);
    }

    #[test]
    fn a_sequence_that_ends_before_its_column_is_lengthened_and_one_that_begins_anew_is_left() {
        let short = Sequence { end: 2_147_483_647.0, ..sequence(8.0, 2.1e9) };
        let told = rule("sequence_overflow", &of(short.clone()));
        assert!(told[0].summary.ends_with("ALTER SEQUENCE \"public\".\"orders_id_seq\" AS bigint NO MAXVALUE"));
        assert!(rule("sequence_overflow", &of(Sequence { cycles: true, ..short })).is_empty());
    }
}
