//! What each kind of change does on AWS, one file each. The declarations (risk, reversal, settling) are in
//! `domain::changes`; nothing here decides.

pub mod flush_cache;
pub mod invalidate_cdn;
pub mod redeploy_service;
pub mod refresh_fleet;
pub mod replace_instance;
pub mod replace_task;
pub mod set_fleet_capacity;
pub mod set_service_count;

use aws_smithy_types::retry::RetryConfig;

/// A write is sent once: repeating it after a lost answer is the engine's decision, not the SDK's.
pub(crate) fn once() -> RetryConfig {
    RetryConfig::disabled()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Answer, Service};
    use domain::changes::Pace;
    use engine::ports::{PortError, PortResult};

    /// Sends every write once against this service.
    async fn all_writes(service: &Service) -> Vec<PortResult<()>> {
        let clients = service.clients();
        let (autoscaling, ecs, cloudfront) = (clients.autoscaling(), clients.ecs(), clients.cloudfront());
        vec![
            set_fleet_capacity::set(&autoscaling, "shop-web", 3).await,
            replace_instance::terminate(&autoscaling, "shop-web", "i-1").await,
            refresh_fleet::start(&autoscaling, "shop-web", Pace { min_healthy_pct: 100, max_healthy_pct: 110 }).await,
            set_service_count::set(&ecs, "shop", "shop-worker", 3).await,
            redeploy_service::deploy(&ecs, "shop", "shop-worker").await,
            replace_task::stop(&ecs, "shop", "shop-worker", "t-1", "change-2").await,
            invalidate_cdn::invalidate(&cloudfront, "E1", "change-1").await,
        ]
    }

    #[tokio::test]
    async fn fault_a_write_whose_answer_is_lost_is_unknown_and_sent_once() {
        let service = Service::new(|_, _| Answer(503, Vec::new()));
        let answers = all_writes(&service).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(PortError::Unknown { .. }))), "{answers:?}");
        assert_eq!(service.requests(), answers.len());
    }

    #[tokio::test]
    async fn fault_a_throttled_write_did_nothing_and_is_sent_once() {
        let service = Service::new(|_, _| Answer(429, Vec::new()));
        let answers = all_writes(&service).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(PortError::Throttled { .. }))), "{answers:?}");
        assert_eq!(service.requests(), answers.len());
    }
}
