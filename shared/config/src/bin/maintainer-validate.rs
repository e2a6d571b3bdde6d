//! Checks a configuration file without AWS: prints what it means, or everything that is wrong with it.

use maintainer_config::{Config, report, schema as file_schema};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: maintainer-validate FILE [--all] | parameters FILE | schema | refresh CHECKOUT";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match words.as_slice() {
        ["schema"] => schema(),
        ["refresh", root] => refresh(Path::new(root)),
        ["parameters", file] => read(file).map(|config| parameters(&config)),
        [file] if !file.starts_with('-') => read(file).map(|config| config.meaning(false)),
        [file, "--all"] => read(file).map(|config| config.meaning(true)),
        _ => Err(format!("{USAGE}\n")),
    };
    match answer {
        Ok(text) if std::io::stdout().write_all(text.as_bytes()).is_ok() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(2),
        Err(text) => {
            // Without a standard error there is nobody to tell; the exit code says it all the same.
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::FAILURE
        }
    }
}

fn read(file: &str) -> Result<Config, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{file}: can't be read: {error}\n"))?;
    Config::parse(&text).map_err(|error| report::problems(file, &text, &error))
}

fn schema() -> Result<String, String> {
    serde_json::to_string_pretty(file_schema()).map(|text| text + "\n").map_err(|error| format!("{error}\n"))
}

/// One `Name=value` a line, for the deployment.
fn parameters(config: &Config) -> String {
    config.parameters().iter().map(|(name, value)| format!("{name}={value}\n")).collect()
}

/// Writes the generated parts of a checkout again: the schema, and the tables of the documentation.
fn refresh(root: &Path) -> Result<String, String> {
    let page = root.join("docs/configuration.md");
    let text =
        std::fs::read_to_string(&page).map_err(|error| format!("{}: can't be read: {error}\n", page.display()))?;
    let mut written = String::new();
    for (file, text) in [(root.join("infra/maintainer.schema.json"), schema()?), (page, report::with_tables(&text))] {
        std::fs::write(&file, text).map_err(|error| format!("{}: can't be written: {error}\n", file.display()))?;
        written += &format!("{}\n", file.display());
    }
    Ok(written)
}
