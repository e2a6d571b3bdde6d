//! Looks at pages and prints what is told of each, one line of JSON a page: `look CA.pem [URL] …`. For `scripts/bench-pages`, which serves them:
//! every host is on this machine. CPU is that of all threads of this process during the look, by the scheduler's count.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a tool for a person at this machine"
)]

use async_trait::async_trait;
use domain::performance::{Policy, pages};
use engine::ports::Pages as _;
use maintainer_web::{Limits, Network, Roots, System, Web};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

/// All hosts are here.
#[derive(Default)]
struct Here(System);

#[async_trait]
impl Network for Here {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into()])
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.0.connect(address).await
    }

    fn passed(&self) -> Duration {
        self.0.passed()
    }
}

/// Nanoseconds of CPU that all threads of this process have taken.
fn cpu_ns() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("schedstat")).ok();
    let ns = |text: String| text.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok());
    tasks.flatten().filter_map(of).filter_map(ns).sum()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let pem = std::fs::read_to_string(arguments.next().unwrap()).unwrap();
    let web = Web::over(Here::default(), Limits::default(), &Roots::Pem(pem)).unwrap();
    for url in arguments {
        let before = cpu_ns();
        let look = web.fetch(&url).await.unwrap();
        let findings = pages::find(&look, &Policy::default());
        let ms = (cpu_ns() - before) / 10_000;
        let rules: Vec<String> = findings.iter().map(|finding| format!("{:?}", finding.rule.as_str())).collect();
        let summaries: Vec<String> = findings.iter().map(|finding| format!("{:?}", finding.summary)).collect();
        let (files, bytes) = (
            look.resources.len(),
            look.resources.iter().filter_map(|file| Some(file.answer.known()?.transferred)).sum::<f64>(),
        );
        println!(
            "{{\"url\": {url:?}, \"cpu_ms\": {}.{:02}, \"files\": {files}, \"bytes\": {bytes}, \"rules\": [{}], \"says\": [{}]}}",
            ms / 100,
            ms % 100,
            rules.join(", "),
            summaries.join(", ")
        );
    }
}
