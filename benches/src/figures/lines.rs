//! Lines that say what was measured beside what is to be reached.

use std::path::Path;

use anyhow::{Result, bail};

/// One line of the table.
pub(crate) struct Line {
    pub(crate) work: String,
    pub(crate) measured: String,
    pub(crate) note: String,
    /// What is to be reached, and whether it was.
    pub(crate) bound: Option<(String, bool)>,
}

/// Prints the table, and writes it into the file. With `must_hold` it fails where something was not reached.
pub(crate) fn say(lines: &[Line], markdown: Option<&Path>, must_hold: bool) -> Result<()> {
    let mut table = "| work | measured | to reach | met | note |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for line in lines {
        let (bound, met) = line.bound.as_ref().map_or(("", ""), |(bound, met)| (bound.as_str(), if *met { "yes" } else { "**no**" }));
        table.push_str(&format!("| {} | {} | {bound} | {met} | {} |\n", line.work, line.measured, line.note));
    }
    print!("\n{table}");
    if let Some(file) = markdown {
        std::fs::write(file, &table)?;
    }
    let missed: Vec<&str> =
        lines.iter().filter(|line| line.bound.as_ref().is_some_and(|(_, met)| !met)).map(|line| line.work.as_str()).collect();
    if must_hold && !missed.is_empty() {
        bail!("not reached: {}", missed.join(", "));
    }
    Ok(())
}
