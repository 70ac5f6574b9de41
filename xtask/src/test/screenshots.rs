//! `cargo xtask screenshots`: the pictures of the README, taken in the end-to-end flow, so that they can't show what does not run.

use anyhow::{Result, bail};

use super::{needs, parts};
use crate::run::{Output, cargo, root};
use crate::test::stores::binaries::{Binaries, Store};

pub fn run() -> Result<()> {
    needs::install(&["browser"])?;
    cargo("the binary", &["build", "--locked", "-p", "falconer"], &[])?;
    let folder = root().join("docs/images");
    std::fs::create_dir_all(&folder)?;
    let folder = folder.to_string_lossy().into_owned();
    let binary = Binaries::default().on(Store::Files)?;
    if parts::browser(&Output::live(), &binary, &[("SCREENSHOTS", folder.as_str())])?.failed > 0 {
        bail!("the flow failed, so there are no pictures of it");
    }
    println!("pictures are in docs/images");
    Ok(())
}
