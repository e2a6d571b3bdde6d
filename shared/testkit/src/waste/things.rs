//! Addresses, log groups, NAT gateways.

use super::{Draft, Made, Verdict};
use domain::cost::usage::Quantity;
use domain::resource::{Address, Live, LogGroup, NatGateway};
use std::collections::BTreeSet;

const ADDRESS: &str = "unassociated_address";
const LOGS: &str = "log_retention";
const NAT: &str = "idle_nat_gateway";
const ENDPOINT: &str = "nat_without_endpoint";

pub(super) fn add(made: &mut Made) {
    addresses(made);
    logs(made);
    gateways(made);
    endpoints(made);
}

fn address(made: &mut Made, associated_with: Option<&str>, unused_days: Option<i64>) -> Draft {
    let public_ip = format!("203.0.113.{}", made.rng.u8(..));
    let associated_with = associated_with.map(str::to_owned);
    let since = unused_days.map(|days| made.days_ago(days));
    let live = Live::Address(Address { public_ip, associated_with, delete_after: None });
    made.draft("ec2", "elastic-ip/", "eipalloc-", live).unused_since(since)
}

fn addresses(made: &mut Made) {
    let days = made.rng.i64(14..300);
    let draft = address(made, None, Some(days));
    made.waste(ADDRESS, "associated with nothing for weeks", draft);
    let draft = address(made, Some("i-starts-on-mondays"), Some(40));
    made.innocent(ADDRESS, "of a stopped machine that starts on Mondays", draft);
    let draft = address(made, Some("eni-1"), None);
    made.innocent(ADDRESS, "in use", draft);
    let days = made.rng.i64(0..13);
    let draft = address(made, None, Some(days));
    made.innocent(ADDRESS, "free for some days", draft);
    let draft = address(made, None, None);
    made.innocent(ADDRESS, "never looked at before", draft);
    let draft = address(made, None, Some(60));
    let draft = made.kept(draft);
    made.innocent(ADDRESS, "kept by tag", draft);
}

fn group(made: &mut Made, gib: u64, retention_days: Option<u32>, prefix: &str) -> Draft {
    let live = Live::LogGroup(LogGroup { retention_days, stored_bytes: gib << 30 });
    made.draft("logs", "log-group:", prefix, live)
}

fn logs(made: &mut Made) {
    let gib = made.rng.u64(100..5_000);
    let created = made.some_days_ago(300..1_500);
    let bytes = made.rng.f64() * 1e6;
    let draft =
        group(made, gib, None, "/app/").created(Some(created)).history(made, Quantity::LogBytes, |_| Some(bytes));
    made.waste(LOGS, "kept for ever", draft);
    let draft = group(made, gib, None, "/old/").created(Some(created)).history(made, Quantity::LogBytes, |_| None);
    made.waste(LOGS, "dead and kept for ever", draft);
    let draft = group(made, gib, None, "/dark/").created(Some(created)).unread(Quantity::LogBytes);
    made.waste(LOGS, "kept for ever, what comes in is not known", draft);

    let days = [30, 90, 365, 3_653][made.rng.usize(0..4)];
    let draft = group(made, gib, Some(days), "/app/");
    made.innocent(LOGS, "its owner has said for how long", draft);
    let gib_small = made.rng.u64(0..9);
    let draft = group(made, gib_small, None, "/app/");
    made.innocent(LOGS, "small", draft);
    let name = ["aws-cloudtrail-logs-", "/audit/", "/payments/compliance/"][made.rng.usize(0..3)];
    let draft = group(made, gib, None, name);
    made.innocent(LOGS, "evidence", draft);
    let young = made.some_days_ago(1..90);
    let draft = group(made, gib, None, "/new/").created(Some(young));
    made.innocent(LOGS, "nothing in it is older than the retention", draft);
    let draft = group(made, gib, None, "/app/").tag("legal-hold", "case 7");
    made.innocent(LOGS, "kept by tag", draft);
}

fn gateway(made: &mut Made) -> Draft {
    let live = NatGateway {
        vpc: format!("vpc-{:08x}", made.number),
        has_routes: made.rng.bool(),
        is_private: false,
        gateway_endpoints: BTreeSet::new(),
    };
    made.draft("ec2", "natgateway/", "nat-", Live::NatGateway(live))
}

/// One with routes, in a VPC with these gateway endpoints.
fn routed(made: &mut Made, endpoints: &[&str]) -> Draft {
    let mut draft = gateway(made);
    if let Live::NatGateway(gateway) = &mut draft.item.resource.live {
        gateway.has_routes = true;
        gateway.gateway_endpoints = endpoints.iter().map(|service| (*service).to_owned()).collect();
    }
    draft
}

fn endpoints(made: &mut Made) {
    let gib_h = 1.0 + made.rng.f64();
    let bytes = move |_: i64| Some(gib_h * 1_073_741_824.0);
    let some = [&[][..], &["s3"], &["dynamodb"]][made.rng.usize(0..3)];
    let draft = routed(made, some).history(made, Quantity::NatProcessed, bytes);
    made.put(ENDPOINT, Verdict::Unproven, "some of its traffic may go to S3 or DynamoDB", draft);

    let draft = routed(made, &["dynamodb", "s3"]).history(made, Quantity::NatProcessed, bytes);
    made.innocent(ENDPOINT, "the endpoints are there", draft);
    let mut draft = routed(made, &[]).history(made, Quantity::NatProcessed, bytes);
    if let Live::NatGateway(gateway) = &mut draft.item.resource.live {
        gateway.has_routes = false;
    }
    made.innocent(ENDPOINT, "no route leads to it", draft);
    let mut draft = routed(made, &[]).history(made, Quantity::NatProcessed, bytes);
    if let Live::NatGateway(gateway) = &mut draft.item.resource.live {
        gateway.is_private = true;
    }
    made.innocent(ENDPOINT, "it leads to other networks alone", draft);
    let draft = routed(made, &[]).history(made, Quantity::NatProcessed, |_| Some(5e7));
    made.innocent(ENDPOINT, "hardly any traffic", draft);
    let draft = routed(made, &[]).unread(Quantity::NatProcessed);
    made.innocent(ENDPOINT, "metrics denied", draft);
}

fn gateways(made: &mut Made) {
    let bytes = made.rng.f64() * 900_000.0;
    let mut rng = made.rng.fork();
    let draft = gateway(made).history(made, Quantity::NatBytes, |_| Some(bytes * rng.f64()));
    made.waste(NAT, "keep-alives alone", draft);
    let created = made.some_days_ago(14..30);
    let draft = gateway(made).created(Some(created)).history(made, Quantity::NatBytes, |_| None);
    made.waste(NAT, "weeks old, nothing at all", draft);

    let draft = gateway(made).history(made, Quantity::NatBytes, |hour| Some(1e9 + 1e6 * hour as f64));
    made.innocent(NAT, "in use", draft);
    let at = made.rng.i64(0..168);
    let draft = gateway(made).history(made, Quantity::NatBytes, |hour| Some(if hour % 168 == at { 5e7 } else { 0.0 }));
    made.innocent(NAT, "updates once a week", draft);
    let created = made.some_days_ago(0..14);
    let draft = gateway(made).created(Some(created)).history(made, Quantity::NatBytes, |_| None);
    made.innocent(NAT, "just made", draft);
    let draft = gateway(made).unread(Quantity::NatBytes);
    made.innocent(NAT, "metrics denied", draft);
    let draft = gateway(made).history(made, Quantity::NatBytes, |_| Some(0.0));
    let draft = made.kept(draft);
    made.innocent(NAT, "kept by tag", draft);
}
