//! The place in which an application lives: clients of its Region and, where it is another account, under a role there.
//!
//! Another Region takes another Region in the same clients. Another account takes a role that trusts this deployment: one
//! for reading, and one that only the function that changes applications may assume. Credentials last for one invocation.
//! Records, leases, documents, messages and runs stay with the deployment; no client of theirs is made here.

use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use crate::prices::PriceList;
use crate::{Actuator, CostActuator, Estates, Inventory, Prices, SystemClock, Telemetry, UnitPrices};
use async_trait::async_trait;
use aws_credential_types::Credentials;
use domain::place::Place;
use engine::ports::{Inventory as Finds, Places as Port, PortError, PortResult};
use engine::step::StepError;
use futures::future::BoxFuture;

/// IAM actions on the roles in other accounts.
pub const PERMISSIONS: &[&str] = &["sts:AssumeRole"];

const ACTION: &str = "sts:AssumeRole";
/// What the name of the role for changes has behind that of the role for reading.
const CHANGES: &str = "-changes";
/// Seconds that a session lasts: the shortest that AWS knows, and as long as an invocation can be.
const SESSION_S: i32 = 900;
/// Longest name of a session.
const SESSION_CHARS_MAX: usize = 64;
/// Shortest and longest external id that STS takes.
const EXTERNAL_ID_CHARS: std::ops::RangeInclusive<usize> = 2..=1_224;
/// Name of the sessions in which an alarm finds its application: no run is known yet.
const NO_RUN: &str = "maintainer-dispatch";

/// Makes the adapters of a place.
#[derive(Clone, Debug)]
pub struct Places {
    clients: Clients,
    clock: SystemClock,
    sts: Lazy<aws_sdk_sts::Client>,
    role: MemberRole,
    external_id: String,
    prices: PriceList,
}

/// The role in other accounts, and the account of this deployment.
#[derive(Clone, Debug)]
struct MemberRole {
    partition: String,
    home: String,
    name: String,
}

/// A place: what its adapters are made from.
#[derive(Clone, Debug)]
pub struct At {
    clients: Clients,
    clock: SystemClock,
    prices: PriceList,
    partition: String,
    account: String,
}

impl At {
    /// Resources and tags.
    pub fn inventory(&self) -> Inventory {
        Inventory::new(&self.clients)
    }

    /// Metrics and alarms.
    pub fn telemetry(&self) -> Telemetry {
        Telemetry::new(&self.clients, self.clock)
    }

    /// What its resources cost there.
    pub fn prices(&self) -> Prices {
        Prices::new(self.prices.clone(), &self.clients)
    }

    /// The port that writes to applications for the health cycle.
    pub fn actuator(&self) -> Actuator {
        Actuator::new(&self.clients)
    }

    /// What is paid for there.
    pub fn estates(&self) -> Estates {
        Estates::new(&self.clients, self.clock, &self.partition, &self.account)
    }

    /// What a unit of it costs there.
    pub fn unit_prices(&self) -> UnitPrices {
        UnitPrices::new(self.prices.clone(), self.clients.region().unwrap_or_default())
    }

    /// The port that writes to applications for the cost cycle.
    pub fn cost_actuator(&self) -> CostActuator {
        CostActuator::new(&self.clients, self.clock)
    }
}

impl Places {
    /// Places as seen from the account of these clients. `role` is the ARN that the role for reading would have there; in
    /// another account it has the same name.
    ///
    /// # Errors
    /// [`StepError::Config`] when that is no ARN of a role, or the external id is none.
    pub fn new(clients: &Clients, clock: SystemClock, role: &str, external_id: String) -> Result<Self, StepError> {
        let role = MemberRole::read(role)
            .ok_or_else(|| StepError::Config(format!("MEMBER_ROLE is \"{role}\", which is no ARN of a role")))?;
        if !EXTERNAL_ID_CHARS.contains(&external_id.len()) {
            return Err(StepError::Config(format!(
                "MEMBER_EXTERNAL_ID has {} characters, but an external id has {} to {}: set the parameter MemberExternalId",
                external_id.len(),
                EXTERNAL_ID_CHARS.start(),
                EXTERNAL_ID_CHARS.end()
            )));
        }
        let prices = PriceList::new(clients);
        Ok(Self { clients: clients.clone(), clock, sts: clients.sts(), role, external_id, prices })
    }

    /// A place to read in, for a run. `None` is the place of the deployment.
    ///
    /// # Errors
    /// [`PortError::Denied`] with what must trust whom.
    pub async fn to_read(&self, place: Option<&Place>, run: &str) -> PortResult<At> {
        self.at(place, "", run).await
    }

    /// A place to change in, for a run.
    ///
    /// # Errors
    /// As [`Places::to_read`].
    pub async fn to_change(&self, place: Option<&Place>, run: &str) -> PortResult<At> {
        self.at(place, CHANGES, run).await
    }

    async fn at(&self, place: Option<&Place>, purpose: &str, run: &str) -> PortResult<At> {
        let clients = match place {
            None => self.clients.clone(),
            Some(place) if place.account == self.role.home => self.clients.in_region(&place.region),
            Some(place) => {
                let credentials = self.assume(&self.role.in_account(&place.account, purpose), run).await?;
                self.clients.in_region(&place.region).with_credentials(credentials)
            }
        };
        let account = place.map_or_else(|| self.role.home.clone(), |place| place.account.clone());
        Ok(At {
            clients,
            clock: self.clock,
            prices: self.prices.clone(),
            partition: self.role.partition.clone(),
            account,
        })
    }

    /// Boxed: the future of a call within those of a step is too deep for the compiler.
    fn assume<'a>(&'a self, role: &'a str, run: &'a str) -> BoxFuture<'a, PortResult<Credentials>> {
        Box::pin(self.credentials(role, run))
    }

    async fn credentials(&self, role: &str, run: &str) -> PortResult<Credentials> {
        let request = self.sts.assume_role().role_arn(role).role_session_name(session_name(run));
        let answer = request.external_id(&self.external_id).duration_seconds(SESSION_S).send().await;
        let credentials = match answer {
            Ok(answer) => answer.credentials,
            Err(error) => return Err(self.explained(port_error(ACTION, role, &error))),
        };
        let credentials = credentials.ok_or_else(|| PortError::Unknown {
            operation: format!("{ACTION} on {role}"),
            why: "the answer has no credentials".to_owned(),
        })?;
        let token = Some(credentials.session_token);
        Ok(Credentials::new(credentials.access_key_id, credentials.secret_access_key, token, None, "member"))
    }

    /// A refusal says which role must trust whom: AWS tells neither whether the role is there nor what it asks for.
    fn explained(&self, error: PortError) -> PortError {
        let PortError::Denied { operation, .. } = error else { return error };
        // Short enough for one line of a message to people.
        let permission = format!(
            "it by deploying infra/member.yaml there (HomeAccount={}, the same external id) and naming that account in \
             MemberAccounts here",
            self.role.home
        );
        PortError::Denied { operation, permission }
    }
}

#[async_trait]
impl Port for Places {
    async fn inventory(&self, place: &Place) -> PortResult<Box<dyn Finds>> {
        Ok(Box::new(self.to_read(Some(place), NO_RUN).await?.inventory()))
    }
}

impl MemberRole {
    /// Reads `arn:<partition>:iam::<account>:role/<name>`.
    fn read(arn: &str) -> Option<Self> {
        let mut parts = arn.split(':');
        let (_, partition, service) = (parts.next().filter(|arn| *arn == "arn")?, parts.next()?, parts.next()?);
        let home = parts.nth(1)?;
        let name = parts.next()?.strip_prefix("role/").filter(|name| !name.is_empty())?;
        (service == "iam" && !home.is_empty()).then(|| Self {
            partition: partition.to_owned(),
            home: home.to_owned(),
            name: name.to_owned(),
        })
    }

    fn in_account(&self, account: &str, purpose: &str) -> String {
        format!("arn:{}:iam::{account}:role/{}{purpose}", self.partition, self.name)
    }
}

/// The run as a session name, which stands in the trails of the other account. Of a long one the end, which tells runs apart.
fn session_name(run: &str) -> String {
    let letters: Vec<char> = run.chars().filter(|c| c.is_ascii_alphanumeric() || "_=,.@-".contains(*c)).collect();
    letters[letters.len().saturating_sub(SESSION_CHARS_MAX)..].iter().collect()
}

#[cfg(test)]
mod tests;
