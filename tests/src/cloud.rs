//! The local cloud as its state file describes it, and the AWS clients that talk to it. Never a real account.

use crate::clock::VirtualClock;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::region::Region;
use aws_types::sdk_config::SdkConfig;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use thiserror::Error;

/// A running local cloud.
#[derive(Clone, Debug)]
pub struct Cloud {
    /// Its state file.
    pub state: CloudState,
    /// Its time.
    pub clock: VirtualClock,
    // Made once: a client keeps its connections, and a new one for every call would open a new connection for each.
    clients: Clients,
}

/// What the launcher writes when the cloud is ready.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CloudState {
    /// `http://127.0.0.1:<port>`.
    pub endpoint: String,
    /// The same for the functions: another one where a proxy lets some of their calls go wrong.
    pub functions_endpoint: String,
    /// Process id of the launcher.
    pub pid: u32,
    /// Region.
    pub region: String,
    /// The virtual clock, see [`VirtualClock::parse`].
    pub clock: String,
    /// What clients and functions find in their environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

/// Why there is no cloud to talk to.
#[derive(Debug, Error)]
pub enum CloudError {
    /// The state file can't be read.
    #[error("the local cloud's state file {path} can't be read ({why}); start the cloud first, or run `make setup`")]
    NoState {
        /// The file.
        path: String,
        /// What the system said.
        why: String,
    },
    /// The state file has another form.
    #[error("the local cloud's state file {path} is not understood: {why}")]
    BadState {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The endpoint is not this machine.
    #[error("{0} is not an address of this machine; the studio talks to a local cloud only")]
    NotLocal(String),
}

impl Cloud {
    /// Reads the state file of a running cloud.
    ///
    /// # Errors
    /// When the file is not there, not understood, or points to another machine.
    pub fn from_state_file(path: &Path) -> Result<Self, CloudError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| CloudError::NoState { path: shown.clone(), why: error.to_string() })?;
        let bad = |why: String| CloudError::BadState { path: shown.clone(), why };
        let state: CloudState = serde_json::from_str(&text).map_err(|error| bad(error.to_string()))?;
        Self::new(state).map_err(|error| match error {
            Some(error) => error,
            None => bad("the clock must be three numbers".to_owned()),
        })
    }

    fn new(state: CloudState) -> Result<Self, Option<CloudError>> {
        if !state.endpoint.starts_with("http://127.0.0.1:") {
            return Err(Some(CloudError::NotLocal(state.endpoint)));
        }
        let clock = VirtualClock::parse(&state.clock).ok_or(None)?;
        Ok(Self::of(state, clock, "test"))
    }

    /// The same cloud in another Region and, given one, another account. There an access key of 12 digits is an account.
    #[must_use]
    pub fn elsewhere(&self, account: Option<&str>, region: Option<&str>) -> Self {
        let region = region.unwrap_or(&self.state.region).to_owned();
        Self::of(CloudState { region, ..self.state.clone() }, self.clock, account.unwrap_or("test"))
    }

    fn of(state: CloudState, clock: VirtualClock, key: &str) -> Self {
        let credentials = Credentials::new(key, "test", None, None, "local cloud");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(state.region.clone()))
            .endpoint_url(&state.endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Self { state, clock, clients: Clients::new(&config) }
    }

    /// The port it listens on.
    pub fn port(&self) -> &str {
        self.state.endpoint.rsplit(':').next().unwrap_or_default()
    }
}

macro_rules! clients {
    ($($(#[$doc:meta])* $name:ident: $sdk:ident;)*) => {
        #[derive(Clone, Debug)]
        struct Clients {
            $($name: $sdk::Client,)*
            s3: aws_sdk_s3::Client,
        }

        impl Clients {
            fn new(config: &SdkConfig) -> Self {
                // The bucket stands in the path: a local address has no subdomains.
                let s3 = aws_sdk_s3::config::Builder::from(config).force_path_style(true).build();
                Self { $($name: $sdk::Client::new(config),)* s3: aws_sdk_s3::Client::from_conf(s3) }
            }
        }

        impl Cloud {
            $($(#[$doc])*
            pub fn $name(&self) -> &$sdk::Client {
                &self.clients.$name
            })*

            /// S3.
            pub fn s3(&self) -> &aws_sdk_s3::Client {
                &self.clients.s3
            }
        }
    };
}

clients! {
    /// EC2 Auto Scaling.
    autoscaling: aws_sdk_autoscaling;
    /// CloudWatch.
    cloudwatch: aws_sdk_cloudwatch;
    /// DynamoDB.
    dynamodb: aws_sdk_dynamodb;
    /// EC2.
    ec2: aws_sdk_ec2;
    /// ECS.
    ecs: aws_sdk_ecs;
    /// ElastiCache.
    elasticache: aws_sdk_elasticache;
    /// Elastic Load Balancing.
    elb: aws_sdk_elasticloadbalancingv2;
    /// RDS.
    rds: aws_sdk_rds;
    /// Secrets Manager.
    secretsmanager: aws_sdk_secretsmanager;
    /// Step Functions.
    sfn: aws_sdk_sfn;
    /// SNS.
    sns: aws_sdk_sns;
    /// SQS.
    sqs: aws_sdk_sqs;
    /// Lambda.
    lambda: aws_sdk_lambda;
    /// Systems Manager.
    ssm: aws_sdk_ssm;
}
