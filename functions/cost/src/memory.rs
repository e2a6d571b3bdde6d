//! Since when each resource has been seen unused: AWS does not say, so the maintainer remembers.

use domain::cost::Estate;
use domain::ids::ResourceId;
use domain::resource::Live;
use engine::documents;
use engine::ports::Artifacts;
use engine::run::Run;
use engine::step::StepError;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Notes what is unused now, forgets what is used again or gone, and fills in since when.
///
/// A kind that could not be read keeps what was remembered of it: not seen is not used.
pub(crate) async fn remember(run: &Run, estate: &mut Estate, artifacts: &dyn Artifacts) -> Result<(), StepError> {
    let key = format!("memory/{}/unused.json", run.app);
    let known: BTreeMap<ResourceId, Timestamp> = documents::get(artifacts, &key).await?.unwrap_or_default();
    let mut next: BTreeMap<ResourceId, Timestamp> =
        if estate.unread.is_empty() { BTreeMap::new() } else { known.clone() };
    for item in &mut estate.items {
        let id = &item.resource.id;
        if is_unused(&item.resource.live) {
            let since = known.get(id).copied().unwrap_or(estate.taken_at).min(estate.taken_at);
            item.unused_since = Some(since);
            next.insert(id.clone(), since);
        } else {
            next.remove(id);
        }
    }
    if next != known {
        documents::put(artifacts, &key, &next).await?;
    }
    Ok(())
}

/// Whether nothing uses it at this moment, by its live state.
fn is_unused(live: &Live) -> bool {
    match live {
        Live::Volume(volume) => volume.attached_to.is_empty(),
        Live::Address(address) => address.associated_with.is_none(),
        Live::DiskSnapshot(snapshot) => !snapshot.volume_exists && snapshot.images.is_empty(),
        Live::Machine(machine) => !machine.is_running,
        Live::NatGateway(gateway) => !gateway.has_routes,
        _ => false,
    }
}
