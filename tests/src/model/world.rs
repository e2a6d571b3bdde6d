//! What was read from the cloud this minute: the real configuration that the model lives in.

/// The state of one application's resources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct World {
    /// Instances of the web group.
    pub instances: Vec<InstanceSeen>,
    /// Size that the web group wants.
    pub desired: u32,
    /// The worker service.
    pub service: ServiceSeen,
    /// The cache.
    pub cache: CacheSeen,
    /// Mean time of what a page asks its real database, in milliseconds; the model's own where it has none.
    pub query_ms: Option<f64>,
}

/// An instance of the web group.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceSeen {
    /// EC2 instance id.
    pub id: String,
    /// Minutes since it was first seen in service.
    pub age_min: f64,
    /// In service now.
    pub in_service: bool,
}

/// The worker service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceSeen {
    /// Tasks wanted.
    pub desired: u32,
    /// Tasks running.
    pub running: u32,
    /// Minutes since each of them was first seen running.
    pub ages_min: Vec<f64>,
}

/// What the application met in its cache.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CacheSeen {
    /// Share of the warm set that was there, 0 to 1.
    pub warm_share: f64,
    /// Memory in use as a share of what is allowed, in per cent.
    pub memory_pct: f64,
    /// Entries thrown out for lack of memory since the last minute.
    pub evictions: f64,
    /// It answered at all.
    pub reachable: bool,
}

impl Default for CacheSeen {
    fn default() -> Self {
        Self { warm_share: 1.0, memory_pct: 30.0, evictions: 0.0, reachable: true }
    }
}

impl World {
    /// Instances that serve.
    pub fn serving(&self) -> impl Iterator<Item = &InstanceSeen> {
        self.instances.iter().filter(|instance| instance.in_service)
    }
}
