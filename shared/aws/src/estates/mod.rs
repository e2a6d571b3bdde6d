//! Finds what is paid for by its mere existence, of one application or of what belongs to none, with its live state.
//! Reads only.
//!
//! One file per kind. A kind that could not be read as a whole is named with its reason: it is never an empty list.

pub(crate) mod addresses;
mod alarms;
mod buckets;
mod by_arn;
mod caches;
mod classic_load_balancers;
mod databases;
mod fault_tolerant;
mod functions;
mod images;
mod interface_endpoints;
mod load_balancers;
pub(crate) mod log_groups;
mod machines;
mod nat_gateways;
mod read;
mod repositories;
mod search_domains;
mod secrets;
mod services;
pub(crate) mod snapshots;
mod tables;
pub(crate) mod volumes;
mod warehouses;
mod whose;

use crate::SystemClock;
use crate::chances::Chances;
use crate::clients::{Clients, Lazy};
use crate::inventory::{fleets, schedules};
use async_trait::async_trait;
use domain::cost::estate::{Item, Template};
use domain::ids::ResourceId;
use domain::resource::{Resource, ResourceKind};
use engine::ports::{Clock, Estates as Port, PortResult, Scope, Surveyed};
use futures::future::BoxFuture;
use jiff::Timestamp;
use whose::Whose;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &[
    "application-autoscaling:DescribeScalableTargets",
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeInstanceRefreshes",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScheduledActions",
    "cloudwatch:DescribeAlarms",
    "dynamodb:DescribeTable",
    "dynamodb:ListTables",
    "ec2:DescribeAddresses",
    "ec2:DescribeImages",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribeNatGateways",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSnapshots",
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeVolumes",
    "ec2:DescribeVolumesModifications",
    "ec2:DescribeVpcEndpoints",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRepositoryPolicy",
    "ecs:DescribeServices",
    "ecs:DescribeTaskDefinition",
    "ecs:DescribeTasks",
    "ecs:ListClusters",
    "ecs:ListServices",
    "ecs:ListTasks",
    "elasticache:DescribeCacheClusters",
    "elasticache:DescribeReplicationGroups",
    "elasticloadbalancing:DescribeInstanceHealth",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "es:DescribeDomains",
    "es:ListDomainNames",
    "lambda:ListFunctions",
    "lambda:ListProvisionedConcurrencyConfigs",
    "logs:DescribeLogGroups",
    "rds:DescribeDBInstances",
    "redshift:DescribeClusters",
    "redshift:DescribeDataShares",
    "s3:GetLifecycleConfiguration",
    "s3:GetMetricsConfiguration",
    "s3:ListAllMyBuckets",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "secretsmanager:ListSecrets",
    "tag:GetResources",
];

/// Whose ARNs these are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub(crate) partition: String,
    /// Region.
    pub(crate) region: String,
    /// Account number.
    pub(crate) number: String,
}

impl Account {
    /// The ARN of something of EC2.
    fn ec2(&self, kind: &str, name: &str) -> ResourceId {
        ResourceId::new(format!("arn:{}:ec2:{}:{}:{kind}/{name}", self.partition, self.region, self.number))
    }

    fn classic(&self, name: &str) -> String {
        let Self { partition, region, number } = self;
        format!("arn:{partition}:elasticloadbalancing:{region}:{number}:loadbalancer/{name}")
    }

    fn service(&self, name: &str) -> String {
        let Self { partition, region, number } = self;
        format!("arn:{partition}:ecs:{region}:{number}:service/{name}")
    }

    fn warehouse(&self, name: &str) -> String {
        let Self { partition, region, number } = self;
        format!("arn:{partition}:redshift:{region}:{number}:cluster:{name}")
    }

    fn search_domain(&self, name: &str) -> String {
        let Self { partition, region, number } = self;
        format!("arn:{partition}:es:{region}:{number}:domain/{name}")
    }

    fn table(&self, name: &str) -> String {
        let Self { partition, region, number } = self;
        format!("arn:{partition}:dynamodb:{region}:{number}:table/{name}")
    }

    fn log_group(&self, name: &str) -> String {
        format!("arn:{}:logs:{}:{}:log-group:{name}", self.partition, self.region, self.number)
    }
}

/// See [`engine::ports::Estates`].
#[derive(Clone, Debug)]
pub struct Estates {
    autoscaling: Lazy<aws_sdk_autoscaling::Client>,
    classic: Lazy<aws_sdk_elasticloadbalancing::Client>,
    cloudwatch: Lazy<aws_sdk_cloudwatch::Client>,
    dynamodb: Lazy<aws_sdk_dynamodb::Client>,
    ec2: Lazy<aws_sdk_ec2::Client>,
    ecr: Lazy<aws_sdk_ecr::Client>,
    ecs: Lazy<aws_sdk_ecs::Client>,
    elasticache: Lazy<aws_sdk_elasticache::Client>,
    elb: Lazy<aws_sdk_elasticloadbalancingv2::Client>,
    lambda: Lazy<aws_sdk_lambda::Client>,
    logs: Lazy<aws_sdk_cloudwatchlogs::Client>,
    opensearch: Lazy<aws_sdk_opensearch::Client>,
    rds: Lazy<aws_sdk_rds::Client>,
    redshift: Lazy<aws_sdk_redshift::Client>,
    s3: Lazy<aws_sdk_s3::Client>,
    secretsmanager: Lazy<aws_sdk_secretsmanager::Client>,
    scaling: Lazy<aws_sdk_applicationautoscaling::Client>,
    tagging: Lazy<aws_sdk_resourcegroupstagging::Client>,
    account: Account,
    clock: SystemClock,
    chances: Chances,
}

impl Estates {
    /// The estate in the Region of these clients, which are those of this account of this partition.
    pub fn new(clients: &Clients, clock: SystemClock, partition: &str, account: &str) -> Self {
        let account = Account {
            partition: partition.to_owned(),
            region: clients.region().unwrap_or_default().to_owned(),
            number: account.to_owned(),
        };
        Self {
            autoscaling: clients.autoscaling(),
            classic: clients.classic_elb(),
            cloudwatch: clients.cloudwatch(),
            dynamodb: clients.dynamodb(),
            ec2: clients.ec2(),
            ecr: clients.ecr(),
            ecs: clients.ecs(),
            elasticache: clients.elasticache(),
            elb: clients.elb(),
            lambda: clients.lambda(),
            logs: clients.logs(),
            opensearch: clients.opensearch(),
            rds: clients.rds(),
            redshift: clients.redshift(),
            s3: clients.s3(),
            secretsmanager: clients.secretsmanager(),
            scaling: clients.scaling(),
            tagging: clients.tagging(),
            account,
            clock,
            chances: clients.chances(),
        }
    }

    /// One kind, boxed: the futures of all within that of a step are too deep for the compiler.
    fn kind<'a>(&'a self, kind: ResourceKind, whose: Whose<'a>) -> BoxFuture<'a, PortResult<Vec<Item>>> {
        let (ec2, account) = (&self.ec2, &self.account);
        Box::pin(self.chances.read(move || async move {
            match kind {
                ResourceKind::Volume => volumes::survey(ec2, whose, account, self.clock.now()).await,
                ResourceKind::DiskSnapshot => snapshots::survey(ec2, whose, account).await,
                ResourceKind::Address => addresses::survey(ec2, whose, account).await,
                ResourceKind::LogGroup => log_groups::survey(&self.logs, &self.tagging, whose, account).await,
                ResourceKind::Machine => machines::survey(ec2, whose, account).await,
                ResourceKind::NatGateway => nat_gateways::survey(ec2, whose, account).await,
                ResourceKind::InterfaceEndpoint => interface_endpoints::survey(ec2, whose, account).await,
                ResourceKind::LoadBalancer | ResourceKind::NetworkLoadBalancer => {
                    load_balancers::survey(&self.elb, &self.tagging, kind, whose).await
                }
                ResourceKind::ClassicLoadBalancer => {
                    classic_load_balancers::survey(&self.classic, &self.tagging, whose, account).await
                }
                ResourceKind::Table => tables::survey(&self.dynamodb, &self.tagging, whose, account).await,
                ResourceKind::Cache => caches::survey(&self.elasticache, &self.tagging, whose).await,
                ResourceKind::EcsService => {
                    services::survey(&self.ecs, &self.scaling, &self.tagging, whose, account).await
                }
                ResourceKind::Function => functions::survey(&self.lambda, &self.tagging, whose).await,
                ResourceKind::Database => databases::survey(&self.rds, whose).await,
                ResourceKind::Warehouse => warehouses::survey(&self.redshift, whose, account).await,
                ResourceKind::SearchDomain => {
                    search_domains::survey(&self.opensearch, &self.tagging, whose, account).await
                }
                ResourceKind::Image => images::survey(ec2, &self.autoscaling, whose, account).await,
                ResourceKind::ImageRepository => repositories::survey(&self.ecr, &self.ecs, &self.tagging, whose).await,
                ResourceKind::Secret => secrets::survey(&self.secretsmanager, whose, &account.region).await,
                ResourceKind::Bucket => {
                    buckets::survey(&self.s3, &self.tagging, whose, &account.partition, &account.region).await
                }
                ResourceKind::Alarm => alarms::survey(self.watching(), whose).await,
                _ => Ok(Vec::new()),
            }
        }))
    }

    fn watching(&self) -> alarms::Services<'_> {
        alarms::Services {
            cloudwatch: &self.cloudwatch,
            ec2: &self.ec2,
            autoscaling: &self.autoscaling,
            rds: &self.rds,
            tagging: &self.tagging,
        }
    }

    /// Auto Scaling groups, as the inventory reads them, with their scheduled actions, and what is bought of some.
    async fn fleets(&self, whose: Whose<'_>) -> (Vec<Item>, Vec<domain::observed::Missing>) {
        let mut found = match whose {
            Whose::Rest => {
                self.chances.read(|| fleets::without_tag(&self.autoscaling, domain::resource::APP_TAG)).await
            }
            Whose::App(selector) => {
                let listed = fleets::listed(&selector.resources);
                self.chances.read(|| fleets::discover(&self.autoscaling, &selector.tags, &listed)).await
            }
        };
        schedules::add(&self.autoscaling, &mut found.resources).await;
        let mut items = whose.only(found.resources.into_iter().map(|group| item(group, None)).collect());
        let mut missing = found.missing;
        missing.extend(fault_tolerant::add(&self.autoscaling, &self.ec2, self.clock.now(), &mut items).await);
        (items, missing)
    }
}

/// Kinds that are surveyed, besides the Auto Scaling groups.
const KINDS: [ResourceKind; 22] = [
    ResourceKind::Volume,
    ResourceKind::DiskSnapshot,
    ResourceKind::Address,
    ResourceKind::LogGroup,
    ResourceKind::Machine,
    ResourceKind::NatGateway,
    ResourceKind::InterfaceEndpoint,
    ResourceKind::LoadBalancer,
    ResourceKind::NetworkLoadBalancer,
    ResourceKind::ClassicLoadBalancer,
    ResourceKind::Database,
    ResourceKind::Cache,
    ResourceKind::Table,
    ResourceKind::Warehouse,
    ResourceKind::SearchDomain,
    ResourceKind::Image,
    ResourceKind::ImageRepository,
    ResourceKind::Secret,
    ResourceKind::Bucket,
    ResourceKind::Alarm,
    ResourceKind::EcsService,
    ResourceKind::Function,
];

#[async_trait]
impl Port for Estates {
    async fn survey(&self, scope: &Scope) -> PortResult<Surveyed> {
        let whose = Whose::of(scope);
        let kinds = futures::future::join_all(KINDS.map(|kind| self.kind(kind, whose)));
        let (kinds, (fleets, missing)) = futures::join!(kinds, self.fleets(whose));
        let mut surveyed = Surveyed { items: fleets, unread: Vec::new() };
        // All at once: a list that grows by itself has room for twice as many.
        surveyed.items.reserve_exact(kinds.iter().flatten().map(Vec::len).sum());
        surveyed.unread.extend(missing.into_iter().map(|why| (ResourceKind::AutoScalingGroup, why)));
        for (kind, read) in KINDS.into_iter().zip(kinds) {
            match read {
                Ok(items) => surveyed.items.extend(items),
                Err(error) => surveyed.unread.push((kind, error.missing())),
            }
        }
        surveyed.items.sort_unstable_by(|a, b| a.resource.id.cmp(&b.resource.id));
        surveyed.unread.sort_by_key(|(kind, missing)| (*kind, missing.to_string()));
        Ok(surveyed)
    }
}

fn item(resource: Resource, created_at: Option<Timestamp>) -> Item {
    let managed_by = Template::of_tags(&resource.tags);
    Item { resource, created_at, unused_since: None, managed_by, terms: None }
}

#[cfg(test)]
mod tests;
