//! An application that is switched off on purpose: everything that serves is wanted at size 0, and nobody complains.
//!
//! It is neither well nor sick, so it is not judged, and nobody is woken for it. An alarm that stands says that somebody
//! misses it; then it is looked at like any other. So it is where anything could not be found, or where functions and APIs
//! serve without a size.

use super::score::alarm_stands;
use crate::resource::Live;
use crate::snapshot::Snapshot;

/// Why there is nothing to judge, with the names of what is off; `None` for an application that is to be judged.
pub fn switched_off(snapshot: &Snapshot) -> Option<String> {
    if !snapshot.undiscovered.is_empty() || snapshot.alarms.is_missing() || alarm_stands(snapshot) {
        return None;
    }
    let mut off = Vec::new();
    for resource in &snapshot.resources {
        match &resource.live {
            Live::AutoScalingGroup(fleet) if fleet.desired == 0 => off.push(resource.name.as_str()),
            Live::EcsService(service) if service.desired == 0 && service.running == 0 => {
                off.push(resource.name.as_str());
            }
            Live::AutoScalingGroup(_) | Live::EcsService(_) | Live::Function | Live::Api { .. } => return None,
            _ => {}
        }
    }
    (!off.is_empty())
        .then(|| format!("switched off: {} wanted at size 0, and no alarm stands; nothing was judged", in_words(&off)))
}

fn in_words(names: &[&str]) -> String {
    match names {
        [one] => format!("{one} is"),
        names => format!("{} are", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::fixture::Shop;
    use crate::observed::{Missing, Observed};
    use crate::resource::ResourceKind;

    fn says(change: impl FnOnce(Shop) -> Shop) -> Option<String> {
        let mut shop = Shop::new();
        shop.snapshot.resources.retain(|resource| resource.kind() != ResourceKind::Function);
        switched_off(&change(resized(shop, 0)).snapshot)
    }

    fn resized(mut shop: Shop, size: u32) -> Shop {
        for resource in &mut shop.snapshot.resources {
            match &mut resource.live {
                Live::AutoScalingGroup(fleet) => fleet.desired = size,
                Live::EcsService(service) => (service.desired, service.running) = (size, size),
                _ => {}
            }
        }
        shop
    }

    #[test]
    fn what_is_wanted_at_size_0_and_missed_by_nobody_is_not_judged() {
        let why = says(|shop| shop).unwrap();
        assert!(why.starts_with("switched off: shop-web, shop-worker are wanted at size 0"), "{why}");
    }

    #[test]
    fn what_somebody_misses_or_what_may_serve_is_judged() {
        assert_eq!(says(|shop| resized(shop, 1)), None);
        assert_eq!(says(|_| resized(Shop::new(), 0)), None, "a function has no size");
        assert_eq!(says(|shop| shop.alarm("shop-down")), None, "an alarm stands");
        let with = |change: &dyn Fn(&mut Snapshot)| {
            says(|mut shop| {
                change(&mut shop.snapshot);
                shop
            })
        };
        assert_eq!(with(&|snapshot: &mut Snapshot| snapshot.alarms = Observed::Missing(Missing::Throttled)), None);
        let unread = (ResourceKind::EcsService, Missing::Throttled);
        assert_eq!(
            with(&|snapshot: &mut Snapshot| snapshot.undiscovered.push(unread.clone())),
            None,
            "a service may serve"
        );
        assert_eq!(with(&|snapshot: &mut Snapshot| snapshot.resources.clear()), None, "there is nothing at all");
    }
}
