//! "Did you mean": the known name that is most like one that is not known.

/// Similarity from which a name counts as meant.
const SIMILAR: f64 = 0.82;
/// Names that are listed when none is similar.
const LISTED_MAX: usize = 12;

/// The known name that was most probably meant, if any is near enough.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(unknown);
    known
        .into_iter()
        .filter_map(|name| {
            let candidate = fold(name);
            let edits = strsim::damerau_levenshtein(&folded, &candidate);
            let likeness = strsim::jaro_winkler(&folded, &candidate);
            // One edit in three letters is still the same word; beyond that only a common beginning tells.
            let near = edits <= (candidate.chars().count() / 3).max(1) || likeness >= SIMILAR;
            near.then_some((edits, name))
        })
        .min_by_key(|(edits, name)| (*edits, *name))
        .map(|(_, name)| name)
}

/// The end of a sentence about an unknown name: what was meant, else what there is.
pub(crate) fn hint<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    match nearest(unknown, known.iter().copied()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("known is {}", one_of(&known)),
    }
}

/// Names in quotes, separated as in a sentence.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().take(LISTED_MAX).map(|name| format!("\"{name}\"")).collect();
    match (quoted.as_slice(), names.len().saturating_sub(LISTED_MAX)) {
        ([], _) => "nothing".to_owned(),
        ([only], 0) => only.clone(),
        ([head @ .., last], 0) => format!("{} or {last}", head.join(", ")),
        (all, more) => format!("{} and {more} more", all.join(", ")),
    }
}

/// Text from outside, short enough for a sentence and without line breaks.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN_MAX: usize = 60;
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN_MAX).collect();
    let more = if text.chars().nth(SHOWN_MAX).is_some() { "…" } else { "" };
    format!("\"{clean}{more}\"")
}

fn fold(name: &str) -> String {
    // A long name is never meant as one of ours, and the distance takes quadratic time.
    name.chars().take(64).flat_map(char::to_lowercase).map(|c| if c == '-' { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["app", "mode", "latency_p95_ms", "applications", "blast_radius"];
        for (typed, meant) in [
            ("ap", "app"),
            ("App", "app"),
            ("latency_p95", "latency_p95_ms"),
            ("latency-p95-ms", "latency_p95_ms"),
            ("aplications", "applications"),
            ("blastradius", "blast_radius"),
            ("mdoe", "mode"),
        ] {
            assert_eq!(nearest(typed, known), Some(meant), "{typed}");
        }
        assert_eq!(nearest("endpoint_budget", known), None);
        assert_eq!(hint("zzz", ["b", "a", "a"]), "known is \"a\" or \"b\"");
    }
}
