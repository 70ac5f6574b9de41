//! `cargo xtask screenshots`: the pictures of the README, taken in the end-to-end flow, so that they can't show what does not run.

use anyhow::{Result, bail};

use super::{needs, parts};
use crate::run::{Output, cargo, root};
use crate::test::stores::binaries;

pub fn run() -> Result<()> {
    needs::install(&["browser"])?;
    cargo("the binary", &["build", "--locked", "-p", "falconer"], &[])?;
    let folder = root().join("docs/images");
    std::fs::create_dir_all(&folder)?;
    let folder = folder.to_string_lossy().into_owned();
    if parts::browser(&Output::live(), &[("FALCONER_BIN", binaries::program().as_str()), ("SCREENSHOTS", folder.as_str())])?.failed > 0 {
        bail!("the flow failed, so there are no pictures of it");
    }
    println!("pictures are in docs/images");
    Ok(())
}
