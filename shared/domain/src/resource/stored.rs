//! Live state of what is kept for later and easily forgotten: images of machines and of containers, secrets, objects, alarms.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A machine image (AMI) of the account's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Its name, for people.
    pub title: String,
    /// Snapshots that it is made of; they are what costs.
    pub snapshots: Vec<ImageSnapshot>,
    /// When an instance was last launched from it, as far as EC2 says so (with a delay of a day).
    pub last_launched: Option<Timestamp>,
    /// What names it: instances, launch templates in their default or latest version, launch configurations.
    pub used_by: Vec<String>,
    /// Everybody may launch it.
    pub is_public: bool,
    /// Nobody can launch it until it is enabled again.
    pub is_disabled: bool,
    /// AWS Backup or a lifecycle policy has made it and will delete it.
    pub has_policy: bool,
}

/// A snapshot of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSnapshot {
    /// Its id.
    pub id: String,
    /// Size of the volume in GiB: an upper bound for what the snapshot costs.
    pub size_gib: u32,
}

/// A repository of container images (ECR). Of one that has a lifecycle policy, or that others may use, the images are not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRepository {
    /// Images in it that were looked at.
    pub images: u32,
    /// Those of them that have no tag, by the days on which they were pushed and last used; oldest first.
    pub untagged: Vec<UntaggedImages>,
    /// A lifecycle policy of its owner expires images.
    pub has_lifecycle: bool,
    /// A policy of its own lends its images to others: Lambda, or other accounts.
    pub is_lent: bool,
    /// It has an index of images (manifest list): images in one have no tag of their own.
    pub has_indexes: bool,
    /// A task of ECS runs an image of it that has no tag, or does not say which one it runs.
    pub runs_untagged: bool,
}

/// Images without a tag that were pushed on one day and last used on one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UntaggedImages {
    /// When the last of them was pushed.
    pub pushed: Timestamp,
    /// When the last of them was pushed, pulled, or taken out of the archive.
    pub used: Timestamp,
    /// How many.
    pub images: u32,
    /// Their sizes. Layers that several images share are stored once, and are in the size of each.
    pub bytes: u64,
}

/// A secret of Secrets Manager. Its value is never read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The day on which its value was last read; none where it never was.
    pub last_accessed: Option<Timestamp>,
    /// When it was last changed in any way.
    pub last_changed: Option<Timestamp>,
    /// Another service of AWS has made it and looks after it.
    pub is_owned_by_service: bool,
    /// It is rotated, which reads it.
    pub is_rotated: bool,
    /// It is a copy of one in another Region.
    pub is_replica: bool,
}

/// An S3 bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// Multipart uploads that were begun and not ended, oldest first; not more than a thousand.
    pub uploads: Vec<Upload>,
    /// A rule of its lifecycle ends such uploads in the whole bucket.
    pub ends_uploads: bool,
    /// A rule of its lifecycle moves or expires objects.
    pub has_lifecycle: bool,
    /// Rules that its lifecycle has.
    pub rules: u32,
    /// The filter of its request metrics that has the whole bucket, where they are on.
    pub request_metrics: Option<String>,
}

/// A multipart upload that was begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// When it was begun.
    pub initiated: Timestamp,
    /// Bytes of its parts, where they were added up.
    pub bytes: Option<u64>,
}

/// A CloudWatch alarm on a metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// Metrics that it looks at: each is paid for.
    pub metrics: u32,
    /// Resolution under a minute, which is dearer.
    pub is_high_resolution: bool,
    /// Since when it has had no data; none where it has some.
    pub without_data_since: Option<Timestamp>,
    /// What it watches, as far as that is a thing whose existence can be looked up.
    pub watched: Option<Watched>,
}

/// A thing that an alarm watches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Watched {
    /// The dimension that names it: `InstanceId`.
    pub dimension: String,
    /// Its name.
    pub name: String,
    /// It is there.
    pub exists: bool,
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dimension, self.name)
    }
}
