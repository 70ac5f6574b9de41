use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use falconer_attack::Logs;

/// What is read of a file: more than any run leaves behind.
const LARGEST_BYTES: u64 = 256 * 1024 * 1024;

/// Files that a service appends to, from where they ended.
pub struct LogFiles(Vec<(PathBuf, Result<u64, String>)>);

impl LogFiles {
    /// Remembers where each of them ends.
    pub fn at_their_end(files: &[PathBuf]) -> LogFiles {
        let end = |file: &PathBuf| std::fs::metadata(file).map(|found| found.len()).map_err(|error| format!("it can't be read: {error}"));
        LogFiles(files.iter().map(|file| (file.clone(), end(file))).collect())
    }
}

impl Logs for LogFiles {
    fn written(&mut self) -> Vec<(String, Result<String, String>)> {
        let text = |file: &Path, end: &Result<u64, String>| {
            end.clone().and_then(|end| read_from(file, end).map_err(|error| format!("it can't be read: {error}")))
        };
        self.0.iter().map(|(file, end)| (file.display().to_string(), text(file, end))).collect()
    }
}

/// Where a file has become shorter, another one has taken its place: then all of it is new.
fn read_from(file: &Path, end: u64) -> std::io::Result<String> {
    let mut open = File::open(file)?;
    let length = open.metadata()?.len();
    open.seek(SeekFrom::Start(if length < end { 0 } else { end }))?;
    let mut bytes = Vec::new();
    open.take(LARGEST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_what_was_written_meanwhile_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log");
        std::fs::write(&file, "before\n").unwrap();
        let mut logs = LogFiles::at_their_end(&[file.clone(), folder.path().join("none")]);
        File::options().append(true).open(&file).unwrap().write_all(b"meanwhile\xff\n").unwrap();
        let [(_, written), (_, none)] = logs.written().try_into().unwrap();
        assert_eq!(written.as_deref(), Ok("meanwhile\u{fffd}\n"));
        assert!(none.unwrap_err().contains("can't be read"));
        std::fs::write(&file, "anew\n").unwrap();
        assert_eq!(logs.written()[0].1.as_deref(), Ok("anew\n"));
    }
}
