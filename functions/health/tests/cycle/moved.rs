//! An application that has moved to another place: what a run has done in the old one is not put back in the new one.

use crate::machine::{Ended, Machine};
use crate::residue::{next, stop};
use crate::shop::{RUN, SERVERS, Shop, Weather, surge};
use config::Config;
use engine::ports::EntryState;
use engine::run::LEASE_TTL_S;
use serde_json::json;

const AT_HOME: &str = "applications:\n  shop: {mode: auto}\n";
const MOVED: &str = "applications:\n  shop: {mode: auto, accounts: [444455556666], regions: [eu-central-1]}\n";

/// A shop that a run has healed by growing its fleet, and then moved. The fake has one fleet, which is that of the old place and
/// in the new one its namesake.
fn healed_and_moved() -> (Shop, u32) {
    let mut shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    assert_eq!(Machine::health(&shop, RUN).run(json!({"app": "shop"})).state, "Healthy");
    let grown = shop.servers();
    assert!(grown > SERVERS);
    shop.config = Config::parse(MOVED).unwrap();
    (shop, grown)
}

fn roll_back(shop: &Shop, name: &'static str) -> Ended {
    Machine::rollback(shop, name).run(json!({"execution_id": RUN}))
}

#[test]
fn a_rollback_of_what_was_done_elsewhere_is_refused_in_one_sentence_until_the_application_is_back() {
    let (mut shop, grown) = healed_and_moved();
    let before = shop.world.journal();
    let ended = roll_back(&shop, "back-1");
    let said = format!("{:#}", ended.output);
    let why = "set the capacity of shop-web to 7 was made on asg/shop-web, but shop lives in account 444455556666 in eu-central-1 \
               now: name in maintainer.yaml where it lived then, and order again; nothing was changed";
    assert!(said.contains(why), "{said}");
    assert_eq!((shop.servers(), shop.lease(), shop.world.journal()), (grown, None, before), "nothing was changed");

    shop.config = Config::parse(AT_HOME).unwrap();
    let ended = roll_back(&shop, "back-2");
    assert_eq!((ended.state.as_str(), shop.servers()), ("RolledBack", SERVERS), "{:#}", ended.output);
}

/// A run died with a change that nobody has measured, and meanwhile the application moved: the next run neither settles nor undoes
/// it by the namesake, and says so.
#[test]
fn what_a_dead_run_left_in_the_old_place_is_not_settled_by_the_namesake_in_the_new_one() {
    let mut shop = Shop::auto(Weather { load: surge, ..Weather::default() });
    let change = stop(&shop, "WaitForEffect");
    let grown = shop.servers();
    assert!(grown > SERVERS);
    shop.config = Config::parse(MOVED).unwrap();
    shop.world.pass_s(LEASE_TTL_S);
    let ended = next(&shop);
    let entry = shop.world.entry(change.id()).unwrap();
    assert_eq!(shop.servers(), grown, "the namesake is as it was: {:?}", ended.path);
    let why = "in account 444455556666 in eu-central-1, where shop lives now, it does not exist";
    assert!(entry.state == EntryState::Superseded && entry.note.contains(why), "{entry:#?}");
    let told = shop.world.messages().pop().unwrap();
    assert!(told.text.contains(why), "{}", told.text);
}
