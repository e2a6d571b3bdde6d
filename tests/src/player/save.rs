//! Saves the whole record of a scenario's runs as files, so that it can be read after the local cloud is gone.

use super::records::Records;
use super::stack::{Stack, StackError};
use super::watch::Watch;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Writes records, journal and artifacts of an application under `directory/<app>`; gives that directory.
///
/// # Errors
/// When the cloud or the disk does not give.
pub async fn save(stack: &Stack, watch: &Watch, directory: &Path) -> Result<PathBuf, StackError> {
    let home = directory.join(&watch.app);
    let failed = StackError::call::<io::Error>;
    let shown = home.display().to_string();
    // What an earlier playing left would be read as part of this one.
    fs::remove_dir_all(&home).ok();
    fs::create_dir_all(&home).map_err(failed("save", &shown))?;
    let records = Records::new(stack);
    for (table, file) in
        [(&stack.outputs.executions_table, "executions.jsonl"), (&stack.outputs.changes_table, "changes.jsonl")]
    {
        let text = lines(stack, table, &watch.app).await?;
        fs::write(home.join(file), text).map_err(failed("save", &shown))?;
    }
    for run in &watch.runs {
        for (key, _) in records.keys(&watch.app, run.execution_id.as_str()).await? {
            let body = records.body(&key).await?;
            let path = home.join(key.trim_start_matches(&format!("runs/{}/", watch.app)));
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent).map_err(failed("save", &shown))?;
            }
            let text = match serde_json::from_slice::<Value>(&body) {
                Ok(json) => format!("{json:#}\n").into_bytes(),
                Err(_) => body,
            };
            fs::write(path, text).map_err(failed("save", &shown))?;
        }
    }
    for (number, told) in (1..).zip(&watch.told) {
        let text = format!("{}\n\n{}\n", told.subject.as_deref().unwrap_or_default(), told.message);
        fs::write(home.join(format!("message-{number}.txt")), text).map_err(failed("save", &shown))?;
    }
    Ok(home)
}

async fn lines(stack: &Stack, table: &str, app: &str) -> Result<String, StackError> {
    let scan = stack
        .cloud
        .dynamodb()
        .scan()
        .table_name(table)
        .filter_expression("app = :app")
        .expression_attribute_values(":app", AttributeValue::S(app.to_owned()));
    let mut pages = scan.into_paginator().items().send();
    let mut text = String::new();
    while let Some(item) = pages.next().await {
        let item = item.map_err(StackError::call("Scan", table))?;
        if let Some(record) = item.get("record").and_then(|record| record.as_s().ok()) {
            text.push_str(record);
            text.push('\n');
        }
    }
    Ok(text)
}
