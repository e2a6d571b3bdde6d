//! What changes have saved, in DynamoDB.

use crate::Cloud;
use aws::SavingsBook;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::change::ChangeKind;
use domain::cost::Saving;
use domain::cost::money::UsdMicros;
use domain::cost::savings::{Basis, ChangeSaving, Shown};
use domain::ids::{AppId, ChangeId, ExecutionId, ResourceId};
use domain::observed::{Missing, Observed};
use engine::ports::SavingsBook as _;
use std::collections::HashMap;

#[tokio::test]
async fn what_a_change_has_saved_stands_beside_its_verification() {
    let Some(cloud) = Cloud::connect("savings").await else { return };
    let results = cloud.table("results", &["execution_id", "result_id"]).await;
    let book = SavingsBook::new(&cloud.clients, &results);
    let client = aws_sdk_dynamodb::Client::new(&cloud.config);
    let shown = Shown {
        saving: Saving { low: UsdMicros(4_900_000), likely: UsdMicros(5_000_001), high: UsdMicros(5_100_000) },
        basis: Basis::Application,
        days_before: 20,
        days_after: 6,
    };
    let saving = |verified| ChangeSaving {
        execution: ExecutionId::from("cost-1"),
        iteration: 1,
        change: ChangeId::from("c-1"),
        kind: ChangeKind::SetVolumeType,
        resource: ResourceId::from("r"),
        on: jiff::civil::date(2026, 11, 1),
        identified: UsdMicros(6_000_000),
        applied: UsdMicros(6_000_000),
        verified,
    };
    let note = async |verified| {
        book.note(&AppId::from("shop"), &saving(verified), cloud.now()).await.unwrap();
        let items = client.scan().table_name(&results).send().await.unwrap().items.unwrap();
        assert_eq!(items.len(), 1);
        items.into_iter().next().unwrap()
    };
    let number = |item: &HashMap<String, AttributeValue>, name: &str| {
        item.get(name).map(|value| value.as_n().unwrap().parse::<f64>().unwrap())
    };
    let waiting = note(Observed::Missing(Missing::NoData)).await;
    assert_eq!(waiting["result_id"].as_s().unwrap(), "001#c-1");
    assert_eq!(waiting["change_kind"].as_s().unwrap(), "set_volume_type");
    assert_eq!((number(&waiting, "applied_usd_month"), number(&waiting, "verified_usd_month")), (Some(6.0), None));
    let told = note(Observed::Known(shown)).await;
    assert_eq!(number(&told, "verified_usd_month"), Some(5.000_001));
    assert_eq!(
        (told.get("unverified_because"), told["verified_basis"].as_s().unwrap().as_str()),
        (None, "application")
    );
    let later = note(Observed::Missing(Missing::NoData)).await;
    assert_eq!(number(&later, "verified_usd_month"), Some(5.000_001), "what the bill has shown stays");
    let back = note(Observed::Missing(Missing::Gone)).await;
    assert_eq!((number(&back, "verified_usd_month"), number(&back, "verified_usd_month_low")), (None, None));
}
