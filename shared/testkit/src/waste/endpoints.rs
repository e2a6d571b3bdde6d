//! Interface endpoints.

use super::{Draft, Made};
use domain::cost::usage::Quantity;
use domain::resource::{InterfaceEndpoint, Live};

const RULE: &str = "idle_interface_endpoint";

pub(super) fn add(made: &mut Made) {
    waste(made);
    innocent(made);
}

fn endpoint(made: &mut Made, change: impl Fn(&mut InterfaceEndpoint)) -> Draft {
    let service = ["logs", "sqs", "ecr.dkr", "ssm"][made.rng.usize(0..4)];
    let mut live = InterfaceEndpoint {
        vpc: "vpc-1".to_owned(),
        service: format!("com.amazonaws.eu-central-1.{service}"),
        subnets: made.rng.u32(1..4),
        is_available: true,
        is_requester_managed: false,
        is_cross_region: false,
        has_private_dns: made.rng.bool(),
    };
    change(&mut live);
    made.draft("ec2", "vpc-endpoint/", "vpce-", Live::InterfaceEndpoint(live))
}

fn waste(made: &mut Made) {
    let draft = endpoint(made, |_| ()).history(made, Quantity::EndpointBytes, |_| None);
    made.waste(RULE, "nothing for a month", draft);
    let created = made.some_days_ago(14..30);
    let draft = endpoint(made, |_| ()).created(Some(created)).history(made, Quantity::EndpointBytes, |_| None);
    made.waste(RULE, "weeks old, nothing at all", draft);
    let draft = endpoint(made, |_| ()).history(made, Quantity::EndpointBytes, |_| Some(0.0));
    made.waste(RULE, "probed, without a byte", draft);
}

fn innocent(made: &mut Made) {
    let bytes = 1e4 + made.rng.f64() * 1e9;
    let draft = endpoint(made, |_| ()).history(made, Quantity::EndpointBytes, |_| Some(bytes));
    made.innocent(RULE, "in use", draft);
    let at = made.rng.i64(0..720);
    let draft = endpoint(made, |_| ()).history(made, Quantity::EndpointBytes, |hour| (hour == at).then_some(4_000.0));
    made.innocent(RULE, "used once a month", draft);
    let created = made.some_days_ago(0..14);
    let draft = endpoint(made, |_| ()).created(Some(created)).history(made, Quantity::EndpointBytes, |_| None);
    made.innocent(RULE, "just made", draft);
    let draft = endpoint(made, |_| ()).unread(Quantity::EndpointBytes);
    made.innocent(RULE, "metrics denied", draft);
    let draft = endpoint(made, |it| it.is_cross_region = true).history(made, Quantity::EndpointBytes, |_| None);
    made.innocent(RULE, "to another Region, which publishes nothing", draft);
    let draft = endpoint(made, |it| it.is_requester_managed = true).history(made, Quantity::EndpointBytes, |_| None);
    made.innocent(RULE, "a service of AWS looks after it", draft);
    let draft = endpoint(made, |_| ()).history(made, Quantity::EndpointBytes, |_| None);
    let draft = made.kept(draft);
    made.innocent(RULE, "kept by tag", draft);
}
