//! Repositories of container images.

use super::{Draft, Made};
use domain::resource::{ImageRepository, Live, UntaggedImages};

const RULE: &str = "unused_container_image";

/// Images that lost their tag, pushed and last used in these ranges of days before now.
fn untagged(made: &mut Made, pushed: std::ops::Range<i64>, used: std::ops::Range<i64>) -> UntaggedImages {
    let (pushed, used) = (made.some_days_ago(pushed), made.some_days_ago(used));
    let images = made.rng.u32(1..200);
    let gib = u64::from(images) * made.rng.u64(1..4);
    UntaggedImages { pushed, used: used.max(pushed), images, bytes: gib << 30 }
}

fn repository(made: &mut Made, untagged: Vec<UntaggedImages>, change: impl Fn(&mut ImageRepository)) -> Draft {
    let images = untagged.iter().map(|of| of.images).sum::<u32>() + made.rng.u32(1..50);
    let mut live = ImageRepository { images, untagged, ..ImageRepository::default() };
    change(&mut live);
    made.draft("ecr", "repository/", "app-", Live::ImageRepository(live))
}

pub(super) fn add(made: &mut Made) {
    let old = |made: &mut Made| untagged(made, 90..900, 90..900);
    let years = vec![old(made), old(made)];
    let draft = repository(made, years, |_| ());
    made.waste(RULE, "builds of years, each of which took the tag \"latest\"", draft);
    let both = vec![old(made), untagged(made, 0..90, 0..90)];
    let draft = repository(made, both, |_| ());
    made.waste(RULE, "old builds beside those of this month", draft);

    let young = vec![untagged(made, 0..90, 0..90)];
    let draft = repository(made, young, |_| ());
    made.innocent(RULE, "builds of this quarter", draft);
    let draft = repository(made, Vec::new(), |_| ());
    made.innocent(RULE, "each image has a tag", draft);
    let pulled = vec![old(made), untagged(made, 200..900, 0..90)];
    let draft = repository(made, pulled, |_| ());
    made.innocent(RULE, "a cluster pulls one of them by its digest", draft);
    for (story, change) in [
        ("its owner lets images expire", (|it| it.has_lifecycle = true) as fn(&mut ImageRepository)),
        ("Lambda has a copy that it never pulls again", |it| it.is_lent = true),
        ("parts of images for several processors, which have no tag of their own", |it| it.has_indexes = true),
        ("a task that was started a year ago runs one", |it| it.runs_untagged = true),
    ] {
        let images = vec![old(made)];
        let draft = repository(made, images, change);
        made.innocent(RULE, story, draft);
    }
    let images = vec![old(made)];
    let draft = repository(made, images, |_| ());
    let draft = made.kept(draft);
    made.innocent(RULE, "kept by tag", draft);
}
