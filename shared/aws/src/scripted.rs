//! An HTTP client for unit tests whose answers are a function of the request. Nothing leaves the process.

use crate::Clients;
use crate::environment;
use aws_credential_types::Credentials;
use aws_smithy_cbor::Encoder;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What the service answers: status and body. With status 0 no answer comes, in time or at all.
pub(crate) struct Answer(pub(crate) u16, pub(crate) Vec<u8>);

type Script = dyn Fn(&HttpRequest, usize, &[u8]) -> Answer + Send + Sync;

/// The service. Clones share the count of requests.
#[derive(Clone)]
pub(crate) struct Service {
    requests: Arc<AtomicUsize>,
    script: Arc<Script>,
}

impl Service {
    /// A service that answers by the number of the request (0 for the first) and its body.
    pub(crate) fn new(script: impl Fn(usize, &[u8]) -> Answer + Send + Sync + 'static) -> Self {
        Self::watched(move |_, number, body| script(number, body))
    }

    /// The same, which also sees the request as it is sent.
    pub(crate) fn watched(script: impl Fn(&HttpRequest, usize, &[u8]) -> Answer + Send + Sync + 'static) -> Self {
        Self { requests: Arc::default(), script: Arc::new(script) }
    }

    /// Requests so far, repetitions by the SDK included.
    pub(crate) fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Clients of this service that pause for a millisecond before they repeat.
    pub(crate) fn clients(&self) -> Clients {
        let connector = SharedHttpConnector::new(self.clone());
        let http: SharedHttpClient =
            http_client_fn(move |_: &HttpConnectorSettings, _: &RuntimeComponents| connector.clone());
        let credentials = Credentials::new("a", "s", None, None, "test");
        let retries = RetryConfig::standard().with_max_attempts(4).with_initial_backoff(Duration::from_millis(1));
        let config = environment::at("us-east-1", credentials).retry_config(retries).http_client(http).build();
        Clients::new(config).pausing(Duration::from_millis(1))
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("requests", &self.requests()).finish_non_exhaustive()
    }
}

impl HttpConnector for Service {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let Answer(status, body) = (self.script)(&request, number, request.body().bytes().unwrap_or_default());
        if status == 0 {
            return HttpConnectorFuture::ready(Err(ConnectorError::timeout("no answer".into())));
        }
        let mut response = HttpResponse::new(StatusCode::try_from(status).unwrap(), SdkBody::from(body));
        response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
        response.headers_mut().insert("content-type", "application/cbor");
        HttpConnectorFuture::ready(Ok(response))
    }
}

/// An error answer with this code.
pub(crate) fn failure(status: u16, code: &str) -> Answer {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(2).str("__type").str(&format!("com.amazonaws.cloudwatch#{code}")).str("message").str("said no");
    Answer(status, encoder.into_writer())
}
