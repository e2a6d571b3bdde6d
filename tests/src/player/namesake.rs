//! A fleet at home that bears the name and the tag of an application which lives elsewhere. Whatever is done there, nothing
//! may be done to it.

use super::check::Finding;
use super::stack::StackError;
use crate::cloud::Cloud;
use aws_sdk_autoscaling::types::Tag;
use domain::resource::APP_TAG;
use std::collections::BTreeSet;

const SERVERS: i32 = 2;

/// A fleet at home, and its servers when it was made.
pub struct Namesake {
    group: String,
    servers: BTreeSet<String>,
}

impl Namesake {
    /// Makes it.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn begin(home: &Cloud, app: &str, group: &str) -> Result<Self, StackError> {
        let scaling = home.autoscaling();
        let launch = scaling.create_launch_configuration().launch_configuration_name(group).image_id("ami-00000001");
        let launch = launch.instance_type("t4g.small").send().await;
        launch.map_err(StackError::call("CreateLaunchConfiguration", group))?;
        let tag = Tag::builder().key(APP_TAG).value(app).resource_id(group).resource_type("auto-scaling-group");
        let create = scaling.create_auto_scaling_group().auto_scaling_group_name(group);
        let create = create.launch_configuration_name(group).min_size(1).max_size(4).desired_capacity(SERVERS);
        let create = create.availability_zones(format!("{}a", home.state.region)).tags(tag.build()).send().await;
        create.map_err(StackError::call("CreateAutoScalingGroup", group))?;
        let (_, servers) = look(home, group).await?;
        Ok(Self { group: group.to_owned(), servers })
    }

    /// Whether it is as it was.
    ///
    /// # Errors
    /// When the cloud does not answer.
    pub async fn is_untouched(&self, home: &Cloud) -> Result<Finding, StackError> {
        let (wanted, servers) = look(home, &self.group).await?;
        let left = self.servers.intersection(&servers).count();
        let text = format!(
            "its namesake at home wants {wanted} servers and has {left} of its first {}, expected {SERVERS} and all",
            self.servers.len()
        );
        Ok(Finding { holds: wanted == SERVERS && !self.servers.is_empty() && servers == self.servers, text })
    }
}

async fn look(home: &Cloud, group: &str) -> Result<(i32, BTreeSet<String>), StackError> {
    let found = home.autoscaling().describe_auto_scaling_groups().auto_scaling_group_names(group).send().await;
    let found = found.map_err(StackError::call("DescribeAutoScalingGroups", group))?;
    let Some(fleet) = found.auto_scaling_groups().first() else { return Ok((0, BTreeSet::new())) };
    let servers = fleet.instances().iter().filter_map(|instance| instance.instance_id().map(str::to_owned));
    Ok((fleet.desired_capacity().unwrap_or(0), servers.collect()))
}
