//! A file of JSON lines.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::records::{Origin, RecordErrors, Records};
use crate::text_file;

/// Reads and validates the whole file. Errors: all that is wrong with it, line by line.
pub fn read(path: &Path) -> Result<Records> {
    let (name, bytes) = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).context("standard input")?;
        ("standard input".to_owned(), bytes)
    } else {
        (path.display().to_string(), std::fs::read(path).with_context(|| format!("can't read {}", path.display()))?)
    };
    let bytes = text_file::without_mark(&bytes).with_context(|| name.clone())?;
    let mut records = Records::new(Origin(Some(name.clone())));
    let mut errors = RecordErrors::default();
    for (line, text) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice(text) {
            Ok(record) => records.push(line, record),
            // The parser counts lines too; its column is that of the text.
            Err(error) => errors.add(line, described(text, &error)),
        }
    }
    let records = records.validated(errors)?;
    if records.len() == 0 {
        bail!("{name} holds no record; {RECORD}");
    }
    Ok(records)
}

/// What each line is.
const RECORD: &str = r#"each line is a record as `falconer export` writes it, such as {"kind": "role", "roleId": "a", "scopes": ["b"]}"#;

/// The reader's words, and what a line is where this one is none at all.
fn described(line: &[u8], error: &serde_json::Error) -> String {
    // One line was read: the number that the parser gives says nothing.
    let text = error.to_string().replace(" at line 1 column ", " at column ");
    if has_known_kind(line) { text } else { format!("{text}; {RECORD}") }
}

/// Whether a line is JSON that says of which kind it is.
fn has_known_kind(line: &[u8]) -> bool {
    let value = serde_json::from_slice::<serde_json::Value>(line).unwrap_or_default();
    matches!(value.get("kind").and_then(serde_json::Value::as_str), Some("role" | "client"))
}
