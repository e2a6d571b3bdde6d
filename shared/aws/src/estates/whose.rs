//! Whose resources a survey takes: as filters for EC2, and as a check of what came back.

use crate::arn;
use crate::inventory::tagged;
use aws_sdk_ec2::types::Filter;
use config::Selector;
use domain::cost::estate::Item;
use domain::resource::{APP_TAG, Resource, ResourceKind};
use engine::ports::{PortResult, Scope};

/// Values that one filter of EC2 takes.
pub(super) const VALUES_PER_FILTER: usize = 200;

/// Whose.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose<'a> {
    /// What an application selects.
    App(&'a Selector),
    /// What no application's tag is on.
    Rest,
}

impl<'a> Whose<'a> {
    pub(super) fn of(scope: &'a Scope) -> Self {
        match scope {
            Scope::App(selector) => Self::App(selector),
            Scope::Rest => Self::Rest,
        }
    }

    /// Names of the resources of this kind that are listed.
    pub(super) fn listed(&self, kind: ResourceKind) -> Vec<String> {
        let Self::App(selector) = self else { return Vec::new() };
        let named = selector.resources.iter().filter_map(|id| arn::named(id.as_str()));
        named.filter(|named| named.kind == kind).map(|named| named.name).collect()
    }

    /// The queries that find all of them: each is the filters of one, none of which may be given up.
    fn queries(&self, kind: ResourceKind, by_name: &str) -> Vec<Vec<Filter>> {
        let Self::App(selector) = self else { return vec![Vec::new()] };
        let tagged = (!selector.tags.is_empty()).then(|| selector.tags.iter().map(of_tag).collect());
        let listed = self.listed(kind);
        let listed = listed.chunks(VALUES_PER_FILTER).map(|names| vec![filter(by_name, names)]);
        tagged.into_iter().chain(listed).collect()
    }

    /// All that `list` finds by these queries.
    pub(super) async fn find<T, F>(
        &self,
        kind: ResourceKind,
        by_name: &str,
        list: impl Fn(Vec<Filter>) -> F,
    ) -> PortResult<Vec<T>>
    where
        F: Future<Output = PortResult<Vec<T>>>,
    {
        let mut found = Vec::new();
        for filters in self.queries(kind, by_name) {
            found.extend(list(filters).await?);
        }
        Ok(found)
    }

    /// What is meant of what came back, each once: there is no filter for the absence of a tag, and a service that does
    /// not know a filter would give everything.
    pub(super) fn only(&self, mut items: Vec<Item>) -> Vec<Item> {
        items.retain(|item| self.is_meant(&item.resource));
        items.sort_unstable_by(|a, b| a.resource.id.cmp(&b.resource.id));
        items.dedup_by(|a, b| a.resource.id == b.resource.id);
        items
    }

    fn is_meant(&self, resource: &Resource) -> bool {
        match self {
            Self::Rest => !resource.tags.contains_key(APP_TAG),
            Self::App(selector) => {
                (!selector.tags.is_empty() && tagged::carries(&resource.tags, &selector.tags))
                    || self.listed(resource.kind()).contains(&resource.name)
            }
        }
    }
}

fn of_tag((key, value): (&String, &String)) -> Filter {
    if value == "*" {
        return filter("tag-key", std::slice::from_ref(key));
    }
    filter(&format!("tag:{key}"), &[literal(value)])
}

/// A value as EC2 takes it for itself: `*` and `?` stand for others unless a backslash is before them.
pub(super) fn literal(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for letter in value.chars() {
        if matches!(letter, '*' | '?' | '\\') {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

/// A filter of EC2.
pub(super) fn filter(name: &str, values: &[String]) -> Filter {
    Filter::builder().name(name).set_values(Some(values.to_vec())).build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::ResourceId;
    use domain::resource::{Live, LogGroup};
    use std::collections::BTreeMap;

    fn item(id: &str, tags: &[(&str, &str)]) -> Item {
        let named = arn::named(id).unwrap();
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let live = Live::LogGroup(LogGroup { retention_days: None, stored_bytes: 0 });
        let resource = Resource { id: ResourceId::from(id), name: named.name, tags, live };
        Item { resource, created_at: None, unused_since: None, managed_by: None, terms: None }
    }

    fn names(whose: Whose<'_>, items: &[Item]) -> Vec<String> {
        whose.only(items.to_vec()).into_iter().map(|item| item.resource.name).collect()
    }

    #[test]
    fn an_application_has_what_is_tagged_or_listed_and_the_rest_what_no_application_is_named_on() {
        let group = |name: &str| format!("arn:aws:logs:us-east-1:1:log-group:{name}");
        let items = [
            item(&group("a"), &[(APP_TAG, "shop")]),
            item(&group("b"), &[(APP_TAG, "other")]),
            item(&group("c"), &[("team", "x")]),
            item(&group("c"), &[("team", "x")]),
            item(&group("d"), &[]),
        ];
        let tags = BTreeMap::from([(APP_TAG.to_owned(), "shop".to_owned())]);
        let tagged = Selector { tags: tags.clone(), resources: Vec::new() };
        assert_eq!(names(Whose::App(&tagged), &items), ["a"]);
        let both = Selector { tags, resources: vec![ResourceId::from("log_group/d")] };
        assert_eq!(names(Whose::App(&both), &items), ["a", "d"]);
        let any = Selector { tags: BTreeMap::from([(APP_TAG.to_owned(), "*".to_owned())]), resources: Vec::new() };
        assert_eq!(names(Whose::App(&any), &items), ["a", "b"]);
        assert_eq!(names(Whose::App(&Selector::default()), &items), Vec::<String>::new(), "nothing is not everything");
        assert_eq!(names(Whose::Rest, &items), ["c", "d"]);
    }

    #[test]
    fn what_selects_nothing_asks_for_nothing() {
        assert!(Whose::App(&Selector::default()).queries(ResourceKind::Volume, "volume-id").is_empty());
        assert_eq!(Whose::Rest.queries(ResourceKind::Volume, "volume-id"), [Vec::new()]);
    }

    #[test]
    fn a_value_of_a_tag_is_taken_for_itself() {
        assert_eq!(literal("a*b?c\\d"), "a\\*b\\?c\\\\d");
        let selector = Selector {
            tags: BTreeMap::from([("app".to_owned(), "a*".to_owned())]),
            resources: vec![ResourceId::from("volume/vol-1")],
        };
        let queries = Whose::App(&selector).queries(ResourceKind::Volume, "volume-id");
        assert_eq!(
            queries,
            [vec![filter("tag:app", &["a\\*".to_owned()])], vec![filter("volume-id", &["vol-1".to_owned()])],]
        );
    }
}
