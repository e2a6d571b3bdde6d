//! What each kind of change does on AWS, one file each. The declarations (risk, reversal, settling) are in
//! `domain::changes`; nothing here decides.

pub mod flush_cache;
pub mod invalidate_cdn;
pub mod redeploy_service;
pub mod refresh_fleet;
pub mod replace_instance;
pub mod set_fleet_capacity;
pub mod set_service_count;

use aws_config::retry::RetryConfig;

/// A write is sent once: repeating it after a lost answer is the engine's decision, not the SDK's.
pub(crate) fn once() -> RetryConfig {
    RetryConfig::disabled()
}
