//! Any text is read or refused; what is set is what holds.

use super::{SHOP, app};
use crate::{Config, report};
use proptest::prelude::*;

/// One change to a text, such as a person's slip or a damaged upload.
fn mutated(text: &str, at: usize, kind: u8, with: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let index = at % lines.len().max(1);
    let mut out: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    match kind % 7 {
        0 => drop(out.remove(index)),
        1 => out.insert(index, lines[index].to_owned()),
        2 => out[index] = format!("  {}", lines[index]),
        3 => out[index] = lines[index].trim_start().to_owned(),
        4 => out[index] = lines[index].split(':').next().unwrap_or("").to_owned() + ": " + with,
        5 => out[index] = lines[index].chars().filter(|c| *c != ':' && *c != '-').collect(),
        _ => out[index] = lines[index].replacen(char::is_alphabetic, with, 1),
    }
    out.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn prop_any_text_is_a_configuration_or_a_list_of_sentences(text in "(?s).{0,200}") {
        if let Err(error) = Config::parse(&text) {
            prop_assert!(!error.problems().is_empty());
            for problem in error.problems() {
                prop_assert!(!problem.to_string().contains('\n'), "{}", problem);
            }
            report::problems("f", &text, &error);
        }
    }

    #[test]
    fn prop_text_that_looks_like_yaml_never_breaks_the_reader(text in "([a-z\\[\\]{}:&*!|>'\"#%@,0-9<? -]{0,12}\n){0,12}") {
        if let Err(error) = Config::parse(&text) {
            report::problems("f", &text, &error);
        }
    }

    #[test]
    fn prop_a_damaged_example_is_read_or_refused_with_lines(
        slips in prop::collection::vec((0usize..100, any::<u8>(), "[a-z0-9:\\[{*&-]{0,6}"), 1..4)
    ) {
        let text = slips.iter().fold(SHOP.to_owned(), |text, (at, kind, with)| mutated(&text, *at, *kind, with));
        match Config::parse(&text) {
            Ok(config) => {
                let again = Config::parse(&text).unwrap();
                prop_assert_eq!(config.hash(), again.hash());
                prop_assert!(config.meaning(true) == again.meaning(true));
            }
            Err(error) => {
                prop_assert!(error.problems().iter().all(|problem| !problem.says.contains("expected form")), "{}", error);
                prop_assert!(error.problems().iter().all(|problem| problem.place.is_some()), "{}", error);
            }
        }
    }

    #[test]
    fn prop_a_number_that_is_set_is_the_number_that_holds(latency in 1.0f64..100_000.0, changes in 0u32..1000, share in 0.01f64..1.0) {
        let text = format!(
            "defaults:\n  limits: {{changes_per_day_max: 7}}\napplications:\n  shop:\n    objectives: {{latency_p95_ms: {latency:?}}}\n    \
             limits: {{changes_per_hour_max: {changes}, blast_radius: {share:?}}}\n"
        );
        let shop = Config::parse(&text).unwrap().resolve(&app("shop")).unwrap();
        prop_assert_eq!(shop.objectives.latency_p95_ms, latency);
        prop_assert_eq!((shop.limits.changes_per_hour_max, shop.limits.changes_per_day_max), (changes, 7));
        prop_assert_eq!(shop.limits.blast_radius, share);
    }
}
