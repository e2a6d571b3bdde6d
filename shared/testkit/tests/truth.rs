//! Precision and recall of every rule of the cost cycle, on seeded accounts whose waste is known.
//!
//! Run with `--nocapture` to read the table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a test")]

use domain::cost::estate::Template;
use domain::cost::money::UsdMicros;
use domain::cost::opportunity::{Opportunity, Remedy};
use domain::cost::policy::Policy;
use domain::cost::rules::{TABLE, find};
use domain::cost::terms::{FleetTerms, Terms};
use domain::cost::usage::{Quantity, SOURCES, is_low, is_needed, waits_for_cpu};
use domain::ids::ResourceId;
use domain::observed::{Missing, Observed};
use domain::resource::PROTECTED_TAG;
use maintainer_testkit::waste::{Account, Fact, LEAST, Verdict, account};
use std::collections::{BTreeMap, BTreeSet};

const SEEDS: std::ops::Range<u64> = 1..13;
const OF_EACH: usize = 6;
/// The rule that never knows an amount.
const NO_AMOUNT: &str = "nat_without_endpoint";

#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
    spared: u32,
    advised: u32,
}

/// A change or an amount: what somebody would act on.
fn is_claimed(found: &Opportunity) -> bool {
    found.saving.known().is_some() || !matches!(found.remedy, Remedy::Advice { .. })
}

/// What is wrong with what was found, and the scores of the rules.
fn judge(account: &Account, found: &[Opportunity], scores: &mut BTreeMap<String, Score>) -> Vec<String> {
    let claimed: BTreeSet<(&ResourceId, &str)> =
        found.iter().filter(|one| is_claimed(one)).map(|one| (&one.resource, one.rule.as_str())).collect();
    let advised: BTreeSet<(&ResourceId, &str)> = found.iter().map(|one| (&one.resource, one.rule.as_str())).collect();
    let mut errors = Vec::new();
    let mut expected = BTreeSet::new();
    for fact in &account.facts {
        let score = scores.entry(fact.rule.to_owned()).or_default();
        let key = (&fact.resource, fact.rule);
        match fact.verdict {
            Verdict::Waste => {
                expected.insert(key);
                if claimed.contains(&key) {
                    score.right += 1;
                } else {
                    score.missed += 1;
                    errors.push(format!("{} missed {}: {}", fact.rule, fact.resource, fact.story));
                }
            }
            Verdict::Unproven if !advised.contains(&key) => {
                errors.push(format!("{} gave no advice on {}: {}", fact.rule, fact.resource, fact.story));
            }
            Verdict::Unproven => score.advised += 1,
            Verdict::Innocent if !advised.contains(&key) => score.spared += 1,
            Verdict::Innocent => {
                errors.push(format!("{} advises on {}: {}", fact.rule, fact.resource, fact.story));
            }
        }
    }
    for (resource, rule) in claimed.difference(&expected) {
        scores.entry((*rule).to_owned()).or_default().wrong += 1;
        let story = account.facts.iter().find(|fact| fact.resource == **resource).map(|fact| fact.story);
        errors.push(format!("{rule} claims {resource}: {}", story.unwrap_or("no story")));
    }
    errors
}

#[test]
fn every_rule_finds_all_waste_that_the_account_shows_and_touches_no_innocent() {
    let (mut scores, mut errors, mut items) = (BTreeMap::new(), Vec::new(), 0);
    for seed in SEEDS {
        let account = account(seed, OF_EACH);
        items += account.estate.items.len();
        let found = find(&account.estate, &Policy::default(), &account.prices);
        errors.extend(judge(&account, &found, &mut scores).into_iter().map(|error| format!("seed {seed}: {error}")));
    }
    println!("{items} resources of {} seeds", SEEDS.end - SEEDS.start);
    println!(
        "{:<24}{:>8}{:>8}{:>8}{:>8}{:>11}{:>8}",
        "rule", "waste", "found", "wrong", "spared", "precision", "recall"
    );
    for (rule, score) in &scores {
        let share =
            |of: u32| if of == 0 { "-".to_owned() } else { format!("{:.3}", f64::from(score.right) / f64::from(of)) };
        println!(
            "{rule:<24}{:>8}{:>8}{:>8}{:>8}{:>11}{:>8}",
            score.right + score.missed,
            score.right,
            score.wrong,
            score.spared,
            share(score.right + score.wrong),
            share(score.right + score.missed)
        );
    }
    assert!(errors.is_empty(), "{} errors:\n{}", errors.len(), errors.join("\n"));
    for rule in TABLE {
        let score = scores.get(rule.name).unwrap_or_else(|| panic!("no story of {}", rule.name));
        let is_found = score.right > 0 || (rule.name == NO_AMOUNT && score.advised > 0);
        assert!(is_found && score.spared > 0, "{} has waste and look-alikes", rule.name);
    }
}

#[test]
fn what_is_claimed_has_evidence_a_way_back_and_an_ordered_interval() {
    let account = account(99, 3);
    let mut told: BTreeMap<String, UsdMicros> = BTreeMap::new();
    for one in find(&account.estate, &Policy::default(), &account.prices) {
        assert!(!one.summary.is_empty() && !one.evidence.is_empty() && !one.way_back.is_empty(), "{one:?}");
        assert!((0.0..=1.0).contains(&one.confidence), "{one:?}");
        if let Some(saving) = one.saving.known() {
            assert!(saving.low <= saving.likely && saving.likely <= saving.high, "{one:?}");
            assert!(saving.likely.0 > 0 && saving.low.0 >= 0, "{one:?}");
            if matches!(one.remedy, Remedy::Advice { .. }) {
                let sum = told.entry(one.rule.to_string()).or_default();
                *sum = *sum + saving.likely;
            } else {
                assert!(saving.likely >= LEAST, "a change is worth it by itself: {one:?}");
            }
        }
    }
    assert!(told.values().all(|sum| *sum >= LEAST), "what people are told is worth it together: {told:?}");
}

#[test]
fn the_same_seed_makes_the_same_account_and_the_same_findings() {
    let of = |seed| {
        let account = account(seed, 2);
        serde_json::to_string(&find(&account.estate, &Policy::default(), &account.prices)).unwrap()
    };
    assert_eq!(of(5), of(5));
    assert_ne!(of(5), of(6));
}

/// The accounts of some seeds.
fn accounts() -> impl Iterator<Item = Account> {
    (100..106).map(|seed| account(seed, 2))
}

fn found(account: &Account) -> Vec<Opportunity> {
    find(&account.estate, &Policy::default(), &account.prices)
}

/// The rule about a Savings Plan, where this account is one for it.
fn plan_of(account: &Account) -> Option<&'static str> {
    let is_advised = |fact: &&Fact| fact.rule == "savings_plan" && fact.verdict == Verdict::Waste;
    account.facts.iter().find(is_advised).map(|fact| fact.rule)
}

fn rules_of(found: &[Opportunity]) -> BTreeSet<&str> {
    found.iter().map(|one| one.rule.as_str()).collect()
}

#[test]
fn where_nothing_could_be_read_nothing_is_claimed_about_use() {
    for mut account in accounts() {
        for usage in &mut account.estate.usage {
            usage.profile = Observed::Missing(Missing::Throttled);
        }
        let found = found(&account);
        let without_use = [
            "abandoned_upload",
            "dead_alarm",
            "gp2_volume",
            "log_retention",
            "orphaned_snapshot",
            "previous_generation",
            "reserved_capacity",
            // By its owner's word, whatever the load.
            "spot_fleet",
            "unassociated_address",
            "unused_container_image",
            "unused_image",
            "unused_secret",
        ];
        let expected: BTreeSet<&str> = without_use.into_iter().chain(plan_of(&account)).collect();
        assert_eq!(rules_of(&found), expected);
        account.estate.usage.clear();
        assert_eq!(rules_of(&self::found(&account)), expected);
    }
}

#[test]
fn what_is_not_asked_for_changes_no_finding() {
    let policy = Policy::default();
    let (mut all, mut left) = (0, 0);
    for seed in SEEDS {
        let whole = account(seed, OF_EACH);
        let mut asked = account(seed, OF_EACH);
        let item = |id: &ResourceId| whole.estate.items.iter().find(|item| item.resource.id == *id).unwrap();
        let low: BTreeSet<_> = whole
            .estate
            .usage
            .iter()
            .filter(|of| of.quantity == Quantity::CpuPct)
            .filter(|of| is_low(&of.profile, &policy))
            .map(|of| of.resource.clone())
            .collect();
        asked.estate.usage.retain(|of| {
            let item = item(&of.resource);
            let mut sources = SOURCES.iter();
            let source = sources.find(|s| s.quantity == of.quantity && s.kind == item.resource.kind()).unwrap();
            is_needed(source, item) && (!waits_for_cpu(source) || low.contains(&of.resource))
        });
        assert_eq!(found(&asked), found(&whole), "seed {seed}");
        (all, left) = (all + whole.estate.usage.len(), left + asked.estate.usage.len());
    }
    println!("{left} of {all} histories are asked for");
    assert!(left < all);
}

#[test]
fn what_is_protected_is_left_alone_and_what_is_kept_only_gets_a_cheaper_form() {
    for mut account in accounts() {
        let tag = |account: &mut Account, key: &str, value: &str| {
            for item in &mut account.estate.items {
                item.resource.tags.insert(key.to_owned(), value.to_owned());
            }
        };
        tag(&mut account, "role", "standby");
        // A reservation touches no resource, so nothing of it is protected from one.
        let cheaper = ["cold_bucket", "gp2_volume", "nat_without_endpoint", "reserved_capacity"];
        let expected = cheaper.into_iter().chain(plan_of(&account)).collect();
        assert_eq!(rules_of(&found(&account)), expected);
        account.estate.on_demand = None;
        tag(&mut account, PROTECTED_TAG, "true");
        assert!(found(&account).is_empty());
    }
}

#[test]
fn what_is_looked_at_for_the_first_time_is_not_unused() {
    for mut account in accounts() {
        account.estate.items.iter_mut().for_each(|item| item.unused_since = None);
        let found = found(&account);
        assert!(!rules_of(&found).contains("unattached_volume") && !rules_of(&found).contains("unassociated_address"));
    }
}

#[test]
fn the_order_of_the_account_does_not_matter() {
    for mut account in accounts() {
        let before = found(&account);
        account.estate.items.reverse();
        account.estate.usage.reverse();
        assert_eq!(before, found(&account));
    }
}

#[test]
fn twice_the_prices_save_twice_as_much_and_without_prices_nothing_is_claimed() {
    for mut account in accounts() {
        // Amounts of a plan are AWS's own, in whole thousandths of a dollar.
        if let Some(Observed::Known(on_demand)) = &mut account.estate.on_demand {
            on_demand.plan = Observed::Known(None);
        }
        let before = found(&account);
        for (_, price) in &mut account.prices.units {
            if let Observed::Known(price) = price {
                price.usd_micros *= 2.0;
            }
        }
        for item in &mut account.estate.items {
            if let Some(Terms::Fleet(FleetTerms { spot_usd_micros: Observed::Known(prices), .. })) = &mut item.terms {
                prices.values_mut().for_each(|price| *price *= 2.0);
            }
        }
        let twice: BTreeMap<(String, String), i64> =
            found(&account).iter().filter_map(|one| Some((key(one), one.saving.known()?.likely.0))).collect();
        for one in before.iter().filter(|one| one.saving.known().is_some()) {
            let (was, is) = (one.saving.known().unwrap().likely.0, twice[&key(one)]);
            assert!((is - 2 * was).abs() <= 8, "{was} {is} {one:?}");
        }
        account.prices.units.clear();
        assert!(found(&account).iter().all(|one| one.saving.is_missing()));
    }
}

fn key(one: &Opportunity) -> (String, String) {
    (one.rule.to_string(), one.resource.to_string())
}

#[test]
fn what_a_template_manages_is_never_changed_behind_its_back() {
    for mut account in accounts() {
        for item in &mut account.estate.items {
            item.managed_by = Some(Template::Terraform { tag: "managed-by".to_owned() });
        }
        // What is bought for the account is of no template.
        account.estate.on_demand = None;
        for one in found(&account) {
            match &one.remedy {
                Remedy::Change { .. } => panic!("{one:?}"),
                Remedy::Patch { text } => assert!(text.contains("# Terraform (tag managed-by)"), "{text}"),
                Remedy::Advice { what } => assert!(what.contains("do it in the template"), "{what}"),
                Remedy::Wait { .. } => {}
            }
        }
    }
}
