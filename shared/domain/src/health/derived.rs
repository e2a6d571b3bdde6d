//! Signals that are computed from others: rates and shares. A rate is a sum by a sum, never a mean of rates.
//!
//! Each is listed once in [`TABLE`] with what it is made of and from which level on it is good or bad. Nothing is
//! divided by what is missing or zero.

use super::view::{View, aligned, earlier};
use crate::objective::Objectives;
use crate::observed::{Missing, Observed};
use crate::resource::{Live, Resource, ResourceKind};
use crate::series::Series;
use crate::signal::{Judge, Role};

/// A computed signal.
#[derive(Clone, Copy, Debug)]
pub struct Derived {
    /// Stable name.
    pub id: &'static str,
    /// What a person calls it.
    pub title: &'static str,
    /// On which kind of resource.
    pub kind: ResourceKind,
    /// How it is computed.
    formula: Formula,
    /// How it counts in the health score.
    pub judge: Option<fn(&Objectives) -> Option<Judge>>,
}

#[derive(Clone, Copy, Debug)]
enum Formula {
    /// Failed per cent of all.
    ErrorRate { errors: &'static str, of: &'static str },
    /// Hits per cent of hits and misses.
    HitRate,
    /// Per cent of a maximum that the live state knows.
    Share { signal: &'static str, of: fn(&Resource) -> Option<f64> },
}

/// How many times its objective an error rate is when it is as bad as it gets. An error budget burnt 14.4 times too fast
/// is a page in Google's SRE workbook; at 20 times it lasts a day and a half of a month. With the default objective the
/// specification's alarm, 1 %, is scored 5.7: degraded.
const BAD_OVER_OBJECTIVE: f64 = 20.0;

/// All computed signals; every one in per cent.
pub const TABLE: &[Derived] = &[
    Derived {
        id: "error_rate_pct",
        title: "error rate",
        kind: ResourceKind::TargetGroup,
        formula: Formula::ErrorRate { errors: "errors_5xx", of: "requests" },
        judge: Some(errors),
    },
    Derived {
        id: "lb_error_rate_pct",
        title: "load balancer error rate",
        kind: ResourceKind::LoadBalancer,
        formula: Formula::ErrorRate { errors: "lb_errors_5xx", of: "lb_requests" },
        judge: Some(errors),
    },
    Derived {
        id: "api_error_rate_pct",
        title: "API error rate",
        kind: ResourceKind::Api,
        formula: Formula::ErrorRate { errors: "api_errors_5xx", of: "api_requests" },
        judge: Some(errors),
    },
    Derived {
        id: "function_error_rate_pct",
        title: "function error rate",
        kind: ResourceKind::Function,
        formula: Formula::ErrorRate { errors: "function_errors", of: "function_invocations" },
        judge: Some(errors),
    },
    Derived {
        id: "cache_hit_rate_pct",
        title: "cache hit rate",
        kind: ResourceKind::Cache,
        formula: Formula::HitRate,
        judge: Some(hit_rate),
    },
    Derived {
        id: "db_connections_pct",
        title: "share of database connections",
        kind: ResourceKind::Database,
        formula: Formula::Share { signal: "db_connections", of: connections_max },
        judge: None,
    },
    Derived {
        id: "db_free_storage_pct",
        title: "free database storage",
        kind: ResourceKind::Database,
        formula: Formula::Share { signal: "db_free_storage_bytes", of: storage },
        judge: None,
    },
];

/// The computed signal with this id.
pub fn spec(id: &str) -> Option<&'static Derived> {
    TABLE.iter().find(|derived| derived.id == id)
}

fn errors(objectives: &Objectives) -> Option<Judge> {
    let good = objectives.error_rate_pct;
    (good > 0.0).then_some(Judge { good, bad: BAD_OVER_OBJECTIVE * good, role: Role::Symptom })
}

/// Good: 80 %, ten points over the level at which the specification clears a cache. Bad: 30 %, the source carries most of
/// the load. Users feel it only through latency, so it explains and is no symptom itself.
#[allow(clippy::unnecessary_wraps, reason = "the shape of the table")]
fn hit_rate(_: &Objectives) -> Option<Judge> {
    Some(Judge { good: 80.0, bad: 30.0, role: Role::Saturation })
}

fn connections_max(resource: &Resource) -> Option<f64> {
    match &resource.live {
        Live::Database(database) => database.connections_max.filter(|max| *max > 0.0),
        _ => None,
    }
}

fn storage(resource: &Resource) -> Option<f64> {
    match &resource.live {
        Live::Database(database) => database.storage_bytes.filter(|bytes| *bytes > 0.0),
        _ => None,
    }
}

impl Derived {
    /// The signals that it is computed from.
    pub(super) fn made_of(&self) -> Vec<&'static str> {
        match self.formula {
            Formula::ErrorRate { errors, of } => vec![errors, of],
            Formula::HitRate => vec!["cache_hits", "cache_misses"],
            Formula::Share { signal, .. } => vec![signal],
        }
    }

    /// Its level over the observed window, in per cent. What has nothing to be computed from (no request, hardly a
    /// look-up) is "not published": nobody felt anything.
    pub fn level(&self, view: &View<'_>, resource: &Resource) -> Observed<f64> {
        match self.formula {
            Formula::ErrorRate { errors, of } => match window_sums(view, resource, errors, of) {
                Observed::Known((errors, total)) => rate_pct(errors, total, view.policy.low_traffic_requests),
                Observed::Missing(reason) => Observed::Missing(reason),
            },
            Formula::HitRate => match window_sums(view, resource, "cache_hits", "cache_misses") {
                Observed::Known((hits, misses)) if hits + misses < view.policy.lookups_min => Observed::Missing(
                    Missing::NotPublished(format!("only {:.0} look-ups in the window", hits + misses)),
                ),
                Observed::Known((hits, misses)) => Observed::Known(100.0 * hits / (hits + misses)),
                Observed::Missing(reason) => Observed::Missing(reason),
            },
            Formula::Share { signal, of } => match of(resource) {
                Some(max) => view.level(signal, resource).map(|level| 100.0 * level / max),
                None => unknown_maximum(),
            },
        }
    }

    /// Its values per period, in per cent; periods without a base are gaps.
    pub fn series(&self, view: &View<'_>, resource: &Resource) -> Observed<Series> {
        match self.formula {
            Formula::ErrorRate { errors, of } => ratio(view, resource, errors, of, |errors, total| (errors, total)),
            Formula::HitRate => {
                ratio(view, resource, "cache_hits", "cache_misses", |hits, misses| (hits, hits + misses))
            }
            Formula::Share { signal, of } => match (of(resource), view.series(signal, resource)) {
                (Some(max), Observed::Known(series)) => {
                    let values = series.values.iter().map(|value| value.map(|value| 100.0 * value / max)).collect();
                    Observed::Known(Series { values, ..*series })
                }
                (None, _) => unknown_maximum(),
                (_, Observed::Missing(reason)) => Observed::Missing(reason),
            },
        }
    }
}

fn unknown_maximum<T>() -> Observed<T> {
    Observed::Missing(Missing::NotPublished("the maximum is not known".to_owned()))
}

/// Sums of two counts over the window, in the periods where both are known.
fn window_sums(view: &View<'_>, resource: &Resource, one: &str, other: &str) -> Observed<(f64, f64)> {
    let (one, other) = match (view.series(one, resource), view.series(other, resource)) {
        (Observed::Known(one), Observed::Known(other)) => (one, other),
        // The base first: without it nothing can be said at all.
        (_, Observed::Missing(reason)) | (Observed::Missing(reason), _) => return Observed::Missing(reason),
    };
    let now = view.snapshot.taken_at;
    let from = earlier(now, i64::from(view.snapshot.window_s));
    let pairs = aligned(&one, &other);
    let mut inside = pairs.iter().filter(|(at, ..)| *at >= from && *at < now).peekable();
    if inside.peek().is_none() {
        let newest = pairs.last().map(|(at, ..)| now.duration_since(*at).as_secs());
        return Observed::Missing(match newest {
            Some(age_s) => Missing::Stale(u64::try_from(age_s).unwrap_or(0)),
            None => Missing::NoData,
        });
    }
    Observed::Known(inside.fold((0.0, 0.0), |(a, b), (_, x, y)| (a + x, b + y)))
}

/// Errors in per cent of all. With little traffic only what is certain: the lower 95 % bound of Wilson's interval, so
/// that one failed request in the night is no outage. 1 of 3 is then 6.1 % and not 33.3 %; 0 stays 0.
fn rate_pct(errors: f64, total: f64, low_traffic: f64) -> Observed<f64> {
    if total <= 0.0 {
        return Observed::Missing(Missing::NotPublished("no requests in the window".to_owned()));
    }
    let share = (errors / total).clamp(0.0, 1.0);
    if total >= low_traffic {
        return Observed::Known(100.0 * share);
    }
    let z = 1.96_f64;
    let z2 = z * z / total;
    let spread = z * (share * (1.0 - share) / total + z2 / (4.0 * total)).sqrt();
    Observed::Known(100.0 * ((share + z2 / 2.0 - spread) / (1.0 + z2)).max(0.0))
}

fn ratio(
    view: &View<'_>,
    resource: &Resource,
    one: &str,
    other: &str,
    parts: fn(f64, f64) -> (f64, f64),
) -> Observed<Series> {
    let (one, other) = match (view.series(one, resource), view.series(other, resource)) {
        (Observed::Known(one), Observed::Known(other)) => (one, other),
        (_, Observed::Missing(reason)) | (Observed::Missing(reason), _) => return Observed::Missing(reason),
    };
    let known: std::collections::BTreeMap<_, _> =
        aligned(&one, &other).into_iter().map(|(at, a, b)| (at, (a, b))).collect();
    let values = (0..one.values.len())
        .map(|index| {
            let (part, total) = known.get(&one.time_at(index)).map(|(a, b)| parts(*a, *b))?;
            (total > 0.0).then(|| 100.0 * part / total)
        })
        .collect();
    Observed::Known(Series { start: one.start, period_s: one.period_s, values })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(rate: &Observed<f64>) -> f64 {
        *rate.known().unwrap()
    }

    #[test]
    fn an_error_rate_is_a_sum_by_a_sum() {
        assert_eq!(known(&rate_pct(54.0, 54_000.0, 100.0)), 0.1);
    }

    #[test]
    fn one_failed_request_in_the_night_is_no_outage() {
        assert!((known(&rate_pct(1.0, 3.0, 100.0)) - 6.1).abs() < 0.1);
        assert_eq!(known(&rate_pct(0.0, 3.0, 100.0)), 0.0);
        assert!(known(&rate_pct(3.0, 3.0, 100.0)) > 40.0);
    }

    #[test]
    fn no_request_is_no_rate() {
        assert!(rate_pct(0.0, 0.0, 100.0).is_missing());
    }
}
