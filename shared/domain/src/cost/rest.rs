//! The rest of an account: everything that carries the tag of no application. It is looked at as if it were one application, and
//! nothing of it is ever changed: nobody has put it into the maintainer's care.

use super::opportunity::{Opportunity, Remedy};
use super::plan::left_to_others;
use crate::ids::AppId;
use crate::plan::Plan;

/// The name under which it is looked at.
pub const REST: &str = "rest-of-account";

/// True for that name.
pub fn is_rest(app: &AppId) -> bool {
    app.as_str() == REST
}

/// What is done about these opportunities: nothing, with the way to have it done.
pub fn hands_off(opportunities: &[Opportunity]) -> Plan {
    let passed_over = |opportunity: &Opportunity| {
        let mut line = left_to_others(opportunity);
        if let Remedy::Change { .. } = opportunity.remedy {
            "it belongs to no application: tag it maintainer:app=<name> to have it looked after"
                .clone_into(&mut line.reason);
        }
        line
    };
    Plan { passed_over: opportunities.iter().map(passed_over).collect(), ..Plan::default() }
}
