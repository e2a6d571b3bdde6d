//! Kills steps of the maintainer in the middle of their work: after the intent of a change is in the journal, before the
//! step can have written the result; or as soon as it talks to AWS, whatever the journal says.
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
    /// The process was killed while it talked to AWS.
    AtWork {
        /// Its process id.
        pid: u32,
        /// The step.
        step: String,
    },
    /// The step never came to that point.
    Missed {
        /// The step.
        step: String,
    },
}

/// How long a slice of the process's life is at least; sending the two signals takes longer than that.
const SLICE: Duration = Duration::from_millis(1);
/// Time between two looks for steps at work: shorter than any of them takes.
const LOOK_EVERY: Duration = Duration::from_millis(1);

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
    Ok(Killed::Missed { step: step.to_owned() })
}

/// Waits for each of these steps to talk to AWS and kills it then, once; gives up at the deadline.
///
/// Processes that wait for their next call are ended first: one that is new and has a connection to AWS is at work.
pub async fn at_work(endpoint: &str, steps: &[String], within: Duration) -> Vec<Killed> {
    for pid in steps.iter().flat_map(|step| processes(endpoint, step)) {
        signal(pid, "KILL");
    }
    let port = endpoint.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or_default();
    let mut waiting: Vec<&String> = steps.iter().collect();
    let mut killed = Vec::new();
    let begun = Instant::now();
    while !waiting.is_empty() && begun.elapsed() < within {
        tokio::time::sleep(LOOK_EVERY).await;
        let running = functions(endpoint);
        waiting.retain(|step| {
            let of_step = running.iter().filter(|(_, function)| function.contains(*step)).map(|(pid, _)| *pid);
            let at_work = of_step.into_iter().find(|pid| is_connected(*pid, port));
            if let Some(pid) = at_work {
                signal(pid, "KILL");
                killed.push(Killed::AtWork { pid, step: (*step).clone() });
            }
            at_work.is_none()
        });
    }
    killed.extend(waiting.into_iter().map(|step| Killed::Missed { step: step.clone() }));
    killed
}

/// Whether a process has an open connection to a port of this machine.
fn is_connected(pid: u32, port: u16) -> bool {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let sockets: Vec<String> = links
        .filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.trim_end_matches(']').to_owned()))
        .collect();
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    // sl, local address, remote address, state (01 is established), queues, timer, retransmits, uid, time-out, inode.
    table.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [_, _, remote, "01", _, _, _, _, _, inode, ..] = fields.as_slice() else { return false };
        remote.ends_with(&format!(":{port:04X}")) && sockets.iter().any(|socket| socket == inode)
    })
}

fn open_change(journal: &[JournalEntry]) -> Option<String> {
    journal.iter().find(|entry| entry.state.is_open()).map(|entry| entry.change.id.to_string())
}

/// Processes of the step's function in the cloud with this endpoint, and in no other.
fn processes(endpoint: &str, step: &str) -> Vec<u32> {
    functions(endpoint).into_iter().filter(|(_, function)| function.contains(step)).map(|(pid, _)| pid).collect()
}

/// All processes of functions in the cloud with this endpoint, each with its function's name in lower case.
fn functions(endpoint: &str) -> Vec<(u32, String)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let endpoint = format!("AWS_ENDPOINT_URL={endpoint}");
    pids.filter_map(|pid| {
        let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
        let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        let name =
            variables.iter().find_map(|variable| variable.strip_prefix(b"AWS_LAMBDA_FUNCTION_NAME=".as_slice()))?;
        let is_here = variables.contains(&endpoint.as_bytes());
        is_here.then(|| (pid, String::from_utf8_lossy(name).to_lowercase()))
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
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn sees_whether_a_process_is_connected() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_connected(std::process::id(), port));
        let _kept = TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert!(is_connected(std::process::id(), port));
    }

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
