//! Domains of OpenSearch and Elasticsearch.

use super::read::number;
use super::whose::Whose;
use super::{Account, by_arn, item};
use crate::errors::port_error;
use crate::inventory::{Tags, gathered};
use aws_sdk_opensearch::Client;
use aws_sdk_opensearch::types::{ClusterConfig, DomainProcessingStatusType, DomainStatus, EbsOptions};
use aws_sdk_resourcegroupstagging::Client as Tagging;
use domain::cost::estate::Item;
use domain::ids::ResourceId;
use domain::resource::{Live, Resource, ResourceKind, SearchDomain, SearchNodes, SearchStorage};
use engine::ports::{PortError, PortResult};
use std::collections::BTreeMap;

const TYPES: &[&str] = &["es:domain"];
const KIND: ResourceKind = ResourceKind::SearchDomain;
/// Domains that one call describes.
const DOMAINS_PER_CALL: usize = 5;

pub(super) async fn survey(
    client: &Client,
    tagging: &Tagging,
    whose: Whose<'_>,
    account: &Account,
) -> PortResult<Vec<Item>> {
    let names = names(client).await?;
    let arns: Vec<String> = names.iter().map(|name| account.search_domain(name)).collect();
    let listed = by_arn::listed(whose, KIND, &arns);
    let tags = by_arn::tags(tagging, whose, TYPES, &listed).await?;
    // A call describes few of them, so only those are described that are meant.
    let wanted: Vec<String> = match whose {
        Whose::Rest => names,
        Whose::App(_) => names
            .into_iter()
            .zip(&arns)
            .filter(|(_, arn)| listed.contains(arn) || tags.contains_key(*arn))
            .map(|(name, _)| name)
            .collect(),
    };
    let calls = wanted.chunks(DOMAINS_PER_CALL).map(|some| describe(client, some)).collect();
    let domains = gathered(calls).await.into_iter().collect::<PortResult<Vec<_>>>()?.concat();
    let domains = domains.iter().filter(|domain| !domain.deleted().unwrap_or(false));
    Ok(whose.only(domains.map(|domain| found(domain, &tags, account)).collect()))
}

async fn names(client: &Client) -> PortResult<Vec<String>> {
    let output = client.list_domain_names().send().await;
    let output = output.map_err(|error| port_error("es:ListDomainNames", "", &error))?;
    Ok(output.domain_names.unwrap_or_default().into_iter().filter_map(|domain| domain.domain_name).collect())
}

/// These domains; what is gone is left out.
async fn describe(client: &Client, names: &[String]) -> PortResult<Vec<DomainStatus>> {
    let output = client.describe_domains().set_domain_names(Some(names.to_vec())).send().await;
    match output.map_err(|error| port_error("es:DescribeDomains", "", &error)) {
        Ok(output) => Ok(output.domain_status_list),
        Err(PortError::Gone { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn found(domain: &DomainStatus, tags: &BTreeMap<String, Tags>, account: &Account) -> Item {
    let config = domain.cluster_config();
    let is_active = domain.domain_processing_status().is_none_or(|of| *of == DomainProcessingStatusType::Active);
    let is_changing = domain.processing().unwrap_or(false) || domain.upgrade_processing().unwrap_or(false);
    let live = SearchDomain {
        client: account.number.clone(),
        engine: domain.engine_version().unwrap_or_default().to_owned(),
        nodes: config.map(nodes).unwrap_or_default(),
        storage: storage(config, domain.ebs_options()),
        is_steady: domain.created().unwrap_or(false) && is_active && !is_changing,
        has_warm: config.is_some_and(|config| config.warm_enabled().unwrap_or(false)),
    };
    let (arn, name) = (domain.arn(), domain.domain_name());
    let tags = tags.get(arn).cloned().unwrap_or_default();
    let (id, name) = (ResourceId::new(arn), name.to_owned());
    item(Resource { id, name, tags, live: Live::SearchDomain(live) }, None)
}

/// Those with data, and what stands beside them where that is on.
fn nodes(config: &ClusterConfig) -> Vec<SearchNodes> {
    let of = |node_type: Option<&str>, count: Option<i32>| {
        Some(SearchNodes { node_type: node_type?.to_owned(), count: number(count)? })
    };
    let data = of(config.instance_type().map(|of| of.as_str()), Some(data_nodes(config)));
    let masters = of(config.dedicated_master_type().map(|of| of.as_str()), config.dedicated_master_count());
    let warm = of(config.warm_type().map(|of| of.as_str()), config.warm_count());
    let more = config.node_options().iter().filter_map(|option| option.node_config());
    let more = more
        .filter(|of| of.enabled().unwrap_or(false))
        .filter_map(|node| of(node.r#type().map(|of| of.as_str()), node.count()));
    let masters = masters.filter(|_| config.dedicated_master_enabled().unwrap_or(false));
    let warm = warm.filter(|_| config.warm_enabled().unwrap_or(false));
    data.into_iter().chain(masters).chain(warm).chain(more).collect()
}

/// One where nobody has said how many.
fn data_nodes(config: &ClusterConfig) -> i32 {
    config.instance_count().unwrap_or(1)
}

/// Each node with data has a volume of this size.
fn storage(config: Option<&ClusterConfig>, volumes: Option<&EbsOptions>) -> Option<SearchStorage> {
    let volumes = volumes.filter(|volumes| volumes.ebs_enabled().unwrap_or(false))?;
    let size_gib = number(volumes.volume_size())?.saturating_mul(number(Some(data_nodes(config?)))?);
    Some(SearchStorage { volume_type: volumes.volume_type()?.as_str().to_owned(), size_gib })
}
