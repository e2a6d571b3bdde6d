//! Sorts and joins that do not fit into `work_mem` and are done on disk.

use super::words::{setting, size};
use super::{Seen, Told};
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;

/// Bytes in the window under which it is nothing, however short the window.
const BYTES_MIN: f64 = 33_554_432.0;
/// What takes a byte on disk takes about so many in memory.
const IN_MEMORY: f64 = 2.0;
/// Smallest and largest `work_mem` that is advised, in MiB: every sort of every session may take it.
const WORK_MEM_MIB: (f64, f64) = (8.0, 256.0);
const HOUR_S: f64 = 3_600.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(((look, did), seconds)) = seen.look().zip(seen.vitals.activity()).zip(seen.vitals.seconds()) else {
        return Vec::new();
    };
    let hour = did.temp_bytes / seconds * HOUR_S;
    if did.temp_bytes < BYTES_MIN || hour <= policy.temp_bytes_hour_max {
        return Vec::new();
    }
    let of_one = did.temp_bytes / did.temp_files.max(1.0);
    let most = most_spilling(seen).map_or(String::new(), |id| format!(", most by statement {id}"));
    let now = look.number("work_mem").map_or(String::new(), |bytes| format!(", now {}", size(bytes)));
    let needed = setting(IN_MEMORY * of_one, WORK_MEM_MIB.0, WORK_MEM_MIB.1);
    vec![Told {
        about: "work_mem".to_owned(),
        severity: Severity::Medium,
        confidence: 0.8,
        summary: format!(
            "{} temporary files of {} on average were written in the window{most}: sorts and joins do not fit into work_mem{now}. Where an index \
             does not spare the sort: ALTER DATABASE {} SET work_mem = '{needed}', or only for the user that needs it",
            did.temp_files,
            size(of_one),
            look.database.sql
        ),
        evidence: vec![Evidence::against("db_temp_bytes_hour", hour, policy.temp_bytes_hour_max, "bytes an hour")],
    }]
}

/// The statement that wrote the most to temporary files in the window.
fn most_spilling(seen: &Seen<'_>) -> Option<i64> {
    let (opened, closed) = seen.vitals.both()?;
    let before = opened.spills.known()?;
    let wrote = closed.spills.known()?.iter().map(|after| {
        let first = before.iter().find(|spill| spill.statement == after.statement).map_or(0.0, |spill| spill.bytes);
        (after.statement, after.bytes - first)
    });
    wrote.filter(|(_, bytes)| *bytes > 0.0).max_by(|a, b| a.1.total_cmp(&b.1)).map(|(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{did, opened, rule, vitals};
    use crate::observed::Observed;
    use crate::performance::vitals::Spill;

    const QUARTER: f64 = 10_737_418_240.0 / 4.0;

    #[test]
    fn what_is_written_in_an_hour_is_bounded_and_a_little_is_nothing() {
        let mut vitals = vitals();
        did(&mut vitals, |activity| (activity.temp_files, activity.temp_bytes) = (100.0, QUARTER));
        assert!(rule("temp_files", &vitals).is_empty());
        did(&mut vitals, |activity| activity.temp_bytes = QUARTER + 4_000.0);
        let told = rule("temp_files", &vitals);
        assert!(told[0].summary.contains("ALTER DATABASE \"shop\" SET work_mem = '64MB'"), "{}", told[0].summary);
        assert!(told[0].summary.contains("most by statement 7"), "{}", told[0].summary);
        opened(&mut vitals, |look| {
            look.spills = Observed::Known(vec![Spill { statement: 7, bytes: 1e12 }]);
            look.at += jiff::SignedDuration::from_secs(899);
        });
        did(&mut vitals, |activity| activity.temp_bytes = 33_554_431.0);
        assert!(rule("temp_files", &vitals).is_empty(), "one report in a second is no load of an hour");
    }
}
