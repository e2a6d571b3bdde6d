//! What the hit rate of a cache looks like: the reading that the four cache rules share. Classifies; concludes nothing.

use super::Context;
use crate::health::onset::{Onset, onset};
use crate::health::view::{Points, between};
use crate::resource::{Live, Resource, ResourceKind};
use crate::series::{Series, mean};
use jiff::Timestamp;

/// A hit rate under its bound, and what goes with it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LowRate {
    /// Present rate in per cent.
    pub(super) level: f64,
    /// The signal it was read from.
    pub(super) signal: &'static str,
    /// What kind of low it is.
    pub(super) shape: Shape,
    /// Memory in use in per cent, where known.
    pub(super) memory_pct: Option<f64>,
    /// Evictions per cent of look-ups, where known.
    pub(super) evictions_pct: Option<f64>,
    /// Look-ups compared with what is usual, as a factor, where known.
    pub(super) traffic: Option<f64>,
}

/// The kinds of low hit rates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Shape {
    /// It rises by itself, or the cache has just been emptied: wait.
    Cold,
    /// It throws out what is still asked for: too small.
    Small,
    /// It fell at a moment and stays there while memory is in use: it holds the wrong things.
    Poisoned(Onset),
    /// It has been low for as long as the history goes back.
    Low,
}

/// Memory under this share of what is usual is a cache that was emptied.
const EMPTIED: f64 = 0.5;
/// CloudFront publishes its hit rate only where the owner has switched it on, so it comes as a custom metric.
const CLOUDFRONT: (&str, &str) = ("AWS/CloudFront", "CacheHitRate");

/// Caches and distributions whose hit rate is under its bound.
pub(super) fn low_rates<'a>(context: &Context<'a>) -> Vec<(&'a Resource, LowRate)> {
    let caches = context.of_kind(ResourceKind::Cache).filter_map(|cache| Some((cache, of_cache(context, cache)?)));
    let edges = context.of_kind(ResourceKind::Distribution).filter_map(|edge| Some((edge, of_edge(context, edge)?)));
    caches.chain(edges).collect()
}

fn of_cache(context: &Context<'_>, cache: &Resource) -> Option<LowRate> {
    let view = context.view;
    let level = view.known("cache_hit_rate_pct", cache)?;
    let series = view.series("cache_hit_rate_pct", cache).known()?.clone().into_owned();
    let hits = view.series("cache_hits", cache).known()?.clone();
    let misses = view.series("cache_misses", cache).known()?.clone();
    let lookups_now = mean_of(&view.window(&hits))? + mean_of(&view.window(&misses))?;
    let usual =
        view.usual(&hits, USUAL_AGO_S).zip(view.usual(&misses, USUAL_AGO_S)).map(|(hits, misses)| hits + misses);
    let evictions = view.known("cache_evictions", cache);
    let memory = view.series("cache_memory_pct", cache);
    let memory_usual = memory.known().and_then(|series| view.usual(series, USUAL_AGO_S));
    let memory_pct = view.known("cache_memory_pct", cache);
    let emptied = memory_pct.zip(memory_usual).is_some_and(|(now, usual)| now < EMPTIED * usual);
    let evictions_pct = evictions.filter(|_| lookups_now > 0.0).map(|evictions| 100.0 * evictions / lookups_now);
    let traffic = usual.filter(|usual| *usual > 0.0).map(|usual| lookups_now / usual);
    classify(context, level, &series, emptied, evictions_pct).map(|shape| LowRate {
        level,
        signal: "cache_hit_rate_pct",
        shape,
        memory_pct,
        evictions_pct,
        traffic,
    })
}

/// What is usual is read from before the last quarter of an hour.
const USUAL_AGO_S: i64 = 900;

/// The hit rate of a distribution, from the custom metric that carries its id.
pub(in crate::health) fn edge_metric<'a>(context: &Context<'a>, edge: &Resource) -> Option<&'a Resource> {
    let carries = |resource: &&Resource| match &resource.live {
        Live::Custom(metric) => {
            (metric.namespace.as_str(), metric.metric.as_str()) == CLOUDFRONT
                && metric
                    .dimensions
                    .get("DistributionId")
                    .is_some_and(|id| *id == edge.name || edge.id.as_str().ends_with(id))
        }
        _ => false,
    };
    context.of_kind(ResourceKind::Custom).find(carries)
}

fn of_edge(context: &Context<'_>, edge: &Resource) -> Option<LowRate> {
    let metric = edge_metric(context, edge)?;
    let level = context.view.known("custom", metric)?;
    let series = context.view.series("custom", metric).known()?.clone().into_owned();
    let shape = classify(context, level, &series, false, None)?;
    Some(LowRate { level, signal: "custom", shape, memory_pct: None, evictions_pct: None, traffic: None })
}

fn classify(
    context: &Context<'_>,
    level: f64,
    series: &Series,
    emptied: bool,
    evictions_pct: Option<f64>,
) -> Option<Shape> {
    let policy = context.policy();
    if level >= policy.hit_rate_act_pct {
        return None;
    }
    let window = context.view.window(series);
    let (early, late) = (mean_of(&head(&window)), mean_of(&tail(&window)));
    let rises = early.zip(late).is_some_and(|(early, late)| late - early >= policy.hit_rate_rise_pct);
    if rises || emptied {
        return Some(Shape::Cold);
    }
    if evictions_pct.is_some_and(|share| share >= policy.evictions_act_pct) {
        return Some(Shape::Small);
    }
    let points = between(series, Timestamp::MIN, context.view.snapshot.taken_at);
    let fell = onset(&points, policy.hit_rate_fall_pct).filter(|onset| onset.after < onset.before);
    Some(fell.map_or(Shape::Low, Shape::Poisoned))
}

fn head(points: &Points) -> Points {
    points.iter().take(2).copied().collect()
}

fn tail(points: &Points) -> Points {
    points.iter().rev().take(2).copied().collect()
}

fn mean_of(points: &Points) -> Option<f64> {
    mean(&points.iter().map(|(_, value)| *value).collect::<Vec<f64>>())
}
