//! What Step Functions did: transitions, and the time that each function was at work, from the history of executions.

use crate::place::Place;
use crate::report::Failure;
use crate::template::Template;
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use domain::execution::Cycle;
use maintainer_tests::player::Stack;
use serde_json::Value;
use std::collections::BTreeMap;

/// What the executions of a cloud did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Executions.
    pub executions: u64,
    /// States entered.
    pub transitions: u64,
    /// Invocations, and seconds from entering the state to leaving it, by binary.
    pub functions: BTreeMap<String, (u64, f64)>,
}

/// Reads the history of all executions of a cycle.
///
/// # Errors
/// When the cloud refuses.
pub async fn read(stack: &Stack, place: &Place, template: &Template, cycle: Cycle) -> Result<History, Failure> {
    let states = functions_of_states(place, template, cycle)?;
    let sfn = stack.cloud.sfn();
    let machine = match cycle {
        Cycle::Health => &stack.outputs.health_state_machine_arn,
        Cycle::Cost => &stack.outputs.cost_state_machine_arn,
        Cycle::Performance => &stack.outputs.performance_state_machine_arn,
    };
    let list = sfn.list_executions().state_machine_arn(machine).send().await;
    let list = list.map_err(|error| format!("ListExecutions failed: {error:?}"))?;
    let mut history = History::default();
    for execution in list.executions() {
        history.executions += 1;
        let mut entered: BTreeMap<String, f64> = BTreeMap::new();
        let mut pages = sfn.get_execution_history().execution_arn(execution.execution_arn()).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| format!("GetExecutionHistory failed: {error:?}"))?;
            page.events().iter().for_each(|event| history.take(event, &states, &mut entered));
        }
    }
    Ok(history)
}

impl History {
    fn take(&mut self, event: &HistoryEvent, states: &BTreeMap<String, String>, entered: &mut BTreeMap<String, f64>) {
        let at_s = event.timestamp().as_secs_f64();
        if let Some(details) = event.state_entered_event_details() {
            self.transitions += 1;
            entered.insert(details.name().to_owned(), at_s);
        }
        if *event.r#type() != HistoryEventType::TaskStateExited {
            return;
        }
        let Some(name) = event.state_exited_event_details().map(|details| details.name()) else { return };
        if let (Some(binary), Some(since_s)) = (states.get(name), entered.remove(name)) {
            let (invocations, seconds) = self.functions.entry(binary.clone()).or_default();
            *invocations += 1;
            *seconds += at_s - since_s;
        }
    }
}

/// The binary that each task state calls, from the state machine and the template.
fn functions_of_states(place: &Place, template: &Template, cycle: Cycle) -> Result<BTreeMap<String, String>, Failure> {
    let path = place.root.join(format!("infra/statemachines/{cycle}.asl.json"));
    let said = |why: String| format!("{}: {why}", path.display());
    let text = std::fs::read_to_string(&path).map_err(|error| said(error.to_string()))?;
    let machine: Value = serde_json::from_str(&text).map_err(|error| said(error.to_string()))?;
    let states = machine["States"].as_object().ok_or_else(|| said("no States".to_owned()))?;
    let binary = |state: &Value| {
        let id = state["Parameters"]["FunctionName"].as_str()?.trim_start_matches("${").trim_end_matches('}');
        template.functions.iter().find(|function| function.id == id).map(|function| function.binary.clone())
    };
    Ok(states.iter().filter_map(|(name, state)| Some((name.clone(), binary(state)?))).collect())
}
