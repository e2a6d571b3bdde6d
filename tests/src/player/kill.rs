//! Kills a step of the maintainer in the middle of its work: after the intent of its change is in the journal, before
//! it can have written the result.
//!
//! Two calls to a local cloud are milliseconds apart, too close to hit by luck. So the process is let run in slices of a
//! few milliseconds; between two slices it stands still and the journal can be looked at in peace.

use super::records::{JournalEntry, Records};
use super::stack::StackError;
use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What became of the attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Killed {
    /// The process was killed while this change was open.
    Midway {
        /// Its process id.
        pid: u32,
        /// The change.
        change: String,
    },
    /// The step never had an open change.
    Missed,
}

/// How long a slice of the process's life is at least; sending the two signals takes longer than that.
const SLICE: Duration = Duration::from_millis(1);

/// Waits for the step to work on this application and kills it midway; gives up at the deadline.
///
/// # Errors
/// When the journal can't be read.
pub async fn midway(
    records: &Records,
    endpoint: &str,
    step: &str,
    app: &str,
    within: Duration,
) -> Result<Killed, StackError> {
    let begun = Instant::now();
    while begun.elapsed() < within {
        let processes = processes(endpoint, step);
        for pid in &processes {
            signal(*pid, "STOP");
        }
        let open = open_change(&records.journal(app).await?);
        if let (Some(change), Some(pid)) = (open, processes.first()) {
            for pid in &processes {
                signal(*pid, "KILL");
            }
            return Ok(Killed::Midway { pid: *pid, change });
        }
        for pid in &processes {
            signal(*pid, "CONT");
        }
        tokio::time::sleep(SLICE).await;
    }
    Ok(Killed::Missed)
}

fn open_change(journal: &[JournalEntry]) -> Option<String> {
    journal.iter().find(|entry| entry.state.is_open()).map(|entry| entry.change.id.to_string())
}

/// Processes of the step's function in the cloud with this endpoint, and in no other.
fn processes(endpoint: &str, step: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        let is_step = variables.iter().any(|variable| {
            let name = variable.strip_prefix(b"AWS_LAMBDA_FUNCTION_NAME=".as_slice());
            name.is_some_and(|name| String::from_utf8_lossy(name).to_lowercase().contains(step))
        });
        is_step && variables.contains(&format!("AWS_ENDPOINT_URL={endpoint}").as_bytes())
    })
    .collect()
}

fn signal(pid: u32, name: &str) {
    // A process that has ended in the meantime needs no signal.
    Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).stderr(Stdio::null()).status().ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_process_of_its_step_in_its_cloud_only() {
        let sleeper = |endpoint: &str| {
            Command::new("sleep")
                .arg("60")
                .env_clear()
                .env("AWS_LAMBDA_FUNCTION_NAME", "maintainer-health-optimize")
                .env("AWS_ENDPOINT_URL", endpoint)
                .spawn()
                .unwrap()
        };
        let (mut mine, mut other) = (sleeper("http://127.0.0.1:1"), sleeper("http://127.0.0.1:2"));
        let begun = Instant::now();
        // The environment is there once the process has been replaced by its program.
        while processes("http://127.0.0.1:1", "optimize").is_empty() && begun.elapsed() < Duration::from_secs(5) {
            std::thread::yield_now();
        }
        let found = processes("http://127.0.0.1:1", "optimize");
        let none = processes("http://127.0.0.1:1", "validate");
        for child in [&mut mine, &mut other] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        assert_eq!((found, none), (vec![mine.id()], Vec::new()));
    }
}
