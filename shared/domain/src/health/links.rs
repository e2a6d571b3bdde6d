//! Which resource does another one's work: the fleet behind a target group, the consumer of a queue.
//!
//! Reads the live state and tags. Where it can't be told, it says so; it never guesses between several.

use crate::resource::{Live, Resource, ResourceKind};
use crate::snapshot::Snapshot;

/// Tag of a queue that names the service or fleet which works it off.
pub const CONSUMER_TAG: &str = "maintainer:consumer";

/// The target groups and APIs that a fleet or service answers for. A fleet names its target groups; a fleet or service
/// that is the only one of the application answers for all.
pub fn fronts<'a>(snapshot: &'a Snapshot, server: &Resource) -> Vec<&'a Resource> {
    let doors =
        || snapshot.resources.iter().filter(|r| matches!(r.kind(), ResourceKind::TargetGroup | ResourceKind::Api));
    if let Live::AutoScalingGroup(fleet) = &server.live
        && !fleet.target_groups.is_empty()
    {
        return doors().filter(|door| fleet.target_groups.contains(&door.id)).collect();
    }
    let others = servers(snapshot).filter(|other| other.id != server.id).count();
    if others == 0 { doors().collect() } else { Vec::new() }
}

/// The fleets and services that answer for a target group or API.
pub fn servers_of<'a>(snapshot: &'a Snapshot, door: &Resource) -> Vec<&'a Resource> {
    servers(snapshot).filter(|server| fronts(snapshot, server).iter().any(|front| front.id == door.id)).collect()
}

/// The service or fleet that works a queue off: the one that the queue's tag names, or the only service, or the only
/// fleet without a target group.
///
/// # Errors
/// One sentence when it can't be told.
pub fn consumer_of<'a>(snapshot: &'a Snapshot, queue: &Resource) -> Result<&'a Resource, String> {
    if let Some(name) = queue.tags.get(CONSUMER_TAG) {
        let named = servers(snapshot).find(|server| server.name == *name || server.id.as_str() == name);
        return named.ok_or_else(|| {
            format!("the tag {CONSUMER_TAG} names {name}, which is no service or fleet of this application")
        });
    }
    let services: Vec<&Resource> = snapshot.of_kind(ResourceKind::EcsService).collect();
    let workers: Vec<&Resource> = snapshot
        .of_kind(ResourceKind::AutoScalingGroup)
        .filter(|fleet| matches!(&fleet.live, Live::AutoScalingGroup(live) if live.target_groups.is_empty()))
        .collect();
    match (services.as_slice(), workers.as_slice()) {
        ([only], _) | ([], [only]) => Ok(*only),
        ([], []) => Err("the application has no service or fleet that could work it off".to_owned()),
        _ => Err(format!(
            "{} services and fleets could work it off: tag the queue with {CONSUMER_TAG} and the name of the right one",
            services.len() + workers.len()
        )),
    }
}

fn servers(snapshot: &Snapshot) -> impl Iterator<Item = &Resource> {
    snapshot.resources.iter().filter(|r| matches!(r.kind(), ResourceKind::AutoScalingGroup | ResourceKind::EcsService))
}
