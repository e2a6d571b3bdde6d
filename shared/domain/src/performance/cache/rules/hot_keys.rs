//! One key gets much of the lookups, which no further node takes over. Only under a policy by frequency (LFU) does the server count that.

use super::Seen;
use crate::finding::{Evidence, Severity};
use crate::performance::cache::{Key, Look, Sampled};
use crate::performance::policy::Policy;
use crate::performance::rules::Told;

/// `lfu-log-factor` where nobody has set it.
const LOG_FACTOR: f64 = 10.0;
/// What a new key begins with.
const NEW: f64 = 5.0;

pub(super) fn find(seen: &Seen<'_>, policy: &Policy) -> Vec<Told> {
    let Some(((look, sampled), did)) = seen.keys().zip(seen.did()) else { return Vec::new() };
    let a_second = did.commands().unwrap_or_default() / did.seconds;
    if a_second < policy.cache_hot_ops_s_min {
        return Vec::new();
    }
    let factor = look.setting("lfu-log-factor").and_then(|factor| factor.parse().ok()).unwrap_or(LOG_FACTOR);
    let mut hot: Vec<(f64, &Key)> = shares(look, sampled, factor);
    hot.retain(|(share, _)| *share >= policy.cache_hot_key_pct);
    hot.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut told: Vec<Told> = Vec::new();
    for (pct, key) in hot {
        let about = format!("keys/{}", key.pattern);
        // Of several keys with one pattern the hottest is told.
        if !told.iter().any(|told| told.about == about) {
            told.push(tell(about, pct, key, a_second, policy));
        }
    }
    told
}

fn tell(about: String, pct: f64, key: &Key, a_second: f64, policy: &Policy) -> Told {
    Told {
        about,
        severity: Severity::Medium,
        confidence: 0.6,
        summary: format!(
            "one key like {} ({}) gets about {pct:.0} % of the accesses, of {a_second:.0} commands/s: one node serves it, however many there are. \
             Remember it in the application for a second, or keep copies under several names (redis-cli --hotkeys names it)",
            key.pattern, key.kind
        ),
        evidence: vec![
            Evidence::against("cache_hot_key_pct", pct, policy.cache_hot_key_pct, "of the accesses, estimated"),
            Evidence::level("cache_commands_s", a_second, "commands a second"),
            Evidence::level("cache_key_frequency", key.frequency.unwrap_or_default(), "on the server's scale to 255"),
        ],
    }
}

/// About what share of all accesses goes to each key, in per cent. The keys that were not looked at are taken to be like the others.
fn shares<'a>(look: &Look, sampled: &'a Sampled, factor: f64) -> Vec<(f64, &'a Key)> {
    let counted: Vec<(f64, &Key)> =
        sampled.keys.iter().filter_map(|key| Some((accesses(key.frequency?, factor), key))).collect();
    let total: f64 = counted.iter().map(|(accesses, _)| accesses).sum();
    let (stands_for, count) = (super::stands_for(look, sampled), counted.len() as f64);
    if count < 2.0 {
        return Vec::new();
    }
    let share = |(own, key): (f64, &'a Key)| {
        let others = (total - own) / (count - 1.0) * (count * stands_for - 1.0);
        (100.0 * own / (own + others).max(1.0), key)
    };
    counted.into_iter().map(share).collect()
}

/// Accesses that bring the server's counter to a value: it grows with a chance of 1 in `(value - 5) * factor + 1`.
///
/// Worked example: at the factor 10 the value 25 takes 20 + 10 · 20 · 19 / 2 = 1,920 accesses.
fn accesses(frequency: f64, factor: f64) -> f64 {
    let steps = (frequency - NEW).max(0.0);
    steps + factor * steps * (steps - 1.0).max(0.0) / 2.0
}

#[cfg(test)]
mod tests {
    use super::super::super::look::Key;
    use super::super::fixture::{ends, grew, key, keys, rule};

    fn used(pattern: &str, frequency: f64) -> Key {
        Key { frequency: Some(frequency), ..key(pattern, "string", 100.0) }
    }

    #[test]
    fn a_key_that_gets_a_fifth_of_the_accesses_is_told() {
        assert_eq!(super::accesses(25.0, 10.0), 1_920.0);
        let mut ends = ends();
        let mut all = vec![used("item:*", 12.0); 99];
        all.push(used("config", 200.0));
        keys(&mut ends, &all);
        let told = rule("cache_hot_keys", &ends);
        assert!(
            told[0].summary.starts_with("one key like config (string) gets about 90 % of the accesses"),
            "{told:?}"
        );
        grew(&mut ends, "total_commands_processed", 80_000.0);
        assert!(rule("cache_hot_keys", &ends).is_empty(), "89 commands a second are no load");
    }

    #[test]
    fn keys_that_are_used_alike_and_those_without_a_count_are_not() {
        let mut ends = ends();
        keys(&mut ends, &vec![used("item:*", 150.0); 100]);
        assert!(rule("cache_hot_keys", &ends).is_empty());
        keys(&mut ends, &[key("config", "string", 10.0), key("item:*", "string", 10.0)]);
        assert!(rule("cache_hot_keys", &ends).is_empty());
        keys(&mut ends, &[used("config", 255.0)]);
        assert!(rule("cache_hot_keys", &ends).is_empty(), "there is no other key");
    }
}
