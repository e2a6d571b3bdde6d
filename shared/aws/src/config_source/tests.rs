//! A configuration that can't be read stops the step before anything else is done, with one sentence; one that is not there changes
//! nothing either.

use super::*;
use crate::scripted::{Answer, Service};
use domain::change::ChangeKind;
use domain::mode::Mode;
use engine::settings::Settings;
use engine::step::StepError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const AUTO: &str = "defaults:\n  mode: auto\n";

/// Status and body of an answer.
type Said = (u16, Vec<u8>);

fn error(status: u16, code: &str) -> Said {
    (status, format!("<Error><Code>{code}</Code><Message>said no</Message></Error>").into_bytes())
}

/// Settings whose bucket answers with this once it is told to, and before with a file that allows everything.
fn bucket(answer: Said) -> (Settings<ConfigSource>, Arc<AtomicBool>) {
    let is_broken = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_broken);
    let service = Service::new(move |_, _| match seen.load(Ordering::Relaxed) {
        true => Answer(answer.0, answer.1.clone()),
        false => Answer(200, AUTO.as_bytes().to_vec()),
    });
    (Settings::new(ConfigSource::new(&service.clients(), "bucket", "maintainer.yaml")), is_broken)
}

fn mode(settings: &config::ResolvedApp) -> Mode {
    settings.mode_for(domain::mode::Risk::Low, ChangeKind::SetFleetCapacity)
}

/// What can be wrong with the file, the name of the error, and what its sentence says.
fn broken() -> Vec<(Said, &'static str, &'static str)> {
    vec![
        (error(403, "AccessDenied"), "Step.Config", "s3:GetObject"),
        (error(404, "NoSuchBucket"), "Step.Config", "maintainer.yaml"),
        (error(503, "SlowDown"), "Step.Transient", "maintainer.yaml"),
        (error(500, "InternalError"), "Step.Transient", "maintainer.yaml"),
        ((0, Vec::new()), "Step.Transient", "maintainer.yaml"),
        ((200, vec![0xff, 0xfe]), "Step.Config", "is not UTF-8 text (byte 0): save it"),
        ((200, b"defaults:\n  mode: [auto".to_vec()), "Step.Config", "line "),
        ((200, b"defaults:\n  mode: atuo\n".to_vec()), "Step.Config", "line 2"),
        ((200, b"defaults:\n  limit: {blast_radius: 1}\n".to_vec()), "Step.Config", "limits"),
    ]
}

#[tokio::test]
async fn a_configuration_that_can_t_be_read_is_one_sentence_and_no_settings() {
    for (answer, name, says) in broken() {
        let told = format!("{} {:?}", answer.0, String::from_utf8_lossy(&answer.1));
        let (settings, is_broken) = bucket(answer);
        is_broken.store(true, Ordering::Relaxed);
        let error: StepError = settings.app(&"shop".into()).await.expect_err(&told);
        let sentence = error.to_string();
        assert_eq!(error.name(), name, "{told}: {sentence}");
        assert!(sentence.contains(says) && sentence.lines().count() == 1, "{told}: {sentence}");
    }
}

#[tokio::test]
async fn a_function_that_has_read_it_before_does_not_go_on_with_what_it_knew() {
    for (answer, name, _) in broken() {
        let told = format!("{} {:?}", answer.0, String::from_utf8_lossy(&answer.1));
        let (settings, is_broken) = bucket(answer);
        assert_eq!(mode(&settings.app(&"shop".into()).await.unwrap()), Mode::Auto, "{told}");
        is_broken.store(true, Ordering::Relaxed);
        for _ in 0..2 {
            let error = settings.app(&"shop".into()).await.expect_err(&told);
            assert_eq!(error.name(), name, "{told}");
        }
        is_broken.store(false, Ordering::Relaxed);
        assert_eq!(mode(&settings.app(&"shop".into()).await.unwrap()), Mode::Auto, "it is readable again: {told}");
    }
}

#[tokio::test]
async fn a_file_that_is_gone_leaves_only_observing() {
    let (settings, is_gone) = bucket(error(404, "NoSuchKey"));
    assert_eq!(mode(&settings.app(&"shop".into()).await.unwrap()), Mode::Auto);
    is_gone.store(true, Ordering::Relaxed);
    let shop = settings.app(&"shop".into()).await.unwrap();
    for spec in domain::changes::TABLE {
        assert_eq!(shop.mode_for(spec.risk, spec.kind), Mode::Observe, "{}", spec.name);
    }
}
