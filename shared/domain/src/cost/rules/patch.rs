//! Patches for templates, ready for a pull request: what to set or remove, where, in the language of the tool.
//!
//! CloudFormation says by its own tags which resource of which stack it is. Terraform's resource names are not in the
//! account; there the text says how to find the block. What is removed from a template is deleted with it, so a disk
//! gets a final snapshot first.

mod schedules;

use crate::change::Action;
use crate::cost::estate::{Item, Template};
use crate::cost::terms::Terms;
use crate::resource::ResourceKind;
use std::fmt::Write as _;

/// Longest text that is taken over from tags and names, in characters.
const TEXT_MAX: usize = 128;

/// A property to set.
struct Property {
    cloudformation: &'static str,
    terraform: &'static str,
    value: Value,
}

enum Value {
    Number(u32),
    Text(String),
    /// A number that CloudFormation takes as a string.
    NumberAsText(u32),
}

/// What to do with the resource in the template.
enum Edit {
    Set(Vec<Property>),
    Remove,
}

/// The patch that does in the template what this action would do behind its back.
pub(super) fn patch(template: &Template, item: &Item, action: &Action) -> String {
    if let Action::SetFleetSchedule { off_hours, .. } = action {
        return schedules::patch(template, item, off_hours);
    }
    written(template, item, edit(action))
        .unwrap_or_else(|| format!("{template} manages {}: {action} there", clean(&item.resource.name)))
}

/// The patch that gives a database another class, or a cache another type of nodes.
pub(super) fn set_class(template: &Template, item: &Item, class: &str) -> String {
    let value = Value::Text(clean(class));
    let property = match item.resource.kind() {
        ResourceKind::Cache => Property { cloudformation: "CacheNodeType", terraform: "node_type", value },
        _ => Property { cloudformation: "DBInstanceClass", terraform: "instance_class", value },
    };
    written(template, item, Some(Edit::Set(vec![property])))
        .unwrap_or_else(|| format!("{template} manages {}: give it {class} there", clean(&item.resource.name)))
}

/// The edit in the language of the tool, where that has a type for the resource.
fn written(template: &Template, item: &Item, edit: Option<Edit>) -> Option<String> {
    Some(match (template, edit, types(item)) {
        (Template::CloudFormation { stack, logical_id }, Some(edit), (Some(kind), _)) => {
            cloudformation(&clean(stack), logical_id, kind, item, &edit)
        }
        (Template::Terraform { tag }, Some(edit), (_, Some(kind))) => terraform(&clean(tag), kind, item, &edit),
        _ => return None,
    })
}

/// What is added to advice about a resource that a template manages.
pub(super) fn note(template: &Template, item: &Item) -> String {
    format!(
        "{} manages {}: do it in the template, or the next deployment brings it back.",
        clean(&template.to_string()),
        clean(&item.resource.name)
    )
}

fn edit(action: &Action) -> Option<Edit> {
    let number = |cloudformation, terraform, value| Property { cloudformation, terraform, value: Value::Number(value) };
    Some(match action {
        Action::SetVolumeType { volume_type, iops, throughput_mibps, .. } => Edit::Set(vec![
            Property { cloudformation: "VolumeType", terraform: "type", value: Value::Text(clean(volume_type)) },
            number("Iops", "iops", *iops),
            number("Throughput", "throughput", *throughput_mibps),
        ]),
        Action::SetLogRetention { days, .. } => Edit::Set(vec![number("RetentionInDays", "retention_in_days", *days)]),
        Action::SetFleetCapacity { desired, .. } => Edit::Set(vec![Property {
            cloudformation: "DesiredCapacity",
            terraform: "desired_capacity",
            value: Value::NumberAsText(*desired),
        }]),
        Action::MarkForDeletion { .. }
        | Action::SnapshotVolume { .. }
        | Action::DeleteVolume { .. }
        | Action::DeleteDiskSnapshot { .. }
        | Action::ReleaseAddress { .. } => Edit::Remove,
        _ => return None,
    })
}

/// Resource types of CloudFormation and of Terraform's provider for AWS.
fn types(item: &Item) -> (Option<&'static str>, Option<&'static str>) {
    // A node of a replication group carries the tags of the group, which the template has.
    let is_of_cluster = match &item.terms {
        Some(Terms::Database(terms)) => terms.cluster.is_some(),
        Some(Terms::Cache(terms)) => terms.group.is_some(),
        _ => false,
    };
    match item.resource.kind() {
        ResourceKind::Database if is_of_cluster => (Some("AWS::RDS::DBInstance"), Some("aws_rds_cluster_instance")),
        ResourceKind::Cache if is_of_cluster => {
            (Some("AWS::ElastiCache::ReplicationGroup"), Some("aws_elasticache_replication_group"))
        }
        ResourceKind::Cache => (Some("AWS::ElastiCache::CacheCluster"), Some("aws_elasticache_cluster")),
        ResourceKind::Database => (Some("AWS::RDS::DBInstance"), Some("aws_db_instance")),
        ResourceKind::Volume => (Some("AWS::EC2::Volume"), Some("aws_ebs_volume")),
        ResourceKind::DiskSnapshot => (None, Some("aws_ebs_snapshot")),
        ResourceKind::Address => (Some("AWS::EC2::EIP"), Some("aws_eip")),
        ResourceKind::LogGroup => (Some("AWS::Logs::LogGroup"), Some("aws_cloudwatch_log_group")),
        ResourceKind::AutoScalingGroup => (Some("AWS::AutoScaling::AutoScalingGroup"), Some("aws_autoscaling_group")),
        _ => (None, None),
    }
}

/// The logical id of an item of a stack, and the comment that says so.
fn of_stack(stack: &str, logical_id: &str, item: &Item) -> (String, String) {
    let name = clean(&item.resource.name);
    // Logical ids are letters and digits; where the tag is lacking, the stack itself knows it.
    let known: String = logical_id.chars().filter(char::is_ascii_alphanumeric).take(TEXT_MAX).collect();
    let (id, find) = if known.is_empty() {
        let find = format!(
            "# LogicalId: aws cloudformation describe-stack-resources --physical-resource-id {name} --query \
             'StackResources[?PhysicalResourceId==`{name}`].LogicalResourceId'\n"
        );
        ("LogicalId".to_owned(), find)
    } else {
        (known, String::new())
    };
    let text = format!("# Template of the stack {stack}; {id} is {name}.\n{find}");
    (id, text)
}

/// The comment that says how to find the block of an item.
fn of_terraform(tag: &str, item: &Item) -> String {
    let name = clean(&item.resource.name);
    format!("# Terraform (tag {tag}); the block is: terraform state list -id={name}\n")
}

fn cloudformation(stack: &str, logical_id: &str, kind: &str, item: &Item, edit: &Edit) -> String {
    let (id, mut text) = of_stack(stack, logical_id, item);
    match edit {
        Edit::Set(properties) => {
            let _ = write!(text, "Resources:\n  {id}:\n    Type: {kind}\n    Properties:\n");
            for property in properties {
                let value = match &property.value {
                    Value::Number(number) => number.to_string(),
                    Value::Text(text) => text.clone(),
                    Value::NumberAsText(number) => format!("\"{number}\""),
                };
                let _ = writeln!(text, "      {}: {value}", property.cloudformation);
            }
        }
        Edit::Remove if item.resource.kind() == ResourceKind::Volume => {
            let _ = write!(
                text,
                "# First deploy this, so that the stack takes a final snapshot:\nResources:\n  {id}:\n    \
                 Type: {kind}\n    DeletionPolicy: Snapshot\n# Then remove the resource {id}, and whatever refers to \
                 it.\n"
            );
        }
        Edit::Remove => {
            let _ = writeln!(text, "# Remove the resource {id} ({kind}), and whatever refers to it.");
        }
    }
    text
}

fn terraform(tag: &str, kind: &str, item: &Item, edit: &Edit) -> String {
    let mut text = of_terraform(tag, item);
    match edit {
        Edit::Set(properties) => {
            let _ = writeln!(text, "resource \"{kind}\" \"NAME\" {{");
            let width = properties.iter().map(|property| property.terraform.len()).max().unwrap_or(0);
            for property in properties {
                let value = match &property.value {
                    Value::Number(number) | Value::NumberAsText(number) => number.to_string(),
                    Value::Text(text) => format!("\"{text}\""),
                };
                let _ = writeln!(text, "  {:<width$} = {value}", property.terraform);
            }
            text.push_str("}\n");
            if item.resource.kind() == ResourceKind::AutoScalingGroup {
                text.push_str("# Where lifecycle.ignore_changes names desired_capacity, set it by hand instead.\n");
            }
        }
        Edit::Remove if item.resource.kind() == ResourceKind::Volume => {
            let _ = write!(
                text,
                "# First apply this, so that a final snapshot is taken:\nresource \"{kind}\" \"NAME\" {{\n  \
                 final_snapshot = true\n}}\n# Then remove the block, and whatever refers to it.\n"
            );
        }
        Edit::Remove => {
            let _ = writeln!(text, "# Remove the block resource \"{kind}\", and whatever refers to it.");
        }
    }
    text
}

/// Text from outside: on one line, without quotes, bounded.
fn clean(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() && !matches!(letter, '"' | '\'' | '`')).take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::fixture::{item, volume};
    use crate::resource::{Address, DiskSnapshot, Live, LogGroup};
    use jiff::Timestamp;

    fn stack(logical_id: &str) -> Template {
        Template::CloudFormation { stack: "shop".to_owned(), logical_id: logical_id.to_owned() }
    }

    fn terraform() -> Template {
        Template::Terraform { tag: "ManagedBy".to_owned() }
    }

    fn disk() -> Item {
        item("volume/vol-1", Live::Volume(volume("gp2", 100, &["i-1"])))
    }

    fn gp3() -> Action {
        let (volume, volume_type) = ("vol-1".to_owned(), "gp3".to_owned());
        Action::SetVolumeType { volume, volume_type, iops: 3_000, throughput_mibps: 128 }
    }

    fn mark() -> Action {
        Action::MarkForDeletion { arn: "volume/vol-1".to_owned(), delete_after: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn a_property_is_set_in_the_language_of_the_template() {
        assert_eq!(
            patch(&stack("Disk"), &disk(), &gp3()),
            "# Template of the stack shop; Disk is vol-1.\nResources:\n  Disk:\n    Type: AWS::EC2::Volume\n    \
             Properties:\n      VolumeType: gp3\n      Iops: 3000\n      Throughput: 128\n"
        );
        assert_eq!(
            patch(&terraform(), &disk(), &gp3()),
            "# Terraform (tag ManagedBy); the block is: terraform state list -id=vol-1\nresource \"aws_ebs_volume\" \
             \"NAME\" {\n  type       = \"gp3\"\n  iops       = 3000\n  throughput = 128\n}\n"
        );
        let group = item("/app/web", Live::LogGroup(LogGroup { retention_days: None, stored_bytes: 1 }));
        let keep = Action::SetLogRetention { group: "/app/web".to_owned(), days: 90 };
        assert!(patch(&stack("Logs"), &group, &keep).contains("      RetentionInDays: 90\n"));
        assert!(patch(&terraform(), &group, &keep).contains("  retention_in_days = 90\n"));
    }

    #[test]
    fn a_disk_is_removed_after_a_final_snapshot() {
        let text = patch(&stack("Disk"), &disk(), &mark());
        let (first, then) = text.split_once("# Then remove the resource Disk").unwrap();
        assert!(first.contains("DeletionPolicy: Snapshot") && then.contains("whatever refers to it"), "{text}");
        let text = patch(&terraform(), &disk(), &mark());
        assert!(text.find("final_snapshot = true").unwrap() < text.find("remove the block").unwrap(), "{text}");
    }

    #[test]
    fn what_a_tool_has_no_type_for_is_said_in_words() {
        let live = DiskSnapshot {
            volume: "vol-9".to_owned(),
            volume_exists: false,
            size_gib: 8,
            images: Vec::new(),
            has_policy: false,
            delete_after: None,
        };
        let snapshot = item("snapshot/snap-1", Live::DiskSnapshot(live));
        let text = patch(&stack("Copy"), &snapshot, &mark());
        assert!(text.contains("the CloudFormation stack shop (Copy) manages snap-1"), "{text}");
        assert!(patch(&terraform(), &snapshot, &mark()).contains("\"aws_ebs_snapshot\""));
        let address = Address { public_ip: "203.0.113.7".to_owned(), associated_with: None, delete_after: None };
        let address = item("elastic-ip/eipalloc-1", Live::Address(address));
        assert!(patch(&stack("Ip"), &address, &mark()).contains("Remove the resource Ip (AWS::EC2::EIP)"));
    }

    #[test]
    fn text_from_tags_can_not_leave_its_line() {
        let text = patch(&stack("Disk:\n  Evil"), &disk(), &gp3());
        assert!(text.contains("\n  DiskEvil:\n"), "{text}");
        let text = patch(&stack(""), &disk(), &gp3());
        assert!(text.contains("\n  LogicalId:\n") && text.contains("--physical-resource-id vol-1"), "{text}");
        let tag = "x\nresource \"evil\" {}";
        assert_eq!(
            patch(&Template::Terraform { tag: tag.to_owned() }, &disk(), &gp3()).matches("resource \"").count(),
            1
        );
    }
}
