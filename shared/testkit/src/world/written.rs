//! Everything that has been written down, as text, for whoever looks for what must not be in it.

use super::World;
use serde::Serialize;

impl World {
    /// Everything that was written or sent, with its place: records, documents, messages, inputs of runs. The token of a run that waits
    /// is left out of its question: whoever answers needs it there.
    pub fn written(&self) -> Vec<(String, String)> {
        let state = self.state();
        let mut all = Vec::new();
        let mut put = |place: String, text: String| all.push((place, text));
        for (id, entry) in &state.journal {
            put(format!("journal {id}"), json(entry));
        }
        for (key, row) in &state.leases {
            put(format!("lease {key}"), json(&row.lease));
        }
        for (id, record) in &state.executions {
            put(format!("record {id}"), json(record));
        }
        for (change, result) in &state.results {
            put(format!("result {change}"), json(result));
        }
        for (change, saving) in &state.savings {
            put(format!("saving {change}"), json(saving));
        }
        for (key, body) in &state.artifacts {
            put(format!("document {key}"), String::from_utf8_lossy(body).into_owned());
        }
        for (key, episode) in &state.episodes {
            put(format!("episode {key}"), format!("{episode:?}"));
        }
        for asked in state.approvals.values() {
            put(format!("question {}", asked.request.id), json(&asked.request));
        }
        for (name, input) in &state.started {
            put(format!("start {name}"), input.clone());
        }
        for (number, message) in state.messages.iter().enumerate() {
            put(format!("message {number}"), format!("{message:?}"));
        }
        put("transitions".to_owned(), format!("{:?}", state.transitions));
        put("watch".to_owned(), format!("{:?} {:?}", state.roll, state.watched));
        all
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("a record is JSON")
}
