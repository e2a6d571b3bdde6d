//! The pages of the application: looked at when a window ends, told when bottlenecks are identified. They are read and never changed.

use config::ResolvedApp;
use domain::finding::Finding;
use domain::observed::{Missing, Observed};
use domain::performance::Policy;
use domain::performance::pages::{PageLook, find};
use engine::ports::{Clock, Pages};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Seconds after which no further page is looked at: the step has five minutes for everything.
const LOOKING_S_MAX: f64 = 150.0;

/// A page that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// Its address without its query, whose values may be secrets.
    pub page: String,
    /// What was seen.
    pub look: Observed<PageLook>,
}

/// All pages in the order of the configuration, `pages`.
pub type Looks = Vec<Looked>;

/// Looks at every page. Nothing else depends on it: one that can't be had is missing with its reason.
/// The time counts from when the step began, which has databases and caches to look at before.
pub(crate) async fn looks(app: &ResolvedApp, pages: &dyn Pages, clock: &dyn Clock, begun: SignedDuration) -> Looks {
    let mut looked = Looks::new();
    for url in &app.pages {
        let page = url.split(['?', '#']).next().unwrap_or_default().to_owned();
        let is_late = (clock.steady() - begun).as_secs_f64() > LOOKING_S_MAX;
        let look = if is_late {
            Observed::Missing(Missing::Failed("the pages before it took all the time there is".to_owned()))
        } else {
            match pages.fetch(url).await {
                Ok(look) => Observed::Known(look),
                Err(error) => {
                    tracing::warn!(page, "{error}");
                    Observed::Missing(error.missing())
                }
            }
        };
        looked.push(Looked { page, look });
    }
    looked
}

/// What is wrong with the pages, and what of them could not be seen.
pub(crate) fn found(looks: &Looks, policy: &Policy) -> (Vec<Finding>, Vec<String>) {
    let (mut findings, mut unmeasured) = (Vec::new(), Vec::new());
    for Looked { page, look } in looks {
        match look {
            Observed::Known(look) => {
                findings.extend(find(look, policy));
                unseen(page, look, &mut unmeasured);
            }
            Observed::Missing(why) => unmeasured.push(format!("the page {page} ({why})")),
        }
    }
    (findings, unmeasured)
}

fn unseen(page: &str, look: &PageLook, unmeasured: &mut Vec<String>) {
    let missing: Vec<(&str, &Missing)> = look
        .resources
        .iter()
        .filter_map(|file| match &file.answer {
            // These are counted where a limit was reached.
            Observed::Known(_) | Observed::Missing(Missing::Partial) => None,
            Observed::Missing(why) => Some((file.url.as_str(), why)),
        })
        .collect();
    if let Some((first, why)) = missing.first() {
        unmeasured.push(format!("{} file(s) of {page}, first {first} ({why})", missing.len()));
    }
    if look.left_out > 0.0 {
        unmeasured
            .push(format!("{} more file(s) of {page}: a limit of number, size or time was reached", look.left_out));
    }
    if look.is_cut {
        unmeasured.push(format!("the end of the HTML or of a style sheet of {page}: it is longer than is read"));
    }
}
