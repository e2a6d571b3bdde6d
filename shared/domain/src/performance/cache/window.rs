//! What a cache did between two looks. Counters only grow: where one has become smaller, or the server is another one, nothing is known.

use super::look::{Command, Look, Slow};
use crate::observed::Observed;
use crate::performance::policy::Policy;
use serde::{Deserialize, Serialize};

/// Fields of `INFO` that only grow.
const COUNTERS: [&str; 10] = [
    "uptime_in_seconds",
    "total_connections_received",
    "total_commands_processed",
    "total_net_input_bytes",
    "total_net_output_bytes",
    "rejected_connections",
    "expired_keys",
    "evicted_keys",
    "keyspace_hits",
    "keyspace_misses",
];
/// A keyspace that grows by more than this within a window is still being filled.
const FILLING: f64 = 1.5;

/// A cache at both ends of a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ends {
    /// At its beginning.
    pub opened: Observed<Look>,
    /// At its end.
    pub closed: Observed<Look>,
}

/// What happened in a window in which the same server counted all the time.
#[derive(Clone, Copy, Debug)]
pub struct Did<'a> {
    /// At its beginning.
    pub opened: &'a Look,
    /// At its end.
    pub closed: &'a Look,
    /// Its length in seconds, more than none.
    pub seconds: f64,
}

/// Lookups of keys in a window, without our own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lookups {
    /// Those that found their key.
    pub hits: f64,
    /// Those that did not.
    pub misses: f64,
}

impl Lookups {
    /// Share that found their key, in per cent.
    pub fn found_pct(&self) -> f64 {
        100.0 * self.hits / (self.hits + self.misses).max(1.0)
    }
}

impl Ends {
    /// What happened; nothing where the server was restarted, is another one, or its counters were reset.
    pub fn did(&self) -> Option<Did<'_>> {
        let (opened, closed) = (self.opened.known()?, self.closed.known()?);
        let seconds = closed.at.duration_since(opened.at).as_secs_f64();
        let run_id = |look: &Look| look.info.text("run_id").map(str::to_owned);
        let is_same = run_id(opened).is_some() && run_id(opened) == run_id(closed);
        let grew = |name: &str| match (opened.info.number(name), closed.info.number(name)) {
            (Some(before), Some(after)) => after >= before,
            (before, after) => before.is_none() && after.is_none(),
        };
        (seconds > 0.0 && is_same && COUNTERS.iter().all(|name| grew(name))).then_some(Did { opened, closed, seconds })
    }
}

impl Did<'_> {
    /// By how much a counter grew.
    pub fn counted(&self, field: &str) -> Option<f64> {
        Some(self.closed.info.number(field)? - self.opened.info.number(field)?)
    }

    /// Commands that were run, without our own.
    pub fn commands(&self) -> Option<f64> {
        Some((self.counted("total_commands_processed")? - self.opened.own.commands).max(0.0))
    }

    /// Lookups, without our own: the server counts whoever asks for the type of a key, too.
    pub fn lookups(&self) -> Option<Lookups> {
        let hits = (self.counted("keyspace_hits")? - self.opened.own.hits).max(0.0);
        let misses = (self.counted("keyspace_misses")? - self.opened.own.misses).max(0.0);
        Some(Lookups { hits, misses })
    }

    /// Lookups, where there are enough of them and too few find their key.
    pub fn misses(&self, policy: &Policy) -> Option<Lookups> {
        let lookups = self.lookups()?;
        let is_enough = (lookups.hits + lookups.misses) / self.seconds >= policy.cache_lookups_s_min;
        (is_enough && lookups.found_pct() < policy.cache_found_pct_min).then_some(lookups)
    }

    /// What a command did.
    pub fn command(&self, name: &str) -> Command {
        let of = |look: &Look| look.info.commands.get(name).copied().unwrap_or_default();
        let (before, after) = (of(self.opened), of(self.closed));
        Command { calls: (after.calls - before.calls).max(0.0), us: (after.us - before.us).max(0.0) }
    }

    /// How often an error was answered.
    pub fn errors(&self, word: &str) -> f64 {
        let of = |look: &Look| look.info.errors.get(word).copied().unwrap_or_default();
        (of(self.closed) - of(self.opened)).max(0.0)
    }

    /// Entries of the log of slow commands that are new; nothing where one of the ends has none to compare with.
    pub fn slow(&self) -> Option<Vec<&Slow>> {
        let (before, after) = (self.opened.slow.known()?, self.closed.slow.known()?);
        let is_new = |slow: &&Slow| before.newest.is_none_or(|newest| slow.id > newest);
        Some(after.entries.iter().filter(is_new).collect())
    }

    /// The server has not run for long, or its keyspace is still being filled: misses say nothing yet.
    pub fn is_warming(&self, policy: &Policy) -> bool {
        let uptime = self.opened.info.number("uptime_in_seconds").unwrap_or_default();
        let (before, after) = (self.opened.info.keyspace().keys, self.closed.info.keyspace().keys);
        uptime < f64::from(policy.cache_warm_s) || after > FILLING * before
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::fixture::{closed, ends, field, opened};
    use super::*;
    use crate::observed::Missing;

    #[test]
    fn what_happened_is_the_difference_without_our_own_lookups() {
        let mut ends = ends();
        opened(&mut ends, |look| (look.own.hits, look.own.misses) = (600.0, 40.0));
        let did = ends.did().unwrap();
        assert_eq!(did.seconds, 900.0);
        assert_eq!(did.lookups(), Some(Lookups { hits: 900_000.0 - 600.0, misses: 9_000.0 - 40.0 }));
        assert_eq!(did.counted("is_not_there"), None);
    }

    #[test]
    fn after_a_restart_or_a_reset_nothing_is_known() {
        let mut restarted = ends();
        closed(&mut restarted, |look| field(look, "run_id", "another"));
        assert!(restarted.did().is_none());
        let mut reset = ends();
        closed(&mut reset, |look| field(look, "keyspace_misses", "3"));
        assert!(reset.did().is_none());
        let mut vanished = ends();
        closed(&mut vanished, |look| drop(look.info.fields.remove("evicted_keys")));
        assert!(vanished.did().is_none());
        let missing = Ends { opened: Observed::Missing(Missing::NoData), ..ends() };
        assert!(missing.did().is_none());
    }

    #[test]
    fn slow_commands_are_those_after_the_newest_of_before() {
        let slow = |id| Slow { id, command: "KEYS".into(), us: 2e4, arguments: 1.0, on: None };
        let mut ends = ends();
        opened(&mut ends, |look| {
            let log = super::super::SlowLog { newest: Some(3), entries: vec![slow(3), slow(2)] };
            look.slow = Observed::Known(log);
        });
        closed(&mut ends, |look| {
            let log = super::super::SlowLog { newest: Some(5), entries: vec![slow(5), slow(4), slow(3)] };
            look.slow = Observed::Known(log);
        });
        let ids: Vec<i64> = ends.did().unwrap().slow().unwrap().iter().map(|slow| slow.id).collect();
        assert_eq!(ids, [5, 4]);
    }
}
