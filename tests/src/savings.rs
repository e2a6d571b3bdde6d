//! The command that reports spend, use and savings, against a deployed stack whose cost cycle has changed a disk.

use crate::commands::run_script;
use crate::player::Stack;

/// The change stands in all three reports: what it was expected to save, the disk whose use was read, and the account's spend. Gives what
/// the command said.
///
/// # Errors
/// What was not so.
pub fn examine(stack: &Stack) -> Result<String, String> {
    let savings = |words: &[&str]| run_script(stack, "savings", words);
    let (saved, ended_well) = savings(&[])?;
    // 500 GiB at 0.10 USD, and as gp3 at 0.08 with 125 MiB/s more than is included at 0.04.
    let row = saved.lines().find(|line| line.starts_with("set_volume_type")).unwrap_or_default();
    let cells: Vec<&str> = row.split_whitespace().collect();
    expect(ended_well && cells.len() == 7 && cells[2..] == ["1", "5.00", "5.00", "0.00", "5.00"], &saved)?;
    let (used, ended_well) = savings(&["use", cells[1]])?;
    expect(ended_well && used.lines().any(|line| line.starts_with("vol-") && line.contains("disk_ops")), &used)?;
    let (spent, ended_well) = savings(&["spend", "3"])?;
    expect(ended_well && spent.starts_with("USD, day") && spent.lines().count() == 4, &spent)?;
    let (refused, ended_well) = savings(&["use", "no-such-app"])?;
    expect(!ended_well && refused.contains("no run of the cost cycle has looked at"), &refused)?;
    Ok(format!("{saved}\n{used}\n{spent}"))
}

fn expect(holds: bool, said: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("scripts/savings said:\n{said}")) }
}
