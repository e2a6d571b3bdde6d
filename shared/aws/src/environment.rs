//! Where AWS is and as whom this process calls it, from the variables that Lambda sets.
//!
//! Nothing else is asked: no profile, no metadata service. Roles in other accounts are assumed in [`crate::places`] only. Lambda renews the credentials of its role
//! with each new process, so they are read once.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_types::region::Region;
use aws_types::sdk_config::{Builder, SdkConfig};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use engine::runtime::optional;
use engine::step::StepError;

/// Region, credentials and, where they are set, other endpoints: `AWS_ENDPOINT_URL` and, before it,
/// `AWS_ENDPOINT_URL_<SERVICE>`.
///
/// # Errors
/// [`StepError::Config`] naming the variable that is missing.
pub fn settings() -> Result<Builder, StepError> {
    read(optional)
}

fn read(variable: fn(&str) -> Option<String>) -> Result<Builder, StepError> {
    let needed = |name: &str| {
        variable(name).ok_or_else(|| StepError::Config(format!("{name} is not set: AWS can't be called without it")))
    };
    let region = variable("AWS_REGION").map_or_else(|| needed("AWS_DEFAULT_REGION"), Ok);
    let region = region.map_err(|_| {
        StepError::Config("neither AWS_REGION nor AWS_DEFAULT_REGION is set: AWS can't be called without it".to_owned())
    })?;
    let credentials = Credentials::new(
        needed("AWS_ACCESS_KEY_ID")?,
        needed("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    let mut settings = at(region, credentials).service_config(OwnEndpoints { variable });
    settings.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
    Ok(settings)
}

/// Settings for this region and these credentials, whatever the environment says.
pub fn at(region: impl Into<String>, credentials: Credentials) -> Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.into()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new())
}

/// Endpoints of single services: `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL_AUTO_SCALING`.
#[derive(Debug)]
struct OwnEndpoints {
    variable: fn(&str) -> Option<String>,
}

impl LoadServiceConfig for OwnEndpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        // The endpoint is the only setting that a service is asked for here; others stay at the SDK's defaults.
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        let service = key.service_id().to_uppercase().replace(' ', "_");
        (self.variable)(&format!("AWS_ENDPOINT_URL_{service}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_credential_types::provider::ProvideCredentials;

    fn lambda(name: &str) -> Option<String> {
        let value = match name {
            "AWS_REGION" => "eu-central-1",
            "AWS_ACCESS_KEY_ID" => "key",
            "AWS_SECRET_ACCESS_KEY" => "secret",
            "AWS_SESSION_TOKEN" => "token",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn local(name: &str) -> Option<String> {
        let value = match name {
            "AWS_DEFAULT_REGION" => "us-east-1",
            "AWS_ENDPOINT_URL" => "http://127.0.0.1:4566",
            "AWS_ENDPOINT_URL_AUTO_SCALING" => "http://127.0.0.1:1",
            "AWS_REGION" | "AWS_SESSION_TOKEN" => return None,
            _ => return lambda(name),
        };
        Some(value.to_owned())
    }

    fn refusal(variable: fn(&str) -> Option<String>) -> String {
        read(variable).unwrap_err().to_string()
    }

    #[tokio::test]
    async fn the_credentials_of_the_role_are_those_that_lambda_sets() {
        let config = read(lambda).unwrap().build();
        assert_eq!(config.region().map(AsRef::as_ref), Some("eu-central-1"));
        assert_eq!(config.endpoint_url(), None);
        let credentials = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
        assert_eq!(credentials.access_key_id(), "key");
        assert_eq!(credentials.secret_access_key(), "secret");
        assert_eq!(credentials.session_token(), Some("token"));
        assert_eq!(credentials.expiry(), None);
    }

    #[test]
    fn the_endpoint_of_a_service_goes_before_that_of_all() {
        let config = read(local).unwrap().build();
        assert_eq!(config.region().map(AsRef::as_ref), Some("us-east-1"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:4566"));
        let ask = |service, env| {
            let key = ServiceConfigKey::builder().service_id(service).env(env).profile("-").build().unwrap();
            config.service_config().unwrap().load_config(key)
        };
        assert_eq!(ask("Auto Scaling", "AWS_ENDPOINT_URL").as_deref(), Some("http://127.0.0.1:1"));
        assert_eq!(ask("S3", "AWS_ENDPOINT_URL"), None);
        assert_eq!(ask("Auto Scaling", "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT"), None);
    }

    #[test]
    fn what_is_missing_is_named_in_one_sentence() {
        let told = refusal(|name| lambda(name).filter(|_| name != "AWS_SECRET_ACCESS_KEY"));
        assert!(told.contains("AWS_SECRET_ACCESS_KEY is not set"), "{told}");
        let told = refusal(|name| lambda(name).filter(|_| name != "AWS_REGION"));
        assert!(told.contains("neither AWS_REGION nor AWS_DEFAULT_REGION is set"), "{told}");
    }
}
