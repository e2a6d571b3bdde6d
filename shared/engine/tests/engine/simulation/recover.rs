//! The end of a simulation: leases end, later runs with right clocks settle and judge what was left, of every cycle.

use super::generate::OFF_MAX_S;
use crate::common::{APP, Bench, judge};
use domain::execution::Cycle;
use domain::guard::KillSwitch;
use domain::ids::AppId;
use engine::ports::Entry;
use engine::run::{lease_key, lease_ttl_s};
use engine::{settle, undo};
use std::sync::Arc;
use testkit::check::{Checked, Violation, hold};
use testkit::{Process, World, run_to_end};

/// Looks that a run takes before a change counts as on its way for ever.
const LOOKS: u32 = 30;

/// Lets all leases end, and brings everything to its end.
pub fn recover(world: &Arc<World>) -> Checked {
    world.set_kill_switch(KillSwitch::Off);
    // What one cycle has open may cover what another has.
    for round in 1..=2 {
        for cycle in [Cycle::Health, Cycle::Cost, Cycle::Performance] {
            let is_open = |entry: &Entry| entry.state.is_open() && entry.workflow.cycle() == cycle;
            if world.journal().iter().any(is_open) || world.lease(&key_of(cycle)).is_some() {
                recover_one(world, cycle, &format!("late-{cycle}-{round}"))?;
            }
        }
    }
    Ok(())
}

fn key_of(cycle: Cycle) -> String {
    lease_key(cycle, &AppId::from(APP))
}

fn recover_one(world: &Arc<World>, cycle: Cycle, name: &str) -> Checked {
    if world.lease(&key_of(cycle)).is_some() {
        // A lease may have been written by a clock that is ahead.
        world.pass_s(lease_ttl_s(cycle) + u32::try_from(OFF_MAX_S).unwrap() + 1);
    }
    let Some(bench) = Bench::try_of_cycle(world, name, cycle) else {
        return hold("a lease ends", false, || format!("{cycle}: {:?}", world.lease(&key_of(cycle))));
    };
    let process = Process::sound(world).working_for(name, jiff::SignedDuration::ZERO);
    let context = bench.context(&process);
    let failed = |error: engine::act::ActError| Violation { promise: "a sound run goes on", told: error.to_string() };
    for _ in 0..LOOKS {
        let settlement = run_to_end(&process, settle::residue(&context)).finished().unwrap().map_err(failed)?;
        let Some(retry_after_s) = settlement.retry_after_s() else { break };
        world.pass_s(retry_after_s + 1);
    }
    let judged = judge(&process, &bench.run, world, |_| name.len().is_multiple_of(2));
    run_to_end(&process, judged).finished().unwrap().unwrap();
    let context = bench.context(&process);
    let settlement = run_to_end(&process, undo::residue(&context)).finished().unwrap().map_err(failed)?;
    let _told_by_the_journal = settlement;
    run_to_end(&process, engine::lease::release(&**world, &bench.run)).finished().unwrap().unwrap();
    Ok(())
}
