//! Builds an index of a Postgres table, concurrently: writes go on meanwhile. Undone by dropping it, concurrently too. It is made by SQL under
//! the user that owns the table; all that IAM has to do with it is the secret of that user.

use crate::change::{ChangeKind, ChangeSpec, Reversal, Way, WhenInconclusive};
use crate::execution::Cycle;
use crate::mode::Risk;

/// The declaration.
pub(super) const SPEC: ChangeSpec = ChangeSpec {
    kind: ChangeKind::CreateIndex,
    name: "create_index",
    risk: Risk::Medium,
    cycles: &[Cycle::Performance],
    direction: Way::Neutral,
    reversal: Reversal::Undoable,
    permissions: &["secretsmanager:GetSecretValue"],
    settle_s: 60,
    when_inconclusive: WhenInconclusive::Undo,
};
