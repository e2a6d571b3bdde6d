//! Tags that look like secrets: people put them there, and nothing of ours needs their values.

use super::Tags;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// What the key of such a tag holds, in lower case and without anything but letters.
const WORDS: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "connectionstring",
];

/// What is written in place of a value.
const HIDDEN: &str = "(not kept)";

/// Tags as they are written down: keys as they are, values of those that look like secrets left out.
pub(super) fn written<S: Serializer>(tags: &Tags, serializer: S) -> Result<S::Ok, S::Error> {
    let shown = tags.iter().map(|(key, value)| (key.as_str(), if is_secret(key) { HIDDEN } else { value.as_str() }));
    shown.collect::<BTreeMap<&str, &str>>().serialize(serializer)
}

fn is_secret(key: &str) -> bool {
    let letters: String = key.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    WORDS.iter().any(|word| letters.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{APP_TAG, Live, PROTECTED_TAG, Resource};

    #[test]
    fn a_tag_that_is_named_like_a_secret_is_written_without_its_value_and_all_others_with_it() {
        let secret =
            ["db_password", "DB-PASSWORD", "ApiKey", "api_key", "aws:secret", "GITHUB_TOKEN", "connection-string"];
        let plain = [APP_TAG, PROTECTED_TAG, "Name", "team", "environment", "key", "cost-center"];
        let tags = secret.iter().chain(&plain).map(|key| ((*key).to_owned(), "canary-1".to_owned())).collect();
        let resource = Resource { id: "queue/jobs".into(), name: "jobs".to_owned(), tags, live: Live::Queue };
        let written = serde_json::to_value(&resource).unwrap();
        assert!(secret.iter().all(|key| written["tags"][key] == HIDDEN), "{written}");
        assert!(plain.iter().all(|key| written["tags"][key] == "canary-1"), "{written}");
        assert_eq!(written["tags"].as_object().unwrap().len(), resource.tags.len());
    }
}
