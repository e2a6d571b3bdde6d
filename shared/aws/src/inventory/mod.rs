//! Finds the resources of an application, by tag or by list, with their live state. Reads only.
//!
//! One file per kind. A kind whose discovery failed is named with its reason: it is never an empty list.

pub mod apis;
pub mod caches;
pub mod databases;
pub mod fleets;
pub mod load_balancers;
pub mod memory;
pub(crate) mod scaling;
pub(crate) mod schedules;
pub mod services;
pub mod tagged;
pub mod target_groups;
mod tasks;

use crate::arn;
use crate::chances::{self, Chances};
use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use config::Selector;
use domain::ids::{AppId, ResourceId};
use domain::observed::Missing;
use domain::resource::{APP_TAG, Live, Resource, ResourceKind};
use engine::ports::{Discovery, Inventory as Port, PortError, PortResult};
use futures::StreamExt;
use std::collections::{BTreeMap, BTreeSet};

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "application-autoscaling:DescribeScalableTargets",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:DescribeTags",
    "cloudwatch:ListTagsForResource",
    "ecs:DescribeServices",
    "ecs:DescribeTasks",
    "ecs:ListTasks",
    "elasticache:DescribeCacheClusters",
    "elasticache:DescribeReplicationGroups",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "rds:DescribeDBInstances",
    "tag:GetResources",
    "tag:GetTagValues",
];

/// Calls for one kind that are under way at once.
const CALLS_AT_ONCE: usize = 8;
/// CloudFront is global; its tags are kept in this Region.
const GLOBAL_REGION: &str = "us-east-1";

pub(crate) use domain::resource::Tags;

/// A resource that was selected, before its state is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// ARN, or `kind/name` as listed.
    pub(crate) id: ResourceId,
    /// Name within its kind, see [`arn::Named`].
    pub(crate) name: String,
    /// Tags as far as the tagging API gave them.
    pub(crate) tags: Tags,
}

impl Candidate {
    /// True when its id is an ARN, not `kind/name`.
    pub(crate) fn is_arn(&self) -> bool {
        self.id.as_str().starts_with("arn:")
    }

    /// The resource with its state.
    pub(crate) fn with(&self, name: impl Into<String>, live: Live) -> Resource {
        Resource { id: self.id.clone(), name: name.into(), tags: self.tags.clone(), live }
    }
}

/// What reading one kind gave: resources, and the candidates that are not there or could not be read.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) resources: Vec<Resource>,
    pub(crate) missing: Vec<Missing>,
    /// Something failed that may be over in a moment.
    may_pass: bool,
}

impl Found {
    pub(crate) fn all(resources: Vec<Resource>) -> Self {
        Self { resources, ..Self::default() }
    }

    pub(crate) fn failed(error: &PortError) -> Self {
        Self { missing: vec![error.missing()], may_pass: chances::may_pass(error), ..Self::default() }
    }

    /// The candidates with an ARN; the others are named, for kinds that AWS finds by nothing else.
    pub(crate) fn by_arn_only(candidates: &[Candidate]) -> (Vec<Candidate>, Self) {
        let (by_arn, others): (Vec<&Candidate>, Vec<&Candidate>) =
            candidates.iter().partition(|candidate| candidate.is_arn());
        let missing = others.iter().map(|other| Missing::Failed(format!("{} must be listed by its ARN", other.id)));
        let found = Self { missing: missing.collect(), ..Self::default() };
        (by_arn.into_iter().cloned().collect(), found)
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        self.resources.extend(other.resources);
        self.missing.extend(other.missing);
        self.may_pass |= other.may_pass;
        self
    }
}

impl chances::Outcome for Found {
    fn may_pass(&self) -> bool {
        self.may_pass
    }
}

/// See [`engine::ports::Inventory`].
#[derive(Clone, Debug)]
pub struct Inventory {
    autoscaling: Lazy<aws_sdk_autoscaling::Client>,
    cloudwatch: Lazy<aws_sdk_cloudwatch::Client>,
    ecs: Lazy<aws_sdk_ecs::Client>,
    elasticache: Lazy<aws_sdk_elasticache::Client>,
    elb: Lazy<aws_sdk_elasticloadbalancingv2::Client>,
    rds: Lazy<aws_sdk_rds::Client>,
    scaling: Lazy<aws_sdk_applicationautoscaling::Client>,
    tagging: Lazy<aws_sdk_resourcegroupstagging::Client>,
    /// For CloudFront, when the own Region is another.
    tagging_global: Option<Lazy<aws_sdk_resourcegroupstagging::Client>>,
    chances: Chances,
}

impl Inventory {
    /// The inventory of the account and Region of these clients.
    pub fn new(clients: &Clients) -> Self {
        let elsewhere = clients.region().is_some_and(|region| region != GLOBAL_REGION);
        Self {
            autoscaling: clients.autoscaling(),
            cloudwatch: clients.cloudwatch(),
            ecs: clients.ecs(),
            elasticache: clients.elasticache(),
            elb: clients.elb(),
            rds: clients.rds(),
            scaling: clients.scaling(),
            tagging: clients.tagging(),
            tagging_global: elsewhere.then(|| clients.in_region(GLOBAL_REGION).tagging()),
            chances: clients.chances(),
        }
    }

    /// Candidates by tag and by list, each kind with the reason why it could not be looked for.
    async fn candidates(&self, selector: &Selector, found: &mut Candidates) {
        if !selector.tags.is_empty() {
            let elsewhere = self.tagging_global.as_ref().unwrap_or(&self.tagging);
            let (here, global) = futures::join!(
                self.chances.read(|| tagged::by_tags(&self.tagging, &selector.tags, tagged::TYPES)),
                self.chances.read(|| tagged::by_tags(elsewhere, &selector.tags, tagged::GLOBAL_TYPES)),
            );
            found.take_tagged(here, tagged::KINDS);
            found.take_tagged(global, &[ResourceKind::Distribution]);
        }
        let mut tags = BTreeMap::new();
        let arns: Vec<&str> =
            selector.resources.iter().map(ResourceId::as_str).filter(|id| id.starts_with("arn:")).collect();
        if !arns.is_empty() {
            match self.chances.read(|| tagged::by_arn(&self.tagging, &arns)).await {
                Ok(read) => tags = read,
                // Without its tags nobody knows whether a resource is protected, so it is not taken at all.
                Err(error) => {
                    for kind in
                        arns.iter().filter_map(|arn| arn::named(arn)).map(|named| named.kind).collect::<BTreeSet<_>>()
                    {
                        if tagged::KINDS.contains(&kind) || kind == ResourceKind::Distribution {
                            found.undiscovered.push((kind, error.missing()));
                        }
                    }
                    found.take_listed(selector.resources.iter().filter(|id| fleets::is_fleet(id)), &tags);
                    return;
                }
            }
        }
        found.take_listed(selector.resources.iter(), &tags);
    }
}

/// Candidates of all kinds.
#[derive(Debug, Default)]
struct Candidates {
    by_kind: BTreeMap<ResourceKind, Vec<Candidate>>,
    undiscovered: Vec<(ResourceKind, Missing)>,
}

impl Candidates {
    fn take_tagged(&mut self, read: PortResult<Vec<(String, Tags)>>, kinds: &[ResourceKind]) {
        match read {
            Ok(read) => {
                for (id, tags) in read {
                    if let Some(named) = arn::named(&id).filter(|named| kinds.contains(&named.kind)) {
                        self.add(named.kind, Candidate { id: ResourceId::new(id), name: named.name, tags });
                    }
                }
            }
            Err(error) => self.undiscovered.extend(kinds.iter().map(|kind| (*kind, error.missing()))),
        }
    }

    fn take_listed<'a>(&mut self, ids: impl Iterator<Item = &'a ResourceId>, tags: &BTreeMap<String, Tags>) {
        for id in ids {
            // What is no resource of a kind that is known, the configuration's own check has reported.
            let Some(named) = arn::named(id.as_str()) else { continue };
            let tags = tags.get(id.as_str()).cloned().unwrap_or_default();
            self.add(named.kind, Candidate { id: id.clone(), name: named.name, tags });
        }
    }

    fn add(&mut self, kind: ResourceKind, candidate: Candidate) {
        let of_kind = self.by_kind.entry(kind).or_default();
        // The same resource may be found by tag, under its ARN, and be listed by its name.
        let is_same = |present: &Candidate| {
            present.id == candidate.id || (present.name == candidate.name && !(present.is_arn() && candidate.is_arn()))
        };
        if !of_kind.iter().any(is_same) {
            of_kind.push(candidate);
        }
    }

    fn of(&self, kind: ResourceKind) -> &[Candidate] {
        self.by_kind.get(&kind).map_or(&[], Vec::as_slice)
    }
}

#[async_trait]
impl Port for Inventory {
    async fn discover(&self, selector: &Selector) -> PortResult<Discovery> {
        let mut candidates = Candidates::default();
        self.candidates(selector, &mut candidates).await;
        let of = |kind| candidates.of(kind);
        let chances = &self.chances;
        let (fleets, services, target_groups, load_balancers, databases, caches) = futures::join!(
            chances.read(|| fleets::discover(&self.autoscaling, &selector.tags, of(ResourceKind::AutoScalingGroup))),
            chances.read(|| services::discover(&self.ecs, &self.scaling, of(ResourceKind::EcsService))),
            chances.read(|| target_groups::discover(&self.elb, of(ResourceKind::TargetGroup))),
            chances.read(|| load_balancers::discover(&self.elb, of(ResourceKind::LoadBalancer))),
            chances.read(|| databases::discover(&self.rds, of(ResourceKind::Database))),
            chances.read(|| caches::discover(&self.elasticache, of(ResourceKind::Cache))),
        );
        let read = [
            (ResourceKind::AutoScalingGroup, fleets),
            (ResourceKind::EcsService, services),
            (ResourceKind::TargetGroup, target_groups),
            (ResourceKind::LoadBalancer, load_balancers),
            (ResourceKind::Database, databases),
            (ResourceKind::Cache, caches),
            (ResourceKind::Api, apis::discover(of(ResourceKind::Api))),
            (ResourceKind::Function, by_name_alone(of(ResourceKind::Function), &Live::Function)),
            (ResourceKind::Queue, by_name_alone(of(ResourceKind::Queue), &Live::Queue)),
            (ResourceKind::Table, by_name_alone(of(ResourceKind::Table), &Live::Table)),
            (ResourceKind::Distribution, by_name_alone(of(ResourceKind::Distribution), &Live::Distribution)),
        ];
        let mut discovery = Discovery { resources: Vec::new(), undiscovered: candidates.undiscovered };
        for (kind, found) in read {
            discovery.resources.extend(found.resources);
            discovery.undiscovered.extend(found.missing.into_iter().map(|missing| (kind, missing)));
        }
        discovery.resources.sort_by(|a, b| a.id.cmp(&b.id));
        discovery.resources.dedup_by(|a, b| a.id == b.id);
        discovery.undiscovered.sort_by_key(|(kind, missing)| (*kind, missing.to_string()));
        Ok(discovery)
    }

    async fn tagged_apps(&self) -> PortResult<Vec<AppId>> {
        let (values, groups) =
            futures::join!(tagged::values(&self.tagging, APP_TAG), fleets::tag_values(&self.autoscaling, APP_TAG));
        let names: BTreeSet<String> = values?.into_iter().chain(groups?).filter(|name| !name.is_empty()).collect();
        Ok(names.into_iter().map(AppId::new).collect())
    }

    async fn alarm_tags(&self, alarm_arn: &str) -> PortResult<BTreeMap<String, String>> {
        let action = "cloudwatch:ListTagsForResource";
        let output = self.cloudwatch.list_tags_for_resource().resource_arn(alarm_arn).send().await;
        let output = output.map_err(|error| port_error(action, alarm_arn, &error))?;
        Ok(output.tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value?))).collect())
    }
}

/// The answers of these calls, in their order, [`CALLS_AT_ONCE`] at a time.
pub(crate) async fn gathered<F: Future>(calls: Vec<F>) -> Vec<F::Output> {
    futures::stream::iter(calls).buffered(CALLS_AT_ONCE).collect().await
}

/// Kinds whose state is in their name: nothing else about them is needed.
fn by_name_alone(candidates: &[Candidate], live: &Live) -> Found {
    Found::all(candidates.iter().map(|candidate| candidate.with(candidate.name.clone(), live.clone())).collect())
}

#[cfg(test)]
mod tests;
