//! Which applications are looked at regularly, and when they last were, in DynamoDB, table `leases`: one item with the
//! roll, one per application.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::items::{Item, get_number, number, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::execution::Cycle;
use domain::ids::AppId;
use domain::watch::{Roll, Watched};
use engine::ports::{PortResult, Watch as Port};
use jiff::Timestamp;

/// IAM actions on the table `leases`.
pub const PERMISSIONS: &[&str] = &["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"];

/// See [`engine::ports::Watch`].
#[derive(Clone, Debug)]
pub struct Watch {
    client: Lazy<Client>,
    table: String,
    roll: String,
}

impl Watch {
    /// The watch over a cycle in this table.
    pub fn new(clients: &Clients, table: impl Into<String>, cycle: Cycle) -> Self {
        Self { client: clients.dynamodb(), table: table.into(), roll: format!("watch#{cycle}") }
    }

    fn key(&self, app: &AppId) -> AttributeValue {
        text(format!("{}#{app}", self.roll))
    }

    async fn update(&self, update: UpdateItemFluentBuilder, key: AttributeValue) -> PortResult<Item> {
        let update = update.table_name(&self.table).key("key", key).return_values(ReturnValue::AllNew);
        let output = update.send().await.map_err(|error| port_error("dynamodb:UpdateItem", &self.table, &error))?;
        Ok(output.attributes.unwrap_or_default())
    }

    async fn set(&self, app: &AppId, attribute: &str, at: Timestamp) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .update_expression("SET #attribute = :at")
            .expression_attribute_names("#attribute", attribute)
            .expression_attribute_values(":at", number(at.as_millisecond()));
        self.update(update, self.key(app)).await.map(|_| ())
    }
}

#[async_trait]
impl Port for Watch {
    async fn roll(&self) -> PortResult<Roll> {
        let get = self.client.get_item().table_name(&self.table).key("key", text(&self.roll)).consistent_read(true);
        let output = get.send().await.map_err(|error| port_error("dynamodb:GetItem", &self.table, &error))?;
        let item = output.item.unwrap_or_default();
        let apps = item.get("apps").and_then(|apps| apps.as_ss().ok()).cloned().unwrap_or_default();
        Ok(Roll {
            apps: apps.into_iter().map(AppId::new).collect(),
            round_at: moment(&item, "round_at"),
            before_at: moment(&item, "before_at"),
        })
    }

    async fn call(&self, roll: &Roll) -> PortResult<()> {
        let mut sets = Vec::new();
        let mut update = self.client.update_item();
        for (name, at) in [("round_at", roll.round_at), ("before_at", roll.before_at)] {
            if let Some(at) = at {
                sets.push(format!("{name} = :{name}"));
                update = update.expression_attribute_values(format!(":{name}"), number(at.as_millisecond()));
            }
        }
        let mut expression = if sets.is_empty() { String::new() } else { format!("SET {}", sets.join(", ")) };
        if !roll.apps.is_empty() {
            expression.push_str(" ADD apps :apps");
            let apps = roll.apps.iter().map(ToString::to_string).collect();
            update = update.expression_attribute_values(":apps", AttributeValue::Ss(apps));
        }
        if expression.is_empty() {
            return Ok(());
        }
        self.update(update.update_expression(expression), text(&self.roll)).await.map(|_| ())
    }

    async fn known(&self, app: &AppId, now: Timestamp) -> PortResult<Watched> {
        let update = self
            .client
            .update_item()
            .update_expression("SET since = if_not_exists(since, :now)")
            .expression_attribute_values(":now", number(now.as_millisecond()));
        let item = self.update(update, self.key(app)).await?;
        Ok(Watched {
            app: app.clone(),
            since: moment(&item, "since").unwrap_or(now),
            looked_at: moment(&item, "looked_at"),
            told_at: moment(&item, "told_at"),
        })
    }

    async fn looked(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.set(app, "looked_at", at).await
    }

    async fn told(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        self.set(app, "told_at", at).await
    }

    async fn forget(&self, app: &AppId) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .update_expression("DELETE apps :apps")
            .expression_attribute_values(":apps", AttributeValue::Ss(vec![app.to_string()]));
        self.update(update, text(&self.roll)).await?;
        let delete = self.client.delete_item().table_name(&self.table).key("key", self.key(app));
        delete.send().await.map(|_| ()).map_err(|error| port_error("dynamodb:DeleteItem", &self.table, &error))
    }
}

fn moment(item: &Item, name: &str) -> Option<Timestamp> {
    Timestamp::from_millisecond(get_number(item, name)?).ok()
}
