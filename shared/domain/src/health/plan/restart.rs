//! Restart of a degraded service: the last remedy, when users suffer, the score is under 6 and nothing better is known.
//!
//! Never restarts what only waits: a cold cache that fills, a backlog that drains. Never restarts for a cause that a
//! restart can't touch: a full database, a flood, a bad release.

use super::{DEGRADED, Desk, Proposal, Remedy};
use crate::change::{Action, Better, Expectation};
use crate::finding::Severity;
use crate::guard::{self, Limits};
use crate::health::links;
use crate::health::score::SignalScore;
use crate::ids::{ResourceId, RuleId};
use crate::resource::{Live, Resource, ResourceKind};

/// What is usual is read from before the last quarter of an hour.
const USUAL_AGO_S: i64 = 900;

/// The restart of the service that answers for the worst symptom; none when nobody suffers enough.
pub(super) fn degraded(desk: &Desk<'_>) -> Option<Remedy> {
    let score = desk.analysis.score.known().copied()?;
    let worst = desk.analysis.worst_symptom()?;
    let (symptom, level) = (*worst.score.known()?, *worst.level.known()?);
    let bound = desk.policy.restart_under_score;
    if score >= bound || symptom >= bound {
        return None;
    }
    let remedy = "restart the degraded service".to_owned();
    if let Some(reason) = pointless(desk, worst) {
        return Some(Remedy::Pass(remedy, reason));
    }
    let door = desk.snapshot.resource(&worst.resource)?;
    let reason = format!(
        "score {score:.1}, under {bound}: {} of {} is at {} and no other remedy is known",
        worst.title,
        door.name,
        crate::health::analysis::worded(worst.signal.as_str(), level)
    );
    let expected = expectation(desk, worst, door, level);
    let mut why_not = format!("which service answers for {} is not known", door.name);
    for server in servers(desk, door) {
        match action(server, desk.limits) {
            Ok(action) => {
                let resource = server.id.clone();
                return Some(Remedy::Do(Proposal {
                    action,
                    resource,
                    because: RuleId::from(DEGRADED),
                    reason,
                    expected,
                    rollout: None,
                }));
            }
            Err(reason) => why_not = reason,
        }
    }
    Some(Remedy::Pass(remedy, why_not))
}

/// The resource that suffers most, for the record of a restart that is passed over.
pub(super) fn sufferer(desk: &Desk<'_>) -> ResourceId {
    desk.analysis.worst_symptom().map_or_else(|| ResourceId::from(""), |worst| worst.resource.clone())
}

/// The restart of one fleet or service.
///
/// # Errors
/// One sentence why it can't be restarted now: what the guard would say.
pub(super) fn action(server: &Resource, limits: &Limits) -> Result<Action, String> {
    guard::restart(&server.live, limits).map_err(|refusal| format!("{}: {refusal}", server.name))?;
    Ok(match &server.live {
        Live::EcsService(service) => {
            Action::RedeployService { cluster: service.cluster.clone(), service: server.name.clone() }
        }
        _ => Action::RefreshFleet { group: server.name.clone() },
    })
}

fn servers<'a>(desk: &Desk<'a>, door: &Resource) -> Vec<&'a Resource> {
    match door.kind() {
        ResourceKind::TargetGroup | ResourceKind::Api => links::servers_of(desk.snapshot, door),
        ResourceKind::LoadBalancer => {
            let groups = desk.snapshot.of_kind(ResourceKind::TargetGroup);
            groups.flat_map(|group| links::servers_of(desk.snapshot, group)).collect()
        }
        ResourceKind::Queue => links::consumer_of(desk.snapshot, door).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Why a restart would be pointless for what is known.
fn pointless(desk: &Desk<'_>, worst: &SignalScore) -> Option<String> {
    if let Some((database, cpu)) = desk.database_is_full() {
        return Some(format!(
            "the bottleneck is the database {database} with {cpu:.0} % CPU, which a restart of its clients does not relieve"
        ));
    }
    let waits = |rule: &str| desk.analysis.findings.iter().find(|finding| finding.rule.as_str() == rule);
    if let Some(finding) =
        waits("queue_backlog").filter(|f| f.severity == Severity::Low && f.resource == worst.resource)
    {
        return Some(format!("{}: waiting is enough", finding.summary));
    }
    for (rule, why) in [
        ("cold_cache", "the cache fills by itself, a restart would begin anew"),
        ("bad_deployment", "a restart brings the same release back"),
        ("traffic_flood", "a restart does not stop the requests"),
        ("queue_backlog", "consumers that restart work nothing off"),
    ] {
        if let Some(finding) = waits(rule) {
            return Some(format!("{why}: {}", finding.summary));
        }
    }
    None
}

/// A restart brings back what was usual before, or at least what is good.
fn expectation(desk: &Desk<'_>, worst: &SignalScore, door: &Resource, before: f64) -> Expectation {
    let lower = worst.bad > worst.good;
    let series = desk.view.series(worst.signal.as_str(), door);
    let usual = series.known().and_then(|series| desk.view.usual(series, USUAL_AGO_S));
    let better = usual.filter(|usual| if lower { *usual < before } else { *usual > before });
    Expectation {
        signal: worst.signal.clone(),
        resource: worst.resource.clone(),
        better: if lower { Better::Lower } else { Better::Higher },
        before,
        after: better.unwrap_or(worst.good),
    }
}
