//! Off hours of a fleet in the language of its template: two resources of their own beside it.

use super::{clean, of_stack, of_terraform};
use crate::cost::estate::{Item, Template};
use crate::resource::{OFF_HOURS_STOP, OffHours, ScheduledAction};
use std::fmt::Write as _;

/// The resources to add.
pub(super) fn patch(template: &Template, item: &Item, off_hours: &OffHours) -> String {
    let actions = off_hours.actions();
    match template {
        Template::CloudFormation { stack, logical_id } => {
            let (id, mut text) = of_stack(&clean(stack), logical_id, item);
            text.push_str("Resources:\n");
            for action in &actions {
                cloudformation(&mut text, &id, action);
            }
            text
        }
        Template::Terraform { tag } => {
            let mut text = of_terraform(&clean(tag), item);
            for action in &actions {
                terraform(&mut text, &clean(&item.resource.name), action);
            }
            text
        }
    }
}

fn cloudformation(text: &mut String, group: &str, action: &ScheduledAction) {
    let word = if action.name == OFF_HOURS_STOP { "Stop" } else { "Start" };
    let _ = write!(
        text,
        "  {group}OffHours{word}:\n    Type: AWS::AutoScaling::ScheduledAction\n    Properties:\n      \
         AutoScalingGroupName: !Ref {group}\n      MinSize: {}\n      DesiredCapacity: {}\n      Recurrence: \"{}\"\n      \
         TimeZone: {}\n",
        size(action.min),
        size(action.desired),
        action.recurrence.as_deref().unwrap_or_default(),
        action.time_zone.as_deref().unwrap_or("UTC"),
    );
}

/// Without `max_size` the provider would set it to 0; -1 leaves it as it is. (Terraform's provider for AWS,
/// `aws_autoscaling_schedule`.)
fn terraform(text: &mut String, group: &str, action: &ScheduledAction) {
    let word = if action.name == OFF_HOURS_STOP { "stop" } else { "start" };
    let _ = write!(
        text,
        "resource \"aws_autoscaling_schedule\" \"off_hours_{word}\" {{\n  autoscaling_group_name = \"{group}\"\n  \
         scheduled_action_name  = \"off-hours-{word}\"\n  min_size               = {}\n  max_size               = -1\n  \
         desired_capacity       = {}\n  recurrence             = \"{}\"\n  time_zone              = \"{}\"\n}}\n",
        size(action.min),
        size(action.desired),
        action.recurrence.as_deref().unwrap_or_default(),
        action.time_zone.as_deref().unwrap_or("UTC"),
    );
}

fn size(size: Option<u32>) -> u32 {
    size.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::fixture::{item, volume};
    use crate::resource::{Live, Sizes};

    fn off_hours() -> OffHours {
        let (stop, start) = ("0 20 * * 1-5".to_owned(), "0 7 * * 1-5".to_owned());
        OffHours { time_zone: "Europe/Berlin".to_owned(), stop, start, on: Sizes { min: 1, desired: 2 } }
    }

    #[test]
    fn both_schedules_stand_beside_the_group_in_its_template() {
        let group = item("asg/qa-web", Live::Volume(volume("gp2", 1, &[])));
        let stack = Template::CloudFormation { stack: "qa".to_owned(), logical_id: "Web".to_owned() };
        let text = patch(&stack, &group, &off_hours());
        let start = "  WebOffHoursStart:\n    Type: AWS::AutoScaling::ScheduledAction\n    Properties:\n      \
                     AutoScalingGroupName: !Ref Web\n      MinSize: 1\n      DesiredCapacity: 2\n      Recurrence: \"0 7 * * \
                     1-5\"\n      TimeZone: Europe/Berlin\n";
        assert!(text.starts_with("# Template of the stack qa; Web is ") && text.ends_with(start), "{text}");
        assert!(text.contains("  WebOffHoursStop:\n"), "{text}");
        let text = patch(&Template::Terraform { tag: "ManagedBy".to_owned() }, &group, &off_hours());
        assert_eq!(text.matches("max_size               = -1").count(), 2, "{text}");
        assert!(text.contains("resource \"aws_autoscaling_schedule\" \"off_hours_stop\""), "{text}");
    }
}
