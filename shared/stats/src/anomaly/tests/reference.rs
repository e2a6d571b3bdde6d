//! The detector once more, plain and slow, by the text of `docs/anomaly-detector.md`: growing lists, loops, no shared code and no
//! tricks. The real one has to give the same scores to the last bit, so sums are built in the same order.

use std::f64::consts::{LN_2, LN_10};

use super::super::{Score, View};

/// A running mean after its `n`-th value: plain over the first `window`, exponential after.
fn blend(mean: f64, value: f64, n: f64, window: f64) -> f64 {
    mean + (1.0 / n).max(1.0 / window) * (value - mean)
}

#[derive(Default)]
pub(super) struct Reference {
    newest_s: Option<i64>,
    n: u32,
    origin: f64,
    last: f64,
    recent: f64,
    long: f64,
    step_short: f64,
    step_long: f64,
    hours: Hours,
    numbers: [Number; 4],
    shapes: Shapes,
    shape_tail: Tail,
    volatility_tail: Tail,
    last_alert: f64,
}

impl Reference {
    pub(super) fn update(&mut self, time_s: i64, value: f64) -> Option<Score> {
        if !value.is_finite() || self.newest_s.is_some_and(|newest_s| newest_s >= time_s) {
            return None;
        }
        let origin = if self.n == 0 { value } else { self.origin };
        let y = value - origin;
        if y.abs() > 1e30 {
            return None;
        }
        (self.origin, self.newest_s) = (origin, Some(time_s));
        self.n += 1;
        let (n, warm) = (f64::from(self.n), self.n > 100);

        let expected = self.hours.level(time_s).unwrap_or(self.recent);
        let views = [y, y - self.recent, y - self.long, y - expected];
        let mut surprises: Vec<f64> = Vec::new();
        for (number, view) in self.numbers.iter_mut().zip(views) {
            surprises.push(number.observe(view, n, warm));
        }
        let (resolution, unit) = (self.numbers[0].resolution(), self.numbers[0].unit());
        let distance = self.shapes.distance(y, resolution).filter(|_| warm);
        surprises.push(distance.map_or(0.0, |distance| self.shape_tail.observe(distance / unit)));
        surprises.push(if self.n == 1 { 0.0 } else { self.volatility((y - self.last).abs(), n - 1.0, resolution) });

        self.hours.learn(time_s, y);
        self.recent = blend(self.recent, y, n, 80.0);
        self.long = blend(self.long, y, n, 400.0);
        self.last = y;
        Some(self.score(&surprises, expected + self.origin))
    }

    fn volatility(&mut self, step: f64, n: f64, resolution: f64) -> f64 {
        let floor = resolution + f64::MIN_POSITIVE;
        self.step_short = blend(self.step_short, step, n, 36.0);
        let r = if n <= 2.0 { 1.0 } else { (self.step_short + floor) / (self.step_long + floor) };
        self.step_long = blend(self.step_long, step, n, 1000.0);
        self.volatility_tail.observe(r.max(1.0 / r) - 1.0)
    }

    fn score(&mut self, surprises: &[f64], expected: f64) -> Score {
        let names =
            [View::Value, View::RecentLevel, View::LongTermLevel, View::Season, View::Pattern, View::Volatility];
        let most = surprises.iter().copied().fold(0.0, f64::max);
        let view = names[surprises.iter().position(|surprise| *surprise == most).unwrap()];
        let combined = surprises.iter().map(|s| (s * s) * (s * s)).fold(0.0, |sum, s| sum + s).sqrt().sqrt();

        let n = f64::from(self.n.min(20_000));
        let mut surprise = (combined - 0.8 * (n / 100.0).max(1.0).log10()).max(0.0);
        if n < 150.0 {
            surprise = surprise * 0.5 * n / 150.0;
        }
        self.last_alert *= 1.0 - 1.0 / (120.0 + 0.05 * n);
        let counts = if surprise > self.last_alert * 1.1 { surprise } else { surprise * 0.1 };
        self.last_alert = self.last_alert.max(surprise);
        Score { value: counts / (counts + 1.9), surprise, view, expected }
    }
}

/// Levels by hour of the week and of the day, and the values of the hour that runs.
struct Hours {
    week: Vec<Option<f32>>,
    day: Vec<Option<f32>>,
    hour: i64,
    values: Vec<f64>,
}

impl Default for Hours {
    fn default() -> Self {
        Self { week: vec![None; 168], day: vec![None; 24], hour: 0, values: Vec::new() }
    }
}

impl Hours {
    fn level(&self, time_s: i64) -> Option<f64> {
        let hour = time_s.div_euclid(3600);
        let week = self.week[hour.rem_euclid(168) as usize];
        week.or(self.day[hour.rem_euclid(24) as usize]).map(f64::from)
    }

    fn learn(&mut self, time_s: i64, y: f64) {
        let hour = time_s.div_euclid(3600);
        if hour != self.hour && !self.values.is_empty() {
            let sum = self.values.iter().fold(0.0, |sum, y| sum + y);
            let mean = (sum / self.values.len() as f64) as f32;
            let moved = |level: Option<f32>| Some(level.map_or(mean, |level| level + 0.5 * (mean - level)));
            let (week, day) = (self.hour.rem_euclid(168) as usize, self.hour.rem_euclid(24) as usize);
            self.week[week] = moved(self.week[week]);
            self.day[day] = moved(self.day[day]);
            self.values.clear();
        }
        self.hour = hour;
        self.values.push(y);
    }
}

/// One of the views that are a number.
#[derive(Default)]
struct Number {
    low: f64,
    high: f64,
    last: f64,
    step: f64,
    known: Vec<f32>,
    typical: f64,
    tail: Tail,
}

impl Number {
    fn resolution(&self) -> f64 {
        0.0015 * (self.high - self.low)
    }

    fn unit(&self) -> f64 {
        self.step + self.resolution() + f64::MIN_POSITIVE
    }

    fn observe(&mut self, y: f64, n: f64, warm: bool) -> f64 {
        (self.low, self.high) = (self.low.min(y), self.high.max(y));
        self.step = blend(self.step, (y - self.last).abs(), n, 500.0);
        self.last = y;
        let distance = self.distance(y as f32, n);
        if warm { self.tail.observe(distance / self.unit()) } else { 0.0 }
    }

    fn distance(&mut self, y: f32, n: f64) -> f64 {
        if self.known.is_empty() {
            self.known.push(y);
            return 0.0;
        }
        // The neighbours in ascending order; of two that are as near, the lower one.
        let above = self.known.iter().position(|p| *p >= y);
        let below = self.known.iter().rposition(|p| *p < y);
        let neighbours = [below, above].into_iter().flatten();
        let nearest = neighbours.min_by(|a, b| (self.known[*a] - y).abs().total_cmp(&(self.known[*b] - y).abs()));
        let nearest = nearest.unwrap();
        let distance = f64::from((self.known[nearest] - y).abs());
        if distance > 1.4 * self.typical && distance > self.resolution() {
            self.remember(y);
        } else {
            self.known[nearest] += 0.05 * (y - self.known[nearest]);
        }
        self.typical = blend(self.typical, distance, n, 400.0);
        distance
    }

    fn remember(&mut self, y: f32) {
        if self.known.len() == 64 {
            let gap = |k: &usize| self.known[k + 1] - self.known[*k];
            let pair = (0..63).min_by(|a, b| gap(a).total_cmp(&gap(b))).unwrap();
            let middle = 0.5 * (self.known[pair] + self.known[pair + 1]);
            self.known.splice(pair..pair + 2, [middle]);
        }
        self.known.push(y);
        self.known.sort_by(|a, b| a.partial_cmp(b).unwrap());
    }
}

/// The view that is a vector. `newest` has the newest value first.
#[derive(Default)]
struct Shapes {
    newest: Vec<f32>,
    known: Vec<Vec<f32>>,
    next: usize,
    seen: u32,
    typical: f64,
}

impl Shapes {
    fn distance(&mut self, y: f64, resolution: f64) -> Option<f64> {
        self.newest.insert(0, y as f32);
        self.newest.truncate(8);
        if self.newest.len() < 8 {
            return None;
        }
        let sum = |shape: &Vec<f32>| shape.iter().zip(&self.newest).fold(0.0_f32, |sum, (a, b)| sum + (a - b).abs());
        let sums: Vec<f32> = self.known.iter().map(sum).collect();
        let nearest = (0..sums.len()).min_by(|a, b| sums[*a].total_cmp(&sums[*b]));
        let distance = nearest.map_or(0.0, |nearest| f64::from(sums[nearest]) / 8.0);
        match nearest {
            Some(nearest) if distance <= self.typical || distance <= resolution => {
                for (then, now) in self.known[nearest].iter_mut().zip(&self.newest) {
                    *then += 0.05 * (now - *then);
                }
            }
            _ if self.known.len() < 16 => self.known.push(self.newest.clone()),
            _ => {
                self.known[self.next] = self.newest.clone();
                self.next = (self.next + 1) % 16;
            }
        }
        self.seen += 1;
        self.typical = blend(self.typical, distance, f64::from(self.seen), 400.0);
        Some(distance)
    }
}

/// Counts of distances at or above the lower edge of each of 64 bins, a quarter octave each.
struct Tail {
    at_least: Vec<u32>,
}

impl Default for Tail {
    fn default() -> Self {
        Self { at_least: vec![0; 64] }
    }
}

/// Lower edge of a bin: the 17th begins at 1. The first has no lower edge, and the last no upper one.
fn edge(bin: i32) -> f64 {
    let quarters = [1.0, 2_f64.powf(0.25), 2_f64.sqrt(), 2_f64.powf(0.75)];
    quarters[(bin - 17).rem_euclid(4) as usize] * 2_f64.powi((bin - 17).div_euclid(4))
}

impl Tail {
    fn observe(&mut self, distance: f64) -> f64 {
        let bin = (1..64).filter(|bin| distance >= edge(*bin)).count();
        let surprise = self.surprise(distance, bin).min(12.0);
        for count in &mut self.at_least[..=bin] {
            *count += 1;
        }
        if self.at_least[0] == 20_000 {
            self.at_least.iter_mut().for_each(|count| *count /= 2);
        }
        surprise
    }

    fn surprise(&self, distance: f64, bin: usize) -> f64 {
        let count = |bin: usize| f64::from(self.at_least.get(bin).copied().unwrap_or(0));
        let n = count(0);
        if n < 20.0 || distance <= 0.0 {
            return 0.0;
        }
        let middle = 0.5 * (count(bin) + count(bin + 1)) + 1.0;
        if middle > 0.1 * n {
            return 0.0;
        }
        if count(bin) > 0.02 * n + 1.0 {
            return ((n + 1.0) / middle).log10();
        }
        let mut start = 0;
        while start < bin && count(start) > 0.02 * n + 1.0 {
            start += 1;
        }
        let log_edge = |bin: usize| (bin as f64 - 17.0) / 4.0 * LN_2;
        let beyond = (start + 1..64).map(count).fold(0.0, |sum, count| sum + count);
        let decay = (LN_2 / 4.0 * (beyond + 0.5 * count(start)) + 0.35 * 20.0) / (count(start) + 20.0) * LN_10;
        let pareto = (distance.ln() - log_edge(start)).max(0.0) / decay + ((n + 1.0) / (count(start) + 1.0)).log10();
        let top = self.at_least.iter().take_while(|count| **count > 0).count();
        let record = if bin >= top { (distance.ln() - log_edge(top)).max(0.0) / decay } else { 0.0 };
        let similar = count(bin.saturating_sub(1));
        pareto.min(record + ((n + 1.0) / (similar + 1.0)).log10())
    }
}
