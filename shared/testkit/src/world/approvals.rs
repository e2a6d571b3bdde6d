//! Questions to people with their conditions, the runs that wait for answers, and the key of the links.

use super::World;
use async_trait::async_trait;
use domain::approval::{Request, RequestState};
use domain::ids::{AppId, ExecutionId, RequestId};
use engine::ports::{Approvals, Asked, PortError, PortResult, Runs, SigningKey, Waker};
use jiff::Timestamp;

#[async_trait]
impl Approvals for World {
    async fn ask(&self, request: &Request, task_token: &str) -> PortResult<Request> {
        let mut state = self.state();
        let key = (request.app.clone(), request.id.clone());
        let new = || Asked { request: request.clone(), task_token: task_token.to_owned() };
        let asked = state.approvals.entry(key).or_insert_with(new);
        if asked.request.state == RequestState::Open {
            asked.task_token = task_token.to_owned();
        }
        Ok(asked.request.clone())
    }

    async fn read(&self, app: &AppId, id: &RequestId) -> PortResult<Option<Asked>> {
        Ok(self.state().approvals.get(&(app.clone(), id.clone())).cloned())
    }

    async fn close(&self, request: &Request) -> PortResult<()> {
        let mut state = self.state();
        match state.approvals.get_mut(&(request.app.clone(), request.id.clone())) {
            Some(asked) if asked.request.state == RequestState::Open => {
                asked.request = request.clone();
                Ok(())
            }
            // As the adapter has it: an answer that is there already and the same was written by this very call.
            Some(asked) if asked.request == *request => Ok(()),
            _ => Err(PortError::Conflict { operation: "close".to_owned(), why: "the question is not open".to_owned() }),
        }
    }

    async fn since(&self, app: &AppId, from: Timestamp) -> PortResult<Vec<Request>> {
        let mut requests = self.requests();
        requests.retain(|request| request.app == *app && request.asked_at >= from);
        Ok(requests)
    }

    async fn open(&self, most: u32) -> PortResult<Vec<Request>> {
        let mut requests = self.requests();
        requests.retain(|request| request.state == RequestState::Open);
        requests.reverse();
        requests.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        Ok(requests)
    }
}

#[async_trait]
impl Waker for World {
    async fn wake(&self, task_token: &str, output: &str) -> PortResult<()> {
        let mut state = self.state();
        let waits = state.approvals.values().any(|asked| asked.task_token == task_token);
        // As Step Functions has it: a task that is done, or timed out, can't be completed again.
        if !waits || state.woken.iter().any(|(token, _)| token == task_token) {
            return Err(PortError::Gone { operation: "wake".to_owned(), what: "the run that waited".to_owned() });
        }
        state.woken.push((task_token.to_owned(), output.to_owned()));
        Ok(())
    }
}

#[async_trait]
impl SigningKey for World {
    async fn read(&self) -> PortResult<Vec<u8>> {
        Ok(b"a key of the tests, of thirty-two bytes and more".to_vec())
    }
}

#[async_trait]
impl Runs for World {
    async fn newest(&self, most: u32) -> PortResult<Vec<ExecutionId>> {
        let state = self.state();
        let mut records: Vec<_> = state.executions.values().collect();
        records.sort_by_key(|record| std::cmp::Reverse(record.started_at));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        Ok(records.into_iter().take(most).map(|record| record.execution_id.clone()).collect())
    }
}

impl World {
    /// All questions, oldest first.
    pub fn requests(&self) -> Vec<Request> {
        let mut requests: Vec<Request> = self.state().approvals.values().map(|asked| asked.request.clone()).collect();
        requests.sort_by(|a, b| a.asked_at.cmp(&b.asked_at).then_with(|| a.id.cmp(&b.id)));
        requests
    }

    /// Runs that were woken: token and output.
    pub fn woken(&self) -> Vec<(String, String)> {
        self.state().woken.clone()
    }
}
