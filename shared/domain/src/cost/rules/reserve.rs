//! What names and tags say about why something is there: kept on purpose, held in reserve, in production or not.
//!
//! Tags are custom, not contract, so a tag only ever speaks against a claim, or makes one a little surer; none is made
//! because of one.

use crate::resource::{Resource, Tags};

/// Keys of tags, without case and punctuation, that say that something must stay.
const KEPT: [&str; 6] = ["keep", "donotdelete", "donotremove", "dontdelete", "legalhold", "retain"];
/// Words for what waits for the failure of something else.
const RESERVE: [&str; 7] = ["standby", "failover", "dr", "disaster", "spare", "passive", "reserve"];
/// Keys of tags that say what something is for.
const ROLES: [&str; 8] = ["role", "purpose", "function", "usage", "tier", "mode", "harole", "state"];
/// Keys of tags that say for whom it runs.
const ENVIRONMENTS: [&str; 5] = ["env", "environment", "stage", "deploymentenvironment", "applicationenvironment"];
const PRODUCTION: [&str; 4] = ["prod", "production", "prd", "live"];
const NON_PRODUCTION: [&str; 14] = [
    "dev",
    "develop",
    "development",
    "test",
    "testing",
    "qa",
    "staging",
    "stage",
    "sandbox",
    "uat",
    "demo",
    "preview",
    "nonprod",
    "preprod",
];

/// Letters and digits that the longest of these words has at most.
const PLAIN_MAX: usize = 24;

/// Its owner says that it must stay, or that it waits for the failure of something else.
pub(super) fn is_kept(resource: &Resource) -> bool {
    is_named(resource, &RESERVE)
        || resource.tags.iter().any(|(key, value)| {
            let is_said = is_one_of(key, &KEPT) || is_one_of(key, &RESERVE);
            is_said && !is_one_of(value, &["false", "no", "0"])
                || is_one_of(key, &ROLES) && (has_word(value, &RESERVE) || has_word(value, &["backup"]))
        })
}

/// A tag or its name says that it serves customers.
pub(super) fn is_production(resource: &Resource) -> bool {
    let is_named_so = |name: &str| {
        let mut before = "";
        words(name).any(|word| {
            let negated = ["non", "pre", "not"].iter().any(|no| no.eq_ignore_ascii_case(before));
            before = word;
            !negated && PRODUCTION.iter().any(|of| of.eq_ignore_ascii_case(word))
        })
    };
    environment(&resource.tags).any(|value| {
        is_one_of(value, &PRODUCTION) || value.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("prod"))
    }) || names(resource).any(is_named_so)
}

/// A tag says that it serves nobody but those who build it.
pub(super) fn is_non_production(resource: &Resource) -> bool {
    environment(&resource.tags).any(|value| is_one_of(value, &NON_PRODUCTION) || has_word(value, &NON_PRODUCTION))
}

/// Its name has one of these words.
pub(super) fn is_named(resource: &Resource, wanted: &[&str]) -> bool {
    names(resource).any(|name| has_word(name, wanted))
}

fn names(resource: &Resource) -> impl Iterator<Item = &str> {
    std::iter::once(resource.name.as_str()).chain(resource.tags.get("Name").map(String::as_str))
}

fn environment(tags: &Tags) -> impl Iterator<Item = &str> {
    tags.iter().filter(|(key, _)| is_one_of(key, &ENVIRONMENTS)).map(|(_, value)| value.as_str())
}

fn has_word(text: &str, wanted: &[&str]) -> bool {
    words(text).any(|word| wanted.iter().any(|of| of.eq_ignore_ascii_case(word)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}

/// It is one of these, whatever its case and punctuation: `Do-Not-Delete` and `DoNotDelete` are one.
fn is_one_of(text: &str, wanted: &[&str]) -> bool {
    let mut plain = [0_u8; PLAIN_MAX];
    let mut length = 0;
    for letter in text.bytes().filter(u8::is_ascii_alphanumeric) {
        let Some(slot) = plain.get_mut(length) else { return false };
        *slot = letter.to_ascii_lowercase();
        length += 1;
    }
    wanted.iter().any(|of| plain.get(..length) == Some(of.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ResourceId;
    use crate::resource::Live;

    fn resource(name: &str, tags: &[(&str, &str)]) -> Resource {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Resource { id: ResourceId::from(name), name: name.to_owned(), tags, live: Live::Queue }
    }

    #[test]
    fn what_is_kept_or_held_in_reserve_is_known_by_tags_and_names() {
        for tag in [
            ("role", "standby"),
            ("Role", "warm-standby"),
            ("Purpose", "disaster recovery"),
            ("purpose", "backup"),
            ("DoNotDelete", "true"),
            ("do-not-delete", ""),
            ("keep", "until audit"),
            ("standby", "yes"),
            ("Name", "orders-failover"),
        ] {
            assert!(is_kept(&resource("i-1", &[tag])), "{tag:?}");
        }
        assert!(is_kept(&resource("web-dr", &[])));
        for tag in [("role", "web"), ("keep", "false"), ("standby", "no"), ("Name", "drive"), ("note", "standby")] {
            assert!(!is_kept(&resource("i-1", &[tag])), "{tag:?}");
        }
    }

    #[test]
    fn production_is_told_from_the_rest() {
        for tag in [("env", "prod"), ("Environment", "Production-EU"), ("stage", "live"), ("Name", "shop-prod-web")] {
            assert!(is_production(&resource("i-1", &[tag])), "{tag:?}");
        }
        for tag in [("env", "dev"), ("env", "non-prod"), ("environment", "preprod"), ("Name", "shop-non-prod-web")] {
            assert!(!is_production(&resource("i-1", &[tag])), "{tag:?}");
        }
        for (value, is) in [("dev", true), ("team-a-staging", true), ("Non-Prod", true), ("prod", false), ("", false)] {
            assert_eq!(is_non_production(&resource("i-1", &[("env", value)])), is, "{value}");
        }
    }
}
