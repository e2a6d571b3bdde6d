//! What both rules about caches need: all clusters of a replication group together, since they have one type of nodes
//! and are deleted as one.

use super::View;
use crate::cost::estate::Item;
use crate::cost::terms::{CacheTerms, Terms};
use crate::resource::{Cache, Live, ResourceKind};
use std::collections::HashMap;

/// A replication group, or a cluster of its own.
pub(super) struct Group<'a> {
    /// The first of its clusters by name, which stands for all.
    pub(super) first: &'a Item,
    /// Its live state and terms.
    pub(super) cache: &'a Cache,
    pub(super) terms: &'a CacheTerms,
    /// All of its clusters, the first among them.
    pub(super) clusters: Vec<&'a Item>,
}

impl Group<'_> {
    /// The name by which it is changed.
    pub(super) fn name(&self) -> &str {
        self.terms.group.as_deref().unwrap_or(&self.first.resource.name)
    }

    /// Nodes of all of its clusters.
    pub(super) fn nodes(&self) -> u32 {
        let of = |item: &&Item| match &item.terms {
            Some(Terms::Cache(terms)) => terms.nodes,
            _ => 0,
        };
        self.clusters.iter().map(of).sum()
    }
}

/// Groups all clusters of which may go or shrink, are known, and are steady. One that is part of a global group waits for
/// the failure of a Region, or others wait for its.
pub(super) fn groups<'a>(view: &View<'a>) -> Vec<Group<'a>> {
    let known: HashMap<&str, &'a Item> =
        view.expendable(ResourceKind::Cache).map(|item| (item.resource.name.as_str(), item)).collect();
    view.expendable(ResourceKind::Cache).filter_map(|item| group(item, &known)).collect()
}

fn group<'a>(first: &'a Item, known: &HashMap<&str, &'a Item>) -> Option<Group<'a>> {
    let (Live::Cache(cache), Some(Terms::Cache(terms))) = (&first.resource.live, &first.terms) else { return None };
    if terms.peers.iter().any(|peer| *peer < first.resource.name) {
        return None;
    }
    let peers: Option<Vec<&Item>> = terms.peers.iter().map(|peer| known.get(peer.as_str()).copied()).collect();
    let clusters: Vec<&Item> = std::iter::once(first).chain(peers?).collect();
    let is_open = |item: &&Item| match &item.terms {
        Some(Terms::Cache(terms)) => terms.is_available && !terms.is_global,
        _ => false,
    };
    clusters.iter().all(is_open).then_some(Group { first, cache, terms, clusters })
}
