//! Multipart uploads to S3 that were begun long ago and never ended: their parts are stored, paid for, and in no listing of objects.
//!
//! The remedy is a rule of the bucket's lifecycle, which ends them now and from then on.

use super::{View, lifecycle, number};
use crate::cost::opportunity::{Effort, Opportunity, Remedy, Saving};
use crate::cost::prices::{Sold, StorageClass};
use crate::finding::Evidence;
use crate::ids::RuleId;
use crate::mode::Risk;
use crate::resource::{Live, ResourceKind, Upload};

/// Stable name.
pub(super) const NAME: &str = "abandoned_upload";

const GIB: f64 = 1_073_741_824.0;

/// Finds them.
pub(super) fn find(view: &View<'_>) -> Vec<Opportunity> {
    let found = view.expendable(ResourceKind::Bucket).filter_map(|item| {
        let Live::Bucket(bucket) = &item.resource.live else { return None };
        let least_days = i64::from(view.policy.unused_days);
        let age = |upload: &Upload| view.estate.days_since(upload.initiated);
        let old: Vec<&Upload> = bucket.uploads.iter().filter(|upload| age(upload) >= least_days).collect();
        let oldest = old.iter().map(|upload| age(upload)).max()?;
        if bucket.ends_uploads {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "bytes of a bucket")]
        let gib = old.iter().filter_map(|upload| upload.bytes).sum::<u64>() as f64 / GIB;
        let uncounted = old.iter().filter(|upload| upload.bytes.is_none()).count();
        let more = if uncounted > 0 { format!(", and {uncounted} that were not added up") } else { String::new() };
        let name = item.resource.name.clone();
        Some(Opportunity {
            rule: RuleId::from(NAME),
            resource: item.resource.id.clone(),
            summary: format!(
                "{} upload(s) to {name} were begun {least_days} to {oldest} days ago and never ended: {gib:.1} GiB of parts{more}",
                old.len()
            ),
            evidence: vec![Evidence::against(
                "oldest_upload_days",
                number(oldest),
                number(least_days),
                "begun, and never ended",
            )],
            saving: view.prices.month(&Sold::ObjectGib(StorageClass::Standard), gib).map(Saving::exactly),
            risk: Risk::Low,
            effort: Effort::Minutes,
            confidence: 0.95,
            remedy: Remedy::Advice { what: lifecycle::add(&name, bucket.rules, &rule(view.policy.unused_days)) },
            way_back: "taking the rule away; parts that are gone have to be uploaded again".to_owned(),
            name,
        })
    });
    found.collect()
}

/// The rule that ends them, now and from then on.
fn rule(days: u32) -> String {
    format!(
        "{{\"ID\":\"end-abandoned-uploads\",\"Status\":\"Enabled\",\"Filter\":{{}},\
         \"AbortIncompleteMultipartUpload\":{{\"DaysAfterInitiation\":{days}}}}}"
    )
}
