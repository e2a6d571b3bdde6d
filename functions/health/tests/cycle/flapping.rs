//! A load that swings around the alarm's threshold for a day must not make the maintainer swing with it.

use crate::machine::Machine;
use crate::shop::{SERVERS, Shop, Weather};
use domain::guard::Limits;
use jiff::Timestamp;
use serde_json::json;
use testkit::{Landing, Proof, build};

/// Minutes of one swing.
const PERIOD_MIN: i64 = 16;
/// What the alarm rings at: CPU over this, for so many minutes.
const ALARM_PCT: f64 = 70.0;
const ALARM_MIN: i64 = 5;
const DAY_MIN: i64 = 24 * 60;

/// From 0 to 1 within a swing: a slow rise and a fall within a minute.
fn rise(at: Timestamp) -> f64 {
    let minute = at.as_second().div_euclid(60).rem_euclid(PERIOD_MIN);
    f64::from(u8::try_from(minute).unwrap()) / f64::from(u8::try_from(PERIOD_MIN - 1).unwrap())
}

/// Between 60 and 90 per cent of what four servers can do.
fn around_the_threshold(at: Timestamp) -> f64 {
    2.4 + 1.2 * rise(at)
}

/// Up to more than all the servers that the fleet may have can do.
fn beyond_the_fleet(at: Timestamp) -> f64 {
    2.4 + 6.0 * rise(at)
}

/// Each server beyond four makes everybody wait for what is behind them.
fn waits_for_more(servers: u32, _: Timestamp) -> f64 {
    0.4 * f64::from(servers.saturating_sub(SERVERS))
}

/// Minutes since the world began.
fn minute(at: Timestamp) -> i64 {
    at.duration_since(build::after_s(0)).as_secs() / 60
}

fn rings(shop: &Shop, load: fn(Timestamp) -> f64) -> bool {
    let now = minute(shop.world.now());
    let servers = f64::from(shop.servers());
    (0..ALARM_MIN).all(|ago| {
        let at = build::after_s(i32::try_from((now - ago) * 60).unwrap().into());
        100.0 * load(at) / servers > ALARM_PCT
    })
}

#[test]
fn a_sawtooth_at_the_threshold_for_a_day_makes_one_change_and_one_undo_per_cool_down_at_most() {
    let proof = Proof::begin("sawtooth-minutes");
    let day = |what: &str, weather: Weather| {
        let load = weather.load;
        let shop = Shop::auto(weather);
        let mut ends = Vec::new();
        while minute(shop.world.now()) < DAY_MIN {
            if rings(&shop, load) {
                let name: &'static str = format!("run-{}", ends.len() + 1).leak();
                ends.push(Machine::health(&shop, name).run(json!({"app": "shop", "trigger": "alarm"})).state);
            }
            shop.world.pass_s(60);
        }
        let (made, undone) = deeds(&shop);
        println!(
            "{what}: 24 h, {} swings, {} runs, {} changes at minutes {:?}, {} undone at {:?}, {} servers at the end",
            DAY_MIN / PERIOD_MIN,
            ends.len(),
            made.len(),
            made.iter().copied().map(minute).collect::<Vec<_>>(),
            undone.len(),
            undone.iter().copied().map(minute).collect::<Vec<_>>(),
            shop.servers()
        );
        for moments in [&made, &undone] {
            let gaps = moments.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_secs());
            let cool_down_s = i64::from(Limits::default().cooldown_s);
            assert!(gaps.min().is_none_or(|gap| gap >= cool_down_s), "{what}: {moments:?}");
        }
        assert!(!ends.is_empty() && !made.is_empty(), "{what}: the load swings over the threshold");
        shop.assert_sound(what);
        (made.len(), undone.len())
    };
    let around = Weather { load: around_the_threshold, ..Weather::default() };
    assert_eq!(day("around the threshold", around), (1, 0));
    let harmful = Weather { load: around_the_threshold, behind_s: waits_for_more, ..Weather::default() };
    let (made, undone) = day("more servers harm", harmful);
    assert!(made <= 2 && undone == made, "{made} changes, {undone} undone");
    let beyond = Weather { load: beyond_the_fleet, ..Weather::default() };
    let (made, undone) = day("beyond the fleet", beyond);
    assert!(made <= 3 && undone <= made, "{made} changes, {undone} undone");
    proof.survived(3 * usize::try_from(DAY_MIN).unwrap());
}

/// When something was changed, and when it was set back.
fn deeds(shop: &Shop) -> (Vec<Timestamp>, Vec<Timestamp>) {
    let (mut made, mut undone) = (Vec::new(), Vec::new());
    for write in shop.world.ledger() {
        match write.landing {
            Landing::Applied(..) => made.push(write.at),
            Landing::Restored(..) => undone.push(write.at),
            Landing::Outside => {}
        }
    }
    (made, undone)
}
