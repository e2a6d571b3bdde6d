//! Names of things, one type each, so that an application can't be passed where a change is meant.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

text_id! {
    /// The name of an application under care, for example `shop`.
    AppId
}
text_id! {
    /// The name of one run of a cycle on one application. Equal to the Step Functions execution name.
    ExecutionId
}
text_id! {
    /// The name of one change, derived from execution, iteration, kind and resource, so a repeated step finds its own.
    ChangeId
}
text_id! {
    /// An ARN where AWS gives one, else `kind/name`.
    ResourceId
}
text_id! {
    /// The stable name of a signal, for example `latency_p95_ms`.
    SignalId
}
text_id! {
    /// The stable name of a diagnosis rule, for example `memory_leak`.
    RuleId
}
text_id! {
    /// The name of a question to people, derived from run and iteration.
    RequestId
}
