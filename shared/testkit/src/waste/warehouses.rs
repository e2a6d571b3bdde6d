//! Warehouses of Redshift.

use super::{Draft, HOURS, Made};
use domain::cost::usage::Quantity;
use domain::resource::{Live, Warehouse};

const RULE: &str = "idle_warehouse";

fn warehouse(made: &mut Made, change: impl Fn(&mut Warehouse)) -> Draft {
    let mut live = Warehouse {
        node_type: "ra3.xlplus".to_owned(),
        nodes: made.rng.u32(1..9),
        is_available: true,
        is_multi_az: false,
        is_shared: false,
    };
    change(&mut live);
    made.draft("redshift", "cluster:", "facts-", Live::Warehouse(live))
}

impl Draft {
    fn queried(self, made: &Made, connections: f64, queries: Option<f64>) -> Self {
        let draft = self.history(made, Quantity::Connections, |_| Some(connections));
        draft.history(made, Quantity::Queries, |_| queries)
    }
}

pub(super) fn add(made: &mut Made) {
    let draft = warehouse(made, |_| ()).queried(made, 0.0, None);
    made.waste(RULE, "its reports have moved elsewhere", draft);
    let draft = warehouse(made, |_| ()).queried(made, 0.0, Some(0.0));
    made.waste(RULE, "of several nodes, which say that they do nothing", draft);
    let draft = warehouse(made, |_| ()).history(made, Quantity::Queries, |_| None).history(
        made,
        Quantity::Connections,
        |hour| (hour >= HOURS - 14 * 24).then_some(0.0),
    );
    made.waste(RULE, "made two weeks ago for a trial, and left", draft);

    let peak = 1.0 + made.rng.f64() * 50.0;
    let draft = warehouse(made, |_| ()).queried(made, peak, Some(2.0));
    made.innocent(RULE, "in use", draft);
    let at = made.rng.i64(0..168);
    let draft = warehouse(made, |_| ()).history(made, Quantity::Queries, |_| None).history(
        made,
        Quantity::Connections,
        |hour| Some(if hour % 168 == at { 1.0 } else { 0.0 }),
    );
    made.innocent(RULE, "a report once a week", draft);
    let at = made.rng.i64(0..HOURS);
    let draft = warehouse(made, |_| ()).history(made, Quantity::Connections, |_| Some(0.0)).history(
        made,
        Quantity::Queries,
        |hour| (hour == at).then_some(0.003),
    );
    made.innocent(RULE, "asked through the Data API, which connects for a second", draft);
    let draft = warehouse(made, |it| it.is_shared = true).queried(made, 0.0, None);
    made.innocent(RULE, "its data are read by other warehouses", draft);
    let draft = warehouse(made, |it| it.is_multi_az = true).queried(made, 0.0, None);
    made.innocent(RULE, "kept in two zones", draft);
    let draft = warehouse(made, |it| it.is_available = false).queried(made, 0.0, None);
    made.innocent(RULE, "paused, or being resized", draft);
    let draft = warehouse(made, |_| ()).history(made, Quantity::Queries, |_| None).history(
        made,
        Quantity::Connections,
        |hour| (hour >= HOURS - 13 * 24).then_some(0.0),
    );
    made.innocent(RULE, "too young", draft);
    let draft = warehouse(made, |_| ()).queried(made, 0.0, None).unread(Quantity::Connections);
    let draft = Draft { usage: draft.usage.into_iter().skip(1).collect(), ..draft };
    made.innocent(RULE, "connections denied", draft);
    let draft = warehouse(made, |_| ()).history(made, Quantity::Connections, |_| Some(0.0)).unread(Quantity::Queries);
    made.innocent(RULE, "queries denied", draft);
    let draft = warehouse(made, |_| ()).queried(made, 0.0, None);
    let draft = made.kept(draft);
    made.innocent(RULE, "kept, or on standby, by tag", draft);
}
