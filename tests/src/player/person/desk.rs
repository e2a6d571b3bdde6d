//! Ways to answer at a desk, as `docs/approvals.md` has them: the widget of the dashboard, and the command line.
//!
//! The dashboard calls what its own definition names and sends what its own buttons hold, as CloudWatch does; the command
//! line makes the two calls of the two documented commands.

use super::{NAME, REMARK, word};
use crate::player::stack::Stack;
use crate::scenario::Says;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sfn::error::DisplayErrorContext;
use serde_json::{Value, json};

fn failed<E: std::error::Error>(doing: &'static str) -> impl FnOnce(E) -> String {
    move |error| format!("{doing}: {}", DisplayErrorContext(&error))
}

/// Application and request of a link.
fn named(link: &str) -> Result<(String, String), String> {
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let field = |name: &str| {
        let found = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).ok_or_else(|| format!("{link} has no {name}"))
    };
    Ok((field("app")?, field("request")?))
}

/// Finds the question on the dashboard, fills in name and remark, and presses its button, twice.
pub(super) async fn press_button(stack: &Stack, link: &str, says: Says) -> Result<String, String> {
    let (app, request) = named(link)?;
    let function = widget(stack).await?;
    let blank = json!({"widgetContext": {"dashboardName": "maintainer", "forms": {"all": {}}}});
    let shown = call(stack, &function, blank).await?;
    let buttons = buttons(&shown, &function);
    let wanted = match says {
        Says::Yes => "approve",
        Says::No => "deny",
    };
    let is_it = |button: &&Value| {
        let of = &button["answer"];
        of["app"] == app.as_str() && of["request"] == request.as_str() && of["decision"] == wanted
    };
    let button = buttons.iter().find(is_it).ok_or_else(|| format!("no button to {wanted} {request} in:\n{shown}"))?;
    let mut pressed = button.clone();
    pressed["widgetContext"] = json!({"forms": {"all": {"by": NAME, "remark": REMARK}}});
    let after = call(stack, &function, pressed.clone()).await?;
    if buttons_of(&after, &function, &request) > 0 {
        return Err(format!("the question {request} is still open:\n{after}"));
    }
    let again = call(stack, &function, pressed).await?;
    if !again.contains("is closed already") {
        return Err(format!("the button counts twice:\n{again}"));
    }
    Ok(format!("says {} on the dashboard, among {} button(s)", word(says), buttons.len()))
}

/// The function that the stack's dashboard shows.
async fn widget(stack: &Stack) -> Result<String, String> {
    let (_, name) = stack.outputs.dashboard_url.rsplit_once('/').unwrap_or_default();
    let found = stack.cloud.cloudwatch().get_dashboard().dashboard_name(name).send().await;
    let body = found.map_err(failed("read the dashboard"))?;
    let body: Value = serde_json::from_str(body.dashboard_body().unwrap_or_default()).map_err(|e| e.to_string())?;
    let endpoint = |widget: &Value| widget.pointer("/properties/endpoint").and_then(Value::as_str).map(str::to_owned);
    let widgets = body["widgets"].as_array().into_iter().flatten();
    let mut custom = widgets.filter(|widget| widget["type"] == "custom");
    custom.find_map(endpoint).ok_or_else(|| format!("the dashboard {name} has no widget of ours"))
}

async fn call(stack: &Stack, function: &str, event: Value) -> Result<String, String> {
    let payload = event.to_string().into_bytes().into();
    let said = stack.cloud.lambda().invoke().function_name(function).payload(payload).send().await;
    let said = said.map_err(failed("call the widget"))?;
    let body = said.payload().map(|payload| payload.as_ref().to_vec()).unwrap_or_default();
    if said.function_error().is_some() {
        return Err(format!("the widget fails: {}", String::from_utf8_lossy(&body)));
    }
    serde_json::from_slice(&body).map_err(|error| format!("the widget is no text: {error}"))
}

/// What the buttons send that call the function again.
fn buttons(page: &str, function: &str) -> Vec<Value> {
    let actions = page.split("<cwdb-action ").skip(1).filter_map(|rest| rest.split("</cwdb-action>").next());
    let ours = actions.filter(|action| action.contains(&format!("endpoint=\"{function}\"")));
    let parameters = ours.filter_map(|action| action.split_once('>')).map(|(_, parameters)| unescaped(parameters));
    parameters.filter_map(|parameters| serde_json::from_str(&parameters).ok()).collect()
}

/// As a browser reads text.
fn unescaped(text: &str) -> String {
    text.replace("&#34;", "\"").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

fn buttons_of(page: &str, function: &str, request: &str) -> usize {
    buttons(page, function).iter().filter(|button| button["answer"]["request"] == request).count()
}

/// Reads the task token and completes the task, twice: `dynamodb get-item`, then `stepfunctions send-task-success`.
pub(super) async fn send_answer(stack: &Stack, link: &str, says: Says) -> Result<String, String> {
    let (app, request) = named(link)?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let get = stack.cloud.dynamodb().get_item().table_name(&stack.outputs.approvals_table);
    let found = get.key("app", text(&app)).key("request_id", text(&request)).send().await;
    let found = found.map_err(failed("read the question"))?;
    let token = found.item().and_then(|item| item.get("task_token")).and_then(|token| token.as_s().ok());
    let token = token.ok_or_else(|| format!("the question {request} has no task token"))?;
    let output = json!({"approved": says == Says::Yes, "by": NAME, "remark": REMARK}).to_string();
    let send = || stack.cloud.sfn().send_task_success().task_token(token).output(&output).send();
    send().await.map_err(failed("send the answer"))?;
    match send().await {
        Ok(_) => Err("the token counts twice".to_owned()),
        Err(_) => Ok(format!("says {} on the command line", word(says))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_are_read_as_cloudwatch_does() {
        let page = "<a class=\"btn\">Yes</a><cwdb-action action=\"call\" endpoint=\"arn:f\" confirmation=\"Sure?\">\
            {&#34;answer&#34;:{&#34;app&#34;:&#34;shop&#34;,&#34;request&#34;:&#34;r.1&#34;}}</cwdb-action>\
            <cwdb-action endpoint=\"arn:other\">{}</cwdb-action>";
        assert_eq!(buttons(page, "arn:f"), [json!({"answer": {"app": "shop", "request": "r.1"}})]);
        assert_eq!((buttons_of(page, "arn:f", "r.1"), buttons_of(page, "arn:f", "r.2")), (1, 0));
    }

    #[test]
    fn a_link_names_its_question() {
        let named = named("https://x.lambda-url.us-east-1.on.aws/?app=shop&request=health-1.2&sign=0").unwrap();
        assert_eq!(named, ("shop".to_owned(), "health-1.2".to_owned()));
        assert!(super::named("https://x/").is_err());
    }
}
