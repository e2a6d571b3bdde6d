//! The page and the widget through which people answer: `GET` shows, `POST` acts, since mail scanners open links.
//!
//! Behind a function URL anybody may call it, so it trusts nothing but a signed link. As a widget of the CloudWatch
//! dashboard it is called with the person's own IAM rights. Both lead to [`answering`], where an answer counts once.

pub mod answering;
mod view;
mod web;
mod widget;

use engine::ports::{Approvals, Clock, Executions, Runs, SigningKey, Waker};
use engine::step::StepError;
use serde_json::Value;

/// What the page needs of the world.
pub struct World<'a> {
    /// Time.
    pub clock: &'a dyn Clock,
    /// Questions.
    pub approvals: &'a dyn Approvals,
    /// Wakes the run that waits.
    pub waker: &'a dyn Waker,
    /// Key of the links.
    pub signing_key: &'a dyn SigningKey,
    /// The newest runs, for the widget.
    pub runs: &'a dyn Runs,
    /// Their records.
    pub executions: &'a dyn Executions,
    /// ARN under which the widget's buttons call this function again.
    pub function_arn: &'a str,
}

/// Answers one call: of a browser through the function URL, or of the dashboard.
///
/// # Errors
/// [`StepError::Config`] for an event that is neither; a browser gets even a failure as a page.
pub async fn respond(event: Value, world: &World<'_>) -> Result<Value, StepError> {
    if event.pointer("/requestContext/http/method").is_some() {
        return Ok(web::respond(&event, world).await);
    }
    if event.get("describe").and_then(Value::as_bool) == Some(true) {
        return Ok(Value::String(widget::DESCRIPTION.to_owned()));
    }
    if event.get("widgetContext").is_some() {
        return Ok(Value::String(widget::render(&event, world).await?));
    }
    Err(StepError::Config(
        "this is neither a request through the function URL nor a call of the CloudWatch dashboard".to_owned(),
    ))
}
