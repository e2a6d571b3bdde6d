//! Permissions that no scenario uses, each with the reason.

use super::Unplayed;

/// All of them.
pub const UNPLAYED: &[Unplayed] = &[];
