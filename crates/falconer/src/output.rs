//! What the commands print: a table or fields on a terminal and in a pipe, JSON with `--json`; and the kinds of failure.

use std::io::Write;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::log::{is_steering, visible_json};

/// The command line was used wrongly: exit code 2 instead of 1. The text says what to give instead.
#[derive(Debug)]
pub struct WrongUse(pub String);

impl WrongUse {
    /// An `update` without any change. `such_as` is an option that makes one.
    pub fn nothing_to_change(such_as: &str) -> WrongUse {
        WrongUse(format!("nothing is to be changed: say what, such as {such_as}; see --help"))
    }
}

impl std::fmt::Display for WrongUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// A command did what it was to do, and ends with a code of its own, as its help says. The text says what for.
#[derive(Debug)]
pub struct Ended {
    /// Neither 0 nor 2.
    pub code: u8,
    /// A sentence for stderr.
    pub said: String,
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Ended {}

/// A program that was run for somebody failed, and has said why itself: its exit code is ours.
#[derive(Debug)]
pub struct EndedWith(pub u8);

impl std::fmt::Display for EndedWith {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "it ended with code {}", self.0)
    }
}

impl std::error::Error for EndedWith {}

/// Prints a line. A reader that has gone (`| head`) is an error that `main` ends quietly on, where `println!` would panic.
pub fn line(text: &str) -> Result<()> {
    write(|stdout| {
        stdout.write_all(text.as_bytes())?;
        stdout.write_all(b"\n")
    })
}

fn write(print: impl FnOnce(&mut std::io::StdoutLock<'_>) -> std::io::Result<()>) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    print(&mut stdout).and_then(|()| stdout.flush()).context("can't write what this prints")
}

/// Prints bytes as they are.
pub fn raw(bytes: &[u8]) -> Result<()> {
    write(|stdout| stdout.write_all(bytes))
}

/// Prints `value` as indented JSON, with escapes for what could steer a terminal.
pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<()> {
    line(&visible_json(&serde_json::to_string_pretty(value)?))
}

/// Prints columns padded to their widest cell, the last one free.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let header: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| harmless(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    for row in [&header].into_iter().chain(&rows) {
        let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(padded.join("  ").trim_end())?;
    }
    Ok(())
}

/// Prints named values, one a line; several values of one name stand below each other.
pub fn fields(fields: &[(&str, Vec<String>)]) -> Result<()> {
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, values) in fields {
        for (number, value) in values.iter().enumerate() {
            let name = if number == 0 { name } else { "" };
            line(format!("{name:<width$}  {}", harmless(value)).trim_end())?;
        }
    }
    Ok(())
}

/// Without what could steer a terminal: the text may come from a server.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if is_steering(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// A word as a shell reads it back unchanged.
pub fn shell_word(text: &str) -> String {
    let plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

/// A time of the protocol, in milliseconds, as text.
pub fn time(ms: i64) -> String {
    falconer_wire::date_time::format_ms(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_words_back() {
        assert_eq!(shell_word("/var/lib/falconer"), "/var/lib/falconer");
        assert_eq!(shell_word("it's here"), "'it'\\''s here'");
        assert_eq!(shell_word(""), "''");
        assert_eq!(shell_word("$HOME"), "'$HOME'");
    }

    #[test]
    fn a_server_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\x1b[2Jb\nc"), "a\u{fffd}[2Jb\nc");
        assert_eq!(harmless("a\u{9b}2J \u{202e}b\tc"), "a\u{fffd}2J \u{fffd}b\tc");
    }
}
