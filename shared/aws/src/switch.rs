//! The kill switch: one SSM parameter. `off` lets changes happen; everything else, also silence, stops them.

use crate::chances::Chances;
use crate::clients::{Clients, Lazy};
use crate::errors::port_error;
use async_trait::async_trait;
use aws_sdk_ssm::Client;
use domain::guard::KillSwitch;
use engine::ports::Switch as Port;

/// IAM actions.
pub const PERMISSIONS: &[&str] = &["ssm:GetParameter"];

/// See [`engine::ports::Switch`].
#[derive(Clone, Debug)]
pub struct Switch {
    client: Lazy<Client>,
    parameter: String,
    chances: Chances,
}

impl Switch {
    /// The switch in this parameter.
    pub fn new(clients: &Clients, parameter: impl Into<String>) -> Self {
        Self { client: clients.ssm(), parameter: parameter.into(), chances: clients.chances() }
    }
}

#[async_trait]
impl Port for Switch {
    async fn read(&self) -> KillSwitch {
        let read = async || {
            let output = self.client.get_parameter().name(&self.parameter).send().await;
            output.map_err(|error| port_error("ssm:GetParameter", &self.parameter, &error))
        };
        match self.chances.read(read).await {
            Ok(output) => state(&self.parameter, output.parameter.and_then(|parameter| parameter.value).as_deref()),
            Err(error) => KillSwitch::Unreadable(error.to_string()),
        }
    }
}

fn state(parameter: &str, value: Option<&str>) -> KillSwitch {
    match value.map(str::trim) {
        Some("off") => KillSwitch::Off,
        Some("on") => KillSwitch::On,
        Some(other) => {
            let shown: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
            KillSwitch::Unreadable(format!("{parameter} is \"{shown}\", it must be \"on\" or \"off\""))
        }
        None => KillSwitch::Unreadable(format!("{parameter} has no value, it must be \"on\" or \"off\"")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_word_off_lets_changes_happen() {
        assert_eq!(state("/p", Some("off")), KillSwitch::Off);
        assert_eq!(state("/p", Some(" off\n")), KillSwitch::Off);
        assert_eq!(state("/p", Some("on")), KillSwitch::On);
        for value in [None, Some(""), Some("Off"), Some("false"), Some("0"), Some("offf")] {
            assert!(matches!(state("/p", value), KillSwitch::Unreadable(why) if why.contains("/p")), "{value:?}");
        }
    }
}
