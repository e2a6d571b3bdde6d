//! Every call of every state of the health cycle, of a rollback and of a story goes wrong in every way.

use crate::consent::ASKS;
use crate::machine::{Ended, Machine};
use crate::residue::{harmed_by_servers, stop};
use crate::rollback::{healed, order};
use crate::shop::{RUN, SERVERS, Shop, Weather, surge};
use config::Config;
use domain::guard::KillSwitch;
use engine::ports::Life;
use engine::run::LEASE_TTL_S;
use harness::{About, Plot, Reply, sweep};
use serde_json::json;
use testkit::Fault;
use testkit::check::{Checked, hold};

/// Nothing may be changed, in two ways of saying so.
fn forbidden() -> [Config; 2] {
    let always = "mode: auto\n    freeze: [{name: always, from: '2000-01-01', to: '2100-01-01'}]";
    [always, "mode: observe"].map(|says| Config::parse(&format!("applications:\n  shop:\n    {says}\n")).unwrap())
}

fn sick() -> Shop {
    Shop::auto(Weather { load: surge, ..Weather::default() })
}

/// The owner is content sooner, so that what comes after what went wrong is shorter; the calls are the same.
const SOON: &str = "    health: {success_iterations: 1, stable_s: 60}\n";

fn sick_for_short() -> Shop {
    Shop::new(Weather { load: surge, ..Weather::default() }, &format!("applications:\n  shop:\n    mode: auto\n{SOON}"))
}

fn asks() -> Shop {
    Shop::new(Weather { load: surge, ..Weather::default() }, &format!("{ASKS}{SOON}"))
}

/// A shop on which a run was stopped after it had done harm.
fn left() -> Shop {
    let shop = harmed_by_servers();
    stop(&shop, "WaitForEffect");
    shop.world.pass_s(LEASE_TTL_S);
    shop
}

/// The same with the kill switch on.
fn switched_off() -> Shop {
    let shop = healed();
    shop.world.set_kill_switch(KillSwitch::On);
    shop
}

/// Two later runs: what the first must wait for, the second finds settled.
fn later(shop: &Shop) {
    for name in ["later-1", "later-2"] {
        shop.world.pass_s(2 * LEASE_TTL_S);
        Machine::health(shop, name).run(json!({"app": "shop"}));
        shop.world.end(name, Life::Succeeded);
    }
}

/// The servers are within the owner's bounds.
fn holds(shop: &Shop, ended: &Ended, _: &About<'_>) -> Checked {
    let servers = shop.servers();
    hold("the owner's bounds hold", (2..=12).contains(&servers), || format!("{servers} servers"))?;
    let known =
        ["Healthy", "HandedToPeople", "RunFailed", "RecordNotClosed", "NotBegun", "InputRefused", "AlreadyUnderCare"];
    hold("a run ends well, handed to people or told as failed", known.contains(&ended.state.as_str()), || {
        format!("{}: {:?}", ended.state, ended.path)
    })
}

fn plot(name: &'static str, begin: fn() -> Shop, ends: &'static str) -> Plot<Shop> {
    let machine: for<'a> fn(&'a Shop) -> Machine<'a> = |shop| Machine::health(shop, RUN);
    Plot { name, begin, machine, input: |_| json!({"app": "shop"}), ends, later, holds }
}

#[test]
fn fault_every_call_of_every_state_of_the_health_cycle_goes_wrong_and_it_ends_well_or_told() {
    let asked: for<'a> fn(&'a Shop) -> Machine<'a> = |shop| {
        let mut machine = Machine::health(shop, RUN).with_people([Reply::yes_to_all()]);
        machine.people_insist = true;
        machine
    };
    let second: for<'a> fn(&'a Shop) -> Machine<'a> = |shop| Machine::health(shop, "run-2");
    sweep(
        "health-sweep",
        &[
            plot("healed", sick, "Healthy"),
            Plot { machine: asked, ..plot("asked, and a yes", asks, "Healthy") },
            plot("asked in vain", asks, "HandedToPeople"),
            Plot {
                machine: |shop| Machine::health(shop, RUN).struck_at("Optimize", "Actuator.apply", Fault::CrashAfter),
                ..plot("died over a change", sick_for_short, "Healthy")
            },
            plot("harmed", harmed_by_servers, "HandedToPeople"),
            Plot {
                machine: |shop| {
                    Machine::health(shop, RUN).struck_at("UndoWhatDidNotHelp", "Actuator.restore", Fault::CrashAfter)
                },
                ..plot("died over an undo", harmed_by_servers, "HandedToPeople")
            },
            Plot { machine: second, ..plot("left by a dead run", left, "HandedToPeople") },
            Plot {
                machine: |shop| {
                    Machine::health(shop, "run-2").struck_at("UndoResidue", "Actuator.restore", Fault::CrashBefore)
                },
                ..plot("died over the undo of what was left", left, "HandedToPeople")
            },
        ],
        &forbidden(),
        &[],
    );
}

#[test]
fn fault_every_call_of_a_rollback_goes_wrong_and_it_is_finished_or_told() {
    let back = Plot {
        name: "rolled back",
        begin: healed,
        machine: |shop| Machine::rollback(shop, "back-1"),
        input: |_| order(),
        ends: "RolledBack",
        later,
        holds: |shop, ended, _| {
            let servers = shop.servers();
            hold("it was one or the other", [SERVERS, 7, 9].contains(&servers), || format!("{servers} servers"))?;
            let known =
                ["RolledBack", "HandedToPeople", "RunFailed", "OrderRefused", "RecordNotClosed", "NothingToUndo"];
            hold("it is undone or told", known.contains(&ended.state.as_str()), || ended.state.clone())
        },
    };
    let died = Plot {
        name: "died over it",
        machine: |shop| Machine::rollback(shop, "back-1").struck_at("RollBack", "Actuator.restore", Fault::CrashBefore),
        ..back
    };
    let switched_off = Plot { name: "switched off", begin: switched_off, ends: "HandedToPeople", ..back };
    let others = ["RollBackSavings", "RollBackTheRestOfSavings", "RollBackIndexes", "RollBackTheRestOfIndexes"];
    sweep("rollback-sweep", &[back, died, switched_off], &forbidden(), &others);
}

#[test]
fn fault_a_story_that_can_not_be_read_changes_nothing() {
    let story = Plot {
        name: "told",
        begin: healed,
        machine: |shop| Machine::explain(shop, "story-1"),
        input: |_| json!({"execution_id": RUN}),
        ends: "Explained",
        later,
        holds: |shop, ended, _| {
            hold("nothing is changed", shop.servers() == 7, || format!("{}", shop.servers()))?;
            let known = ["Explained", "NotExplained"];
            hold("it is told or not", known.contains(&ended.state.as_str()), || ended.state.clone())
        },
    };
    sweep("story-sweep", &[story], &forbidden(), &[]);
}
