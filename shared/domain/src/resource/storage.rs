//! Live state of what is paid for by its mere existence: disks, their snapshots, addresses, logs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The tag that says from which day on the maintainer may delete a resource. Removing the tag keeps the resource.
pub const DELETE_AFTER_TAG: &str = "maintainer:delete-after";
/// The tag on a final snapshot that names the volume it was taken of.
pub const FINAL_SNAPSHOT_TAG: &str = "maintainer:final-snapshot-of";

/// An EBS volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// `gp2`, `gp3`, `io1` …
    pub volume_type: String,
    /// Size in GiB.
    pub size_gib: u32,
    /// I/O operations a second that are provisioned or, for `gp2`, follow from the size; none where the type has no such number.
    pub iops: Option<u32>,
    /// Throughput in MiB a second that is provisioned (`gp3`).
    pub throughput_mibps: Option<u32>,
    /// Instances it is attached to.
    pub attached_to: Vec<String>,
    /// A modification of it is under way, or was finished less than six hours ago: EC2 refuses another one.
    pub is_modifying: bool,
    /// From when on it may be deleted, by its tag.
    pub delete_after: Option<Timestamp>,
    /// The newest final snapshot of it, as far as there is one.
    pub final_snapshot: Option<FinalSnapshot>,
}

/// What gp3 includes in the price of its size.
pub const GP3_IOPS_INCLUDED: u32 = 3_000;
/// The same for throughput, in MiB a second.
pub const GP3_MIBPS_INCLUDED: u32 = 125;

impl Volume {
    /// Operations were bought that its size does not bring.
    pub fn has_bought_iops(&self) -> bool {
        match self.volume_type.as_str() {
            "io1" | "io2" => true,
            "gp3" => self.iops.is_some_and(|iops| iops > GP3_IOPS_INCLUDED),
            _ => false,
        }
    }

    /// Throughput was bought that its size does not bring.
    pub fn has_bought_throughput(&self) -> bool {
        self.volume_type == "gp3" && self.throughput_mibps.is_some_and(|mibps| mibps > GP3_MIBPS_INCLUDED)
    }
}

/// A snapshot that was taken of a volume before it is deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalSnapshot {
    /// Its id.
    pub id: String,
    /// Everything is copied.
    pub is_complete: bool,
}

/// An EBS snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskSnapshot {
    /// The volume it was taken of; the volume may be gone.
    pub volume: String,
    /// The volume still exists.
    pub volume_exists: bool,
    /// Size of the volume in GiB: an upper bound for what the snapshot costs.
    pub size_gib: u32,
    /// Images that are made from it.
    pub images: Vec<String>,
    /// AWS Backup or a lifecycle policy of EBS (Data Lifecycle Manager) has made it and will delete it.
    pub has_policy: bool,
    /// From when on it may be deleted, by its tag.
    pub delete_after: Option<Timestamp>,
}

/// An Elastic IP address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub public_ip: String,
    /// What it is associated with: an instance, stopped or not, or a network interface.
    pub associated_with: Option<String>,
    /// From when on it may be released, by its tag.
    pub delete_after: Option<Timestamp>,
}

/// A CloudWatch Logs log group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroup {
    /// Days after which events expire; none where they are kept for ever.
    pub retention_days: Option<u32>,
    /// Bytes stored.
    pub stored_bytes: u64,
}

/// An EC2 instance that belongs to no Auto Scaling group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// EC2 instance type.
    pub instance_type: String,
    /// It runs.
    pub is_running: bool,
    /// When it went into its state, where EC2 says so.
    pub since: Option<Timestamp>,
    /// Volumes attached to it.
    pub volumes: Vec<String>,
    /// Processor: `x86_64` or `arm64`.
    pub architecture: String,
}

/// A NAT gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NatGateway {
    /// VPC it serves.
    pub vpc: String,
    /// A route table sends traffic to it.
    pub has_routes: bool,
    /// It leads to other networks alone, never to the Internet or a service of AWS.
    #[serde(default)]
    pub is_private: bool,
    /// Services to which the VPC has a gateway endpoint, which costs nothing: `s3`, `dynamodb`.
    #[serde(default)]
    pub gateway_endpoints: BTreeSet<String>,
}

impl NatGateway {
    /// Traffic to S3 or to DynamoDB may go through it although a way that costs nothing could be there.
    pub fn lacks_endpoints(&self) -> bool {
        self.has_routes
            && !self.is_private
            && FREE_SERVICES.iter().any(|service| !self.gateway_endpoints.contains(*service))
    }
}

/// Services that gateway endpoints lead to (VPC User Guide, "Gateway endpoints").
pub const FREE_SERVICES: [&str; 2] = ["s3", "dynamodb"];

/// A VPC endpoint of type Interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceEndpoint {
    /// VPC it serves.
    pub vpc: String,
    /// Service that it leads to: `com.amazonaws.eu-central-1.logs`, `com.amazonaws.vpce.eu-central-1.vpce-svc-…`.
    pub service: String,
    /// Subnets it has a network interface in, one a zone: it is paid for by each.
    pub subnets: u32,
    /// It is available.
    pub is_available: bool,
    /// A service of AWS has made it and looks after it.
    pub is_requester_managed: bool,
    /// The service is in another Region: for such CloudWatch has no metrics.
    pub is_cross_region: bool,
    /// The service's own names lead to it within the VPC.
    pub has_private_dns: bool,
}
