//! How a step of a run is delivered: once, twice, or twice at once, by processes that may be struck.

use super::{Caught, Ended, Machine, Stop};
use crate::{PAGE, Shop, shared};
use engine::step::StepError;
use serde_json::{Value, json};
use std::pin::Pin;
use testkit::asl::{self, is_question};
use testkit::{End, Fault, Process, interleave, run_to_end};

/// More calls than any invocation makes.
const CALLS_MAX: usize = 2_000;
/// Seconds by which Step Functions waits longer for a function than the function may take.
const MARGIN_S: u64 = 5;
/// Seconds that the function may take which asks people.
const ASK_S: u32 = 30;

/// How often each step is delivered.
#[derive(Clone, Copy, Debug)]
pub(super) enum Delivery {
    /// As it should be.
    Once,
    /// One after the other; the second answer counts.
    Twice,
    /// Both at once, in these states, in an order that the seed decides.
    AtOnce(u64, &'static [&'static str]),
}

impl<S: Shop> Machine<'_, S> {
    /// One delivery: a process that answers, fails or dies; or the same twice.
    pub(super) fn deliver(
        &mut self,
        name: &str,
        state: &Value,
        input: &Value,
        payload: &Value,
        ended: &mut Ended<S>,
    ) -> Result<Value, Caught> {
        let invocation = Invocation { function: asl::function(state), time_out_s: time_out_s(state), payload };
        if let Delivery::AtOnce(seed, states) = self.delivery
            && states.contains(&name)
        {
            return self.both(seed, &invocation);
        }
        let stop = self.is_recorded.then(|| self.stop(name, name, input));
        self.page = (self.is_recorded && is_question(state)).then(|| self.stop(PAGE, name, input));
        let process = self.process(name).with_time_out(invocation.time_out_s);
        let first = self.invoke(&process, &invocation);
        ended.note(name, &process);
        ended.keep(stop, &process);
        if !matches!(self.delivery, Delivery::Twice) {
            return first;
        }
        self.invoke(&Process::sound(self.shop.world()).with_time_out(invocation.time_out_s), &invocation)
    }

    /// The run as it stands before the next invocation.
    fn stop(&self, place: &str, state: &str, input: &Value) -> Stop<S> {
        Stop {
            place: place.to_owned(),
            calls: Vec::new(),
            shop: self.shop.fork(self.shop.config().clone()),
            state: state.to_owned(),
            input: input.clone(),
            people: self.people.clone(),
            attempts: self.attempts - 1,
        }
    }

    fn invoke(&self, process: &Process, invocation: &Invocation<'_>) -> Result<Value, Caught> {
        self.shop.catch_up();
        let work = shared::step(self.shop, process, &invocation.function, invocation.payload.clone());
        said(run_to_end(process, work), process)
    }

    /// The same invocation twice at once.
    fn both(&self, seed: u64, invocation: &Invocation<'_>) -> Result<Value, Caught> {
        self.shop.catch_up();
        let world = self.shop.world();
        let processes = [0, 1].map(|_| Process::sound(world).with_time_out(invocation.time_out_s));
        // From the seed and the attempt, so that each pair falls between each other in another way.
        let mut random = order(seed.wrapping_mul(1_000).wrapping_add(u64::from(self.attempts)));
        let counts = random(2);
        let fibers = processes.iter().map(|process| {
            let work = shared::step(self.shop, process, &invocation.function, invocation.payload.clone());
            let work: Pin<Box<dyn Future<Output = _>>> = Box::pin(work);
            (process, work)
        });
        let mut ends = interleave(fibers.collect(), random);
        said(ends.swap_remove(counts), &processes[counts])
    }

    /// The process of the next invocation in a place, with the fault that is planned for it.
    pub(crate) fn process(&mut self, place: &str) -> Process {
        self.is_throttled |= self.throttled_from == Some(place);
        if self.is_throttled {
            let all = (0..CALLS_MAX).map(|call| (call, Fault::Throttle));
            return Process::with(self.shop.world(), all).working_for(self.name, jiff::SignedDuration::ZERO);
        }
        let process = Process::with(self.shop.world(), self.faults.remove(place)).failing_at(self.struck.remove(place));
        process.working_for(self.name, jiff::SignedDuration::ZERO)
    }
}

/// What a task invokes.
struct Invocation<'a> {
    function: String,
    time_out_s: u32,
    payload: &'a Value,
}

/// Seconds that the function of a state may take: a little less than Step Functions waits.
fn time_out_s(state: &Value) -> u32 {
    match state["TimeoutSeconds"].as_u64() {
        Some(seconds) => u32::try_from(seconds - MARGIN_S).unwrap(),
        None => ASK_S,
    }
}

/// Numbers below a bound, the same ones for the same seed.
fn order(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    }
}

fn said(end: End<Result<Value, StepError>>, process: &Process) -> Result<Value, Caught> {
    match end {
        End::Finished(Ok(output)) => Ok(output),
        End::Finished(Err(error)) => {
            let cause = json!({"errorType": error.name(), "errorMessage": error.to_string()});
            Err((error.name().to_owned(), cause.to_string()))
        }
        End::Crashed if process.has_timed_out() => {
            Err(("Sandbox.Timedout".to_owned(), "the time of the function is over".to_owned()))
        }
        End::Crashed => Err(("Runtime.ExitError".to_owned(), "the process has died".to_owned())),
    }
}
