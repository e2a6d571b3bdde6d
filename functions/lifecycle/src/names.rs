//! Names of executions, at most 80 characters that Step Functions accepts, and of questions: the same for the same cause.

use domain::ids::RequestId;
use engine::run::Run;
use sha2::{Digest, Sha256};

/// Longest execution name that Step Functions accepts.
const LENGTH_MAX: usize = 80;
/// Hex digits of the hash that keeps shortened names apart.
const HASH_DIGITS: usize = 12;

/// Id of the question of a run in its iteration.
pub fn request_id(run: &Run) -> RequestId {
    RequestId::new(format!("{}.{}", run.execution_id, run.iteration))
}

/// A valid execution name made of the parts, the same for the same parts.
///
/// What is not a letter, a digit, `-` or `_` becomes `-`; where that, or shortening, lost something, a hash of the
/// original parts keeps different causes apart.
pub fn execution_name(parts: &[&str]) -> String {
    let plain = parts.join("-");
    let clean: String =
        plain.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' }).collect();
    if clean == plain && clean.len() <= LENGTH_MAX {
        return clean;
    }
    // A length before each part, so that ("a-b", "c") and ("a", "b-c") differ.
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let keep = LENGTH_MAX - HASH_DIGITS - 1;
    let head: String = clean.chars().take(keep).collect();
    format!("{head}-{}", &hash[..HASH_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_a_name_that_is_valid_as_it_is() {
        assert_eq!(execution_name(&["health", "shop", "20261124T120000"]), "health-shop-20261124T120000");
    }

    #[test]
    fn makes_any_text_valid_and_keeps_different_texts_apart() {
        let long = "x".repeat(300);
        let names: Vec<String> = [["health", "sh:op"], ["health", "sh/op"], ["health", &long], ["health", "läden"]]
            .iter()
            .map(|parts| execution_name(parts))
            .collect();
        for (index, name) in names.iter().enumerate() {
            assert!(name.len() <= LENGTH_MAX, "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{name}");
            assert!(names.iter().skip(index + 1).all(|other| other != name), "{name}");
        }
    }
}
