//! Every call of every state of the performance cycle and of a rollback of its indexes goes wrong in every way.

use crate::machine::{Ended, Machine, yes};
use crate::shop::{AUTO, HELPS, Shop, Traits};
use config::Config;
use domain::guard::KillSwitch;
use engine::ports::Life;
use harness::{About, Plot, sweep};
use serde_json::json;
use testkit::Fault;
use testkit::check::{Checked, hold};

/// Nothing may be changed, in two ways of saying so.
fn forbidden() -> [Config; 2] {
    let always = "mode: auto\n    freeze: [{name: always, from: '2000-01-01', to: '2100-01-01'}]";
    [always, "mode: observe"].map(|says| Shop::new(says, HELPS).config)
}

fn asks() -> Shop {
    Shop::new("mode: approve", HELPS)
}

/// A shop whose writes get too slow with the index.
fn suffers() -> Shop {
    Shop::new(AUTO, Traits { write_with_index_ms: 90.0, ..HELPS })
}

/// The same, and a run was stopped after it had built the index.
fn left() -> Shop {
    let shop = suffers();
    let stopped = Machine::performance(&shop, "performance-0").stopped_at("ValidateImprovements");
    assert_eq!(stopped.run(json!({"app": "shop"})).state, "ValidateImprovements");
    shop.world.end("performance-0", Life::Stopped);
    shop.world.pass_s(2 * 86_400);
    shop
}

/// A shop for which a run has built an index.
fn built() -> Shop {
    let shop = Shop::auto();
    assert_eq!(Machine::performance(&shop, "performance-0").run(json!({"app": "shop"})).state, "Improved");
    shop.world.end("performance-0", Life::Succeeded);
    shop
}

/// The same with the kill switch on.
fn switched_off() -> Shop {
    let shop = built();
    shop.world.set_kill_switch(KillSwitch::On);
    shop
}

/// Two later runs, days apart: long enough for leases, and for what may still have been on its way.
fn later(shop: &Shop) {
    for name in ["later-1", "later-2"] {
        shop.world.pass_s(2 * 86_400);
        Machine::performance(shop, name).run(json!({"app": "shop"}));
        shop.world.end(name, Life::Succeeded);
    }
}

/// A run ends well, or people know.
fn holds(_: &Shop, ended: &Ended, _: &About<'_>) -> Checked {
    let known = ["Improved", "HandedToPeople", "RunFailed", "RecordNotClosed", "NotBegun", "InputRefused"];
    hold("a run ends well, handed to people or told as failed", known.contains(&ended.state.as_str()), || {
        format!("{}: {:?}", ended.state, ended.path)
    })
}

fn plot(name: &'static str, begin: fn() -> Shop, ends: &'static str) -> Plot<Shop> {
    let machine: for<'a> fn(&'a Shop) -> Machine<'a> = |shop| Machine::performance(shop, "performance-1");
    Plot { name, begin, machine, input: |_| json!({"app": "shop"}), ends, later, holds }
}

#[test]
fn fault_every_call_of_every_state_of_the_performance_cycle_goes_wrong_and_it_ends_well_or_told() {
    sweep(
        "performance-sweep",
        &[
            plot("improved", Shop::auto, "Improved"),
            Plot {
                machine: |shop| Machine::performance(shop, "performance-1").with_people([yes()]),
                ..plot("asked, and a yes", asks, "Improved")
            },
            plot("asked in vain", asks, "HandedToPeople"),
            Plot {
                machine: |shop| {
                    Machine::performance(shop, "performance-1").struck_at(
                        "ApplyFixes",
                        "Actuator.apply",
                        Fault::CrashAfter,
                    )
                },
                ..plot("died over a change", Shop::auto, "Improved")
            },
            plot("writes suffered", suffers, "HandedToPeople"),
            Plot {
                machine: |shop| {
                    Machine::performance(shop, "performance-1").struck_at(
                        "UndoWhatDidNotHelp",
                        "Actuator.restore",
                        Fault::CrashBefore,
                    )
                },
                ..plot("died over an undo", suffers, "HandedToPeople")
            },
            plot("left by a dead run", left, "HandedToPeople"),
            Plot {
                machine: |shop| {
                    Machine::performance(shop, "performance-1").struck_at(
                        "UndoResidue",
                        "Actuator.restore",
                        Fault::CrashBefore,
                    )
                },
                ..plot("died over the undo of what was left", left, "HandedToPeople")
            },
        ],
        &forbidden(),
        &[],
    );
}

#[test]
fn fault_every_call_of_a_rollback_of_indexes_goes_wrong_and_it_is_finished_or_told() {
    let back = Plot {
        machine: |shop| Machine::rollback(shop, "back-1"),
        input: |_| json!({"execution_id": "performance-0", "remark": "we build our own"}),
        holds: |_, ended, _| {
            let known = ["RolledBack", "HandedToPeople", "RunFailed", "OrderRefused", "RecordNotClosed"];
            hold("it is undone or told", known.contains(&ended.state.as_str()), || ended.state.clone())
        },
        ..plot("rolled back", built, "RolledBack")
    };
    let died = Plot {
        name: "died over it",
        machine: |shop| {
            Machine::rollback(shop, "back-1").struck_at("RollBackIndexes", "Actuator.restore", Fault::CrashBefore)
        },
        ..back
    };
    let switched_off = Plot { name: "switched off", begin: switched_off, ends: "HandedToPeople", ..back };
    let others = ["RollBack", "RollBackTheRest", "RollBackSavings", "RollBackTheRestOfSavings"];
    sweep("indexes-rollback-sweep", &[back, died, switched_off], &forbidden(), &others);
}

#[test]
fn every_step_delivered_twice_does_it_once() {
    let shop = Shop::auto();
    assert_eq!(Machine::performance(&shop, "performance-1").twice().run(json!({"app": "shop"})).state, "Improved");
    shop.assert_sound("twice");
    assert!(shop.has_index());
}
