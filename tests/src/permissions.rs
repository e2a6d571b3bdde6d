//! Least privilege, by what the functions really call: every permission of the templates against the calls that the local cloud has
//! seen while the scenarios were played, both ways.
//!
//! Each run of the scenarios leaves what it saw in `target/permissions`; [`judge`] looks at all of it. What no scenario calls is
//! listed by name, with the reason (`unplayed.rs`). What is on that list and is called all the same, as faults and the clock have it, is
//! told, and no error.

use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

mod unplayed;

use unplayed::UNPLAYED;

/// Where runs of the scenarios leave what they saw, below the checkout.
pub const DIRECTORY: &str = "target/permissions";

/// What is meant to be refused: the account of the scenarios that lets nobody in.
const CLOSED: &str = "sts:AssumeRole on arn:aws:iam::777788889999:role/maintainer-member";

/// What a function, or a role in another account, may do and has done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Seen {
    /// Actions that its policies allow.
    pub allowed: BTreeSet<String>,
    /// How often each action was called and let through.
    pub used: BTreeMap<String, u64>,
    /// How often what was refused, `action on resource`.
    pub refused: BTreeMap<String, u64>,
    /// How often what passed without a policy being asked: a gap of the local cloud.
    pub unchecked: BTreeMap<String, u64>,
}

/// All of them, by name of the function or role.
pub type Sightings = BTreeMap<String, Seen>;

/// Permissions that no scenario uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unplayed {
    /// Why no scenario shows them.
    pub why: &'static str,
    /// Functions and roles, each of which may do all of the actions without having done one.
    pub of: &'static [&'static str],
    /// The actions.
    pub actions: &'static [&'static str],
}

/// What the runs of the scenarios have left in a directory, all together.
///
/// # Errors
/// When nothing is there, or something that can't be read.
pub fn read(directory: &Path) -> Result<Sightings, String> {
    let files = std::fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let paths: Vec<PathBuf> = files.filter_map(Result::ok).map(|file| file.path()).collect();
    let mut all = Sightings::new();
    for path in &paths {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let one: Sightings = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        for (name, seen) in one {
            let known = all.entry(name).or_default();
            known.allowed.extend(seen.allowed);
            add(&mut known.used, seen.used);
            add(&mut known.refused, seen.refused);
            add(&mut known.unchecked, seen.unchecked);
        }
    }
    if all.is_empty() { Err(format!("nothing was seen in {}", directory.display())) } else { Ok(all) }
}

fn add(known: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (what, times) in more {
        *known.entry(what).or_default() += times;
    }
}

/// What is not as it should be, one sentence each.
pub fn judge(sightings: &Sightings) -> Vec<String> {
    judge_by(sightings, UNPLAYED)
}

fn judge_by(sightings: &Sightings, unplayed: &[Unplayed]) -> Vec<String> {
    let is_listed =
        |name: &str, action: &str| unplayed.iter().any(|one| one.of.contains(&name) && one.actions.contains(&action));
    let mut wrong = Vec::new();
    for (name, seen) in sightings {
        for action in &seen.allowed {
            if !seen.used.contains_key(action) && !is_listed(name, action) {
                wrong.push(format!("{name} may {action}, and has never done it"));
            }
        }
        let refused = seen.refused.keys().filter(|refused| *refused != CLOSED);
        wrong.extend(refused.map(|refused| format!("{name} has tried {refused}, and was refused")));
        wrong.extend(seen.unchecked.keys().map(|request| format!("{name} has called {request}: no policy was asked")));
    }
    for one in unplayed {
        for (name, action) in one.of.iter().flat_map(|name| one.actions.iter().map(move |action| (name, action))) {
            if !sightings.get(*name).is_some_and(|seen| seen.allowed.contains(*action)) {
                wrong.push(format!("{name} may not {action}: it is listed as not played"));
            }
        }
    }
    wrong
}

/// Permissions that were used.
pub fn used(sightings: &Sightings) -> usize {
    sightings.values().map(|seen| seen.allowed.iter().filter(|one| seen.used.contains_key(*one)).count()).sum()
}

/// How much of what is allowed was used, in a sentence, and what was not, by reason.
pub fn told(sightings: &Sightings) -> String {
    let all: usize = sightings.values().map(|seen| seen.allowed.len()).sum();
    let calls: u64 = sightings.values().flat_map(|seen| seen.used.values()).sum();
    let mut text = format!(
        "{} of {all} permissions of {} functions and roles were used in {calls} calls, and none was lacking; the others:\n",
        used(sightings),
        sightings.len()
    );
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for one in UNPLAYED {
        *reasons.entry(one.why).or_default() += one.of.len() * one.actions.len();
    }
    let mut reasons: Vec<(&str, usize)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, permissions)| std::cmp::Reverse(*permissions));
    for (why, permissions) in reasons {
        text.push_str(&format!("{permissions:>5}  {why}\n"));
    }
    for (name, action) in UNPLAYED
        .iter()
        .flat_map(|one| one.of.iter().flat_map(|name| one.actions.iter().map(move |action| (name, action))))
    {
        if sightings.get(*name).is_some_and(|seen| seen.used.contains_key(*action)) {
            text.push_str(&format!("{name} has done {action} after all\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(allowed: &[&str], used: &[&str], refused: &[&str], unchecked: &[&str]) -> Sightings {
        let counted = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), 1)).collect();
        let allowed = allowed.iter().map(|name| (*name).to_owned()).collect();
        let seen = Seen { allowed, used: counted(used), refused: counted(refused), unchecked: counted(unchecked) };
        Sightings::from([("f".to_owned(), seen)])
    }

    #[test]
    fn what_is_used_and_allowed_is_right_and_everything_else_is_named() {
        const LISTED: &[Unplayed] = &[Unplayed { why: "", of: &["f"], actions: &["s3:A"] }];
        let cases: &[(Sightings, &[Unplayed], &[&str])] = &[
            (seen(&["s3:A"], &["s3:A"], &[], &[]), &[], &[]),
            (seen(&["s3:A"], &[], &[], &[]), LISTED, &[]),
            (seen(&["s3:A"], &["s3:A"], &[CLOSED], &[]), &[], &[]),
            (seen(&["s3:A"], &["s3:A"], &["s3:A on x"], &[]), &[], &["f has tried s3:A on x, and was refused"]),
            (seen(&["s3:A"], &[], &[], &[]), &[], &["f may s3:A, and has never done it"]),
            (seen(&["s3:A"], &["s3:A"], &[], &[]), LISTED, &[]),
            (seen(&[], &[], &["s3:B on x"], &[]), &[], &["f has tried s3:B on x, and was refused"]),
            (seen(&[], &[], &[], &["x GET /"]), &[], &["f has called x GET /: no policy was asked"]),
            (seen(&[], &[], &[], &[]), LISTED, &["f may not s3:A: it is listed as not played"]),
        ];
        for (sightings, unplayed, expected) in cases {
            assert_eq!(judge_by(sightings, unplayed), *expected, "{sightings:?}");
        }
    }
}
