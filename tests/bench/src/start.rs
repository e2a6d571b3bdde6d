//! Start and idle memory of each function: from the start of the process to its first poll of the Runtime API, beside a
//! bare echo function and Python with boto3 in the same run.

use crate::http::{listen, read_request};
use crate::place::Place;
use crate::report::{Failure, figure, least, median, say};
use crate::template::Template;
use serde_json::json;
use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Starts of each function. They take turns, so that a busy moment of the machine hits all alike.
const STARTS: usize = 31;
/// Starts of Python, which takes a hundred times as long.
const STARTS_PYTHON: usize = 5;
/// Longest start that is waited for.
const START_MAX: Duration = Duration::from_secs(60);
/// What Python does at its start: as many clients as a step of the maintainer uses, then the same poll.
const PYTHON: &str = "\
import os, http.client, boto3
clients = [boto3.client(name, region_name='us-east-1') for name in ('s3', 'dynamodb', 'cloudwatch', 'autoscaling', 'stepfunctions')]
api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
api.request('GET', '/2018-06-01/runtime/invocation/next')
api.getresponse()";
const POLL: &str = "/2018-06-01/runtime/invocation/next";

/// A program that is started.
struct Subject {
    name: String,
    program: PathBuf,
    arguments: Vec<&'static str>,
    starts: usize,
    start_ms: Vec<f64>,
    resident_mb: Vec<f64>,
}

impl Subject {
    fn new(name: &str, program: PathBuf, arguments: Vec<&'static str>, starts: usize) -> Self {
        Self { name: name.to_owned(), program, arguments, starts, start_ms: Vec::new(), resident_mb: Vec::new() }
    }
}

/// First request of a connection: when it was there, its path, and the connection, which is left unanswered.
type Arrival = (Instant, String, TcpStream);

/// A Runtime API that never has an invocation.
struct RuntimeApi {
    address: SocketAddr,
    arrivals: Receiver<Arrival>,
}

impl RuntimeApi {
    fn start() -> Result<Self, Failure> {
        let (sender, arrivals) = channel();
        let sender = Mutex::new(sender);
        let address = listen(move |stream| {
            let mut reader = BufReader::new(stream.try_clone()?);
            if let Some(request) = read_request(&mut reader)? {
                let arrival = (Instant::now(), request.path, stream);
                sender.lock().unwrap_or_else(std::sync::PoisonError::into_inner).send(arrival).ok();
            }
            Ok(())
        })?;
        Ok(Self { address, arrivals })
    }
}

/// Measures start and idle memory.
///
/// # Errors
/// When a binary is missing or ends without asking for work.
pub fn measure(place: &Place, template: &Template) -> Result<(), Failure> {
    let api = RuntimeApi::start()?;
    let mut subjects = subjects(place, template)?;
    let variables = variables(template);
    for round in 0..STARTS {
        for subject in subjects.iter_mut().filter(|subject| round < subject.starts) {
            start_once(subject, &api, &variables)?;
        }
    }
    say("start to first poll, and memory then (median; least):");
    let echo_ms = subjects.first().map_or(f64::NAN, |echo| median(&echo.start_ms));
    for Subject { name, starts, start_ms, resident_mb, .. } in &subjects {
        say(&format!(
            "  {name:20} {:7.2} ms ({:.2})  {:6.1} MB",
            median(start_ms),
            least(start_ms),
            median(resident_mb)
        ));
        let aim_ms = template.functions.iter().any(|function| function.binary == *name).then_some(8);
        let context =
            json!({"function": name, "starts": starts, "least": least(start_ms), "aim": aim_ms, "echo_ms": echo_ms});
        figure("start_to_first_poll", median(start_ms), "ms", context)?;
        let aim_mb = aim_ms.map(|_| 20);
        figure("resident_memory_idle", median(resident_mb), "MB", json!({"function": name, "aim": aim_mb}))?;
    }
    Ok(())
}

fn subjects(place: &Place, template: &Template) -> Result<Vec<Subject>, Failure> {
    let own = std::iter::once("bench-echo").chain(template.functions.iter().map(|function| function.binary.as_str()));
    let mut subjects = own
        .map(|name| Ok(Subject::new(name, place.binary(name)?, Vec::new(), STARTS)))
        .collect::<Result<Vec<Subject>, Failure>>()?;
    let python = place.root.join(".tools/ministack/bin/python");
    if python.exists() {
        subjects.push(Subject::new("python-boto3", python, vec!["-c", PYTHON], STARTS_PYTHON));
    } else {
        say("Python with boto3 is left out: it is not installed (make setup)");
    }
    Ok(subjects)
}

fn start_once(subject: &mut Subject, api: &RuntimeApi, variables: &[&str]) -> Result<(), Failure> {
    let name = &subject.name;
    let mut command = Command::new(&subject.program);
    command.args(&subject.arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    environment(&mut command, name, api.address, variables);
    let began = Instant::now();
    let mut child = command.spawn().map_err(|error| format!("{name} can't be started: {error}"))?;
    let arrival = api.arrivals.recv_timeout(START_MAX);
    let resident_mb = resident_mb(Path::new("/proc").join(child.id().to_string()).as_path());
    end(&mut child);
    let (at, path, _connection) = arrival.map_err(|_| format!("{name} did not ask for work within a minute"))?;
    if path != POLL {
        return Err(format!("{name} did not start, it called {path}"));
    }
    subject.start_ms.push(at.duration_since(began).as_secs_f64() * 1000.0);
    subject.resident_mb.push(resident_mb?);
    Ok(())
}

/// Variables that the template sets for any function.
fn variables(template: &Template) -> Vec<&str> {
    template.functions.iter().flat_map(|function| &function.variables).map(String::as_str).collect()
}

/// What Lambda and the template give to a function. Nothing listens at the endpoint: a start makes no call.
fn environment(command: &mut Command, name: &str, api: SocketAddr, variables: &[&str]) {
    for variable in variables {
        let value = match *variable {
            "STATE_MACHINE_ARNS" | "HEALTH_STATE_MACHINE_ARN" | "PERFORMANCE_STATE_MACHINE_ARN" => {
                "arn:aws:states:us-east-1:000000000000:stateMachine:maintainer-health"
            }
            "DEAD_LETTER_QUEUE_URL" => "http://127.0.0.1:9/000000000000/dead-letters",
            "MEMBER_ROLE" => "arn:aws:iam::000000000000:role/maintainer-member",
            "DEAD_MAN_HOURS" => "8",
            _ => "bench",
        };
        command.env(variable, value);
    }
    command
        .env("AWS_LAMBDA_RUNTIME_API", api.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "bench")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "bench")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("MAINTAINER_LOG", "INFO");
}

fn end(child: &mut Child) {
    child.kill().ok();
    child.wait().ok();
}

/// Resident memory of a process by its directory in `/proc`, in MB.
///
/// # Errors
/// When the process is gone.
pub fn resident_mb(process: &Path) -> Result<f64, Failure> {
    let path = process.join("status");
    let status = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let kb =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kb.map(|kb| kb / 1024.0).ok_or_else(|| format!("{} has no VmRSS", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The functions once refused what they are started with here, which nothing but the figure itself could tell.
    #[test]
    #[ignore = "needs the functions built beside this program: scripts/test e2e"]
    fn regression_every_function_that_is_started_here_polls_for_work() {
        let place = Place::find().unwrap();
        let template = Template::load(&place.root).unwrap();
        let api = RuntimeApi::start().unwrap();
        assert!(!template.functions.is_empty());
        for function in &template.functions {
            let program = place.binary(&function.binary).unwrap();
            let mut subject = Subject::new(&function.binary, program, Vec::new(), 1);
            start_once(&mut subject, &api, &variables(&template)).unwrap();
            assert_eq!((subject.start_ms.len(), subject.resident_mb.len()), (1, 1), "{}", function.binary);
        }
    }
}
