//! A person with a phone: opens the link of a question, reads the page, and answers by its form.

use crate::scenario::{Person, Says};
use std::process::Command;
use std::time::Duration;
use tokio::task::JoinHandle;

/// What a visit came to: words for the story, or why it failed.
pub type Visit = JoinHandle<Result<String, String>>;

/// The link in a question, if the message is one.
pub fn link(message: &str) -> Option<&str> {
    message.lines().map(str::trim).find(|line| line.starts_with("https://") && line.contains("&sign="))
}

/// Goes to the page behind a link after a while and answers. The local cloud serves a function URL under a path of its own.
pub fn visit(person: &Person, link: &str, endpoint: &str, speed: f64) -> Visit {
    let pause = Duration::from_secs_f64(60.0 * person.after_min / speed);
    let (says, address) = (person.says, local(link, endpoint));
    tokio::spawn(async move {
        tokio::time::sleep(pause).await;
        let address = address?;
        tokio::task::spawn_blocking(move || answer(&address, says)).await.map_err(|error| error.to_string())?
    })
}

/// `https://<id>.lambda-url.<region>.on.aws/?…` as the local cloud has it.
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
    let mut arguments =
        vec!["--data-urlencode".to_owned(), "by=Ada".to_owned(), "--data-urlencode".to_owned(), decision.to_owned()];
    for change in &changes {
        arguments.extend(["--data-urlencode".to_owned(), format!("change={change}")]);
    }
    arguments.push(address.to_owned());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (status, page) = curl(&arguments)?;
    let (repeated, _) = curl(&arguments)?;
    if (status, repeated) != (200, 409) {
        let title = page.split("<h1>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
        return Err(format!("the answer gets {status} ({title}), and once more {repeated}"));
    }
    let word = match says {
        Says::Yes => "yes",
        Says::No => "no",
    };
    Ok(format!("opens the link and says {word} to {} change(s)", changes.len()))
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
