//! The queue: what is sent and not worked off waits.

use super::params::WorkerParams;

/// Messages that wait.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue {
    /// How many.
    depth: f64,
}

/// One minute of the queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QueueMinute {
    /// Messages sent.
    pub sent: f64,
    /// Messages worked off.
    pub deleted: f64,
    /// Messages that wait at the end.
    pub depth: f64,
    /// Age of the oldest of them, in seconds.
    pub oldest_s: f64,
    /// CPU of the workers in per cent.
    pub cpu_pct: f64,
}

impl Queue {
    /// One minute with `sent_per_s` messages offered to `tasks` running tasks.
    pub fn step(&mut self, params: &WorkerParams, tasks: f64, sent_per_s: f64) -> QueueMinute {
        let sent = 60.0 * sent_per_s;
        let capacity = 60.0 * tasks * params.per_task_per_s;
        let deleted = (self.depth + sent).min(capacity);
        self.depth = self.depth + sent - deleted;
        // First in, first out: the oldest waits as long as what is before the youngest takes.
        let oldest_s = if deleted > 0.0 { 60.0 * self.depth / deleted } else { 60.0 * self.depth / sent.max(1.0) };
        QueueMinute {
            sent,
            deleted,
            depth: self.depth,
            oldest_s,
            cpu_pct: (100.0 * deleted / capacity.max(1.0)).min(100.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_grows_under_too_few_tasks_and_drains_under_enough() {
        let params = WorkerParams::default();
        let mut queue = Queue::default();
        for _ in 0..10 {
            queue.step(&params, 3.0, 36.0);
        }
        let grown = queue.step(&params, 3.0, 36.0);
        assert!(grown.depth > 3_000.0 && grown.cpu_pct > 99.0, "{grown:?}");
        let mut drained = grown;
        for _ in 0..6 {
            drained = queue.step(&params, 5.0, 36.0);
        }
        assert_eq!(drained.depth, 0.0, "{drained:?}");
    }
}
