//! Prints what the maintainer promises, what holds it to each promise, and the numbers of the last run of the tests.
//!
//! `promises least-privilege` compares what the functions may do with what they have done in all scenarios, and fails when
//! the two differ.

#![allow(clippy::print_stdout, reason = "it prints a table")]

use maintainer_tests::local::root;
use maintainer_tests::permissions;
use maintainer_tests::promises::{counts, table};
use std::process::ExitCode;
use testkit::Proof;

fn least_privilege() -> Result<String, String> {
    let proof = Proof::begin("least-privilege");
    let sightings = permissions::read(&root().join(permissions::DIRECTORY))?;
    let wrong = permissions::judge(&sightings);
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }
    proof.survived(permissions::used(&sightings));
    Ok(permissions::told(&sightings))
}

fn main() -> ExitCode {
    let told = match std::env::args().nth(1).as_deref() {
        None => Ok(table(&counts(&root().join("target/proof")))),
        Some("least-privilege") => least_privilege(),
        Some(other) => Err(format!("promises: what is \"{other}\"? Nothing, or least-privilege")),
    };
    match told {
        Ok(told) => {
            print!("{told}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}
