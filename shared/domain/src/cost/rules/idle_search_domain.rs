//! Domains of OpenSearch and Elasticsearch that nobody searches and into which nothing is written.
//!
//! Both rates are published each minute while a domain runs, so histories of zeros are proof. Work that the domain does for
//! itself (Dashboards, management of indexes) is among them: then no claim is made. There is no stop, so advice only.

use super::View;
use super::whole::whole;
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, ResourceKind, SearchDomain};
use crate::text::shell_word;

/// Stable name.
pub(super) const NAME: &str = "idle_search_domain";

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::SearchDomain).filter_map(|item| {
        let Live::SearchDomain(domain) = &item.resource.live else { return None };
        if !domain.is_steady {
            return None;
        }
        let days = idle_days(view, item, Quantity::Searches)?.min(idle_days(view, item, Quantity::Indexings)?);
        let name = item.resource.name.clone();
        let nodes: Vec<String> = domain.nodes.iter().map(|of| format!("{} {}", of.count, of.node_type)).collect();
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "nobody has searched {name} ({}) or written to it in the last {days} days; {} run for it",
                domain.engine,
                nodes.join(", ")
            ),
            evidence: vec![
                Evidence::against("searches_max", 0.0, 0.0, "the largest hour"),
                Evidence::against("index_operations_max", 0.0, 0.0, "the largest hour"),
                Evidence::level("history_days", f64::from(days), "days that are known"),
            ],
            saving: saving(view, domain),
            risk: Risk::High,
            effort: Effort::Hours,
            confidence: 0.85,
            remedy: Remedy::Advice { what: advice(&name, domain) },
            way_back:
                "none at once, since a domain can't be stopped: a new one of the same or a later version, into which \
                       the manual snapshot is restored; its endpoint is another one"
                    .to_owned(),
            name,
        })
    });
    found.collect()
}

/// Days for which it is known that there was none.
fn idle_days(view: &View<'_>, item: &Item, quantity: Quantity) -> Option<u32> {
    let Observed::Known(history) = whole(view, item, quantity) else { return None };
    (history.max <= 0.0).then_some(history.known_h / 24)
}

/// The hours of its nodes, and of their volumes at most all: a snapshot in S3 costs less than they do, and how much they
/// hold is not known.
fn saving(view: &View<'_>, domain: &SearchDomain) -> Observed<Saving> {
    let mut low = UsdMicros::default();
    for nodes in &domain.nodes {
        match view.prices.month(&Sold::SearchHour(nodes.node_type.clone()), f64::from(nodes.count)) {
            Observed::Known(month) => low = low + month,
            Observed::Missing(why) => return Observed::Missing(why),
        }
    }
    let storage = domain.storage.as_ref().filter(|storage| storage.is_priced());
    let Some(storage) = storage else { return Observed::Known(Saving::exactly(low)) };
    let volumes = view.prices.month(&Sold::SearchGib(storage.volume_type.clone()), f64::from(storage.size_gib));
    volumes.map(|volumes| Saving { low, likely: low + volumes.times(0.5), high: low + volumes })
}

fn advice(name: &str, domain: &SearchDomain) -> String {
    let name = shell_word(name);
    let warm = match domain.has_warm {
        true => "Move what is in warm or cold storage to the other nodes first: it is in no snapshot of these.\n",
        false => "",
    };
    format!(
        "A domain can't be stopped, and its automatic snapshots go with it. Ask who knows its endpoint:\n\
         aws opensearch describe-domain --domain-name {name} --query 'DomainStatus.[Endpoint,Endpoints,AccessPolicies]'\n\
         {warm}Keep a manual snapshot in a bucket of yours (BUCKET; ROLE is what OpenSearch may write to it with, ENDPOINT is from \
         above), and wait until it says SUCCESS:\n\
         awscurl --service es -X PUT https://ENDPOINT/_snapshot/last -H 'Content-Type: application/json' \
         -d '{{\"type\":\"s3\",\"settings\":{{\"bucket\":\"BUCKET\",\"role_arn\":\"ROLE\"}}}}'\n\
         awscurl --service es -X PUT https://ENDPOINT/_snapshot/last/all\n\
         awscurl --service es https://ENDPOINT/_snapshot/last/all\n\
         Then delete it:\naws opensearch delete-domain --domain-name {name}"
    )
}
