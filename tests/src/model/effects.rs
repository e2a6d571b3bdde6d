//! What goes wrong and when: events of a scenario, and their sum at a minute.
//!
//! Minutes count from the start of the scenario; negative ones lie in the seeded history.

use serde::Deserialize;

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, in virtual minutes from the start.
    pub at_min: f64,
    /// How long, in virtual minutes; without it, for good.
    #[serde(default)]
    pub for_min: Option<f64>,
    /// What the first change of the application's size does to it: nothing without.
    #[serde(default)]
    pub first_change: Option<FirstChange>,
    /// It happens at this time of every week, so it did in the earlier weeks as well.
    #[serde(default)]
    pub weekly: bool,
    /// What.
    pub happens: Happening,
}

/// What the first change of the number of servers or tasks does to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstChange {
    /// It begins then, and not before.
    Begins,
    /// It ends then, if it has begun and not ended before.
    Ends,
}

/// The first change of the number of servers or tasks was seen at this minute.
pub fn first_change(events: &mut [Event], minute: f64) {
    for event in events {
        match event.first_change.take() {
            Some(FirstChange::Begins) => event.at_min = event.at_min.max(minute),
            Some(FirstChange::Ends) if minute > event.at_min => {
                event.for_min = Some(event.for_min.unwrap_or(f64::INFINITY).min(minute - event.at_min));
            }
            Some(FirstChange::Ends) | None => {}
        }
    }
}

/// The things that can happen.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Happening {
    /// The load grows to `factor` times, on a ramp of `over_min` minutes.
    Load {
        /// Times the normal load.
        factor: f64,
        /// Minutes until it is there.
        #[serde(default)]
        over_min: f64,
    },
    /// The load swings between 1 and `factor` times in a sawtooth.
    Sawtooth {
        /// Times the normal load at the top.
        factor: f64,
        /// Minutes from top to top.
        period_min: f64,
    },
    /// Every instance leaks memory from now on, or from its launch if that is later.
    Leak {
        /// Per cent of its memory, each minute.
        pct_per_min: f64,
    },
    /// Every task of the workers leaks memory from now on, or from its start if that is later.
    WorkerLeak {
        /// Per cent of its memory, each minute.
        pct_per_min: f64,
    },
    /// One instance becomes sick and stays so as long as it lives.
    SickInstance {
        /// Which one, counted from 0 in the order of their ids.
        #[serde(default)]
        index: usize,
        /// Times the normal service time.
        slowdown: f64,
        /// Share of its answers that are errors, in per cent.
        error_pct: f64,
    },
    /// A faulty job fills the cache's memory with entries that nobody asks for, so that nothing useful can be stored.
    PoisonCache {},
    /// A job asks the cache for entries that nobody has stored: this share of all look-ups misses.
    ColdKeys {
        /// Share of the look-ups, 0 to 1.
        share: f64,
    },
    /// The application sends `factor` times as many messages.
    Messages {
        /// Times the normal rate.
        factor: f64,
    },
    /// The database gets slower: a noisy neighbour takes capacity, or queries wait for each other's locks.
    Database {
        /// Times its normal capacity.
        #[serde(default = "one")]
        capacity_factor: f64,
        /// Times its normal cost of queries that wait for each other. Beyond 1, its pools fill up at once.
        #[serde(default = "one")]
        contention_factor: f64,
    },
    /// A service that the application calls, and that nothing here can mend, gets slow and fails.
    Dependency {
        /// Added to each call, in milliseconds.
        latency_ms: f64,
        /// Share of calls that fail, in per cent.
        error_pct: f64,
    },
    /// The application's metrics stop arriving. It goes on living.
    MetricsStop {},
    /// So many alarms of the application go off within a minute.
    AlarmStorm {
        /// How many.
        alarms: u32,
    },
}

fn one() -> f64 {
    1.0
}

/// Whether measurements reach CloudWatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metrics {
    /// They arrive.
    Arrive,
    /// They don't.
    Stopped,
}

/// All events together, as they stand at a minute.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// Times the normal load.
    pub load: f64,
    /// Leak in per cent of memory a minute, and the minute since which.
    pub leak: Option<(f64, f64)>,
    /// The same of the workers' tasks.
    pub worker_leak: Option<(f64, f64)>,
    /// Sick instances: index, slowdown, error share (0 to 1), minute since which.
    pub sick: Vec<(usize, f64, f64, f64)>,
    /// Share of the look-ups for what may be in the cache.
    pub warm_keys: f64,
    /// Times the normal message rate.
    pub messages: f64,
    /// Times the database's normal capacity.
    pub db_capacity: f64,
    /// Times the database's normal contention.
    pub db_contention: f64,
    /// Added to each call of the dependency, in milliseconds.
    pub dependency_ms: f64,
    /// Share of dependency calls that fail, 0 to 1.
    pub dependency_errors: f64,
    /// Whether measurements reach CloudWatch.
    pub metrics: Metrics,
}

impl Default for Effects {
    fn default() -> Self {
        Self {
            load: 1.0,
            leak: None,
            worker_leak: None,
            sick: Vec::new(),
            warm_keys: 1.0,
            messages: 1.0,
            db_capacity: 1.0,
            db_contention: 1.0,
            dependency_ms: 0.0,
            dependency_errors: 0.0,
            metrics: Metrics::Arrive,
        }
    }
}

/// The sum of all events at a minute.
pub fn at(events: &[Event], minute: f64) -> Effects {
    let mut effects = Effects::default();
    for event in events {
        let ended = event.for_min.is_some_and(|for_min| minute >= event.at_min + for_min);
        let is_to_come = event.first_change == Some(FirstChange::Begins);
        if minute < event.at_min || ended || is_to_come {
            continue;
        }
        apply(&mut effects, event, minute);
    }
    effects
}

fn apply(effects: &mut Effects, event: &Event, minute: f64) {
    let since = minute - event.at_min;
    match &event.happens {
        Happening::Load { factor, over_min } => {
            let share = if *over_min > 0.0 { (since / over_min).min(1.0) } else { 1.0 };
            effects.load *= 1.0 + (factor - 1.0) * share;
        }
        Happening::Sawtooth { factor, period_min } => {
            let phase = (since / period_min.max(1.0)).fract();
            effects.load *= 1.0 + (factor - 1.0) * phase;
        }
        Happening::Leak { pct_per_min } => effects.leak = Some((*pct_per_min, event.at_min)),
        Happening::WorkerLeak { pct_per_min } => effects.worker_leak = Some((*pct_per_min, event.at_min)),
        Happening::SickInstance { index, slowdown, error_pct } => {
            effects.sick.push((*index, *slowdown, error_pct / 100.0, event.at_min));
        }
        Happening::ColdKeys { share } => effects.warm_keys *= 1.0 - share,
        Happening::Messages { factor } => effects.messages *= factor,
        Happening::Database { capacity_factor, contention_factor } => {
            effects.db_capacity *= capacity_factor;
            effects.db_contention *= contention_factor;
        }
        Happening::Dependency { latency_ms, error_pct } => {
            effects.dependency_ms += latency_ms;
            effects.dependency_errors = (effects.dependency_errors + error_pct / 100.0).min(1.0);
        }
        Happening::MetricsStop {} => effects.metrics = Metrics::Stopped,
        // These two act on the real cache and the real alarms: the studio does them.
        Happening::PoisonCache {} | Happening::AlarmStorm { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_min: f64, for_min: Option<f64>, happens: Happening) -> Event {
        Event { at_min, for_min, first_change: None, weekly: false, happens }
    }

    #[test]
    fn a_ramp_reaches_its_factor_and_ends_with_its_event() {
        let events = [event(10.0, Some(20.0), Happening::Load { factor: 3.0, over_min: 4.0 })];
        assert_eq!(at(&events, 9.0).load, 1.0);
        assert_eq!(at(&events, 12.0).load, 2.0);
        assert_eq!(at(&events, 20.0).load, 3.0);
        assert_eq!(at(&events, 30.0).load, 1.0);
    }

    #[test]
    fn events_add_up() {
        let events = [
            event(0.0, None, Happening::Dependency { latency_ms: 100.0, error_pct: 5.0 }),
            event(1.0, None, Happening::Dependency { latency_ms: 50.0, error_pct: 5.0 }),
            event(1.0, None, Happening::MetricsStop {}),
        ];
        let effects = at(&events, 2.0);
        assert_eq!(effects.dependency_ms, 150.0);
        assert!((effects.dependency_errors - 0.1).abs() < 1e-9);
        assert_eq!(effects.metrics, Metrics::Stopped);
    }
}
