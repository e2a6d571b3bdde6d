//! When people have closed circuit breakers, in DynamoDB, table `leases`: one item per application, kept for two days, because
//! only a day's undone changes count.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::items::{self, get_number, number, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::execution::Cycle;
use domain::ids::AppId;
use engine::ports::{Circuit as Port, PortResult};
use jiff::Timestamp;

/// IAM actions on the table `leases`.
pub const PERMISSIONS: &[&str] = &["dynamodb:GetItem", "dynamodb:UpdateItem"];

const KEEP_S: i64 = 2 * 86_400;

/// See [`engine::ports::Circuit`].
#[derive(Clone, Debug)]
pub struct Circuit {
    client: Lazy<Client>,
    table: String,
    cycle: Cycle,
}

impl Circuit {
    /// The circuit breakers of a cycle, in this table.
    pub fn new(clients: &Clients, table: impl Into<String>, cycle: Cycle) -> Self {
        Self { client: clients.dynamodb(), table: table.into(), cycle }
    }

    fn key(&self, app: &AppId) -> AttributeValue {
        text(format!("circuit#{}#{app}", self.cycle))
    }
}

#[async_trait]
impl Port for Circuit {
    async fn close(&self, app: &AppId, at: Timestamp) -> PortResult<()> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("key", self.key(app))
            .update_expression("SET closed_at = :at, #expires = :expires")
            .expression_attribute_names("#expires", items::EXPIRES_AT)
            .expression_attribute_values(":at", number(at.as_millisecond()))
            .expression_attribute_values(":expires", items::expiry(at, KEEP_S));
        update.send().await.map(|_| ()).map_err(|error| port_error("dynamodb:UpdateItem", &self.table, &error))
    }

    async fn closed_at(&self, app: &AppId) -> PortResult<Option<Timestamp>> {
        let get = self.client.get_item().table_name(&self.table).key("key", self.key(app)).consistent_read(true);
        let output = get.send().await.map_err(|error| port_error("dynamodb:GetItem", &self.table, &error))?;
        let at = output.item.as_ref().and_then(|item| get_number(item, "closed_at"));
        Ok(at.and_then(|at| Timestamp::from_millisecond(at).ok()))
    }
}
