//! What changes have saved, in DynamoDB, table `optimization_results`: attributes beside those of a change's verification
//! (`executions`), in US dollars a month. An amount that is not known has no attribute: a zero would be a lie.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::executions::result_id;
use crate::items::{self, number, text};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::changes::spec;
use domain::cost::money::UsdMicros;
use domain::cost::savings::{Basis, ChangeSaving};
use domain::ids::AppId;
use domain::observed::{Missing, Observed};
use engine::ports::{PortResult, SavingsBook as Port};
use jiff::Timestamp;

/// IAM actions on the table `optimization_results`.
pub const PERMISSIONS: &[&str] = &["dynamodb:UpdateItem"];

/// What the bill has shown, all of which goes where the change was taken back.
const SHOWN: [&str; 3] = ["verified_usd_month", "verified_usd_month_low", "verified_usd_month_high"];

/// See [`engine::ports::SavingsBook`].
#[derive(Clone, Debug)]
pub struct SavingsBook {
    client: Lazy<Client>,
    table: String,
}

impl SavingsBook {
    /// The savings in this table.
    pub fn new(clients: &Clients, table: impl Into<String>) -> Self {
        Self { client: clients.dynamodb(), table: table.into() }
    }
}

#[async_trait]
impl Port for SavingsBook {
    async fn note(&self, app: &AppId, saving: &ChangeSaving, at: Timestamp) -> PortResult<()> {
        let (set, remove) = attributes(app, saving, at);
        let names: Vec<String> =
            set.iter().enumerate().map(|(place, (name, _))| format!("{name} = :v{place}")).collect();
        let mut expression = format!("SET {}, #expires = if_not_exists(#expires, :expires)", names.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("execution_id", text(saving.execution.as_str()))
            .key("result_id", text(result_id(saving.iteration, &saving.change)))
            .update_expression(expression)
            .expression_attribute_names("#expires", items::EXPIRES_AT)
            .expression_attribute_values(":expires", items::expiry(at, items::KEEP_RECORDS_S));
        for (place, (_, value)) in set.into_iter().enumerate() {
            update = update.expression_attribute_values(format!(":v{place}"), value);
        }
        update.send().await.map(|_| ()).map_err(|error| port_error("dynamodb:UpdateItem", &self.table, &error))
    }
}

/// Attributes to set, and those to remove.
fn attributes(
    app: &AppId,
    saving: &ChangeSaving,
    at: Timestamp,
) -> (Vec<(&'static str, AttributeValue)>, Vec<&'static str>) {
    let mut set = vec![
        ("app", text(app.as_str())),
        ("change_kind", text(spec(saving.kind).name)),
        ("changed_resource", text(saving.resource.as_str())),
        ("identified_usd_month", usd(saving.identified)),
        ("applied_usd_month", usd(saving.applied)),
        ("savings_noted_at", items::time(at)),
    ];
    match &saving.verified {
        Observed::Known(shown) => {
            let amounts = [shown.saving.likely, shown.saving.low, shown.saving.high];
            set.extend(SHOWN.into_iter().zip(amounts).map(|(name, amount)| (name, usd(amount))));
            let basis = match shown.basis {
                Basis::Application => "application",
                Basis::Account => "account",
            };
            set.extend([("verified_basis", text(basis)), ("verified_days", number(shown.days_after))]);
            (set, vec!["unverified_because"])
        }
        Observed::Missing(why) => {
            set.push(("unverified_because", text(why.to_string())));
            (set, if *why == Missing::Gone { SHOWN.to_vec() } else { Vec::new() })
        }
    }
}

/// Dollars with six places, exactly.
fn usd(amount: UsdMicros) -> AttributeValue {
    let sign = if amount.0 < 0 { "-" } else { "" };
    let micros = amount.0.unsigned_abs();
    number(format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000))
}
