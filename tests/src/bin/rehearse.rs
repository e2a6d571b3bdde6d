//! `rehearse SCENARIO [SEED]`: plays a scenario on the model and the product's decisions alone, without a cloud, in a
//! second, and prints what was decided and why. For writing scenarios and rules; what counts is `demo` and the tests.

use maintainer_tests::rehearsal::{Rehearsal, rehearse};
use maintainer_tests::scenario::load;
use std::error::Error;
use std::io::Write;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (file, seed) = match words.as_slice() {
        [file] => (file, None),
        [file, seed] => {
            (file, Some(seed.parse::<u64>().map_err(|_| format!("the seed must be a number, not {seed:?}"))?))
        }
        _ => return Err("usage: rehearse SCENARIO-FILE [SEED]".into()),
    };
    let scenario = load(Path::new(file))?;
    let mut out = std::io::stdout().lock();
    for (name, app) in &scenario.apps {
        let end = rehearse(
            &Rehearsal::default(),
            name,
            app,
            &scenario.trigger,
            scenario.time_limit_min,
            seed.unwrap_or(app.seed),
        );
        writeln!(out, "{name}")?;
        for line in &end.story {
            writeln!(out, "  {line}")?;
        }
        writeln!(out, "  {}", end.next.map_or("no end within the time limit".to_owned(), |next| format!("{next:?}")))?;
    }
    Ok(())
}
