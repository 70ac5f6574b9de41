//! Where new access tokens go: a private file, or stdout. Each batch is on the disk before the next is asked for.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context, Result, bail};
use falconer_wire::{ImportOutcome, ImportReport};
use serde::{Deserialize, Serialize};

use crate::output;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    client_id: String,
    access_token: String,
}

/// The tokens that are known here.
pub struct Tokens {
    file: Option<File>,
    known: HashSet<String>,
    written: Written,
}

/// How many tokens this run wrote.
#[derive(Clone, Copy, Default)]
pub struct Written {
    /// Of clients that it made.
    pub new: usize,
    /// Of clients that an earlier run made, whose tokens the server told once more.
    pub repeated: usize,
}

impl Tokens {
    /// Opens the file, makes it where there is none, and reads which clients it knows. A last line that was cut off is taken away: its token
    /// comes again.
    pub fn open(path: Option<&Path>) -> Result<Tokens> {
        let Some(path) = path else {
            return Ok(Tokens { file: None, known: HashSet::new(), written: Written::default() });
        };
        let failed = || format!("can't use {} for the access tokens", path.display());
        let mut file = private().open(path).with_context(failed)?;
        refuse_shared(&file, path)?;
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(failed)?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let mut known = HashSet::new();
        for (number, line) in (1..).zip(text.get(..whole).unwrap_or_default().lines()) {
            let line: Line = serde_json::from_str(line)
                .map_err(|_| anyhow::anyhow!("line {number} of {} is not of an earlier import: give another file", path.display()))?;
            known.insert(line.client_id);
        }
        if whole < text.len() {
            file.set_len(whole as u64).with_context(failed)?;
        }
        file.seek(SeekFrom::End(0)).with_context(failed)?;
        Ok(Tokens { file: Some(file), known, written: Written::default() })
    }

    /// Whether the token of this client was written.
    pub fn has(&self, client_id: &str) -> bool {
        self.known.contains(client_id)
    }

    /// How many were written by this run.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Writes the tokens of an answer that are not written yet. With a file, they are on the disk afterwards.
    pub fn keep(&mut self, report: &ImportReport) -> Result<()> {
        let mut lines = Vec::new();
        let mut ids = Vec::new();
        let mut written = self.written;
        for client in &report.clients {
            let Some(access_token) = client.access_token.clone().filter(|_| !self.has(&client.client_id)) else {
                continue;
            };
            serde_json::to_writer(&mut lines, &Line { client_id: client.client_id.clone(), access_token })?;
            lines.push(b'\n');
            match client.outcome {
                ImportOutcome::Created => written.new += 1,
                ImportOutcome::Updated | ImportOutcome::Unchanged => written.repeated += 1,
            }
            ids.push(client.client_id.clone());
        }
        if ids.is_empty() {
            return Ok(());
        }
        match &mut self.file {
            Some(file) => {
                file.write_all(&lines)?;
                file.sync_data()?;
            }
            None => output::raw(&lines)?,
        }
        self.written = written;
        self.known.extend(ids);
        Ok(())
    }
}

fn private() -> std::fs::OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}

#[cfg(unix)]
fn refuse_shared(file: &File, path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        bail!("{} can be read by others: `chmod 600` it first, or give another file", path.display());
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_shared(_file: &File, _path: &Path) -> Result<()> {
    Ok(())
}
