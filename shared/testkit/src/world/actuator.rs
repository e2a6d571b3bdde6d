//! The application under care: what the services do when they are told to, and what they refuse.

use super::{Landing, State, World};
use async_trait::async_trait;
use domain::change::{Action, Change};
use domain::guard::Cleared;
use domain::ids::ChangeId;
use domain::observed::Observed;
use domain::resource::{Fleet, Live, Resource, Service};
use engine::ports::{Actuator, EntryState, Lease, PortError, PortResult};
use engine::run::lease_key;
use jiff::Timestamp;

#[async_trait]
impl Actuator for World {
    async fn live(&self, resource: &Resource) -> PortResult<Resource> {
        let mut state = self.state();
        // An index that is not there can be looked at: its table is.
        if matches!(resource.live, Live::Index(_) | Live::Statistics(_)) && !state.resources.contains_key(&resource.id)
        {
            state.resources.insert(resource.id.clone(), resource.clone());
        }
        let found = state.resources.get(&resource.id).cloned().ok_or_else(|| gone("describe", resource.id.as_str()))?;
        state.last_seen.insert(found.id.clone(), found.live.clone());
        Ok(found)
    }

    async fn apply(&self, cleared: &Cleared<'_>) -> PortResult<()> {
        self.perform(cleared.change())
    }

    async fn restore(&self, change: &Change, prior: &Live) -> PortResult<()> {
        let now = self.now();
        let mut state = self.state();
        let before = state.live(&change.resource, "restore")?;
        let is_of_schedule = matches!(change.action, Action::SetFleetSchedule { .. });
        let after = match (&before, prior) {
            (Live::AutoScalingGroup(fleet), Live::AutoScalingGroup(prior)) if is_of_schedule => {
                Live::AutoScalingGroup(unscheduled(fleet, prior, &change.action))
            }
            (Live::AutoScalingGroup(_), Live::AutoScalingGroup(prior)) => {
                state.set_fleet(&before, prior.desired, "restored")?
            }
            (Live::EcsService(service), Live::EcsService(prior)) => Live::EcsService(resized(service, prior.desired)),
            (before, prior) if super::things::may_go_back(before, &change.action) => {
                super::things::put_back(before, prior, &change.action)
            }
            _ => return Err(rejected("restore", "this kind of change has nothing to restore")),
        };
        let landing = Landing::Restored(change.id.clone(), state.entry_state(&change.id));
        state.put(now, landing, change, before, after);
        Ok(())
    }
}

impl World {
    /// Makes a change as the service would, without any guard.
    ///
    /// # Errors
    /// What the service would refuse.
    pub fn perform(&self, change: &Change) -> PortResult<()> {
        let now = self.now();
        let mut state = self.state();
        let before = state.live(&change.resource, "apply")?;
        let after = state.after(now, change, &before)?;
        let landing = Landing::Applied(change.id.clone(), state.entry_state(&change.id));
        state.put(now, landing, change, before, after);
        Ok(())
    }

    /// A request leaves now and takes effect later, whatever its caller believes by then.
    pub fn send(&self, change: &Change, by: &str, arrives_at: Timestamp) {
        self.state().on_the_way.push((arrives_at, by.to_owned(), change.clone()));
    }

    /// Requests whose time has come take effect, or are refused and nobody hears of it.
    pub(super) fn land(&self) {
        let now = self.now();
        let due = {
            let mut state = self.state();
            let (due, later) = std::mem::take(&mut state.on_the_way).into_iter().partition(|(at, ..)| *at <= now);
            state.on_the_way = later;
            let due: Vec<(Timestamp, String, Change)> = due;
            due
        };
        for (_, by, change) in due {
            self.begin_write(&by);
            let _nobody_hears = self.perform(&change);
        }
    }
}

impl State {
    fn live(&self, id: &domain::ids::ResourceId, operation: &str) -> PortResult<Live> {
        self.resources.get(id).map(|resource| resource.live.clone()).ok_or_else(|| gone(operation, id.as_str()))
    }

    fn entry_state(&self, change: &ChangeId) -> Option<EntryState> {
        self.journal.get(change).map(|entry| entry.state)
    }

    fn put(&mut self, now: Timestamp, landing: Landing, change: &Change, before: Live, after: Live) {
        let lease = self.lease_over(&change.id);
        if super::things::is_gone(&change.action) {
            self.resources.remove(&change.resource);
        } else if let Some(resource) = self.resources.get_mut(&change.resource) {
            resource.live = after.clone();
        }
        self.write(now, landing, &change.resource, before, after, lease);
    }

    /// The lease on the application of a change, by its journal entry.
    fn lease_over(&self, change: &ChangeId) -> Option<Lease> {
        let entry = self.journal.get(change)?;
        let row = self.leases.get(&lease_key(entry.workflow.cycle(), &entry.app))?;
        (!row.is_free).then(|| row.lease.clone())
    }

    /// The state after a change, or the service's refusal.
    fn after(&mut self, now: Timestamp, change: &Change, before: &Live) -> PortResult<Live> {
        match (&change.action, before) {
            (Action::SetFleetCapacity { desired, .. }, Live::AutoScalingGroup(_)) => {
                self.set_fleet(before, *desired, change.id.as_str())
            }
            (Action::SetServiceCount { desired, .. }, Live::EcsService(service)) => {
                Ok(Live::EcsService(resized(service, *desired)))
            }
            (Action::ReplaceInstance { instance, .. }, Live::AutoScalingGroup(fleet)) => {
                let mut fleet = fleet.clone();
                let at = fleet.instances.iter().position(|member| member.id == *instance);
                let at = at.ok_or_else(|| rejected("terminate", "no such instance in a group"))?;
                self.launched += 1;
                fleet.instances[at] = crate::build::instance(&format!("launched-{}", self.launched));
                Ok(Live::AutoScalingGroup(fleet))
            }
            (Action::RefreshFleet { .. }, Live::AutoScalingGroup(fleet)) if fleet.refresh_in_progress => {
                Err(PortError::Conflict { operation: "refresh".to_owned(), why: "a refresh is under way".to_owned() })
            }
            (Action::RefreshFleet { .. }, Live::AutoScalingGroup(fleet)) => {
                let mut fleet = fleet.clone();
                fleet.last_refresh_at = Some(now);
                for member in &mut fleet.instances {
                    self.launched += 1;
                    *member = crate::build::instance(&format!("launched-{}", self.launched));
                }
                Ok(Live::AutoScalingGroup(fleet))
            }
            (Action::ReplaceTask { task, .. }, Live::EcsService(service)) => {
                let mut service = service.clone();
                let Observed::Known(tasks) = &mut service.tasks else {
                    return Err(rejected("stop", "the tasks of the service are not known"));
                };
                let at = tasks.iter().position(|member| member.id == *task);
                let at = at.ok_or_else(|| rejected("stop", "no such task in the service"))?;
                self.launched += 1;
                tasks[at] = crate::build::task(&format!("launched-{}", self.launched));
                Ok(Live::EcsService(service))
            }
            (Action::RedeployService { .. }, Live::EcsService(service)) => {
                let mut service = Service { last_deployment_at: Some(now), ..service.clone() };
                if let Observed::Known(tasks) = &mut service.tasks {
                    for task in tasks {
                        self.launched += 1;
                        *task = crate::build::task(&format!("launched-{}", self.launched));
                    }
                }
                Ok(Live::EcsService(service))
            }
            (Action::FlushCache { .. }, Live::Cache(_)) | (Action::InvalidateCdn { .. }, Live::Distribution) => {
                *self.flushes.entry(change.resource.clone()).or_default() += 1;
                Ok(before.clone())
            }
            (action, before) => match super::things::after(action, before) {
                Some(after) => Ok(after),
                None => Err(rejected("apply", "the resource is of another kind")),
            },
        }
    }

    fn set_fleet(&self, before: &Live, desired: u32, by: &str) -> PortResult<Live> {
        let Live::AutoScalingGroup(fleet) = before else { return Err(rejected("resize", "not a group")) };
        if desired < fleet.min || desired > fleet.max {
            return Err(rejected("resize", &format!("{desired} is outside {} to {}", fleet.min, fleet.max)));
        }
        let mut fleet = fleet.clone();
        resize_fleet(&mut fleet, desired, by);
        Ok(Live::AutoScalingGroup(fleet))
    }
}

/// Sets the size of a fleet; instances come and go at once.
pub(super) fn resize_fleet(fleet: &mut Fleet, desired: u32, by: &str) {
    let size = usize::try_from(desired).expect("a small fleet");
    fleet.desired = desired;
    fleet.instances.truncate(size);
    while fleet.instances.len() < size {
        let id = format!("{by}-{}", fleet.instances.len() + 1);
        fleet.instances.push(crate::build::instance(&id));
    }
}

/// The fleet without its off hours, with its sizes back where it was off.
fn unscheduled(fleet: &Fleet, prior: &Fleet, action: &Action) -> Fleet {
    let mut after = Fleet { scheduled: prior.scheduled.clone(), ..fleet.clone() };
    if let Action::SetFleetSchedule { off_hours, .. } = action
        && let Some(sizes) = off_hours.sizes_back(prior, fleet)
    {
        after.min = sizes.min;
        resize_fleet(&mut after, sizes.desired, "restored");
    }
    after
}

/// The service with so many tasks; they come and go at once.
fn resized(service: &Service, desired: u32) -> Service {
    let mut service = Service { desired, running: desired, ..service.clone() };
    if let Observed::Known(tasks) = &mut service.tasks {
        let size = usize::try_from(desired).expect("a small service");
        tasks.truncate(size);
        while tasks.len() < size {
            let id = format!("{}-{}", service.cluster, tasks.len() + 1);
            tasks.push(crate::build::task(&id));
        }
    }
    service
}

fn gone(operation: &str, what: &str) -> PortError {
    PortError::Gone { operation: operation.to_owned(), what: what.to_owned() }
}

fn rejected(operation: &str, why: &str) -> PortError {
    PortError::Rejected { operation: operation.to_owned(), why: why.to_owned() }
}
