//! Places: an account and a Region of AWS. An application lives in one of them, that of the deployment unless its
//! configuration names another.
//!
//! An ARN says by itself where its resource lies; `kind/name` does not, so outside of the deployment's own place it is
//! qualified. That keeps two resources of one name in two places apart wherever an id is a key.

use crate::ids::ResourceId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An account and a Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// Account number, 12 digits.
    pub account: String,
    /// Region, for example `eu-central-1`.
    pub region: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "account {} in {}", self.account, self.region)
    }
}

impl Place {
    /// The place that an ARN names, if it names both account and Region.
    pub fn of_arn(arn: &str) -> Option<Self> {
        let (account, region) = of_arn(arn)?;
        let is_whole = !account.is_empty() && !region.is_empty();
        is_whole.then(|| Self { account: account.to_owned(), region: region.to_owned() })
    }

    /// The id that a resource of this place, which is not the deployment's own, goes by: an ARN as it is, `kind/name` with
    /// the place behind it (`custom/errors@111122223333/us-east-1`).
    #[must_use]
    pub fn qualified(&self, id: &ResourceId) -> ResourceId {
        match stated(id.as_str()) {
            Some(_) => id.clone(),
            None => ResourceId::new(format!("{id}@{}/{}", self.account, self.region)),
        }
    }

    /// The id without the place that [`Self::qualified`] has put behind it.
    #[must_use]
    pub fn plain(&self, id: &ResourceId) -> ResourceId {
        let behind = format!("@{}/{}", self.account, self.region);
        id.as_str().strip_suffix(&behind).map_or_else(|| id.clone(), ResourceId::from)
    }

    fn is(&self, account: &str, region: &str) -> bool {
        // ARNs of global services name no Region, those of API Gateway no account.
        (account.is_empty() || account == self.account) && (region.is_empty() || region == self.region)
    }
}

/// True when a resource, by its id, lies in the place of its application. `place` is `None` at home, which may not be known.
pub fn lies_in(id: &ResourceId, place: Option<&Place>, home: Option<&Place>) -> bool {
    match (stated(id.as_str()), place) {
        (None, place) => place.is_none(),
        (Some((account, region)), place) => place.or(home).is_none_or(|place| place.is(account, region)),
    }
}

/// Account and Region as an id states them.
fn stated(id: &str) -> Option<(&str, &str)> {
    if id.starts_with("arn:") {
        return of_arn(id);
    }
    let (account, region) = id.rsplit_once('@')?.1.split_once('/')?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then_some((account, region))
}

/// Account and Region of `arn:partition:service:region:account:resource`; either may be empty.
fn of_arn(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    (parts.next() == Some("arn")).then_some(())?;
    let (region, account) = (parts.nth(2)?, parts.next()?);
    Some((account, region))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(account: &str, region: &str) -> Place {
        Place { account: account.to_owned(), region: region.to_owned() }
    }

    #[test]
    fn one_name_in_two_places_has_two_ids() {
        let listed = ResourceId::from("auto_scaling_group/shop-web");
        let (here, there) = (place("111122223333", "us-east-1"), place("111122223333", "eu-west-1"));
        let ids = [listed.clone(), here.qualified(&listed), there.qualified(&listed)];
        assert_eq!(ids[1].as_str(), "auto_scaling_group/shop-web@111122223333/us-east-1");
        assert!(ids[0] != ids[1] && ids[1] != ids[2]);
        assert_eq!(here.qualified(&ids[1]), ids[1], "once is enough");
        let arn = ResourceId::from("arn:aws:sqs:eu-west-1:111122223333:jobs");
        assert_eq!(here.qualified(&arn), arn);
    }

    #[test]
    fn a_resource_lies_where_its_id_says() {
        let home = place("111122223333", "us-east-1");
        let there = place("444455556666", "eu-west-1");
        for (id, at_home, is_there) in [
            ("auto_scaling_group/shop-web", true, false),
            ("auto_scaling_group/shop@web/1", true, false),
            ("auto_scaling_group/shop-web@444455556666/eu-west-1", false, true),
            ("auto_scaling_group/shop-web@444455556666/us-east-1", false, false),
            ("arn:aws:sqs:us-east-1:111122223333:jobs", true, false),
            ("arn:aws:sqs:eu-west-1:444455556666:jobs", false, true),
            ("arn:aws:sqs:eu-west-1:111122223333:jobs", false, false),
            ("arn:aws:cloudfront::444455556666:distribution/E1", false, true),
            ("arn:aws:apigateway:us-east-1::/apis/a", true, false),
        ] {
            let id = ResourceId::from(id);
            assert_eq!(lies_in(&id, None, Some(&home)), at_home, "{id} at home");
            assert_eq!(lies_in(&id, Some(&there), Some(&home)), is_there, "{id} there");
        }
    }

    #[test]
    fn an_arn_names_a_place_only_when_it_names_both() {
        let arn = "arn:aws:states:us-east-1:111122223333:execution:m-health:one";
        assert_eq!(Place::of_arn(arn), Some(place("111122223333", "us-east-1")));
        for open in ["arn", "arn:run-1", "arn:aws:cloudfront::111122223333:distribution/E1", "x:aws:a:us-east-1:1:b"] {
            assert_eq!(Place::of_arn(open), None, "{open}");
        }
    }

    #[test]
    fn regression_an_id_is_plain_again_without_its_place_and_only_without_its_own() {
        let place = Place { account: "111122223333".to_owned(), region: "us-east-1".to_owned() };
        let id = ResourceId::from("index/orders/maintainer_orders_1");
        assert_eq!(place.plain(&place.qualified(&id)), id);
        assert_eq!(place.plain(&id), id);
        let other = Place { region: "eu-west-1".to_owned(), ..place.clone() };
        assert_eq!(other.plain(&place.qualified(&id)), place.qualified(&id));
    }
}
