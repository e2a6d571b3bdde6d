//! `maintainer-bench [FIGURES…]`: measures what the maintainer costs in time, memory, size, calls and money. `make bench`
//! builds what it needs. One JSON object per figure on stdout, explanations on stderr.
//!
//! FIGURES: `start` (and idle memory), `size`, `telemetry`, `analyze` (and the detector), `change` (guards and
//! journal around one), `cost` (one run in a local cloud), `waste` (a large account, next to Cloud Custodian); all of them by default. A figure that misses its aim is told, it fails nothing.

mod analyze;
mod calls;
mod change;
mod cloud;
mod cloudwatch;
mod cost;
mod estate;
mod history;
mod http;
mod place;
mod prices;
mod report;
mod size;
mod start;
mod telemetry;
mod template;
mod tree;
mod waste;

use place::Place;
use report::{Failure, say};
use std::process::ExitCode;
use template::Template;
use tree::Tree;
use waste::reader;

const FIGURES: [&str; 7] = ["start", "size", "telemetry", "analyze", "waste", "change", "cost"];

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let [reader::ARGUMENT, endpoint] = wanted.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        let read = reader::run(endpoint);
        return read.map_or_else(
            |why| {
                say(&why);
                ExitCode::FAILURE
            },
            |()| ExitCode::SUCCESS,
        );
    }
    if let Some(unknown) = wanted.iter().find(|word| !FIGURES.contains(&word.as_str())) {
        say(&format!("{unknown} is no figure; there are {}", FIGURES.join(", ")));
        return ExitCode::FAILURE;
    }
    let (mut all_measured, mut tree) = (true, None);
    for name in FIGURES.iter().filter(|name| wanted.is_empty() || wanted.iter().any(|word| word == *name)) {
        say(&format!("— {name}"));
        // One figure that can't be measured must not keep the others back.
        if let Err(why) = measure(name, &mut tree) {
            say(&format!("{name} could not be measured: {why}"));
            all_measured = false;
        }
    }
    if all_measured { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Measures one figure. The tree is packaged, which takes minutes, when the first one needs it.
fn measure(name: &str, tree: &mut Option<Tree>) -> Result<(), Failure> {
    let place = Place::find()?;
    let template = Template::load(&place.root)?;
    match name {
        "start" => start::measure(&place, &template),
        "size" => size::measure(&packaged(tree, &place)?, &template),
        "telemetry" => telemetry::measure(),
        "analyze" => analyze::measure(),
        "waste" => waste::measure(&place),
        in_a_cloud => {
            let tree = packaged(tree, &place)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| error.to_string())?;
            match in_a_cloud {
                "change" => runtime.block_on(change::measure(&place, &tree, &template)),
                _ => runtime.block_on(cost::measure(&place, &tree, &template)),
            }
        }
    }
}

fn packaged(tree: &mut Option<Tree>, place: &Place) -> Result<Tree, Failure> {
    let packaged = match tree.take() {
        Some(packaged) => packaged,
        None => Tree::package(place)?,
    };
    Ok(tree.insert(packaged).clone())
}
