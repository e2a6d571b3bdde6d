//! What a function makes at its cold start: the clock, the clients and its adapters, from the environment that the
//! template sets. Makes no call to AWS.

use crate::{
    Approvals, Artifacts, Billing, Calendars, Circuit, Clients, ConfigSource, DeadLetters, Episodes, Executions,
    Inventory, Journal, Leases, Liveness, Notifier, Places, Runs, SavingsBook, Secrets, SigningKey, Starter, Switch,
    SystemClock, Waker, Watch,
};
use domain::execution::Cycle;
use domain::place::Place;
use engine::runtime::{optional, variable};
use engine::settings::Settings;
use engine::step::StepError;

/// The start of a function. Each adapter is made from it on demand, so a binary links only what it asks for.
#[derive(Debug)]
pub struct Start {
    /// Clients, created when they are first used.
    pub clients: Clients,
    /// The clock.
    pub clock: SystemClock,
}

impl Start {
    /// Reads region, credentials and clock.
    ///
    /// # Errors
    /// [`StepError::Config`] when region or credentials are missing, or `MAINTAINER_CLOCK` is set where it must not be.
    pub fn load() -> Result<Self, StepError> {
        let clock = SystemClock::new(optional("MAINTAINER_CLOCK").as_deref(), optional("AWS_ENDPOINT_URL").as_deref())
            .map_err(|error| StepError::Config(error.to_string()))?;
        Ok(Self { clients: Clients::load()?, clock })
    }

    /// The configuration.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn settings(&self) -> Result<Settings<ConfigSource>, StepError> {
        Ok(Settings::new(ConfigSource::new(&self.clients, variable("CONFIG_BUCKET")?, variable("CONFIG_KEY")?)))
    }

    /// Snapshots, analyses, reports.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn artifacts(&self) -> Result<Artifacts, StepError> {
        Ok(Artifacts::new(&self.clients, variable("ARTIFACT_BUCKET")?))
    }

    /// Records of runs.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn executions(&self) -> Result<Executions, StepError> {
        Ok(Executions::new(&self.clients, variable("TABLE_EXECUTIONS")?, optional("TABLE_RESULTS").unwrap_or_default()))
    }

    /// What changes have saved.
    ///
    /// # Errors
    /// When the environment lacks its table.
    pub fn savings_book(&self) -> Result<SavingsBook, StepError> {
        Ok(SavingsBook::new(&self.clients, variable("TABLE_RESULTS")?))
    }

    /// The journal of changes.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn journal(&self) -> Result<Journal, StepError> {
        let leases = optional("TABLE_LEASES").unwrap_or_default();
        Ok(Journal::new(&self.clients, variable("TABLE_CHANGES")?, leases))
    }

    /// Leases.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn leases(&self) -> Result<Leases, StepError> {
        Ok(Leases::new(&self.clients, variable("TABLE_LEASES")?))
    }

    /// Alarm episodes.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn episodes(&self) -> Result<Episodes, StepError> {
        Ok(Episodes::new(&self.clients, variable("TABLE_LEASES")?))
    }

    /// Which applications are looked at regularly, and when they last were.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn watch(&self) -> Result<Watch, StepError> {
        Ok(Watch::new(&self.clients, variable("TABLE_LEASES")?, Cycle::Health))
    }

    /// Seconds after which an application that no run has looked after is silent.
    ///
    /// # Errors
    /// The variable is not set, or is no number of hours.
    pub fn silence_s(&self) -> Result<u32, StepError> {
        let hours = variable("DEAD_MAN_HOURS")?;
        let seconds = hours.parse().ok().and_then(|hours: u32| hours.checked_mul(3_600)).filter(|limit| *limit > 0);
        seconds.ok_or_else(|| StepError::Config(format!("DEAD_MAN_HOURS is \"{hours}\", which is no number of hours")))
    }

    /// The kill switch.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn switch(&self) -> Result<Switch, StepError> {
        Ok(Switch::new(&self.clients, variable("KILL_SWITCH_PARAMETER")?))
    }

    /// Change calendars of the place of the deployment.
    pub fn calendars(&self) -> Calendars {
        Calendars::new(&self.clients)
    }

    /// Circuit breakers.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn circuit(&self) -> Result<Circuit, StepError> {
        Ok(Circuit::new(&self.clients, variable("TABLE_LEASES")?, Cycle::Health))
    }

    /// Questions to people.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn approvals(&self) -> Result<Approvals, StepError> {
        Ok(Approvals::new(&self.clients, variable("TABLE_APPROVALS")?))
    }

    /// Key of the links in questions.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn signing_key(&self) -> Result<SigningKey, StepError> {
        Ok(SigningKey::new(&self.clients, variable("SIGNING_KEY_SECRET")?))
    }

    /// Users of databases.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(&self.clients)
    }

    /// Address of the page on which questions are answered.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn page_url(&self) -> Result<String, StepError> {
        variable("PAGE_URL")
    }

    /// Wakes runs that wait for an answer.
    pub fn waker(&self) -> Waker {
        Waker::new(&self.clients)
    }

    /// The newest runs of all cycles.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn runs(&self) -> Result<Runs, StepError> {
        let arns = variable("STATE_MACHINE_ARNS")?;
        Ok(Runs::new(&self.clients, arns.split(' ').map(str::to_owned).collect()))
    }

    /// Tells which runs live.
    pub fn liveness(&self) -> Liveness {
        Liveness::new(&self.clients)
    }

    /// Starts runs of the health cycle.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn starter(&self) -> Result<Starter, StepError> {
        Ok(Starter::new(&self.clients, variable("HEALTH_STATE_MACHINE_ARN")?))
    }

    /// Starts runs of the performance cycle.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn performance_starter(&self) -> Result<Starter, StepError> {
        Ok(Starter::new(&self.clients, variable("PERFORMANCE_STATE_MACHINE_ARN")?))
    }

    /// People and other agents.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn notifier(&self) -> Result<Notifier, StepError> {
        Ok(Notifier::new(&self.clients, variable("NOTIFY_TOPIC_ARN")?, optional("EVENT_BUS_NAME")))
    }

    /// Where events are parked that can't be handled.
    ///
    /// # Errors
    /// A variable is not set.
    pub fn dead_letters(&self) -> Result<DeadLetters, StepError> {
        Ok(DeadLetters::new(&self.clients, variable("DEAD_LETTER_QUEUE_URL")?))
    }

    /// Where applications live.
    ///
    /// # Errors
    /// A variable is not set, or names no role.
    pub fn places(&self) -> Result<Places, StepError> {
        Places::new(&self.clients, self.clock, &variable("MEMBER_ROLE")?, variable("MEMBER_EXTERNAL_ID")?)
    }

    /// The bill. It is that of the account of the deployment, wherever applications live.
    pub fn billing(&self) -> Billing {
        Billing::new(&self.clients)
    }

    /// Resources and tags of the place of the deployment.
    pub fn inventory(&self) -> Inventory {
        Inventory::new(&self.clients)
    }

    /// The place of this deployment, from the ARN of its state machine.
    ///
    /// # Errors
    /// The variable is not set, or is no ARN.
    pub fn home(&self) -> Result<Place, StepError> {
        let arn = variable("HEALTH_STATE_MACHINE_ARN")?;
        Place::of_arn(&arn)
            .ok_or_else(|| StepError::Config(format!("HEALTH_STATE_MACHINE_ARN is \"{arn}\", which is no ARN")))
    }
}
