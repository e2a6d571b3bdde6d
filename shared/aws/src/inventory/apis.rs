//! API Gateway APIs. CloudWatch keeps the metrics of an HTTP API by its id and those of a REST API by its name.

use super::{Candidate, Found};
use domain::observed::Missing;
use domain::resource::Live;

/// Everything comes from the ARN and the tag `Name`; no call is made.
pub(super) fn discover(candidates: &[Candidate]) -> Found {
    let mut found = Found::default();
    for candidate in candidates {
        let name = candidate.tags.get("Name").filter(|name| !name.is_empty());
        if !candidate.id.as_str().contains("/restapis/") {
            let live = Live::Api { dimension: candidate.name.clone() };
            found.resources.push(candidate.with(name.unwrap_or(&candidate.name), live));
        } else if let Some(name) = name {
            found.resources.push(candidate.with(name, Live::Api { dimension: name.clone() }));
        } else {
            found.missing.push(Missing::NotPublished(format!(
                "the metrics of the REST API {} are kept by its name: give it a tag Name with that name",
                candidate.name
            )));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Tags;
    use domain::ids::ResourceId;

    fn candidate(id: &str, name: &str, tag: Option<&str>) -> Candidate {
        let tags = tag.map(|tag| Tags::from_iter([("Name".to_owned(), tag.to_owned())])).unwrap_or_default();
        Candidate { id: ResourceId::from(id), name: name.to_owned(), tags }
    }

    #[test]
    fn a_rest_api_is_measured_by_its_name_and_an_http_api_by_its_id() {
        let found = discover(&[
            candidate("arn:aws:apigateway:eu-west-1::/restapis/a1", "a1", Some("shop")),
            candidate("arn:aws:apigateway:eu-west-1::/apis/b2", "b2", None),
        ]);
        let dimensions: Vec<&Live> = found.resources.iter().map(|resource| &resource.live).collect();
        assert_eq!(
            dimensions,
            [&Live::Api { dimension: "shop".to_owned() }, &Live::Api { dimension: "b2".to_owned() }]
        );
    }

    #[test]
    fn a_rest_api_without_a_name_is_named_as_not_measured() {
        let found = discover(&[candidate("arn:aws:apigateway:eu-west-1::/restapis/a1", "a1", None)]);
        assert!(found.resources.is_empty());
        assert!(matches!(&found.missing[..], [Missing::NotPublished(why)] if why.contains("a1")));
    }
}
