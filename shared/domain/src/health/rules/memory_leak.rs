//! Memory leak: memory grows with age, steadily, on most members of a fleet or in a service, until a restart.
//!
//! Since the last drop (a restart) memory must have grown for half an hour at a significant slope, by more than the
//! least rate, must still be growing in the last third, and would be full within a day.
//!
//! Never concludes from growth that levels off (a warm-up), nor from growth together with the load.

use super::{Context, Rule, finding};
use crate::finding::{Evidence, Finding, Severity};
use crate::health::links;
use crate::health::trends::slope;
use crate::health::view::{Points, View, between};
use crate::resource::{Resource, ResourceKind};
use jiff::Timestamp;
use stats::robust::median;

/// The rule.
pub(super) const RULE: Rule =
    Rule { id: "memory_leak", find, next_step: "a heap profile of the release that leaks; a restart only buys hours" };

/// Growing memory of a member or of a whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// Member, or none for the whole.
    pub member: Option<String>,
    /// Growth in points per hour.
    pub per_hour: f64,
    /// Probability that memory which stands still looks like this.
    pub p_value: f64,
    /// Present level in per cent.
    pub level_pct: f64,
    /// Hours until memory is full.
    pub full_in_h: f64,
}

/// A fall by so many points from one value to the next is a restart.
const RESTART_DROP: f64 = 10.0;
/// Only the last hour is fitted: the rate that holds now.
const FITTED_S: i64 = 3_600;
/// Growth of the load, as a factor, beside which growing memory is no leak.
const LOAD_GROWTH: f64 = 1.25;

fn find(context: &Context<'_>) -> Vec<Finding> {
    let fleets = context.of_kind(ResourceKind::AutoScalingGroup);
    let servers = fleets.chain(context.of_kind(ResourceKind::EcsService));
    servers.filter_map(|server| diagnose(context, server)).collect()
}

fn diagnose(context: &Context<'_>, server: &Resource) -> Option<Finding> {
    let leaks = leaks(context.view, server);
    let fastest = leaks.iter().max_by(|a, b| a.per_hour.total_cmp(&b.per_hour))?;
    let levels: Vec<f64> = leaks.iter().map(|leak| leak.level_pct).collect();
    let level = median(&levels)?;
    let policy = context.policy();
    let severity =
        if level > policy.memory_act_pct || fastest.full_in_h < 1.0 { Severity::High } else { Severity::Medium };
    let who = match leaks.len() {
        1 => server.name.clone(),
        several => format!("{several} members of {}", server.name),
    };
    let summary = format!(
        "memory of {who} grows by {:.1} points an hour and is at {level:.0} %: full in {:.1} h",
        fastest.per_hour, fastest.full_in_h
    );
    let signal =
        if leaks.iter().any(|leak| leak.member.is_some()) { "instance_memory_pct" } else { whole_signal(server) };
    let evidence = leaks
        .iter()
        .take(5)
        .map(|leak| {
            let who = leak.member.as_deref().unwrap_or("the whole");
            Evidence::level(
                signal,
                leak.level_pct,
                format!("{who}: {:+.1} points an hour, p = {:.4}", leak.per_hour, leak.p_value),
            )
        })
        .collect();
    Some(finding(&RULE, server, severity, 1.0 - fastest.p_value.clamp(0.0, 0.5), summary, evidence))
}

/// The leaks of a fleet or service: empty unless most of its members leak, or the whole does where members are not
/// measured.
pub fn leaks(view: &View<'_>, server: &Resource) -> Vec<Leak> {
    if load_grew(view, server) {
        return Vec::new();
    }
    let members = view.members("instance_memory_pct", &server.id);
    if members.is_empty() {
        let of = |signal| {
            let series = view.series(signal, server);
            let series = series.known()?;
            leak(view, None, &between(series, Timestamp::MIN, view.snapshot.taken_at))
        };
        // A fresh task makes the average fall like a restart of all; the fullest one goes on as before.
        let fullest = fullest_signal(server).and_then(of);
        return fullest.or_else(|| of(whole_signal(server))).into_iter().collect();
    }
    let of = |(member, series): &(&str, &crate::series::Series)| {
        leak(view, Some((*member).to_owned()), &between(series, Timestamp::MIN, view.snapshot.taken_at))
    };
    let leaking: Vec<Leak> = members.iter().filter_map(of).collect();
    if 2 * leaking.len() >= members.len() { leaking } else { Vec::new() }
}

fn whole_signal(server: &Resource) -> &'static str {
    if server.kind() == ResourceKind::EcsService { "service_memory_pct" } else { "fleet_memory_pct" }
}

fn fullest_signal(server: &Resource) -> Option<&'static str> {
    (server.kind() == ResourceKind::EcsService).then_some("service_memory_max_pct")
}

fn leak(view: &View<'_>, member: Option<String>, points: &Points) -> Option<Leak> {
    let policy = view.policy;
    let restarted =
        points.windows(2).rposition(|pair| pair[1].1 < pair[0].1 - RESTART_DROP).map_or(0, |index| index + 1);
    let since = points.get(restarted..)?;
    let (first, newest) = (since.first()?, since.last()?);
    // A member that stopped publishing is gone; its past says nothing about now.
    let is_gone = view.snapshot.taken_at.duration_since(newest.0).as_secs() > i64::from(policy.stale_after_s);
    if is_gone || newest.0.duration_since(first.0).as_secs() < i64::from(policy.leak_history_s) {
        return None;
    }
    let fitted: Points =
        since.iter().filter(|(at, _)| newest.0.duration_since(*at).as_secs() <= FITTED_S).copied().collect();
    let slope = slope(&fitted)?;
    let third = fitted.len() / 3;
    let middle = |part: &[(Timestamp, f64)]| median(&part.iter().map(|(_, value)| *value).collect::<Vec<f64>>());
    let (before, last) = (middle(fitted.get(third..2 * third)?)?, middle(fitted.get(2 * third..)?)?);
    // A steady growth gains its rate times a third of the time from third to third; half of that is levelling off.
    let fitted_s = newest.0.duration_since(fitted.first()?.0).as_secs();
    let third_h = f64::from(i32::try_from(fitted_s).unwrap_or(i32::MAX)) / 3_600.0 / 3.0;
    let goes_on = last - before >= 0.5 * slope.per_hour * third_h;
    let level_pct = crate::series::mean(&fitted.iter().rev().take(5).map(|(_, v)| *v).collect::<Vec<f64>>())?;
    let full_in_h = (100.0 - level_pct).max(0.0) / slope.per_hour;
    let real = slope.p_value <= policy.trend_p_max && slope.per_hour >= policy.leak_pct_per_h_min && goes_on;
    (real && full_in_h <= policy.leak_full_within_h).then_some(Leak {
        member,
        per_hour: slope.per_hour,
        p_value: slope.p_value,
        level_pct,
        full_in_h,
    })
}

/// True when the load of what this server answers for grew over the last hour.
fn load_grew(view: &View<'_>, server: &Resource) -> bool {
    links::fronts(view.snapshot, server).iter().any(|front| {
        let series = view.series("requests", front);
        let Some(series) = series.known() else { return false };
        let part =
            |from_s, to_s| median(&view.since(series, from_s, to_s).into_iter().map(|(_, v)| v).collect::<Vec<f64>>());
        match (part(FITTED_S, FITTED_S * 2 / 3), part(FITTED_S / 3, 0)) {
            (Some(early), Some(late)) => late > LOAD_GROWTH * early,
            _ => false,
        }
    })
}
