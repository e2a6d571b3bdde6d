//! ARNs: which kind of resource one names, and by what name.

use domain::resource::ResourceKind;

/// What an ARN, or a `kind/name`, names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The kind.
    pub kind: ResourceKind,
    /// The name within its kind: for an ECS service `cluster/service`, for load balancers and target groups the ARN's
    /// tail that is also the CloudWatch dimension, else the short name.
    pub name: String,
}

/// Reads a resource id. `None` for everything that the maintainer does not look at.
pub fn named(id: &str) -> Option<Named> {
    if id.starts_with("arn:") { of_arn(id) } else { of_listed(id) }
}

/// `kind/name`, the kind as in the configuration (`auto_scaling_group/shop-web`).
fn of_listed(id: &str) -> Option<Named> {
    let (kind, name) = id.split_once('/')?;
    let kind = serde_json::from_value(serde_json::Value::String(kind.to_owned())).ok()?;
    (!name.is_empty()).then(|| Named { kind, name: name.to_owned() })
}

fn of_arn(arn: &str) -> Option<Named> {
    let mut parts = arn.splitn(6, ':').skip(2);
    let service = parts.next()?;
    let resource = parts.nth(2)?;
    let (kind, name) = match service {
        "autoscaling" => (ResourceKind::AutoScalingGroup, resource.split_once("autoScalingGroupName/")?.1),
        "ecs" => (ResourceKind::EcsService, resource.strip_prefix("service/")?),
        "elasticloadbalancing" if resource.starts_with("targetgroup/") => (ResourceKind::TargetGroup, resource),
        "elasticloadbalancing" => {
            let name = resource.strip_prefix("loadbalancer/")?;
            // Classic ones have no type in the ARN; gateways are part of a firewall, and not looked at.
            let kind = match name.split_once('/') {
                Some(("app", _)) => ResourceKind::LoadBalancer,
                Some(("net", _)) => ResourceKind::NetworkLoadBalancer,
                None => ResourceKind::ClassicLoadBalancer,
                Some(_) => return None,
            };
            (kind, name)
        }
        "lambda" => (ResourceKind::Function, resource.strip_prefix("function:")?.split(':').next()?),
        "apigateway" => (ResourceKind::Api, api(resource)?),
        "rds" => (ResourceKind::Database, resource.strip_prefix("db:")?),
        "elasticache" => {
            let name = resource.strip_prefix("cluster:").or_else(|| resource.strip_prefix("replicationgroup:"))?;
            (ResourceKind::Cache, name)
        }
        "redshift" => (ResourceKind::Warehouse, resource.strip_prefix("cluster:")?),
        "es" => (ResourceKind::SearchDomain, plain(resource.strip_prefix("domain/")?)?),
        "sqs" => (ResourceKind::Queue, resource),
        "dynamodb" => (ResourceKind::Table, plain(resource.strip_prefix("table/")?)?),
        "cloudfront" => (ResourceKind::Distribution, resource.strip_prefix("distribution/")?),
        "ec2" => of_ec2(resource)?,
        "s3" => (ResourceKind::Bucket, plain(resource)?),
        "ecr" => (ResourceKind::ImageRepository, resource.strip_prefix("repository/")?),
        "secretsmanager" => (ResourceKind::Secret, without_suffix(resource.strip_prefix("secret:")?)),
        "cloudwatch" => (ResourceKind::Alarm, resource.strip_prefix("alarm:")?),
        // An ARN of a log group may end in ":*", which stands for its streams.
        "logs" => {
            let name = resource.strip_prefix("log-group:")?;
            (ResourceKind::LogGroup, name.split(':').next()?)
        }
        _ => return None,
    };
    (!name.is_empty()).then(|| Named { kind, name: name.to_owned() })
}

/// `volume/<id>` and what else is paid for by its mere existence.
fn of_ec2(resource: &str) -> Option<(ResourceKind, &str)> {
    let (kind, id) = resource.split_once('/')?;
    let kind = match kind {
        "volume" => ResourceKind::Volume,
        "snapshot" => ResourceKind::DiskSnapshot,
        "elastic-ip" => ResourceKind::Address,
        "instance" => ResourceKind::Machine,
        "natgateway" => ResourceKind::NatGateway,
        "vpc-endpoint" => ResourceKind::InterfaceEndpoint,
        "image" => ResourceKind::Image,
        _ => return None,
    };
    Some((kind, id))
}

/// Secrets Manager ends the ARN of a secret with a hyphen and six characters of its own.
fn without_suffix(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((before, suffix)) if suffix.len() == 6 && !before.is_empty() => before,
        _ => name,
    }
}

/// `/restapis/<id>` or `/apis/<id>`, and none of what lies below them.
fn api(resource: &str) -> Option<&str> {
    plain(resource.strip_prefix("/restapis/").or_else(|| resource.strip_prefix("/apis/"))?)
}

fn plain(name: &str) -> Option<&str> {
    (!name.contains('/')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_arn_of_every_kind() {
        let cases = [
            (
                "arn:aws:autoscaling:eu-west-1:1:autoScalingGroup:u-u:autoScalingGroupName/shop-web",
                ResourceKind::AutoScalingGroup,
                "shop-web",
            ),
            ("arn:aws:ecs:eu-west-1:1:service/shop/shop-worker", ResourceKind::EcsService, "shop/shop-worker"),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/shop/73e2",
                ResourceKind::TargetGroup,
                "targetgroup/shop/73e2",
            ),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/shop/50dc",
                ResourceKind::LoadBalancer,
                "app/shop/50dc",
            ),
            (
                "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/net/shop/5",
                ResourceKind::NetworkLoadBalancer,
                "net/shop/5",
            ),
            ("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/shop", ResourceKind::ClassicLoadBalancer, "shop"),
            ("arn:aws:lambda:eu-west-1:1:function:shop-fn:live", ResourceKind::Function, "shop-fn"),
            ("arn:aws:apigateway:eu-west-1::/restapis/abc", ResourceKind::Api, "abc"),
            ("arn:aws:apigateway:eu-west-1::/apis/def", ResourceKind::Api, "def"),
            ("arn:aws:rds:eu-west-1:1:db:shop-db", ResourceKind::Database, "shop-db"),
            ("arn:aws:elasticache:eu-west-1:1:cluster:shop-cache", ResourceKind::Cache, "shop-cache"),
            ("arn:aws:elasticache:eu-west-1:1:replicationgroup:shop-cache", ResourceKind::Cache, "shop-cache"),
            ("arn:aws:redshift:eu-west-1:1:cluster:shop-facts", ResourceKind::Warehouse, "shop-facts"),
            ("arn:aws:es:eu-west-1:1:domain/shop-search", ResourceKind::SearchDomain, "shop-search"),
            ("arn:aws:sqs:eu-west-1:1:shop-jobs", ResourceKind::Queue, "shop-jobs"),
            ("arn:aws:dynamodb:eu-west-1:1:table/shop-orders", ResourceKind::Table, "shop-orders"),
            ("arn:aws-cn:cloudfront::1:distribution/E1", ResourceKind::Distribution, "E1"),
            ("arn:aws:ec2:eu-west-1:1:volume/vol-1", ResourceKind::Volume, "vol-1"),
            ("arn:aws:ec2:eu-west-1:1:snapshot/snap-1", ResourceKind::DiskSnapshot, "snap-1"),
            ("arn:aws:ec2:eu-west-1:1:elastic-ip/eipalloc-1", ResourceKind::Address, "eipalloc-1"),
            ("arn:aws:ec2:eu-west-1:1:instance/i-1", ResourceKind::Machine, "i-1"),
            ("arn:aws:ec2:eu-west-1:1:natgateway/nat-1", ResourceKind::NatGateway, "nat-1"),
            ("arn:aws:ec2:eu-west-1:1:vpc-endpoint/vpce-1", ResourceKind::InterfaceEndpoint, "vpce-1"),
            ("arn:aws:ec2:eu-west-1::image/ami-1", ResourceKind::Image, "ami-1"),
            ("arn:aws:s3:::shop-files", ResourceKind::Bucket, "shop-files"),
            ("arn:aws:ecr:eu-west-1:1:repository/shop/web", ResourceKind::ImageRepository, "shop/web"),
            ("arn:aws:secretsmanager:eu-west-1:1:secret:shop/db-a1B2c3", ResourceKind::Secret, "shop/db"),
            ("arn:aws:cloudwatch:eu-west-1:1:alarm:shop web: cpu", ResourceKind::Alarm, "shop web: cpu"),
            ("arn:aws:logs:eu-west-1:1:log-group:/shop/web:*", ResourceKind::LogGroup, "/shop/web"),
            ("auto_scaling_group/shop-web", ResourceKind::AutoScalingGroup, "shop-web"),
            ("database/shop-db", ResourceKind::Database, "shop-db"),
        ];
        for (id, kind, name) in cases {
            assert_eq!(named(id), Some(Named { kind, name: name.to_owned() }), "{id}");
        }
    }

    #[test]
    fn passes_over_what_it_does_not_look_at() {
        for id in [
            "",
            "arn:",
            "arn:aws:s3:::bucket/key",
            "arn:aws:rds:eu-west-1:1:snapshot:x",
            "arn:aws:ecs:eu-west-1:1:cluster/shop",
            "arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/gwy/shop/5",
            "arn:aws:apigateway:eu-west-1::/restapis/abc/stages/prod",
            "arn:aws:dynamodb:eu-west-1:1:table/shop/index/by_app",
            "arn:aws:elasticache:eu-west-1:1:snapshot:x",
            "arn:aws:redshift:eu-west-1:1:namespace:x",
            "arn:aws:es:eu-west-1:1:domain/shop/index",
            "arn:aws:ec2:eu-west-1:1:vpc/vpc-1",
            "arn:aws:logs:eu-west-1:1:destination:x",
            "fleet/shop-web",
            "database/",
        ] {
            assert_eq!(named(id), None, "{id}");
        }
    }
}
