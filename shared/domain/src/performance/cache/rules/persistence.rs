//! What the server writes to disk fails: after a restart the data would be gone, and until then writes may be refused.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::policy::Policy;
use crate::performance::rules::Told;

/// Fields of `INFO`, what is written, and how to see why it fails.
const WRITTEN: [(&str, &str, &str); 3] = [
    ("rdb_last_bgsave_status", "snapshot", "BGSAVE tries again"),
    ("aof_last_write_status", "log", "writes are refused until it can be written"),
    ("aof_last_bgrewrite_status", "log in short", "BGREWRITEAOF tries again"),
];

pub(super) fn find(seen: &Seen<'_>, _: &Policy) -> Vec<Told> {
    let Some(look) = seen.look() else { return Vec::new() };
    let refused = seen.did().map_or(0.0, |did| did.errors("MISCONF"));
    let failed = WRITTEN.iter().filter(|(field, ..)| look.info.text(field) == Some("err"));
    let tell = |(field, what, then): &(&str, &str, &str)| {
        let said = if refused >= 1.0 {
            format!(", and {refused:.0} writes were refused for it (MISCONF)")
        } else {
            String::new()
        };
        let mut evidence = vec![Evidence::level(&format!("cache_{field}"), 0.0, "the last one failed")];
        if refused >= 1.0 {
            evidence.push(Evidence::level("cache_misconf_errors", refused, "writes of the window were refused"));
        }
        Told {
            about: format!("persistence/{field}"),
            severity: if refused >= 1.0 { Severity::Critical } else { Severity::High },
            confidence: 0.95,
            summary: format!(
                "the last {what} could not be written to disk ({field}:err){said}. See the log of the server: mostly the disk is full or not \
                 writable, or there is no memory to fork (vm.overcommit_memory = 1); then {then}"
            ),
            evidence,
        }
    };
    failed.map(tell).collect()
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{closed, ends, field, rule};
    use crate::finding::Severity;

    #[test]
    fn what_could_not_be_written_is_told_and_more_loudly_where_writes_fail() {
        let mut ends = ends();
        closed(&mut ends, |look| field(look, "rdb_last_bgsave_status", "err"));
        let told = rule("cache_persistence", &ends);
        assert!(
            told.len() == 1 && told[0].severity == Severity::High && told[0].summary.contains("BGSAVE tries again")
        );
        closed(&mut ends, |look| {
            look.info.errors.insert("MISCONF".to_owned(), 4.0);
        });
        let told = rule("cache_persistence", &ends);
        assert!(
            told[0].severity == Severity::Critical && told[0].summary.contains("4 writes were refused"),
            "{told:?}"
        );
    }
}
