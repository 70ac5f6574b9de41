//! Texts that people wrote, on whatever machine.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// The mark that editors on Windows put before UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads a file without its byte order mark. `what` is said of it when it can't be read, such as `the configuration`.
pub fn read(path: &Path, what: &str) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("can't read {what} {}", path.display()))?;
    let bytes = without_mark(&bytes).with_context(|| format!("can't read {what} {}", path.display()))?;
    match String::from_utf8(bytes.to_vec()) {
        Ok(text) => Ok(text),
        Err(_) => bail!("{what} {} is no text in UTF-8", path.display()),
    }
}

/// Errors: UTF-16, as PowerShell's `>` writes it.
pub fn without_mark(bytes: &[u8]) -> Result<&[u8]> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        bail!("this is a text in UTF-16: save it as UTF-8");
    }
    Ok(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_no_part_of_the_text() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let read_back = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            read(file.path(), "the file").map_err(|error| format!("{error:#}"))
        };
        assert_eq!(read_back(b"\xEF\xBB\xBFa\xC3\xA4\n").as_deref(), Ok("a\u{e4}\n"));
        assert_eq!(read_back(b"plain").as_deref(), Ok("plain"));
        assert!(read_back(b"\xFF\xFEa\0").unwrap_err().starts_with(&format!("can't read the file {}: this is", file.path().display())));
        assert!(read_back(b"\xE9").unwrap_err().contains("no text in UTF-8"));
        assert!(read(Path::new("/nowhere"), "the file").unwrap_err().to_string().contains("can't read the file /nowhere"));
    }
}
