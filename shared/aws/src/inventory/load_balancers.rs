//! Application Load Balancers.

use super::{Candidate, Found, gathered};
use crate::errors::port_error;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::LoadBalancer;
use domain::observed::Missing;
use domain::resource::Live;
use engine::ports::{PortError, PortResult};
use futures::future::BoxFuture;

/// ARNs that one DescribeLoadBalancers call takes.
const ARNS_PER_CALL: usize = 20;
const ACTION: &str = "elasticloadbalancing:DescribeLoadBalancers";

/// Load balancers, twenty to a call.
pub(super) async fn discover(client: &Client, candidates: &[Candidate]) -> Found {
    let (candidates, others) = Found::by_arn_only(candidates);
    let calls = candidates.chunks(ARNS_PER_CALL).map(|some| describe(client, some)).collect();
    gathered(calls).await.into_iter().fold(others, Found::merge)
}

/// One load balancer that is gone makes the whole call fail, so the call is split until only that one is left.
fn describe<'a>(client: &'a Client, candidates: &'a [Candidate]) -> BoxFuture<'a, Found> {
    Box::pin(async move {
        match call(client, candidates).await {
            Ok(balancers) => matched(candidates, &balancers),
            Err(PortError::Gone { .. } | PortError::Rejected { .. }) if candidates.len() > 1 => {
                let (first, second) = candidates.split_at(candidates.len() / 2);
                describe(client, first).await.merge(describe(client, second).await)
            }
            Err(error) => Found::failed(&error),
        }
    })
}

async fn call(client: &Client, candidates: &[Candidate]) -> PortResult<Vec<LoadBalancer>> {
    let arns = candidates.iter().map(|candidate| candidate.id.as_str().to_owned()).collect();
    let output = client.describe_load_balancers().set_load_balancer_arns(Some(arns)).send().await;
    let output = output.map_err(|error| port_error(ACTION, "", &error))?;
    Ok(output.load_balancers.unwrap_or_default())
}

fn matched(candidates: &[Candidate], balancers: &[LoadBalancer]) -> Found {
    let mut found = Found::default();
    for candidate in candidates {
        match balancers.iter().find(|balancer| balancer.load_balancer_arn() == Some(candidate.id.as_str())) {
            Some(balancer) => found.resources.push(candidate.with(
                balancer.load_balancer_name().unwrap_or(&candidate.name),
                Live::LoadBalancer { load_balancer: candidate.name.clone() },
            )),
            None => found.missing.push(Missing::Gone),
        }
    }
    found
}
