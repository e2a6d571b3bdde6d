//! Load balancers of three kinds.

use super::{Draft, HOURS, Made};
use domain::cost::terms::{BalancerTerms, Terms};
use domain::cost::usage::Quantity;
use domain::resource::Live;

const IDLE: &str = "idle_load_balancer";

fn balancer(made: &mut Made, targets: u32, healthy: u32) -> Draft {
    let number = made.number;
    let (prefix, live) = match made.rng.u8(0..3) {
        0 => {
            let load_balancer = format!("app/web/{number:016x}");
            ("app/web/", Live::LoadBalancer { load_balancer })
        }
        1 => ("net/web/", Live::NetworkLoadBalancer),
        _ => ("web-", Live::ClassicLoadBalancer),
    };
    let dns_name = format!("web-{number}.elb.amazonaws.com");
    made.draft("elasticloadbalancing", "loadbalancer/", prefix, live).terms(Terms::LoadBalancer(BalancerTerms {
        dns_name,
        targets,
        healthy,
    }))
}

impl Draft {
    /// With requests, and bytes of a kilobyte each.
    fn served(self, made: &Made, mut requests: impl FnMut(i64) -> Option<f64>) -> Self {
        let each: Vec<Option<f64>> = (0..HOURS).map(&mut requests).collect();
        let at = move |hour: i64| each[usize::try_from(hour).expect("an hour of the history")];
        let bytes = at.clone();
        self.history(made, Quantity::Requests, at)
            .history(made, Quantity::BalancerBytes, move |hour| bytes(hour).map(|requests| requests * 1_024.0))
    }
}

pub(super) fn add(made: &mut Made) {
    waste(made);
    unlike(made);
}

fn waste(made: &mut Made) {
    let draft = balancer(made, 0, 0).served(made, |_| None);
    made.waste(IDLE, "nothing behind it, nobody before it", draft);
    let draft = balancer(made, 3, 0).served(made, |_| None);
    made.waste(IDLE, "its targets are gone sick and nobody asks", draft);
    let draft = balancer(made, 2, 2).served(made, |_| Some(0.0));
    made.waste(IDLE, "its targets wait for nobody", draft);
    let created = made.some_days_ago(14..30);
    let draft = balancer(made, 0, 0).created(Some(created)).served(made, |_| None);
    made.waste(IDLE, "weeks old, never used", draft);
    let mut rng = made.rng.fork();
    let draft = balancer(made, 0, 0).history(made, Quantity::Requests, |_| Some(0.0)).history(
        made,
        Quantity::BalancerBytes,
        |_| Some(rng.f64() * 1e6),
    );
    made.waste(IDLE, "scanners knock and get no target", draft);
}

fn unlike(made: &mut Made) {
    let mut rng = made.rng.fork();
    let draft = balancer(made, 2, 2).served(made, |_| Some(1.0 + 1e4 * rng.f64()));
    made.innocent(IDLE, "in use", draft);
    let at = made.rng.i64(0..168);
    let draft = balancer(made, 2, 2).served(made, |hour| Some(if hour % 168 == at { 40.0 } else { 0.0 }));
    made.innocent(IDLE, "asked once a week", draft);
    let created = made.some_days_ago(0..14);
    let draft = balancer(made, 0, 0).created(Some(created)).served(made, |_| None);
    made.innocent(IDLE, "just made", draft);
    let draft = balancer(made, 0, 0).unread(Quantity::Requests).history(made, Quantity::BalancerBytes, |_| None);
    made.innocent(IDLE, "its requests were not read", draft);
    let draft = balancer(made, 2, 2).history(made, Quantity::Requests, |_| None).unread(Quantity::BalancerBytes);
    made.innocent(IDLE, "its bytes were not read", draft);
    let draft =
        balancer(made, 2, 2)
            .history(made, Quantity::Requests, |_| None)
            .history(made, Quantity::BalancerBytes, |_| Some(5e7));
    made.innocent(IDLE, "one connection that is open for months", draft);
    let draft = balancer(made, 2, 2).served(made, |_| None);
    let draft = made.kept(draft);
    made.innocent(IDLE, "kept, or on standby, by tag", draft);
    let mut draft = balancer(made, 2, 2).served(made, |_| None);
    draft.item.resource.tags.insert("Name".to_owned(), "web-failover".to_owned());
    made.innocent(IDLE, "on standby by its name", draft);
    let mut draft = balancer(made, 0, 0).served(made, |_| None);
    draft.item.terms = None;
    made.innocent(IDLE, "what is behind it is not known", draft);
}
