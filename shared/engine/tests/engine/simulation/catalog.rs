//! The application of a simulation, with something for every kind of change.

use domain::change::Action;
use domain::ids::ResourceId;
use domain::observed::Observed;
use domain::performance::index::{Index, IndexSpec, IndexState};
use domain::resource::{Address, DiskSnapshot, FinalSnapshot, Fleet, Live, OffHours, Resource, Sizes, Volume};
use std::fmt;
use testkit::{World, build};

/// Ids of the resources. The first three have a size.
pub const RESOURCES: [&str; 13] = [
    "asg/web",
    "asg/api",
    "ecs/worker",
    "cache/pages",
    "cdn/E1",
    "volume/disk",
    "volume/old",
    "address/spare",
    "address/old",
    "snapshot/old",
    "logs/app",
    "index/shop/orders",
    "statistics/shop/public.orders",
];

/// Resources that have a size.
pub const SIZED: usize = 3;

/// Days from the beginning after which what is marked now may be deleted.
const GRACE_D: i64 = 30;

/// What a run may want: one of every kind of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A size for a fleet or service.
    Size(usize, u32),
    /// Another instance or task in the place of this one.
    Replace(usize, u32),
    /// A restart of all of them.
    Restart(usize),
    /// Off hours for a fleet.
    OffHours(usize),
    /// An empty cache.
    Flush,
    /// An invalidated distribution.
    Invalidate,
    /// Another type of the volume.
    VolumeType(usize),
    /// A mark for deletion.
    Mark(usize),
    /// A final snapshot.
    Snapshot(usize),
    /// A deletion: a volume, a snapshot or an address.
    Delete(usize),
    /// Days for which events are kept.
    Retention(u32),
    /// An index.
    Index,
    /// New statistics.
    Analyze,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(of, size) => write!(f, "set {} to {size}", RESOURCES[*of]),
            Self::Replace(of, member) => write!(f, "replace member {member} of {}", RESOURCES[*of]),
            Self::Restart(of) => write!(f, "restart {}", RESOURCES[*of]),
            Self::OffHours(of) => write!(f, "give {} off hours", RESOURCES[*of]),
            Self::Flush => f.write_str("flush cache/pages"),
            Self::Invalidate => f.write_str("invalidate cdn/E1"),
            Self::VolumeType(of) => write!(f, "make {} a gp3", RESOURCES[*of]),
            Self::Mark(of) => write!(f, "mark {} for deletion", RESOURCES[*of]),
            Self::Snapshot(of) => write!(f, "take a final snapshot of {}", RESOURCES[*of]),
            Self::Delete(of) => write!(f, "delete {}", RESOURCES[*of]),
            Self::Retention(days) => write!(f, "keep the events of logs/app for {days} days"),
            Self::Index => f.write_str("build index/shop/orders"),
            Self::Analyze => f.write_str("analyze public.orders"),
        }
    }
}

/// The name of a resource, without its kind.
fn name(of: usize) -> String {
    RESOURCES[of].rsplit('/').next().unwrap().to_owned()
}

/// The id of a resource.
pub fn id(of: usize) -> ResourceId {
    ResourceId::from(RESOURCES[of])
}

fn spec() -> IndexSpec {
    IndexSpec::btree("public", "orders", &["customer"])
}

impl Wanted {
    /// The resource that it is about.
    pub fn resource(&self) -> ResourceId {
        id(match self {
            Self::Size(of, _)
            | Self::Replace(of, _)
            | Self::Restart(of)
            | Self::OffHours(of)
            | Self::VolumeType(of)
            | Self::Mark(of)
            | Self::Snapshot(of)
            | Self::Delete(of) => *of,
            Self::Flush => 3,
            Self::Invalidate => 4,
            Self::Retention(_) => 10,
            Self::Index => 11,
            Self::Analyze => 12,
        })
    }

    /// The action that a plan for the world as it is would have.
    pub fn action(&self, world: &World) -> Action {
        match self {
            Self::Size(2, size) => build::set_service("worker", *size),
            Self::Size(of, size) => build::set_fleet(&name(*of), *size),
            Self::Replace(2, member) => build::replace_task("worker", *member),
            Self::Replace(of, member) => build::replace(&name(*of), *member),
            Self::Restart(2) => Action::RedeployService { cluster: "worker".into(), service: "worker".into() },
            Self::Restart(of) => Action::RefreshFleet { group: name(*of) },
            Self::OffHours(of) => {
                let on = match world.resource(&id(*of)).map(|resource| resource.live) {
                    Some(Live::AutoScalingGroup(fleet)) => Sizes { min: fleet.min, desired: fleet.desired },
                    _ => Sizes { min: 1, desired: 1 },
                };
                let (stop, start) = ("0 20 * * 1-5".to_owned(), "0 7 * * 1-5".to_owned());
                let off_hours = OffHours { time_zone: "Europe/Berlin".to_owned(), stop, start, on };
                Action::SetFleetSchedule { group: name(*of), off_hours: Box::new(off_hours) }
            }
            Self::Flush => Action::FlushCache { cache: "pages".into() },
            Self::Invalidate => Action::InvalidateCdn { distribution: "E1".into() },
            Self::VolumeType(of) => Action::SetVolumeType {
                volume: name(*of),
                volume_type: "gp3".to_owned(),
                iops: 3_000,
                throughput_mibps: 250,
            },
            Self::Mark(of) => Action::MarkForDeletion {
                arn: RESOURCES[*of].to_owned(),
                delete_after: build::after_s(GRACE_D * 86_400),
            },
            Self::Snapshot(of) => Action::SnapshotVolume { volume: name(*of) },
            Self::Delete(of) => match RESOURCES[*of].split('/').next() {
                Some("volume") => Action::DeleteVolume { volume: name(*of) },
                Some("snapshot") => Action::DeleteDiskSnapshot { snapshot: name(*of) },
                _ => Action::ReleaseAddress { allocation: name(*of) },
            },
            Self::Retention(days) => Action::SetLogRetention { group: "app".to_owned(), days: *days },
            Self::Index => Action::CreateIndex { database: "shop".to_owned(), index: Box::new(spec()) },
            Self::Analyze => Action::AnalyzeTable {
                database: "shop".to_owned(),
                schema: "public".to_owned(),
                table: "orders".to_owned(),
            },
        }
    }
}

/// The resources at the beginning.
pub fn resources() -> Vec<Resource> {
    let fleet = |of: usize| {
        let mut fleet = build::fleet(&name(of), 2);
        if let Live::AutoScalingGroup(Fleet { scheduled, .. }) = &mut fleet.live {
            *scheduled = Observed::Known(Vec::new());
        }
        fleet
    };
    let long_ago = Some(build::after_s(-86_400));
    let mut old = build::volume("old");
    if let Live::Volume(Volume { delete_after, final_snapshot, .. }) = &mut old.live {
        *delete_after = long_ago;
        *final_snapshot = Some(FinalSnapshot { id: "snap-1".to_owned(), is_complete: true });
    }
    let mut released = build::address("old");
    if let Live::Address(Address { delete_after, .. }) = &mut released.live {
        *delete_after = long_ago;
    }
    let snapshot = DiskSnapshot {
        volume: "gone".to_owned(),
        volume_exists: false,
        size_gib: 8,
        images: Vec::new(),
        has_policy: false,
        delete_after: long_ago,
    };
    let index = Index {
        database: "shop".to_owned(),
        schema: "public".to_owned(),
        table: "orders".to_owned(),
        name: "orders_customer".to_owned(),
        state: IndexState::Absent,
        table_bytes: 1e9,
        oldest_transaction_s: 1.0,
        busy: None,
    };
    vec![
        fleet(0),
        fleet(1),
        build::service("worker", 2),
        build::cache("pages"),
        build::distribution("E1"),
        build::volume("disk"),
        old,
        build::address("spare"),
        released,
        build::resource("snapshot/old", "old", Live::DiskSnapshot(snapshot)),
        build::log_group("app"),
        build::resource("index/shop/orders", "orders", Live::Index(index)),
        build::statistics(),
    ]
}

/// What changes of a resource set, as a list: what must follow from the record.
pub fn values(live: &Live) -> String {
    match live {
        Live::AutoScalingGroup(fleet) => format!("{} members, schedule {:?}", fleet.desired, fleet.scheduled),
        Live::EcsService(service) => format!("{} tasks", service.desired),
        Live::Volume(volume) => format!(
            "{} {:?} {:?}, {:?}, {:?}",
            volume.volume_type, volume.iops, volume.throughput_mibps, volume.delete_after, volume.final_snapshot
        ),
        Live::Address(address) => format!("{:?}", address.delete_after),
        Live::DiskSnapshot(snapshot) => format!("{:?}", snapshot.delete_after),
        Live::LogGroup(group) => format!("{:?} days", group.retention_days),
        Live::Index(index) => format!("{:?}", index.state),
        Live::Statistics(of) => format!("{:?}", of.state()),
        other => other.kind().to_string(),
    }
}
