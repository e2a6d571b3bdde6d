//! A person who answers a question: with a phone by the form behind its link, or at a desk (`desk`).

mod desk;

use super::stack::Stack;
use crate::scenario::{Person, Says};
use domain::approval::Via;
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinHandle;

/// What a visit came to: words for the story, or why it failed.
pub type Visit = JoinHandle<Result<String, String>>;

/// The link in a question, if the message is one.
pub fn link(message: &str) -> Option<&str> {
    message.lines().map(str::trim).find(|line| line.starts_with("https://") && line.contains("&sign="))
}

/// What the person types where a name and a remark are asked for.
pub const NAME: &str = "Ada";
/// See [`NAME`].
pub const REMARK: &str = "as agreed";

/// Answers the question with this link after a while, in the person's way.
pub fn visit(person: &Person, link: &str, stack: &Stack) -> Visit {
    let pause = Duration::from_secs_f64(60.0 * person.after_min / stack.cloud.clock.speed);
    let (says, via, link, stack) = (person.says, person.via, link.to_owned(), stack.clone());
    tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        match via {
            Via::Link => {
                let address = local(&link, &stack.cloud.state.endpoint)?;
                tokio::task::spawn_blocking(move || answer(&address, says)).await.map_err(|error| error.to_string())?
            }
            Via::Dashboard => desk::press_button(&stack, &link, says).await,
            Via::CommandLine => desk::send_answer(&stack, &link, says).await,
        }
    })
}

/// `https://<id>.lambda-url.<region>.on.aws/?…` as the local cloud has it, which serves function URLs under a path of its own.
fn local(link: &str, endpoint: &str) -> Result<String, String> {
    let rest = link.strip_prefix("https://").unwrap_or(link);
    let (id, query) =
        rest.split_once(".lambda-url.").zip(rest.split_once('?')).map_or(("", ""), |(host, query)| (host.0, query.1));
    if id.is_empty() {
        Err(format!("{link} is no function URL"))
    } else {
        Ok(format!("{endpoint}/_aws/lambda-url/{id}/?{query}"))
    }
}

fn answer(address: &str, says: Says) -> Result<String, String> {
    // A mail scanner opens it first: looking must not decide anything.
    let (status, _) = curl(&[address])?;
    let (again, page) = curl(&[address])?;
    if (status, again) != (200, 200) {
        return Err(format!("the page answers {status}, then {again}"));
    }
    let changes: Vec<&str> =
        page.split("name=\"change\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let decision = match says {
        Says::Yes => "decision=approve",
        Says::No => "decision=deny",
    };
    let fields = [format!("by={NAME}"), format!("remark={REMARK}"), decision.to_owned()];
    let fields = fields.into_iter().chain(changes.iter().map(|change| format!("change={change}")));
    let mut arguments: Vec<String> = fields.flat_map(|field| ["--data-urlencode".to_owned(), field]).collect();
    arguments.push(address.to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (status, page) = curl(&arguments)?;
    let (repeated, _) = curl(&arguments)?;
    if (status, repeated) != (200, 409) {
        let title = page.split("<h1>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
        return Err(format!("the answer gets {status} ({title}), and once more {repeated}"));
    }
    Ok(format!("opens the link and says {} to {} change(s)", word(says), changes.len()))
}

fn word(says: Says) -> &'static str {
    match says {
        Says::Yes => "yes",
        Says::No => "no",
    }
}

/// Status and body of a request by `curl`.
///
/// # Errors
/// When there is no answer.
pub(super) fn curl(arguments: &[&str]) -> Result<(u16, String), String> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "30", "--write-out", "\n%{http_code}"])
        .args(arguments)
        .output()
        .map_err(|error| format!("curl can't be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (page, status) = text.rsplit_once('\n').ok_or("curl says nothing")?;
    Ok((status.parse().map_err(|_| format!("no status: {status}"))?, page.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_of_a_question_is_found_and_leads_to_the_local_cloud() {
        let text =
            "shop: may I …\n\nYes or no, until noon:\nhttps://abc.lambda-url.us-east-1.on.aws/?app=shop&sign=00\n";
        let found = link(text).unwrap();
        assert_eq!(
            local(found, "http://127.0.0.1:1").unwrap(),
            "http://127.0.0.1:1/_aws/lambda-url/abc/?app=shop&sign=00"
        );
        assert_eq!(link("shop needs a person\nhttps://console.aws.amazon.com/\n"), None);
    }
}
