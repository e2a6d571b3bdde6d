//! Images of containers that have lost their tag, were neither pushed nor pulled for a quarter, and that no task runs.
//!
//! A new image takes the tag of the one before, which stays and is paid for. What has a tag is left alone: whether a
//! function, a node of Kubernetes or a runner still starts from it, nothing here says. Neither is anything claimed of a
//! repository that expires images by itself, that Lambda or other accounts may use, that has indexes (whose parts have no
//! tag of their own), or of which somebody uses an image by its digest: the remedy is a rule of the repository's lifecycle
//! that knows no exception.

use super::{View, number};
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::Sold;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::resource::{Live, ResourceKind, UntaggedImages};
use crate::text::shell_word;

/// Stable name.
pub(super) const NAME: &str = "unused_container_image";

const GIB: f64 = 1_073_741_824.0;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let least_days = i64::from(view.policy.forgotten_days);
    let found = view.expendable(ResourceKind::ImageRepository).filter_map(|item| {
        let Live::ImageRepository(repository) = &item.resource.live else { return None };
        if repository.has_lifecycle || repository.is_lent || repository.has_indexes || repository.runs_untagged {
            return None;
        }
        let is_old = |of: &&UntaggedImages| view.estate.days_since(of.pushed) >= least_days;
        // All of these would expire.
        let old: Vec<&UntaggedImages> = repository.untagged.iter().filter(is_old).collect();
        let latest = old.iter().map(|of| of.used).max()?;
        let unused_days = view.estate.days_since(latest);
        if unused_days < least_days {
            return None;
        }
        let images: u32 = old.iter().map(|of| of.images).sum();
        #[expect(clippy::cast_precision_loss, reason = "bytes of images")]
        let gib = old.iter().map(|of| of.bytes).sum::<u64>() as f64 / GIB;
        let name = item.resource.name.clone();
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "{images} of {} image(s) in {name} ({gib:.1} GiB with what they share) have no tag, and the last of them was \
                 pushed or pulled {unused_days} days ago",
                repository.images
            ),
            evidence: vec![Evidence::against(
                "unused_days",
                number(unused_days),
                number(least_days),
                "no tag, neither pushed nor pulled, and no task of ECS runs one",
            )],
            // Layers that others have, too, stay: at least nothing is saved, most likely half.
            saving: view.prices.month(&Sold::ImageRepositoryGib, gib).map(|high| Saving {
                low: UsdMicros::default(),
                likely: high.times(0.5),
                high,
            }),
            risk: Risk::Medium,
            effort: Effort::Minutes,
            confidence: 0.8,
            remedy: Remedy::Advice { what: advice(&name, view.policy.forgotten_days) },
            way_back: "taking the policy away keeps what is there; an image that has expired has to be built and pushed again"
                .to_owned(),
            name,
        })
    });
    found.collect()
}

fn advice(name: &str, days: u32) -> String {
    let name = shell_word(name);
    let policy = format!(
        "{{\"rules\":[{{\"rulePriority\":1,\"description\":\"Images without a tag\",\"selection\":{{\"tagStatus\":\"untagged\",\
         \"countType\":\"sinceImagePushed\",\"countUnit\":\"days\",\"countNumber\":{days}}},\"action\":{{\"type\":\"expire\"}}}}]}}"
    );
    format!(
        "See first which images would expire, without any of them expiring:\n\
         aws ecr start-lifecycle-policy-preview --repository-name {name} --lifecycle-policy-text '{policy}'\n\
         aws ecr get-lifecycle-policy-preview --repository-name {name}\n\
         Kubernetes, and a service of ECS that stands at zero, may name an image by its digest: give such a one a tag (aws ecr \
         put-image). Then let them expire, now and from then on, {days} days after they were pushed:\n\
         aws ecr put-lifecycle-policy --repository-name {name} --lifecycle-policy-text '{policy}'"
    )
}
