//! Reads a plan as `EXPLAIN (FORMAT JSON)` writes it.

use serde_json::Value;
use std::collections::BTreeSet;

/// Cost of a plan and the names of the indexes it uses; `None` for what is no plan.
pub(crate) fn read(plan: &Value) -> Option<(f64, BTreeSet<String>)> {
    let plan = plan.get(0)?.get("Plan")?;
    let cost = plan.get("Total Cost")?.as_f64()?;
    let mut indexes = BTreeSet::new();
    let mut open = vec![plan];
    while let Some(node) = open.pop() {
        if let Some(name) = node.get("Index Name").and_then(Value::as_str) {
            indexes.insert(name.to_owned());
        }
        open.extend(node.get("Plans").and_then(Value::as_array).into_iter().flatten());
    }
    Some((cost, indexes))
}
