//! JSON documents in the artifact store, typed.

use crate::ports::Artifacts;
use crate::step::StepError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a document.
///
/// # Errors
/// Whatever the store says; [`StepError::Bug`] when the value can't be written as JSON.
pub async fn put<T: Serialize + Sync>(store: &dyn Artifacts, key: &str, value: &T) -> Result<(), StepError> {
    let body = serde_json::to_vec(value).map_err(|error| StepError::Bug(format!("{key} can't be written: {error}")))?;
    Ok(store.put(key, body).await?)
}

/// Reads a document, or `None` when there is none.
///
/// # Errors
/// Whatever the store says; [`StepError::Bug`] when the document does not have the expected shape.
pub async fn get<T: DeserializeOwned>(store: &dyn Artifacts, key: &str) -> Result<Option<T>, StepError> {
    let Some(body) = store.get(key).await? else { return Ok(None) };
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| StepError::Bug(format!("{key} is not what it should be: {error}")))
}

/// Reads a document that an earlier step must have written.
///
/// # Errors
/// As [`get`], and [`StepError::Stale`] when it is not there.
pub async fn need<T: DeserializeOwned>(store: &dyn Artifacts, key: &str) -> Result<T, StepError> {
    get(store, key)
        .await?
        .ok_or_else(|| StepError::Stale(format!("{key} is not there: the step before has not written it")))
}
