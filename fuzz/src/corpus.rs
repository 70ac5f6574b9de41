//! The committed inputs of a target.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// One input, and the file that it comes from.
pub struct Input {
    /// Where it lies.
    pub file: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// The folder of a target.
pub(crate) fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora").join(target)
}

/// The inputs of a target, in the order of their names. Errors: there is none.
pub fn read(target: &str) -> Result<Vec<Input>> {
    let folder = folder(target);
    let entries = std::fs::read_dir(&folder).with_context(|| format!("no corpus {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    if files.is_empty() {
        bail!("{} holds no input", folder.display());
    }
    files.into_iter().map(|file| Ok(Input { bytes: std::fs::read(&file)?, file })).collect()
}

/// Writes an input for which a target failed, so that it is replayed from now on.
pub(crate) fn keep(target: &str, bytes: &[u8]) -> Result<PathBuf> {
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let file = folder(target).join(format!("found-{sum:016x}"));
    std::fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    Ok(file)
}
