//! `cargo xtask screenshots`: the pictures of the README, taken in the end-to-end flow, so that they can't show what does not run.

use anyhow::Result;

use crate::run::{cargo, root};
use crate::{needs, test};

pub fn run() -> Result<()> {
    needs::install()?;
    cargo("the binary", &["build", "--locked", "-p", "falconer"], &[])?;
    let folder = root().join("docs/images");
    std::fs::create_dir_all(&folder)?;
    let folder = folder.to_string_lossy().into_owned();
    test::browser(&[("SCREENSHOTS", folder.as_str())])?;
    println!("pictures are in docs/images");
    Ok(())
}
