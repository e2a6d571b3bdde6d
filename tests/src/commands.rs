//! The project's own commands, run against a deployed stack as a user would.

use crate::local::root;
use crate::player::Stack;
use std::process::Command;

/// What a script of `scripts/` says with these words, and whether it ended well.
///
/// # Errors
/// When it can't be run at all.
pub fn run_script(stack: &Stack, name: &str, words: &[&str]) -> Result<(String, bool), String> {
    let state = &stack.cloud.state;
    let done = Command::new(root().join("scripts").join(name))
        .args(words)
        .env("AWS_ENDPOINT_URL", &state.endpoint)
        .env("AWS_REGION", &state.region)
        .env("AWS_DEFAULT_REGION", &state.region)
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .output()
        .map_err(|error| error.to_string())?;
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Ok((said, done.status.success()))
}
