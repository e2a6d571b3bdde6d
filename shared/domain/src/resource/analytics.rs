//! Live state of what answers questions about much data: warehouses, search domains.

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

/// A domain of OpenSearch or Elasticsearch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchDomain {
    /// Number of the account, with which its metrics are published.
    pub client: String,
    /// `OpenSearch_2.19`, `Elasticsearch_6.8` …
    pub engine: String,
    /// Nodes that are paid for, by what they do: those with data, dedicated masters, coordinators, warm ones.
    pub nodes: Vec<SearchNodes>,
    /// Volumes of the nodes with data; none where these have disks of their own.
    pub storage: Option<SearchStorage>,
    /// It runs and nothing is being changed about it.
    pub is_steady: bool,
    /// It has nodes for warm storage, of which a snapshot of the other indexes has nothing.
    pub has_warm: bool,
}

/// Nodes of a domain of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchNodes {
    /// `r6g.large.search`, `m5.large.elasticsearch` …
    pub node_type: String,
    /// How many.
    pub count: u32,
}

/// Volumes of a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchStorage {
    /// `gp2`, `gp3`, `io1` or `standard`.
    pub volume_type: String,
    /// Size of all of them together in GiB.
    pub size_gib: u32,
}

impl SearchStorage {
    /// True for types of volumes whose price is looked up.
    pub fn is_priced(&self) -> bool {
        matches!(self.volume_type.as_str(), "gp2" | "gp3")
    }
}
