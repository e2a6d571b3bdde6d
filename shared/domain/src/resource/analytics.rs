//! Live state of what answers questions about much data: warehouses.

use serde::{Deserialize, Serialize};

/// A provisioned Redshift cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warehouse {
    /// `ra3.xlplus`.
    pub node_type: String,
    /// Nodes that are paid for.
    pub nodes: u32,
    /// It runs and nothing is being changed about it; a paused one does not.
    pub is_available: bool,
    /// A second one stands by in another zone.
    pub is_multi_az: bool,
    /// It shares data with other warehouses, which read them without a connection to it.
    pub is_shared: bool,
}
