//! Replica lag: a read replica shows what was true half a minute ago or earlier.
//!
//! Never concludes from a replica that publishes no lag.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::resource::ResourceKind;

/// The rule.
pub(super) const RULE: Rule = Rule {
    id: "replica_lag",
    find,
    next_step: "long transactions on the replica, write bursts on the primary, and the replica's size",
};

fn find(context: &Context<'_>) -> Vec<Finding> {
    let bound_s = context.policy().replica_lag_act_s;
    context
        .of_kind(ResourceKind::Database)
        .filter_map(|replica| {
            let lag_s = context.view.known("db_replica_lag_s", replica).filter(|lag_s| *lag_s > bound_s)?;
            let summary = format!("{} lags {lag_s:.0} s behind its primary, over {bound_s:.0} s", replica.name);
            let evidence = vec![Evidence::against("db_replica_lag_s", lag_s, bound_s, "bound beside it")];
            Some(finding(&RULE, replica, Severity::High, 0.95, summary, evidence))
        })
        .collect()
}
