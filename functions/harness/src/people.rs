//! People who answer the questions of a run, on the page and on the command line.

use crate::Shop;
use crate::machine::{Ended, Machine};
use domain::approval::Via;
use engine::ports::PortResult;
use lifecycle::page::{self, answering};
use serde_json::Value;
use testkit::{End, Process, run_to_end};

/// Where the faults of taking an answer on the page are planned, and its calls counted.
pub const PAGE: &str = "the page";
/// Seconds after which somebody tries again.
const AGAIN_S: u32 = 10;

/// Stands for all changes that are asked about.
const ALL: &str = "all";

/// What a person does about a question.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers by the link, so many seconds later.
    Link(answering::Given, u32),
    /// Completes the task on the command line.
    CommandLine(Value),
}

impl Reply {
    /// A yes to these changes by the link, two minutes later.
    pub fn yes(changes: &[&str]) -> Self {
        let changes = changes.iter().map(|id| (*id).to_owned()).collect();
        Self::Link(given("approve", changes), 120)
    }

    /// A yes by the link to all that is asked, two minutes later.
    pub fn yes_to_all() -> Self {
        Self::yes(&[ALL])
    }

    /// A no by the link.
    pub fn no() -> Self {
        Self::Link(given("deny", Vec::new()), 120)
    }
}

fn given(decision: &str, changes: Vec<String>) -> answering::Given {
    answering::Given { decision: decision.to_owned(), changes, by: "Ada".to_owned(), remark: "as agreed".to_owned() }
}

impl<S: Shop> Machine<'_, S> {
    /// What wakes a run that has asked; `None` when nobody says anything in time.
    pub(crate) fn answered(&mut self, input: &Value, token: &str, ended: &mut Ended<S>) -> Option<Value> {
        let within = u32::try_from(input["answer_within_s"].as_u64().expect("the run says how long it waits")).unwrap();
        let until = self.shop.world().now() + jiff::SignedDuration::from_secs(i64::from(within));
        let said = if self.people.is_empty() { None } else { Some(self.people.remove(0)) };
        let woken = match said {
            None => None,
            Some(Reply::CommandLine(said)) => {
                self.shop.world().pass_s(120);
                return Some(said);
            }
            Some(Reply::Link(given, after_s)) => {
                self.shop.world().pass_s(after_s);
                self.press(&given, ended);
                let woken = self.shop.world().woken().into_iter().find(|(woken, _)| woken == token);
                woken.map(|(_, output)| serde_json::from_str(&output).unwrap())
            }
        };
        if woken.is_none() {
            let left_s = self.shop.world().now().duration_until(until).as_secs();
            self.shop.world().pass_s(u32::try_from(left_s).unwrap_or(0) + 1);
        }
        woken
    }

    /// Answers on the page, once more where it did not work.
    fn press(&mut self, given: &answering::Given, ended: &mut Ended<S>) {
        for _ in 0..2 {
            let process = self.process(PAGE);
            let end = run_to_end(&process, self.take(given, &process));
            ended.note(PAGE, &process);
            ended.keep(self.page.take(), &process);
            if matches!(end, End::Finished(Ok(_))) || !self.people_insist {
                return;
            }
            self.shop.world().pass_s(AGAIN_S);
        }
    }

    async fn take(&self, given: &answering::Given, process: &Process) -> PortResult<answering::Ending> {
        let request = self.shop.world().requests().pop().expect("a question was asked");
        let all = || request.questions.iter().map(|question| question.change.to_string()).collect();
        let changes = if given.changes == [ALL] { all() } else { given.changes.clone() };
        let given = &answering::Given { changes, ..given.clone() };
        let ports = page::World {
            clock: process,
            approvals: process,
            waker: process,
            signing_key: process,
            runs: process,
            executions: process,
            function_arn: "arn",
        };
        answering::take(&request.app, &request.id, given, Via::Link, &ports).await
    }
}
