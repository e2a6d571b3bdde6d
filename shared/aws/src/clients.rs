//! The SDK configuration, loaded once, and the clients, each created when it is first used.
//!
//! Retries and time-outs are set here and nowhere else. A call that is throttled is repeated with jitter, but all
//! clients draw their retries from one small purse: when everything is throttled, hardly anything is repeated.

use crate::chances::{self, Chances};
use crate::environment;
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use aws_types::sdk_config::{Builder, SdkConfig};
use engine::step::StepError;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Attempts of one call, the first included.
const ATTEMPTS_MAX: u32 = 4;
/// First pause before a repetition; doubles with each, with full jitter.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
/// Longest pause before a repetition.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Tokens in the purse that all clients of a process share. A repetition costs [`RETRY_COST`] for good, a success returns one,
/// and an answer such as "there is no such object" nothing.
const RETRY_TOKENS: usize = 50;
/// Tokens that a repetition costs. With 2 the purse lasts where one call in five goes wrong and only half of the others
/// succeed, as when documents are looked for that may not be there; when everything goes wrong it pays for 25 repetitions.
const RETRY_COST: u32 = 2;
/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for a call with all its attempts.
pub const OPERATION_TIMEOUT: Duration = Duration::from_secs(40);

/// Makes the clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clients {
    config: Arc<SdkConfig>,
    partition: RetryPartition,
    chances: Chances,
}

impl Clients {
    /// Region, endpoint and credentials of the environment. Makes no call to AWS.
    ///
    /// # Errors
    /// [`StepError::Config`] when a variable is missing that Lambda sets.
    pub fn load() -> Result<Self, StepError> {
        Ok(Self::load_from(environment::settings()?))
    }

    /// The same from settings of one's own: another endpoint, other credentials.
    pub fn load_from(settings: Builder) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(OPERATION_TIMEOUT)
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(ATTEMPTS_MAX)
            .with_initial_backoff(BACKOFF_FIRST)
            .with_max_backoff(BACKOFF_MAX);
        let http = HttpsOnFirstUse::default();
        Self::new(settings.http_client(http).timeout_config(timeouts).retry_config(retries).build())
    }

    /// Clients over a finished configuration, with its time-outs and retries and the purse of this module.
    pub fn new(config: SdkConfig) -> Self {
        let purse = TokenBucket::builder()
            .capacity(RETRY_TOKENS)
            .retry_cost(RETRY_COST)
            .throttling_retry_cost(RETRY_COST)
            // What the SDK calls a time-out is every transient error, answers 5xx among them.
            .timeout_retry_cost(RETRY_COST)
            .success_reward(1.0)
            .build();
        let partition = RetryPartition::custom("maintainer").token_bucket(purse).build();
        Self { config: Arc::new(config), partition, chances: Chances::pausing(chances::PAUSE) }
    }

    /// What all clients are made from.
    pub fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The region, as far as one is known.
    pub fn region(&self) -> Option<&str> {
        self.config.region().map(AsRef::as_ref)
    }

    /// The same in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        let config = self.config.to_builder().region(Region::new(region.to_owned())).build();
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// The same as somebody else.
    #[must_use]
    pub fn with_credentials(&self, credentials: Credentials) -> Self {
        let provider = SharedCredentialsProvider::new(credentials);
        let config = self.config.to_builder().credentials_provider(provider).build();
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// The purse that pays for further chances of reads.
    pub(crate) fn chances(&self) -> Chances {
        self.chances.clone()
    }

    /// The same with a purse of its own and this pause before another chance.
    #[cfg(test)]
    pub(crate) fn pausing(self, pause: Duration) -> Self {
        Self { chances: Chances::pausing(pause), ..self }
    }

    fn lazy<C>(&self, make: fn(&Self) -> C) -> Lazy<C> {
        Lazy { inner: Arc::new(Inner { clients: self.clone(), make, client: OnceLock::new() }) }
    }
}

/// The SDK's own HTTPS client, made at the first request. Made when the SDK is configured, as by default, reading the
/// trusted certificates takes most of a function's cold start.
#[derive(Debug, Default)]
struct HttpsOnFirstUse {
    client: OnceLock<SharedHttpClient>,
}

impl HttpClient for HttpsOnFirstUse {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let client = self.client.get_or_init(|| {
            let provider = tls::Provider::Rustls(CryptoMode::Ring);
            aws_smithy_http_client::Builder::new().tls_provider(provider).build_https()
        });
        client.http_connector(settings, components)
    }
}

/// A client that is created when it is first used.
#[derive(Debug)]
pub struct Lazy<C> {
    inner: Arc<Inner<C>>,
}

#[derive(Debug)]
struct Inner<C> {
    clients: Clients,
    make: fn(&Clients) -> C,
    client: OnceLock<C>,
}

impl<C> Clone for Lazy<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<C> Deref for Lazy<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.inner.client.get_or_init(|| (self.inner.make)(&self.inner.clients))
    }
}

macro_rules! client {
    ($(#[$doc:meta])* $name:ident, $sdk:ident) => {
        $(#[$doc])*
        pub fn $name(&self) -> Lazy<$sdk::Client> {
            self.lazy(|clients| {
                let config = $sdk::config::Builder::from(clients.config.as_ref())
                    .retry_partition(clients.partition.clone())
                    .build();
                $sdk::Client::from_conf(config)
            })
        }
    };
}

impl Clients {
    client! {
        /// Application Auto Scaling.
        scaling, aws_sdk_applicationautoscaling
    }
    client! {
        /// EC2 Auto Scaling.
        autoscaling, aws_sdk_autoscaling
    }
    client! {
        /// Elastic Container Registry.
        ecr, aws_sdk_ecr
    }
    client! {
        /// Redshift.
        redshift, aws_sdk_redshift
    }
    client! {
        /// OpenSearch.
        opensearch, aws_sdk_opensearch
    }
    client! {
        /// CloudFront.
        cloudfront, aws_sdk_cloudfront
    }
    client! {
        /// CloudWatch.
        cloudwatch, aws_sdk_cloudwatch
    }
    client! {
        /// Cost Explorer.
        costexplorer, aws_sdk_costexplorer
    }
    client! {
        /// DynamoDB.
        dynamodb, aws_sdk_dynamodb
    }
    client! {
        /// EC2.
        ec2, aws_sdk_ec2
    }
    client! {
        /// ECS.
        ecs, aws_sdk_ecs
    }
    client! {
        /// ElastiCache.
        elasticache, aws_sdk_elasticache
    }
    client! {
        /// Elastic Load Balancing, version 2.
        elb, aws_sdk_elasticloadbalancingv2
    }
    client! {
        /// Elastic Load Balancing, of Classic Load Balancers.
        classic_elb, aws_sdk_elasticloadbalancing
    }
    client! {
        /// EventBridge.
        eventbridge, aws_sdk_eventbridge
    }
    client! {
        /// Lambda.
        lambda, aws_sdk_lambda
    }
    client! {
        /// CloudWatch Logs.
        logs, aws_sdk_cloudwatchlogs
    }
    client! {
        /// AWS Price List.
        pricing, aws_sdk_pricing
    }
    client! {
        /// RDS.
        rds, aws_sdk_rds
    }
    client! {
        /// Resource Groups Tagging API.
        tagging, aws_sdk_resourcegroupstagging
    }
    client! {
        /// Secrets Manager.
        secretsmanager, aws_sdk_secretsmanager
    }
    client! {
        /// Step Functions.
        sfn, aws_sdk_sfn
    }
    client! {
        /// SNS.
        sns, aws_sdk_sns
    }
    client! {
        /// SQS.
        sqs, aws_sdk_sqs
    }
    client! {
        /// Systems Manager.
        ssm, aws_sdk_ssm
    }
    client! {
        /// Security Token Service.
        sts, aws_sdk_sts
    }

    /// S3. With an endpoint of one's own, buckets are part of the path: a local address has no subdomains.
    pub fn s3(&self) -> Lazy<aws_sdk_s3::Client> {
        self.lazy(|clients| {
            let config = aws_sdk_s3::config::Builder::from(clients.config.as_ref())
                .force_path_style(clients.config.endpoint_url().is_some())
                .retry_partition(clients.partition.clone())
                .build();
            aws_sdk_s3::Client::from_conf(config)
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::scripted::{Answer, Service, failure};

    /// How many of these calls end with an error of the service, and how many requests it took.
    async fn failed(calls: usize, service: &Service) -> (usize, usize) {
        let client = service.clients().cloudwatch();
        let mut failed = 0;
        for _ in 0..calls {
            let answer = client.describe_alarms().send().await;
            failed += usize::from(
                answer.is_err_and(|error| error.raw_response().is_none_or(|raw| raw.status().is_server_error())),
            );
        }
        (failed, service.requests())
    }

    /// The purse once ran dry within one invocation and stayed so in a process that lived on: each further fault was final.
    #[tokio::test]
    async fn regression_the_purse_lasts_where_one_call_in_five_goes_wrong() {
        let service = Service::new(|number, _| match number {
            number if number % 5 == 0 => failure(500, "InternalServiceFault"),
            number if number % 2 == 0 => failure(404, "ResourceNotFoundException"),
            _ => Answer(200, vec![0xa0]),
        });
        assert_eq!(failed(1_000, &service).await, (0, 1_250));
    }

    #[tokio::test]
    async fn fault_when_everything_goes_wrong_hardly_anything_is_repeated() {
        let service = Service::new(|_, _| failure(500, "InternalServiceFault"));
        let (failed, requests) = failed(200, &service).await;
        assert_eq!((failed, requests), (200, 225));
    }
}
