//! What each kind of change does on AWS, one file each. The declarations (risk, reversal, settling) are in
//! `domain::changes`; nothing here decides.

pub mod delete_disk_snapshot;
pub mod delete_volume;
pub mod flush_cache;
pub mod invalidate_cdn;
pub mod mark_for_deletion;
pub mod redeploy_service;
pub mod refresh_fleet;
pub mod release_address;
pub mod replace_instance;
pub mod replace_task;
pub mod set_fleet_capacity;
pub mod set_fleet_schedule;
pub mod set_log_retention;
pub mod set_service_count;
pub mod set_volume_type;
pub mod snapshot_volume;
pub(crate) mod throttled;

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
        // With a purse of their own: that of the others does not pay for the repetitions of all.
        let clients = service.clients();
        let (ec2, logs) = (clients.ec2(), clients.logs());
        let schedules = service.clients().autoscaling();
        vec![
            set_fleet_capacity::set(&autoscaling, "shop-web", 3).await,
            set_fleet_schedule::put(&schedules, "shop-web", &[]).await,
            set_fleet_schedule::delete(&schedules, "shop-web", &["a"]).await,
            set_fleet_schedule::resize(&schedules, "shop-web", domain::resource::Sizes { min: 1, desired: 2 }).await,
            replace_instance::terminate(&autoscaling, "shop-web", "i-1").await,
            refresh_fleet::start(&autoscaling, "shop-web", Pace { min_healthy_pct: 100, max_healthy_pct: 110 }).await,
            set_service_count::set(&ecs, "shop", "shop-worker", 3).await,
            redeploy_service::deploy(&ecs, "shop", "shop-worker").await,
            replace_task::stop(&ecs, "shop", "shop-worker", "t-1", "change-2").await,
            invalidate_cdn::invalidate(&cloudfront, "E1", "change-1").await,
            set_volume_type::set(&ec2, "vol-1", "gp3", Some(3_000), Some(125)).await,
            mark_for_deletion::mark(&ec2, "vol-1", jiff::Timestamp::UNIX_EPOCH).await,
            mark_for_deletion::unmark(&ec2, "vol-1").await,
            delete_volume::delete(&ec2, "vol-1").await,
            delete_disk_snapshot::delete(&ec2, "snap-1").await,
            release_address::release(&ec2, "eipalloc-1").await,
            set_log_retention::set(&logs, "/shop", 30).await,
        ]
    }

    #[tokio::test]
    async fn fault_a_write_whose_answer_is_lost_is_unknown_and_sent_once() {
        for status in [0, 500, 502, 503, 504] {
            let service = Service::new(move |_, _| Answer(status, Vec::new()));
            let answers = all_writes(&service).await;
            assert!(answers.iter().all(|answer| matches!(answer, Err(PortError::Unknown { .. }))), "{answers:?}");
            assert_eq!(service.requests(), answers.len());
        }
    }

    #[tokio::test]
    async fn fault_a_throttled_write_did_nothing_and_is_sent_again_a_few_times() {
        let service = Service::new(|_, _| Answer(429, Vec::new()));
        let answers = all_writes(&service).await;
        assert!(answers.iter().all(|answer| matches!(answer, Err(PortError::Throttled { .. }))), "{answers:?}");
        assert_eq!(service.requests(), 4 * answers.len());
    }

    const TAGGED_VOLUME: &[u8] = b"<DescribeVolumesResponse><volumeSet><item><volumeId>vol-1</volumeId><status>available</status>\
        <tagSet><item><key>maintainer:app</key><value>shop</value></item></tagSet></item></volumeSet></DescribeVolumesResponse>";
    const NO_SNAPSHOTS: &[u8] = b"<DescribeSnapshotsResponse><snapshotSet/></DescribeSnapshotsResponse>";

    #[tokio::test]
    async fn fault_a_final_snapshot_whose_answer_is_lost_is_unknown_and_found_by_its_tag() {
        let service = Service::new(|number, body| match number {
            0 => Answer(200, NO_SNAPSHOTS.to_vec()),
            1 => Answer(200, TAGGED_VOLUME.to_vec()),
            _ => {
                let text = String::from_utf8_lossy(body).into_owned();
                assert!(text.contains("Key=maintainer%3Aapp&") && text.contains("Value=shop"), "its owner's: {text}");
                Answer(500, Vec::new())
            }
        });
        let answer = snapshot_volume::take(&service.clients().ec2(), "vol-1").await;
        assert!(matches!(answer, Err(PortError::Unknown { .. })), "{answer:?}");
        assert_eq!(service.requests(), 3, "two looks, one write");
        let there = b"<DescribeSnapshotsResponse><snapshotSet><item><snapshotId>snap-1</snapshotId><status>pending</status>\
            <tagSet><item><key>maintainer:final-snapshot-of</key><value>vol-1</value></item></tagSet></item></snapshotSet>\
            </DescribeSnapshotsResponse>";
        let service = Service::new(move |_, _| Answer(200, there.to_vec()));
        snapshot_volume::take(&service.clients().ec2(), "vol-1").await.unwrap();
        assert_eq!(service.requests(), 1, "the one that is there is the one");
    }

    #[tokio::test]
    async fn a_type_is_set_with_the_values_that_it_takes() {
        for (volume_type, iops, throughput) in [("gp3", true, true), ("io1", true, false), ("gp2", false, false)] {
            let service = Service::new(move |_, body| {
                let text = String::from_utf8_lossy(body).into_owned();
                assert_eq!(
                    (text.contains("&Iops=1500"), text.contains("&Throughput=125")),
                    (iops, throughput),
                    "{text}"
                );
                Answer(200, b"<ModifyVolumeResponse/>".to_vec())
            });
            let ec2 = service.clients().ec2();
            set_volume_type::set(&ec2, "vol-1", volume_type, Some(1_500), Some(125)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_write_that_is_throttled_at_first_is_made() {
        let service = Service::new(|number, _| if number < 2 { throttled() } else { Answer(200, b"<x/>".to_vec()) });
        set_fleet_capacity::set(&service.clients().autoscaling(), "shop-web", 3).await.unwrap();
        assert_eq!(service.requests(), 3);
    }

    #[tokio::test]
    async fn fault_a_repetition_whose_answer_is_lost_is_the_last() {
        let service = Service::new(|number, _| if number == 0 { throttled() } else { Answer(500, Vec::new()) });
        let answer = set_fleet_capacity::set(&service.clients().autoscaling(), "shop-web", 3).await;
        assert!(matches!(answer, Err(PortError::Unknown { .. })), "{answer:?}");
        assert_eq!(service.requests(), 2);
    }

    #[tokio::test]
    async fn fault_when_every_write_is_throttled_hardly_any_is_sent_again() {
        let service = Service::new(|_, _| throttled());
        let autoscaling = service.clients().autoscaling();
        for _ in 0..250 {
            let answer = set_fleet_capacity::set(&autoscaling, "shop-web", 3).await;
            assert!(matches!(answer, Err(PortError::Throttled { .. })), "{answer:?}");
        }
        assert_eq!(service.requests(), 250 + 25, "the purse that all calls share pays for 25");
    }

    /// The refusal of Auto Scaling, in XML, with a code and a status that would otherwise say nothing.
    fn throttled() -> Answer {
        Answer(503, b"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>".to_vec())
    }
}
