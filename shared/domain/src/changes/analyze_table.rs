//! Renews what the planner of Postgres knows of a table (ANALYZE): a sample of its rows is read, no row is changed, readers and writers go on.
//! There is no way back to the older sample, and no need for one: autovacuum renews it in the same way. It is made by SQL under the user
//! that owns the table.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::AnalyzeTable,
    name: "analyze_table",
    risk: Risk::Low,
    cycles: &[Cycle::Performance],
    direction: Way::Neutral,
    reversal: Reversal::SelfRestoring,
    permissions: &["secretsmanager:GetSecretValue"],
    settle_s: 60,
    when_inconclusive: WhenInconclusive::Keep,
};
