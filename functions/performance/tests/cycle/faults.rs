//! The performance cycle with every external call of every step going wrong in every way.

use crate::machine::Machine;
use crate::shop::Shop;
use serde_json::json;
use testkit::{Fault, Proof};

const STEPS: [&str; 8] = [
    "Begin",
    "OpenWindow",
    "Profile",
    "IdentifyBottlenecks",
    "ApplyFixes",
    "OpenWindowAfter",
    "ValidateImprovements",
    "Finish",
];

const FAULTS: [Fault; 8] = [
    Fault::CrashBefore,
    Fault::CrashAfter,
    Fault::LoseRequest,
    Fault::LoseAnswer,
    Fault::LandLate(40),
    Fault::Throttle,
    Fault::Deny,
    Fault::Delay(400),
];

/// Whatever happens at whichever call: there is an index or none as the journal says, and the next runs end it.
#[test]
fn fault_any_call_of_any_step_goes_wrong_and_the_next_runs_make_it_good() {
    let sound = Machine::performance(&Shop::auto(), "performance-1").run(json!({"app": "shop"}));
    let (proof, mut injected) = (Proof::begin("performance-faults"), 0);
    for state in STEPS {
        let calls = sound.calls.get(state).copied().unwrap_or_default();
        assert!(calls > 0, "{state} calls something");
        for call in 0..calls {
            for fault in FAULTS {
                let shop = Shop::auto();
                let mut machine = Machine::performance(&shop, "performance-1");
                machine.faults.insert(state, (call, fault));
                let ended = machine.run(json!({"app": "shop"}));
                shop.world.end("performance-1", engine::ports::Life::Failed);
                let about = format!("{state} call {call} {fault:?}, ended in {}", ended.state);
                // Long enough for leases, and for what may still have been on its way.
                shop.world.pass_s(2 * 86_400);
                for name in ["performance-2", "performance-3"] {
                    Machine::performance(&shop, name).run(json!({"app": "shop"}));
                    shop.world.end(name, engine::ports::Life::Succeeded);
                    shop.world.pass_s(2 * 86_400);
                }
                shop.assert_sound(&about);
                injected += ended.injected;
            }
        }
    }
    proof.survived(usize::try_from(injected).unwrap());
}

#[test]
fn every_step_delivered_twice_does_it_once() {
    let shop = Shop::auto();
    let mut machine = Machine::performance(&shop, "performance-1");
    machine.twice = true;
    assert_eq!(machine.run(json!({"app": "shop"})).state, "Improved");
    shop.assert_sound("twice");
    assert!(shop.has_index());
}
