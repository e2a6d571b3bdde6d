//! Scores detections by the rules of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015).
//!
//! In a window the earliest detection earns a sigmoid credit, a missed window costs, and so does each detection outside,
//! more the farther behind the last window. One threshold for all series, the one that is best; 0 = detects nothing,
//! 100 = perfect. Never reads files.

use std::collections::HashMap;

/// Share of a series that is for learning only, and the most points that can be.
const PROBATION_SHARE: f64 = 0.15;
const PROBATION_MAX: f64 = 750.0;

/// Weights of hits, false alarms and misses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Profile {
    pub(crate) name: &'static str,
    hit: f64,
    false_alarm: f64,
    miss: f64,
}

/// The benchmark's three profiles.
pub(crate) const PROFILES: [Profile; 3] = [
    Profile { name: "standard", hit: 1.0, false_alarm: 0.11, miss: 1.0 },
    Profile { name: "reward_low_FP_rate", hit: 1.0, false_alarm: 0.22, miss: 1.0 },
    Profile { name: "reward_low_FN_rate", hit: 1.0, false_alarm: 0.11, miss: 2.0 },
];

/// A point after probation: its score, its credit or blame before weights, and the window it lies in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) score: f64,
    worth: f64,
    /// Series and window, or `None` outside.
    window: Option<(usize, usize)>,
}

/// The result under one profile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) score: f64,
    pub(crate) threshold: f64,
    pub(crate) flagged_inside: usize,
    pub(crate) flagged_outside: usize,
    pub(crate) windows: usize,
    pub(crate) windows_hit: usize,
}

/// The points of one series that count. `series` tells windows of different series apart.
pub(crate) fn points(series: usize, scores: &[f64], windows: &[(usize, usize)]) -> Vec<Point> {
    let probation = (PROBATION_SHARE * scores.len() as f64).floor().min(PROBATION_MAX);
    let counts = scores.iter().enumerate().filter(|(i, _)| *i as f64 >= probation);
    counts
        .map(|(i, &score)| {
            let inside = windows.iter().position(|&(start, end)| (start..=end).contains(&i));
            let worth = match inside {
                Some(k) => credit(i, windows[k]),
                None => windows.iter().rfind(|(_, end)| *end < i).map_or(-1.0, |&window| blame(i, window)),
            };
            Point { score, worth, window: inside.map(|k| (series, k)) }
        })
        .collect()
}

/// 1 at the start of a window, falling to nearly 0 at its end.
fn credit(i: usize, (start, end): (usize, usize)) -> f64 {
    let width = (end - start + 1) as f64;
    sigmoid(-((end - i + 1) as f64) / width) / sigmoid(-1.0)
}

/// 0 right behind a window, −1 from three widths on.
fn blame(i: usize, (start, end): (usize, usize)) -> f64 {
    sigmoid((i - end) as f64 / (end - start).max(1) as f64)
}

fn sigmoid(y: f64) -> f64 {
    if y > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * y).exp()) - 1.0 }
}

/// The best outcome over all thresholds, or the one at a given threshold.
pub(crate) fn outcome(points: &[Point], profile: &Profile, fixed: Option<f64>) -> Outcome {
    let mut ranked: Vec<&Point> = points.iter().collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut earned: HashMap<(usize, usize), f64> =
        points.iter().filter_map(|p| Some((p.window?, -profile.miss))).collect();
    let windows = earned.len();
    let null = -profile.miss * windows as f64;
    let mut total = null;
    let mut now =
        Outcome { score: 0.0, threshold: 1.1, flagged_inside: 0, flagged_outside: 0, windows, windows_hit: 0 };
    let mut best = (null, now);
    for group in ranked.chunk_by(|a, b| a.score == b.score) {
        if fixed.is_some_and(|threshold| group[0].score < threshold) {
            break;
        }
        for point in group {
            let Some(window) = point.window else {
                total += point.worth * profile.false_alarm;
                now.flagged_outside += 1;
                continue;
            };
            now.flagged_inside += 1;
            let gain = point.worth * profile.hit;
            if let Some(held) = earned.get_mut(&window) {
                now.windows_hit += usize::from(*held == -profile.miss);
                if gain > *held {
                    total += gain - *held;
                    *held = gain;
                }
            }
        }
        now.threshold = group[0].score;
        if fixed.is_some() || total > best.0 {
            best = (total, now);
        }
    }
    let perfect = profile.hit * windows as f64;
    let score = if windows == 0 { 0.0 } else { 100.0 * (best.0 - null) / (perfect - null) };
    Outcome { score, ..best.1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    fn run(scores: &[f64], windows: &[(usize, usize)]) -> Outcome {
        outcome(&points(0, scores, windows), &PROFILES[0], None)
    }

    #[test]
    fn a_detection_at_the_start_of_the_window_is_perfect_and_none_is_zero() {
        let mut scores = vec![0.0; 100];
        assert!(close(run(&scores, &[(50, 59)]).score, 0.0));
        scores[50] = 0.9;
        let hit = run(&scores, &[(50, 59)]);
        assert!(close(hit.score, 100.0), "{hit:?}");
        assert_eq!((hit.threshold, hit.flagged_inside, hit.flagged_outside, hit.windows_hit), (0.9, 1, 0, 1));
    }

    #[test]
    fn later_detections_earn_less_and_only_the_earliest_counts() {
        let mut scores = vec![0.0; 100];
        scores[58] = 0.9;
        let late = run(&scores, &[(50, 59)]).score;
        scores[54] = 0.9;
        let earlier = run(&scores, &[(50, 59)]).score;
        assert!(50.0 < late && late < earlier && earlier < 100.0, "{late} {earlier}");
    }

    #[test]
    fn a_false_alarm_costs_its_weight_and_less_right_behind_a_window() {
        let mut scores = vec![0.0; 200];
        scores[100] = 0.9;
        scores[40] = 0.9;
        let early = run(&scores, &[(100, 109)]).score;
        assert!(close(early, 100.0 * (2.0 - 0.11) / 2.0), "{early}");
        scores[40] = 0.0;
        scores[110] = 0.9;
        assert!(run(&scores, &[(100, 109)]).score > early);
    }

    #[test]
    fn probation_does_not_count() {
        let mut scores = vec![0.0; 100];
        scores[14] = 0.9;
        scores[50] = 0.8;
        assert!(close(run(&scores, &[(50, 59)]).score, 100.0));
        assert_eq!(points(0, &[0.0; 10_000], &[]).len(), 10_000 - 750);
    }

    #[test]
    fn a_fixed_threshold_flags_everything_at_or_above_it() {
        let mut scores = vec![0.0; 100];
        scores[50] = 0.9;
        scores[20] = 0.5;
        let all = outcome(&points(0, &scores, &[(50, 59)]), &PROFILES[0], Some(0.5));
        assert_eq!((all.flagged_inside, all.flagged_outside), (1, 1));
        let none = outcome(&points(0, &scores, &[(50, 59)]), &PROFILES[0], Some(0.95));
        assert!(close(none.score, 0.0) && none.windows_hit == 0);
    }
}
