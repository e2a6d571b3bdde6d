//! Target groups: the load balancer whose metrics theirs are kept with.

use super::{Candidate, Found, gathered};
use crate::arn;
use crate::errors::port_error;
use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::types::TargetGroup;
use domain::observed::Missing;
use domain::resource::Live;
use engine::ports::{PortError, PortResult};
use futures::future::BoxFuture;

/// ARNs that one DescribeTargetGroups call takes.
const ARNS_PER_CALL: usize = 100;
const ACTION: &str = "elasticloadbalancing:DescribeTargetGroups";

/// Target groups, a hundred to a call.
pub(super) async fn discover(client: &Client, candidates: &[Candidate]) -> Found {
    let (candidates, others) = Found::by_arn_only(candidates);
    let calls = candidates.chunks(ARNS_PER_CALL).map(|some| describe(client, some)).collect();
    gathered(calls).await.into_iter().fold(others, Found::merge)
}

/// One group that is gone makes the whole call fail, so the call is split until only that one is left.
fn describe<'a>(client: &'a Client, candidates: &'a [Candidate]) -> BoxFuture<'a, Found> {
    Box::pin(async move {
        match call(client, candidates).await {
            Ok(groups) => matched(candidates, &groups),
            Err(PortError::Gone { .. } | PortError::Rejected { .. }) if candidates.len() > 1 => {
                let (first, second) = candidates.split_at(candidates.len() / 2);
                describe(client, first).await.merge(describe(client, second).await)
            }
            Err(error) => Found::failed(&error),
        }
    })
}

async fn call(client: &Client, candidates: &[Candidate]) -> PortResult<Vec<TargetGroup>> {
    let arns = candidates.iter().map(|candidate| candidate.id.as_str().to_owned()).collect();
    let mut pages = client.describe_target_groups().set_target_group_arns(Some(arns)).into_paginator().items().send();
    let mut groups = Vec::new();
    while let Some(group) = pages.next().await {
        groups.push(group.map_err(|error| port_error(ACTION, "", &error))?);
    }
    Ok(groups)
}

fn matched(candidates: &[Candidate], groups: &[TargetGroup]) -> Found {
    let mut found = Found::default();
    for candidate in candidates {
        let Some(group) = groups.iter().find(|group| group.target_group_arn() == Some(candidate.id.as_str())) else {
            found.missing.push(Missing::Gone);
            continue;
        };
        // Without a load balancer it has no metrics.
        let load_balancer = group.load_balancer_arns().first().and_then(|arn| arn::named(arn)).map(|named| named.name);
        let live = Live::TargetGroup {
            target_group: candidate.name.clone(),
            load_balancer: load_balancer.unwrap_or_default(),
        };
        found.resources.push(candidate.with(group.target_group_name().unwrap_or(&candidate.name), live));
    }
    found
}
