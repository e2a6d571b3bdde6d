//! The rest of a place: everything there that carries the tag of no application. It is looked at as if it were one application, and
//! nothing of it is ever changed: nobody has put it into the maintainer's care.
//!
//! That of the deployment's own place goes by one name, that of any other by one that says which place it is.

use super::opportunity::{Opportunity, Remedy};
use super::plan::left_to_others;
use crate::ids::AppId;
use crate::place::Place;
use crate::plan::Plan;

/// The name under which the rest of the deployment's own place is looked at.
pub const REST: &str = "rest-of-account";

/// How the name of the rest of any other place begins.
const ELSEWHERE: &str = "rest-of-";

/// The name of the rest of another place: `rest-of-444455556666-eu-west-1`.
pub fn rest_of(place: &Place) -> AppId {
    AppId::new(format!("{ELSEWHERE}{}-{}", place.account, place.region))
}

/// The other place that such a name says; `None` for every other name, that of the rest at home among them.
pub fn place_of(app: &AppId) -> Option<Place> {
    let (account, region) = app.as_str().strip_prefix(ELSEWHERE)?.split_once('-')?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_region = !region.is_empty()
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (is_account && is_region).then(|| Place { account: account.to_owned(), region: region.to_owned() })
}

/// True for the name of the rest of any place.
pub fn is_rest(app: &AppId) -> bool {
    app.as_str() == REST || place_of(app).is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_another_place_goes_by_a_name_that_says_the_place() {
        let place = Place { account: "444455556666".to_owned(), region: "ap-southeast-2".to_owned() };
        assert_eq!(rest_of(&place).as_str(), "rest-of-444455556666-ap-southeast-2");
        assert_eq!(place_of(&rest_of(&place)), Some(place));
    }

    #[test]
    fn other_names_are_those_of_applications() {
        for name in [
            "shop",
            REST,
            "rest-of-",
            "rest-of-shop",
            "rest-of-4444-eu-west-1",
            "rest-of-444455556666",
            "rest-of-444455556666-",
            "rest-of-444455556666-EU",
        ] {
            assert_eq!(place_of(&AppId::from(name)), None, "{name}");
            assert_eq!(is_rest(&AppId::from(name)), name == REST, "{name}");
        }
        assert!(is_rest(&AppId::from("rest-of-444455556666-eu-west-1")));
    }
}
