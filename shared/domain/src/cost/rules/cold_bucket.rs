//! Buckets of which, by their own request metrics, most is not read within a month: Intelligent-Tiering keeps it for less, and asks
//! nothing for reading it.
//!
//! Each byte that was read counts as another one, so at least what was never read in 30 days would lie in the cheaper tier. Where request
//! metrics are off nobody knows what is read, and nothing is claimed; neither is it where objects are so small that none would be moved.

use super::{View, lifecycle};
use crate::cost::estate::Item;
use crate::cost::money::UsdMicros;
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{Sold, StorageClass};
use crate::cost::usage::Quantity;
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::observed::Observed;
use crate::resource::{Live, ResourceKind};

/// Stable name.
pub(super) const NAME: &str = "cold_bucket";

const GIB: f64 = 1_073_741_824.0;
/// Objects under 128 KiB stay where they are (Amazon S3 User Guide, "How S3 Intelligent-Tiering works").
const OBJECT_BYTES_MIN: f64 = 131_072.0;
/// Share that was not read, from which on a bucket is cold: below it reading is what it is for.
const COLD_SHARE_MIN: f64 = 0.5;

/// What is known of a bucket.
struct Stored {
    gib: f64,
    objects: f64,
    cold_gib: f64,
}

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.of_kind(ResourceKind::Bucket).filter_map(|item| {
        let Live::Bucket(bucket) = &item.resource.live else { return None };
        if bucket.has_lifecycle {
            return None;
        }
        let stored = stored(view, item)?;
        let share = stored.cold_gib / stored.gib;
        if share < COLD_SHARE_MIN || stored.gib * GIB / stored.objects.max(1.0) < OBJECT_BYTES_MIN {
            return None;
        }
        let name = item.resource.name.clone();
        let saving = saving(view, &stored);
        // What the watching costs may be more than it saves.
        if saving.known().is_some_and(|saving| saving.likely.0 <= 0) {
            return None;
        }
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "at least {:.0} % of the {:.0} GiB in {name} were not read within 30 days",
                100.0 * share,
                stored.gib
            ),
            evidence: vec![Evidence::against(
                "unread_share_pct",
                100.0 * share,
                100.0 * COLD_SHARE_MIN,
                format!("by the bucket's request metrics; {:.0} objects", stored.objects),
            )],
            saving,
            risk: Risk::Low,
            effort: Effort::Minutes,
            confidence: 0.85,
            remedy: Remedy::Advice { what: advice(&name, bucket.rules, stored.objects) },
            way_back:
                "taking the rule away keeps new objects in Standard; those that were moved stay, and are read as before"
                    .to_owned(),
            name,
        })
    });
    found.collect()
}

fn stored(view: &View<'_>, item: &Item) -> Option<Stored> {
    let (Observed::Known(bytes), Observed::Known(objects), Observed::Known(read)) = (
        view.usage(item, Quantity::ObjectBytes),
        view.usage(item, Quantity::Objects),
        view.usage(item, Quantity::DownloadedBytes),
    ) else {
        return None;
    };
    // Metrics that were only just turned on say nothing of a month.
    let days = view.estate.days_since(read.first_at?);
    if days < i64::from(view.policy.history_days_min)
        || bytes.known_h < view.policy.history_days_min
        || objects.known_h == 0
    {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a number of days")]
    let read_a_month = read.sum * 30.0 / (days.clamp(1, 30) as f64);
    let gib = bytes.p50 / GIB;
    (gib > 0.0).then(|| Stored { gib, objects: objects.p50, cold_gib: (gib - read_a_month / GIB).max(0.0) })
}

/// At least, and likely: what was not read is kept for less, and each object is watched. At most: what was read was always the same, and
/// small.
fn saving(view: &View<'_>, stored: &Stored) -> Observed<Saving> {
    let month = |sold: &Sold, units: f64| view.prices.month(sold, units);
    let less = |gib: f64| match (
        month(&Sold::ObjectGib(StorageClass::Standard), gib),
        month(&Sold::ObjectGib(StorageClass::Infrequent), gib),
    ) {
        (Observed::Known(before), Observed::Known(after)) => Observed::Known(before - after),
        (Observed::Missing(why), _) | (_, Observed::Missing(why)) => Observed::Missing(why),
    };
    match (less(stored.cold_gib), less(stored.gib), month(&Sold::TieredObject, stored.objects)) {
        (Observed::Known(cold), Observed::Known(all), Observed::Known(watching)) => {
            let likely = cold - watching;
            Observed::Known(Saving {
                low: likely.max(UsdMicros::default()),
                likely,
                high: (all - watching).max(likely),
            })
        }
        (Observed::Missing(why), ..) | (_, Observed::Missing(why), _) | (.., Observed::Missing(why)) => {
            Observed::Missing(why)
        }
    }
}

fn advice(name: &str, rules: u32, objects: f64) -> String {
    let rule = "{\"ID\":\"intelligent-tiering\",\"Status\":\"Enabled\",\"Filter\":{\"ObjectSizeGreaterThan\":131072},\
                \"Transitions\":[{\"Days\":0,\"StorageClass\":\"INTELLIGENT_TIERING\"}]}";
    format!(
        "Moving {objects:.0} objects is charged once, by the request (lifecycle transitions of the price list). From then on what was \
         not read for 30 days costs less, and reading it costs nothing extra.\n{}",
        lifecycle::add(name, rules, rule)
    )
}
