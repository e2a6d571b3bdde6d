//! Runs processes one call at a time, in an order that a seed decides, and lets them die where a fault says so.
//!
//! A process dies by its future being dropped at that call: nothing of it runs afterwards, as after a crash.

use crate::fault::Process;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// More calls than any test makes: a process that is still running then is stuck.
const POLLS_MAX: usize = 100_000;

/// How a process ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End<T> {
    /// It came to its end.
    Finished(T),
    /// It died at a call.
    Crashed,
}

impl<T> End<T> {
    /// What it ended with, unless it died.
    pub fn finished(self) -> Option<T> {
        match self {
            Self::Finished(value) => Some(value),
            Self::Crashed => None,
        }
    }
}

/// A process with what it does.
pub type Fiber<'a, T> = (&'a Process, Pin<Box<dyn Future<Output = T> + 'a>>);

/// Runs one process to its end or its death.
pub fn run_to_end<'a, T>(process: &'a Process, work: impl Future<Output = T> + 'a) -> End<T> {
    let mut ends = interleave(vec![(process, Box::pin(work))], |_| 0);
    ends.pop().expect("one process has one end")
}

/// Runs processes at the same time. Before each step `choose` picks one of the given number that still run.
pub fn interleave<T>(fibers: Vec<Fiber<'_, T>>, mut choose: impl FnMut(usize) -> usize) -> Vec<End<T>> {
    let mut ends: Vec<Option<End<T>>> = fibers.iter().map(|_| None).collect();
    let mut running: Vec<(usize, Fiber<'_, T>)> = fibers.into_iter().enumerate().collect();
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..POLLS_MAX {
        if running.is_empty() {
            break;
        }
        let turn = choose(running.len());
        let (place, (process, work)) = &mut running[turn];
        let end = match work.as_mut().poll(&mut context) {
            Poll::Ready(value) => Some(End::Finished(value)),
            Poll::Pending if process.has_crashed() => Some(End::Crashed),
            Poll::Pending => None,
        };
        if let Some(end) = end {
            ends[*place] = Some(end);
            let _dropped = running.swap_remove(turn);
        }
    }
    ends.into_iter().map(|end| end.expect("a process is stuck")).collect()
}

/// Gives way once, so that another process can come between two calls.
pub async fn give_way() {
    let mut has_given_way = false;
    std::future::poll_fn(move |context| {
        if has_given_way {
            return Poll::Ready(());
        }
        has_given_way = true;
        // What runs several futures at once, as streams do, polls only those that have woken it.
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
