//! Every call of every state of the cost cycle, of a rollback of its savings and of a survey goes wrong in every way.

use crate::machine::{Ended, Machine, yes};
use crate::shop::{DISK, Shop};
use crate::survey;
use config::Config;
use domain::guard::KillSwitch;
use engine::ports::Life;
use harness::{About, Plot, sweep};
use serde_json::json;
use testkit::Fault;
use testkit::check::{Checked, hold};

const ASKS: &str = "applications:\n  shop:\n    mode: approve\n";

/// Nothing may be changed, in two ways of saying so.
fn forbidden() -> [Config; 2] {
    let always = "mode: auto\n    freeze: [{name: always, from: '2000-01-01', to: '2100-01-01'}]";
    [always, "mode: observe"].map(|says| Config::parse(&format!("applications:\n  shop:\n    {says}\n")).unwrap())
}

fn asks() -> Shop {
    Shop::new(ASKS, 1.0)
}

/// A shop whose users suffer from the new disk.
fn suffers() -> Shop {
    Shop::new("applications:\n  shop:\n    mode: auto\n", 2.0)
}

/// The same, and a run was stopped while it watched.
fn left() -> Shop {
    let shop = suffers();
    let stopped = Machine::cost(&shop, "cost-0").stopped_at("WatchUsers");
    assert_eq!(stopped.run(json!({"app": "shop"})).state, "WatchUsers");
    shop.world.end("cost-0", Life::Stopped);
    shop.pass_days(2);
    shop
}

/// A shop on which a run has saved.
fn saved() -> Shop {
    let shop = Shop::auto();
    assert_eq!(Machine::cost(&shop, "cost-0").run(json!({"app": "shop"})).state, "Saved");
    shop.world.end("cost-0", Life::Succeeded);
    shop.pass_days(2);
    shop
}

/// The same with the kill switch on.
fn switched_off() -> Shop {
    let shop = saved();
    shop.world.set_kill_switch(KillSwitch::On);
    shop
}

/// Two later runs, days apart: long enough for leases, and for what was left to be due.
fn later(shop: &Shop) {
    for name in ["later-1", "later-2"] {
        shop.pass_days(2);
        Machine::cost(shop, name).run(json!({"app": "shop"}));
        shop.world.end(name, Life::Succeeded);
    }
}

/// The disk is of one kind or the other.
fn holds(shop: &Shop, ended: &Ended, _: &About<'_>) -> Checked {
    let kind = shop.volume(DISK).unwrap().volume_type;
    hold("it was one or the other", ["gp2", "gp3"].contains(&kind.as_str()), || kind.clone())?;
    let known = ["Saved", "HandedToPeople", "RunFailed", "RecordNotClosed", "NotBegun", "InputRefused"];
    hold("a run ends well, handed to people or told as failed", known.contains(&ended.state.as_str()), || {
        format!("{}: {:?}", ended.state, ended.path)
    })
}

fn plot(name: &'static str, begin: fn() -> Shop, ends: &'static str) -> Plot<Shop> {
    let machine: for<'a> fn(&'a Shop) -> Machine<'a> = |shop| Machine::cost(shop, "cost-1");
    Plot { name, begin, machine, input: |_| json!({"app": "shop"}), ends, later, holds }
}

#[test]
fn fault_every_call_of_every_state_of_the_cost_cycle_goes_wrong_and_it_ends_well_or_told() {
    sweep(
        "cost-sweep",
        &[
            plot("saved", Shop::auto, "Saved"),
            Plot {
                machine: |shop| Machine::cost(shop, "cost-1").with_people([yes()]),
                ..plot("asked, and a yes", asks, "Saved")
            },
            plot("asked in vain", asks, "HandedToPeople"),
            Plot {
                machine: |shop| {
                    Machine::cost(shop, "cost-1").struck_at("ImplementSavings", "Actuator.apply", Fault::CrashAfter)
                },
                ..plot("died over a change", Shop::auto, "Saved")
            },
            plot("users suffered", suffers, "HandedToPeople"),
            Plot {
                machine: |shop| {
                    Machine::cost(shop, "cost-1").struck_at("UndoWhatHurt", "Actuator.restore", Fault::CrashBefore)
                },
                ..plot("died over an undo", suffers, "HandedToPeople")
            },
            plot("left by a dead run", left, "Saved"),
            Plot {
                machine: |shop| {
                    Machine::cost(shop, "cost-1").struck_at("UndoResidue", "Actuator.restore", Fault::CrashBefore)
                },
                ..plot("died over the undo of what was left", left, "Saved")
            },
        ],
        &forbidden(),
        &[],
    );
}

#[test]
fn fault_every_call_of_a_rollback_of_savings_goes_wrong_and_it_is_finished_or_told() {
    let back = Plot {
        machine: |shop| Machine::rollback(shop, "back-1"),
        input: |_| json!({"execution_id": "cost-0", "remark": "we need the old disk"}),
        holds: |shop, ended, _| {
            let kind = shop.volume(DISK).unwrap().volume_type;
            hold("it was one or the other", ["gp2", "gp3"].contains(&kind.as_str()), || kind.clone())?;
            let known = ["RolledBack", "HandedToPeople", "RunFailed", "OrderRefused", "RecordNotClosed"];
            hold("it is undone or told", known.contains(&ended.state.as_str()), || ended.state.clone())
        },
        ..plot("rolled back", saved, "RolledBack")
    };
    let died = Plot {
        name: "died over it",
        machine: |shop| {
            Machine::rollback(shop, "back-1").struck_at("RollBackSavings", "Actuator.restore", Fault::CrashBefore)
        },
        ..back
    };
    let switched_off = Plot { name: "switched off", begin: switched_off, ends: "HandedToPeople", ..back };
    let others = ["RollBack", "RollBackTheRest", "RollBackIndexes", "RollBackTheRestOfIndexes"];
    sweep("savings-rollback-sweep", &[back, died, switched_off], &forbidden(), &others);
}

#[test]
fn fault_every_call_of_a_survey_goes_wrong_and_people_are_told_once_or_the_run_fails() {
    let survey = Plot {
        begin: survey::shop,
        machine: |shop| Machine::survey(shop, "survey-1"),
        input: |_| json!({"trigger": "schedule"}),
        holds: |_, ended, _| {
            let known = ["PlacesLookedThrough", "InputRefused", "PlacesNotTold"];
            hold("it is told or fails", known.contains(&ended.state.as_str()), || ended.state.clone())
        },
        ..plot("looked through", survey::shop, "PlacesLookedThrough")
    };
    sweep("survey-sweep", &[survey], &forbidden(), &[]);
}

#[test]
fn every_step_delivered_twice_does_it_once() {
    let shop = Shop::auto();
    assert_eq!(Machine::cost(&shop, "cost-1").twice().run(json!({"app": "shop"})).state, "Saved");
    shop.assert_sound("twice");
    assert_eq!(shop.volume(DISK).unwrap().volume_type, "gp3");
}
