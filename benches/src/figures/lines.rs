//! Lines that say what was measured beside what is to be reached.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};

const HEAD: &str = "| work | measured | to reach | met | note |\n| --- | --- | --- | --- | --- |\n";

/// One line of the table.
pub(crate) struct Line {
    pub(crate) work: String,
    pub(crate) measured: String,
    pub(crate) note: String,
    /// What is to be reached, and whether it was.
    pub(crate) bound: Option<(String, bool)>,
}

/// The table, printed and written into a file line by line: a run takes long, and what was measured must not be lost with its end.
pub(crate) struct Table {
    file: Option<File>,
    /// What was not reached.
    missed: Vec<String>,
}

impl Table {
    /// Begins it, and the file.
    pub(crate) fn begin(markdown: Option<&Path>) -> Result<Table> {
        let file = markdown.map(|file| File::create(file).with_context(|| format!("can't write {}", file.display()))).transpose()?;
        let mut table = Table { file, missed: Vec::new() };
        table.write(HEAD)?;
        Ok(table)
    }

    pub(crate) fn add(&mut self, line: &Line) -> Result<()> {
        let (bound, met) = line.bound.as_ref().map_or(("", ""), |(bound, met)| (bound.as_str(), if *met { "yes" } else { "**no**" }));
        // What a server answered has several lines.
        let note = line.note.split_whitespace().collect::<Vec<_>>().join(" ");
        self.missed.extend(line.bound.iter().filter(|(_, met)| !met).map(|_| line.work.clone()));
        self.write(&format!("| {} | {} | {bound} | {met} | {note} |\n", line.work, line.measured))
    }

    /// With `must_hold` it fails where something was not reached.
    pub(crate) fn end(self, must_hold: bool) -> Result<()> {
        if must_hold && !self.missed.is_empty() {
            bail!("not reached: {}", self.missed.join(", "));
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(text.as_bytes()))?;
        Ok(())
    }
}
