//! When a write is sent again: only after an answer by which the service has certainly not done it.
//!
//! That answer is "too fast", by a code that says so or by status 429. A lost answer, a time-out, a 500 or a 503 without such a
//! code may come from a service that has done it all the same: what became of that is read from the live state, never found out by
//! sending it again.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason,
};
use aws_smithy_types::retry::{ErrorKind, RetryConfig};

/// How much longer than a read a write pauses first: half a second, then one, then two, with full jitter. Limits of writes refill
/// slowly, and the pauses together stay far below what one call may take.
const PATIENCE: u32 = 5;
/// Status of an answer that says "too fast" without a code.
const TOO_MANY_REQUESTS: u16 = 429;

/// The repetitions of the client, with pauses for a write.
pub(crate) fn patient(client: Option<&RetryConfig>) -> RetryConfig {
    let retries = client.cloned().unwrap_or_else(RetryConfig::standard);
    let first = retries.initial_backoff().saturating_mul(PATIENCE);
    retries.with_initial_backoff(first)
}

/// Has the last word on whether a write is sent again by the SDK.
#[derive(Debug)]
pub(crate) struct OnlyTheThrottled;

impl ClassifyRetry for OnlyTheThrottled {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::RetryForbidden
    }

    fn classify_retry_v2(&self, context: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        match previous {
            RetryAction::RetryIndicated(RetryReason::RetryableError { kind: ErrorKind::ThrottlingError, .. }) => {
                RetryAction::NoActionIndicated
            }
            _ if context.response().is_some_and(|answer| answer.status().as_u16() == TOO_MANY_REQUESTS) => {
                RetryAction::throttling_error()
            }
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "only the throttled"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}
