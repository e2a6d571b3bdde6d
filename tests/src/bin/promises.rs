//! Prints what the maintainer promises, what holds it to each promise, and the numbers of the last run of the tests.

#![allow(clippy::print_stdout, reason = "it prints a table")]

use maintainer_tests::local::root;
use maintainer_tests::promises::{counts, table};

fn main() {
    print!("{}", table(&counts(&root().join("target/proof"))));
}
