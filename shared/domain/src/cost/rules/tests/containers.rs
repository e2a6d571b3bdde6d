//! Images of containers.

use super::{claims, tagged};
use crate::cost::estate::Item;
use crate::cost::fixture::{days_ago, found, item};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Remedy, Saving};
use crate::resource::{ImageRepository, Live, UntaggedImages};

const RULE: &str = "unused_container_image";

/// Three images of 40 GiB together that were pushed and last used so many days ago.
fn untagged(pushed: i64, used: i64) -> UntaggedImages {
    UntaggedImages { pushed: days_ago(pushed), used: days_ago(used), images: 3, bytes: 40 << 30 }
}

fn repository(change: impl Fn(&mut ImageRepository)) -> Item {
    let mut live = ImageRepository { images: 12, untagged: vec![untagged(200, 120)], ..ImageRepository::default() };
    change(&mut live);
    item("repository/shop", Live::ImageRepository(live))
}

fn of(change: impl Fn(&mut ImageRepository)) -> bool {
    claims(RULE, vec![repository(change)], Vec::new())
}

#[test]
fn images_are_unused_that_lost_their_tag_and_were_neither_pushed_nor_pulled_for_a_quarter() {
    for (pushed, used, is_found) in
        [(200, 120, true), (90, 90, true), (89, 89, false), (200, 90, true), (200, 89, false), (200, 0, false)]
    {
        assert_eq!(of(|it| it.untagged = vec![untagged(pushed, used)]), is_found, "{pushed} {used}");
    }
    assert!(!of(|it| it.untagged = Vec::new()), "each has a tag");
    assert!(of(|it| it.untagged.push(untagged(10, 3))), "what is young does not expire");
    assert!(!of(|it| it.untagged.push(untagged(100, 3))), "one is used by its digest, and would expire, too");
}

#[test]
fn repositories_are_spared_that_care_for_themselves_or_of_which_not_all_use_is_seen() {
    assert!(!of(|it| it.has_lifecycle = true) && !of(|it| it.is_lent = true));
    assert!(!of(|it| it.has_indexes = true) && !of(|it| it.runs_untagged = true));
    assert!(!claims(RULE, vec![tagged(repository(|_| ()), "keep", "audit")], Vec::new()));
    assert!(!claims(RULE, vec![tagged(repository(|_| ()), "maintainer:protected", "true")], Vec::new()));
}

#[test]
fn layers_that_are_shared_make_the_sum_of_sizes_the_most_that_is_saved() {
    let one = found(vec![repository(|it| it.untagged.push(untagged(10, 3)))], Vec::new()).remove(0);
    // 40 GiB x 0.10 USD.
    let expected = Saving { low: UsdMicros(0), likely: UsdMicros(2_000_000), high: UsdMicros(4_000_000) };
    assert_eq!(one.saving.known(), Some(&expected));
    assert!(one.summary.starts_with("3 of 12 image(s) in shop (40.0 GiB"), "{}", one.summary);
}

#[test]
fn the_policy_is_looked_at_before_it_is_put_and_a_name_is_one_word_of_the_shell() {
    let mut it = repository(|_| ());
    it.resource.name = "shop'; rm".to_owned();
    let Remedy::Advice { what } = found(vec![it], Vec::new()).remove(0).remedy else { panic!("advice") };
    let (preview, put) =
        (what.find("start-lifecycle-policy-preview").unwrap(), what.find("put-lifecycle-policy").unwrap());
    assert!(preview < put && what.contains(r"--repository-name 'shop'\''; rm'"), "{what}");
    let policy = what.split("--lifecycle-policy-text '").nth(1).unwrap().split('\'').next().unwrap();
    let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
    assert_eq!(policy["rules"][0]["selection"]["countNumber"], 90);
    assert_eq!(policy["rules"][0]["action"]["type"], "expire");
}
