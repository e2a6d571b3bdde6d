use super::*;
use crate::scripted::{Answer, Service};
use jiff::civil::date;
use serde_json::{Value, json};

fn answer(body: &Value) -> Answer {
    Answer(200, body.to_string().into_bytes())
}

fn group(keys: &[&str], cost: &str, quantity: &str, unit: &str) -> Value {
    json!({"Keys": keys, "Metrics": {
        "UnblendedCost": {"Amount": cost, "Unit": "USD"}, "UsageQuantity": {"Amount": quantity, "Unit": unit}}})
}

fn day(start: &str, end: &str, estimated: bool, groups: &[Value]) -> Value {
    json!({"TimePeriod": {"Start": start, "End": end}, "Total": {}, "Groups": groups, "Estimated": estimated})
}

/// 1.20 an hour committed and used to 90 per cent, for what would have cost 1.50 an hour on demand.
fn a_plan(currency: &str) -> Value {
    json!({"SavingsPlansPurchaseRecommendation": {"SavingsPlansPurchaseRecommendationDetails": [{
        "CurrencyCode": currency, "EstimatedSPCost": "1728.0", "EstimatedAverageUtilization": "90.0",
        "EstimatedOnDemandCostWithCurrentCommitment": "2880.0", "EstimatedOnDemandCost": "720.0",
        "HourlyCommitmentToPurchase": "1.200", "CurrentMinimumHourlyOnDemandSpend": "0.8",
        "CurrentAverageHourlyOnDemandSpend": "2.0", "CurrentMaximumHourlyOnDemandSpend": "4.0"}]}})
}

async fn read(service: &Service) -> PortResult<Bill> {
    Billing::new(&service.clients()).read(date(2026, 11, 1), date(2026, 11, 3)).await
}

/// A bill of two days in two pages, and by application in one.
fn two_days(body: &[u8]) -> Answer {
    let asked: Value = serde_json::from_slice(body).unwrap();
    if asked.get("SavingsPlansType").is_some() {
        let wanted = json!({"SavingsPlansType": "COMPUTE_SP", "TermInYears": "ONE_YEAR", "PaymentOption": "NO_UPFRONT",
            "LookbackPeriodInDays": "SIXTY_DAYS"});
        assert_eq!(asked, wanted);
        return answer(&a_plan("USD"));
    }
    assert_eq!(asked["TimePeriod"], json!({"Start": "2026-11-01", "End": "2026-11-03"}));
    assert_eq!(asked["Granularity"], "DAILY");
    if asked["GroupBy"]
        == json!([{"Type": "DIMENSION", "Key": "USAGE_TYPE"}, {"Type": "DIMENSION", "Key": "OPERATION"}])
    {
        let service =
            ["Amazon Elastic Compute Cloud - Compute", "Amazon Relational Database Service", "Amazon ElastiCache"];
        let only = json!({"And": [
            {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}},
            {"Dimensions": {"Key": "SERVICE", "Values": service}}]});
        assert_eq!(asked["Filter"], only, "what is covered by a commitment is left out");
        let lines = [
            group(&["EUC1-BoxUsage:m5.large", "RunInstances"], "2.76", "24", "Hrs"),
            group(&["EUC1-RDS:GP3-Storage", "CreateDBInstance:0014"], "1", "10", "GB-Mo"),
        ];
        return answer(&json!({"ResultsByTime": [day("2026-11-01", "2026-11-02", false, &lines)]}));
    }
    assert!(asked["Filter"].is_null(), "the bill is the whole one");
    if asked["GroupBy"][0]["Type"] == "TAG" {
        let apps = [
            group(&["maintainer:app$shop", "EUC1-EBS:VolumeUsage.gp2"], "1.5", "12.5", "GB-Mo"),
            group(&["maintainer:app$", "EUC1-EBS:VolumeUsage.gp2"], "0.25", "2", "GB-Mo"),
        ];
        return answer(&json!({"ResultsByTime": [day("2026-11-01", "2026-11-02", false, &apps)]}));
    }
    match asked["NextPageToken"].as_str() {
        None => {
            let lines = [group(&["EC2 - Other", "EUC1-EBS:VolumeUsage.gp2"], "1.7500000001", "14.5", "GB-Mo")];
            answer(&json!({"NextPageToken": "p2", "ResultsByTime": [day("2026-11-01", "2026-11-02", false, &lines)]}))
        }
        Some(token) => {
            assert_eq!(token, "p2");
            let lines = [group(&["Tax", "NoUsageType"], "-3E-7", "0", "")];
            answer(&json!({"ResultsByTime": [day("2026-11-02", "2026-11-03", true, &lines)]}))
        }
    }
}

#[tokio::test]
async fn every_page_is_read_and_counted() {
    let service = Service::new(|_, body| two_days(body));
    let bill = read(&service).await.unwrap();
    let line = |day, service: &str, usage_type: &str, cost, quantity, unit: &str, is_estimated| Line {
        day,
        service: service.to_owned(),
        usage_type: usage_type.to_owned(),
        cost: UsdMicros(cost),
        quantity,
        unit: unit.to_owned(),
        is_estimated,
    };
    let (first, second) = (date(2026, 11, 1), date(2026, 11, 2));
    assert_eq!(
        bill.lines,
        [
            line(first, "EC2 - Other", "EUC1-EBS:VolumeUsage.gp2", 1_750_000, 14.5, "GB-Mo", false),
            line(second, "Tax", "NoUsageType", 0, 0.0, "", true),
        ]
    );
    let app = |app: &str, cost, quantity| AppLine {
        day: first,
        app: app.to_owned(),
        usage_type: "EUC1-EBS:VolumeUsage.gp2".to_owned(),
        cost: UsdMicros(cost),
        quantity,
        unit: "GB-Mo".to_owned(),
    };
    assert_eq!(bill.by_app, [app("shop", 1_500_000, 12.5), app("", 250_000, 2.0)]);
    let metered = OnDemandLine {
        day: first,
        usage_type: "EUC1-BoxUsage:m5.large".to_owned(),
        operation: "RunInstances".to_owned(),
        cost: UsdMicros(2_760_000),
        hours: 24.0,
    };
    assert_eq!(bill.on_demand, Some(vec![metered]), "storage is not bought by the hour");
    assert_eq!((bill.calls, bill.currency.as_str(), service.requests()), (5, "USD", 5));
    let Observed::Known(Some(plan)) = bill.plan else { panic!("{:?}", bill.plan) };
    let hours = (plan.least_hour, plan.mean_hour, plan.commitment_hour);
    assert_eq!(hours, (UsdMicros(800_000), UsdMicros(2_000_000), UsdMicros(1_200_000)));
    assert!((plan.rate - 0.72).abs() < 1e-9, "{plan:?}");
}

#[tokio::test]
async fn without_what_aws_says_of_a_plan_a_bill_is_a_bill() {
    let with = |plan: fn() -> Answer| {
        Service::new(move |_, body| {
            let asked: Value = serde_json::from_slice(body).unwrap();
            if asked.get("SavingsPlansType").is_some() { plan() } else { two_days(body) }
        })
    };
    let none = read(&with(|| answer(&json!({"Metadata": {}})))).await.unwrap();
    assert_eq!(none.plan, Observed::Known(None), "AWS advises none");
    let denied =
        with(|| Answer(400, json!({"__type": "AccessDeniedException", "message": "no"}).to_string().into_bytes()));
    let denied = read(&denied).await.unwrap();
    let Observed::Missing(why) = &denied.plan else { panic!("{:?}", denied.plan) };
    assert!(why.to_string().contains("ce:GetSavingsPlansPurchaseRecommendation"), "{why}");
    assert_eq!((denied.lines.len(), denied.calls), (2, 4));
    let euros = read(&with(|| answer(&a_plan("EUR")))).await.unwrap();
    assert!(
        matches!(&euros.plan, Observed::Missing(why) if why.to_string().contains("\"EUR\"") && why.to_string().contains(PLAN_ACTION)),
        "{:?}",
        euros.plan
    );
    let throttled = with(|| Answer(400, json!({"__type": "LimitExceededException"}).to_string().into_bytes()));
    let throttled = read(&throttled).await.unwrap();
    assert!(throttled.plan.is_missing() && throttled.lines.len() == 2, "{:?}", throttled.plan);
}

#[tokio::test]
async fn fault_what_can_t_be_read_is_no_bill_and_says_what_to_do() {
    let refused = |code: &'static str, text: &'static str| {
        Service::new(move |_, _| Answer(400, json!({"__type": code, "message": text}).to_string().into_bytes()))
    };
    let error = read(&refused("DataUnavailableException", "")).await.unwrap_err();
    assert!(error.to_string().contains("wait 24 hours"), "{error}");
    let error = read(&refused("AccessDeniedException", "User not enabled for cost explorer access")).await.unwrap_err();
    assert!(error.to_string().contains("enable it in the Billing console"), "{error}");
    let error = read(&refused("AccessDeniedException", "no")).await.unwrap_err();
    assert!(matches!(&error, PortError::Denied { permission, .. } if permission == "ce:GetCostAndUsage"), "{error}");
    let error = read(&refused("LimitExceededException", "")).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { .. }), "{error}");
    let broken = Service::new(|_, _| {
        let lines = [group(&["a", "b"], "much", "1", "Hrs")];
        answer(&json!({"ResultsByTime": [day("2026-11-01", "2026-11-02", false, &lines)]}))
    });
    let error = read(&broken).await.unwrap_err();
    assert!(error.to_string().contains("\"much\" is no amount"), "{error}");
    let endless = Service::new(|_, _| answer(&json!({"NextPageToken": "again", "ResultsByTime": []})));
    assert!(read(&endless).await.is_err(), "a bill without end is not paid for");
}

#[tokio::test]
async fn a_bill_without_a_charge_is_in_us_dollars() {
    let service = Service::new(|_, _| answer(&json!({"ResultsByTime": [day("2026-11-01", "2026-11-02", true, &[])]})));
    let bill = read(&service).await.unwrap();
    assert_eq!((bill.currency.as_str(), bill.lines.len(), bill.calls), ("USD", 0, 4));
    assert_eq!(bill.on_demand, Some(Vec::new()), "it was asked for, and there is none");
}

#[tokio::test]
async fn regression_a_bill_without_what_is_paid_on_demand_is_a_bill() {
    let refused = |code: &'static str| {
        Service::new(move |_, body| {
            let asked: Value = serde_json::from_slice(body).unwrap();
            match asked["Filter"].is_null() {
                true => two_days(body),
                false => Answer(400, json!({"__type": code, "message": ""}).to_string().into_bytes()),
            }
        })
    };
    let bill = read(&refused("ValidationException")).await.unwrap();
    assert_eq!((bill.lines.len(), bill.on_demand), (2, None), "only commitments can't be looked for");
    let error = read(&refused("LimitExceededException")).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { .. }), "it may be there the next time: {error}");
}
