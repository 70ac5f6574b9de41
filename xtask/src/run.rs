//! Running other programs: say what is run, stop at the first failure, say how long it took.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The root folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The one target folder: where cargo was told to build, else `target` in the workspace.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Runs `program args...` in `folder`, its output going where ours goes.
pub fn step(title: &str, folder: &Path, program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    println!("\n== {title}\n   {program} {}", args.join(" "));
    let began = Instant::now();
    let status = Command::new(program)
        .args(args)
        .current_dir(folder)
        .envs(env.iter().copied())
        .status()
        .with_context(|| format!("can't start `{program}`: is it installed and on the PATH?"))?;
    println!("== {title}: {} ({:.1} s)", if status.success() { "ok" } else { "FAILED" }, began.elapsed().as_secs_f32());
    if !status.success() {
        bail!("{title} failed: `{program} {}` ended with {status}", args.join(" "));
    }
    Ok(())
}

/// Runs cargo in the workspace.
pub fn cargo(title: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    step(title, &root(), &cargo_program(), args, env)
}

fn cargo_program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Whether `program args...` can be started and ends well; its output is thrown away.
pub fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
