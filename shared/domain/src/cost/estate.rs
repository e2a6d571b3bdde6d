//! The estate: everything that is paid for, with what is known of its age, its owner and its use.

use super::on_demand::OnDemand;
use super::terms::Terms;
use super::usage::Usage;
use crate::ids::AppId;
use crate::observed::{Missing, Observed};
use crate::resource::{Resource, ResourceKind, Tags};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an application, or the rest of an account, is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estate {
    /// The application.
    pub app: AppId,
    /// When it was read; histories end here.
    pub taken_at: Timestamp,
    /// What was found.
    pub items: Vec<Item>,
    /// Kinds that could not be read, with the reason; never the same as "there are none".
    pub unread: Vec<(ResourceKind, Missing)>,
    /// Histories.
    pub usage: Vec<Usage>,
    /// What the whole account pays for on demand, by the day. None but for the run that looks at the rest of the account, so that
    /// it is looked at once; missing with its reason where the bill does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_demand: Option<Observed<OnDemand>>,
}

/// One resource that is paid for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The resource with its live state.
    pub resource: Resource,
    /// When it was created, where the service says so.
    pub created_at: Option<Timestamp>,
    /// Since when the maintainer has seen it unused, from its own memory; none where it is in use or was never looked at before.
    pub unused_since: Option<Timestamp>,
    /// The template that manages it, where one does.
    pub managed_by: Option<Template>,
    /// What is bought, for kinds whose live state does not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Terms>,
}

/// A template that would undo, or be out of step with, what is changed behind its back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "tool")]
pub enum Template {
    /// A CloudFormation stack.
    CloudFormation {
        /// Name of the stack.
        stack: String,
        /// Logical id in it.
        logical_id: String,
    },
    /// Terraform, by a tag that people use for that.
    Terraform {
        /// The tag that says so.
        tag: String,
    },
}

impl Template {
    /// What tags say about who manages a resource. CloudFormation sets its tags itself; for Terraform there is only custom:
    /// a tag `terraform` that is not `false`, or `managed-by`, `managed_by`, `ManagedBy` with the value `terraform`.
    pub fn of_tags(tags: &Tags) -> Option<Self> {
        if let Some(stack) = tags.get("aws:cloudformation:stack-name") {
            let logical_id = tags.get("aws:cloudformation:logical-id").cloned().unwrap_or_default();
            return Some(Self::CloudFormation { stack: stack.clone(), logical_id });
        }
        let says_so = |(key, value): (&String, &String)| {
            let (key, value) = (key.to_ascii_lowercase(), value.to_ascii_lowercase());
            (key == "terraform" && value != "false")
                || (matches!(key.as_str(), "managed-by" | "managed_by" | "managedby") && value == "terraform")
        };
        tags.iter().find(|pair| says_so(*pair)).map(|(key, _)| Self::Terraform { tag: key.clone() })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CloudFormation { stack, logical_id } => write!(f, "the CloudFormation stack {stack} ({logical_id})"),
            Self::Terraform { tag } => write!(f, "Terraform (tag {tag})"),
        }
    }
}

impl Estate {
    /// Items of one kind.
    pub fn of_kind(&self, kind: ResourceKind) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.resource.kind() == kind)
    }

    /// Whole days between a moment and the reading of the estate; negative for one that is still to come.
    pub fn days_since(&self, at: Timestamp) -> i64 {
        self.taken_at.duration_since(at).as_secs().div_euclid(86_400)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_recognised_by_their_tags() {
        let tags = |pairs: &[(&str, &str)]| -> Tags {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let stack = [("aws:cloudformation:stack-name", "shop"), ("aws:cloudformation:logical-id", "Disk")];
        assert_eq!(Template::of_tags(&tags(&stack)).unwrap().to_string(), "the CloudFormation stack shop (Disk)");
        for pair in [("Terraform", "true"), ("ManagedBy", "Terraform"), ("managed-by", "terraform")] {
            assert!(matches!(Template::of_tags(&tags(&[pair])), Some(Template::Terraform { .. })), "{pair:?}");
        }
        for pair in [("terraform", "false"), ("managed-by", "hand"), ("Name", "terraform")] {
            assert_eq!(Template::of_tags(&tags(&[pair])), None, "{pair:?}");
        }
    }
}
