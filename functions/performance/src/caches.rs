//! What is told about caches, and what could not be seen of them. The rules are `domain`'s.

use crate::profile::CacheEnds;
use config::ResolvedApp;
use domain::finding::Finding;
use domain::observed::Observed;
use domain::performance::cache::{Ends, Seen, find};

/// What was found in caches, and what could not be seen.
#[derive(Default)]
pub(crate) struct InCaches {
    pub(crate) findings: Vec<Finding>,
    pub(crate) unmeasured: Vec<String>,
}

/// Looks at all caches of a window.
pub(crate) fn look(all: &CacheEnds, app: &ResolvedApp) -> InCaches {
    let mut found = InCaches::default();
    for (name, ends) in all {
        let instance = app.caches.get(name).and_then(|cache| cache.instance.as_deref());
        found.findings.extend(find(&Seen { cache: name, ends, instance }, &app.performance));
        unseen(name, ends, &mut found.unmeasured);
    }
    found
}

/// Says what of a cache could not be seen.
fn unseen(name: &str, ends: &Ends, unmeasured: &mut Vec<String>) {
    let closed = match &ends.closed {
        Observed::Known(closed) => closed,
        Observed::Missing(why) => {
            unmeasured.push(format!("the cache {name} ({why})"));
            return;
        }
    };
    unmeasured.extend(closed.missing().into_iter().map(|(what, why)| format!("{what} of {name} ({why})")));
    unmeasured.extend(closed.beyond().into_iter().map(|what| format!("of {name}: {what}")));
    match &ends.opened {
        Observed::Missing(why) => unmeasured.push(format!("what the cache {name} did in the window ({why})")),
        Observed::Known(_) if ends.did().is_none() => {
            let why = "it was restarted, is another node now, or its counters were reset";
            unmeasured.push(format!("what the cache {name} did in the window ({why})"));
        }
        Observed::Known(_) => {}
    }
}
