//! What the SDK says went wrong, as a [`PortError`].
//!
//! Only codes, statuses and AWS's own messages go into it, never a request, so no secret leaves this way.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use engine::ports::PortError;

/// Codes by which AWS services say "too fast".
const THROTTLING_CODES: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "SnapshotCreationPerVolumeRateExceeded",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Codes by which AWS services say "IAM forbids it".
const DENIED_CODES: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "AuthFailure",
    "Forbidden",
    "KMSAccessDeniedException",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
];

/// Codes for "not there" that do not say `NotFound`.
const GONE_CODES: &[&str] = &[
    "ClusterNotFoundException",
    "NoSuchBucket",
    "NoSuchDistribution",
    "NoSuchKey",
    "NoSuchResource",
    "QueueDoesNotExist",
    "ServiceNotActiveException",
    "StateMachineDoesNotExist",
];

/// Codes for "something else is under way" or "somebody else was faster".
const CONFLICT_CODES: &[&str] = &[
    "ConditionalCheckFailedException",
    "IncorrectModificationState",
    "IncorrectState",
    "InstanceRefreshInProgress",
    "InstanceRefreshInProgressFault",
    "InvalidIPAddress.InUse",
    "InvalidSnapshot.InUse",
    "OperationAbortedException",
    "ResourceInUse",
    "ResourceInUseException",
    "ScalingActivityInProgress",
    "ScalingActivityInProgressFault",
    "VolumeInUse",
    "VolumeModificationRateExceeded",
];

/// Behind a permission that some policy denies, whatever others allow.
const EXPLICITLY: &str = ", or rather look who denies it: a permissions boundary (as for what is tagged maintainer:protected) or another policy";

/// Longest message of a service that is passed on, in characters.
const MESSAGE_MAX: usize = 300;

/// Translates the failure of `action` (an IAM action such as `autoscaling:SetDesiredCapacity`) on `subject`.
pub fn port_error<E>(action: &str, subject: &str, error: &SdkError<E, HttpResponse>) -> PortError
where
    E: ProvideErrorMetadata,
{
    let operation = if subject.is_empty() { action.to_owned() } else { format!("{action} on {subject}") };
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            of_service(action, subject, operation, status, context.err().code(), context.err().message())
        }
        SdkError::ConstructionFailure(_) => {
            PortError::Rejected { operation, why: "the request could not be built from these values".to_owned() }
        }
        SdkError::TimeoutError(_) => PortError::Unknown { operation, why: "timed out".to_owned() },
        SdkError::DispatchFailure(failure) => {
            let why = if failure.is_timeout() {
                "timed out"
            } else if failure.is_user() {
                // Nothing was sent: credentials or endpoint could not be found.
                return PortError::Rejected { operation, why: "the request could not be sent".to_owned() };
            } else {
                "the connection failed"
            };
            PortError::Unknown { operation, why: why.to_owned() }
        }
        // The status is all that could be read of the answer.
        SdkError::ResponseError(context) => unreadable(operation, context.raw().status().as_u16()),
        _ => PortError::Unknown { operation, why: "no readable answer".to_owned() },
    }
}

fn unreadable(operation: String, status: u16) -> PortError {
    let why = format!("unreadable answer with status {status}");
    match status {
        429 => PortError::Throttled { operation },
        400..=499 => PortError::Rejected { operation, why },
        _ => PortError::Unknown { operation, why },
    }
}

fn of_service(
    action: &str,
    subject: &str,
    operation: String,
    status: u16,
    code: Option<&str>,
    message: Option<&str>,
) -> PortError {
    let code = code.unwrap_or_default();
    let message = message.unwrap_or_default();
    let why = || {
        let text = if message.is_empty() { code } else { message };
        let text = if text.is_empty() { format!("status {status}") } else { text.to_owned() };
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MESSAGE_MAX).collect::<String>()
    };
    if THROTTLING_CODES.contains(&code) || status == 429 {
        return PortError::Throttled { operation };
    }
    if DENIED_CODES.contains(&code) {
        let mut permission = denied_action(message).unwrap_or(action).to_owned();
        // To grant it once more would change nothing.
        if message.contains("explicit deny") {
            permission.push_str(EXPLICITLY);
        }
        return PortError::Denied { operation, permission };
    }
    if CONFLICT_CODES.contains(&code) {
        return PortError::Conflict { operation, why: why() };
    }
    if is_gone(code, message, status) {
        let what = if subject.is_empty() { why() } else { subject.to_owned() };
        return PortError::Gone { operation, what };
    }
    if status >= 500 {
        return PortError::Unknown { operation, why: format!("status {status} {code}") };
    }
    if status == 403 && code.is_empty() {
        return PortError::Denied { operation, permission: action.to_owned() };
    }
    PortError::Rejected { operation, why: why() }
}

fn is_gone(code: &str, message: &str, status: u16) -> bool {
    if GONE_CODES.contains(&code) || code.contains("NotFound") {
        return true;
    }
    // Auto Scaling has no code of its own for this, only a sentence.
    let says_so = || {
        message.contains("not found")
            || message.contains("does not exist")
            || message.contains("No managed instance found")
    };
    (code == "ValidationError" && says_so()) || (status == 404 && code.is_empty())
}

/// The action in "… is not authorized to perform: dynamodb:PutItem on resource: …", which may differ from the call
/// (`kms:Decrypt`, for example).
fn denied_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("perform: ")?;
    let action = rest.split_whitespace().next()?.trim_end_matches('.');
    action.contains(':').then_some(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, code: &str, message: &str) -> PortError {
        of_service(
            "ecs:UpdateService",
            "shop",
            "ecs:UpdateService on shop".to_owned(),
            status,
            Some(code),
            Some(message),
        )
    }

    #[test]
    fn names_the_permission_that_aws_names() {
        let error = of(
            400,
            "AccessDeniedException",
            "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: kms:Decrypt on resource: k",
        );
        assert!(matches!(&error, PortError::Denied { permission, .. } if permission == "kms:Decrypt"), "{error}");
        let error = of(
            403,
            "UnauthorizedOperation",
            "You are not authorized to perform: ec2:DeleteSnapshot with an explicit deny in a permissions boundary",
        );
        assert!(error.to_string().contains("grant ec2:DeleteSnapshot, or rather look who denies it"), "{error}");
        let error = of(403, "AccessDenied", "Access Denied");
        assert!(matches!(&error, PortError::Denied { permission, .. } if permission == "ecs:UpdateService"), "{error}");
    }

    #[test]
    fn tells_the_kinds_of_failure_apart() {
        assert!(matches!(of(400, "Throttling", "Rate exceeded"), PortError::Throttled { .. }));
        assert!(matches!(of(429, "", ""), PortError::Throttled { .. }));
        assert!(matches!(of(400, "ServiceNotFoundException", "gone"), PortError::Gone { .. }));
        assert!(matches!(of(400, "ValidationError", "AutoScalingGroup name not found - x"), PortError::Gone { .. }));
        assert!(matches!(of(400, "ValidationError", "desired is above max"), PortError::Rejected { .. }));
        assert!(matches!(of(400, "ConditionalCheckFailedException", "no"), PortError::Conflict { .. }));
        for code in ["VolumeInUse", "InvalidSnapshot.InUse", "VolumeModificationRateExceeded", "IncorrectState"] {
            assert!(matches!(of(400, code, "no"), PortError::Conflict { .. }), "{code}");
        }
        assert!(matches!(of(400, "InvalidVolume.NotFound", "no"), PortError::Gone { .. }));
        assert!(matches!(of(500, "InternalFailure", ""), PortError::Unknown { .. }));
        assert!(matches!(of(503, "ServiceUnavailable", ""), PortError::Unknown { .. }));
        assert!(matches!(of(400, "InvalidParameterException", "x"), PortError::Rejected { .. }));
    }

    #[test]
    fn hostile_text_from_a_service_is_shortened_and_loses_its_control_characters() {
        let error = of(400, "InvalidParameterException", &format!("\u{1b}[31m{}\n", "a".repeat(10_000)));
        let text = error.to_string();
        assert!(text.chars().count() < 400 && !text.chars().any(char::is_control), "{text}");
    }
}
