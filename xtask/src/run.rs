//! Running other programs: say what is run, pass on what they print, count what their runners say, and say how long it took.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::counts::{Counts, Reader};
use crate::failures::Failures;

/// The root folder of the workspace.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// The one target folder, as cargo says it: a variable, its own configuration or `target` in the workspace.
pub fn target() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| target_of(metadata().ok().as_ref())).clone()
}

/// What cargo says of it; `target` in the workspace where it says nothing.
fn target_of(metadata: Option<&serde_json::Value>) -> PathBuf {
    let said = metadata.and_then(|metadata| metadata.get("target_directory")?.as_str());
    said.map_or_else(|| root().join("target"), PathBuf::from)
}

/// What `cargo metadata` says of the workspace's own crates.
pub fn metadata() -> Result<serde_json::Value> {
    let output = Command::new(cargo_program())
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .context("can't run cargo metadata")?;
    serde_json::from_slice(&output.stdout).context("cargo metadata printed no JSON")
}

/// Where the lines of a run go. A run that stands beside another one keeps them, so that they come in one piece.
#[derive(Default)]
pub struct Output {
    /// None: they are printed at once.
    kept: Option<Mutex<String>>,
    failures: Mutex<Vec<String>>,
}

impl Output {
    pub fn live() -> Output {
        Output::default()
    }

    pub fn kept() -> Output {
        Output { kept: Some(Mutex::default()), ..Output::default() }
    }

    /// One line.
    pub fn line(&self, line: &str) {
        match &self.kept {
            // Nobody may be reading any more: that ends no run.
            None => drop(writeln!(std::io::stdout().lock(), "{line}")),
            Some(lines) => {
                let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                lines.push_str(line);
                lines.push('\n');
            }
        }
    }

    /// What failed, to be said again at the end.
    pub fn failed(&self, lines: Vec<String>) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    }

    /// Prints what was kept; what failed.
    pub fn end(self) -> Vec<String> {
        if let Some(lines) = self.kept {
            let lines = lines.into_inner().unwrap_or_else(PoisonError::into_inner);
            drop(std::io::stdout().lock().write_all(lines.as_bytes()));
        }
        self.failures.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs `program args...` in `folder`. Its lines go to `output`; the answer is what its runners counted, at least one.
pub fn counted(output: &Output, title: &str, folder: &Path, program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<Counts> {
    output.line(&format!("\n== {title}\n   {program} {}", args.join(" ")));
    let began = Instant::now();
    let mut child = Command::new(program)
        .args(args)
        .current_dir(folder)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start `{program}`: is it installed and on the PATH?"))?;
    let (sender, lines) = channel();
    let (mut reader, mut failures) = (Reader::default(), Failures::default());
    std::thread::scope(|scope| {
        for pipe in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
            let sender = sender.clone();
            scope.spawn(move || send_lines(pipe, &sender));
        }
        drop(sender);
        for line in lines {
            reader.read(&line);
            failures.read(&line);
            output.line(&line);
        }
    });
    let status = child.wait()?;
    let counts = reader.end(status.success());
    if counts.failed > 0 {
        output.failed(std::iter::once(format!("== {title}")).chain(failures.end()).collect());
    }
    output.line(&format!("== {title}: {} ({:.1} s)", if status.success() { "ok" } else { "FAILED" }, began.elapsed().as_secs_f32()));
    Ok(counts)
}

fn boxed(pipe: impl Read + Send + 'static) -> Box<dyn Read + Send> {
    Box::new(pipe)
}

fn send_lines(pipe: Box<dyn Read + Send>, sender: &Sender<String>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = Vec::new();
    while pipe.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        if sender.send(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']).to_owned()).is_err() {
            return;
        }
        line.clear();
    }
}

/// Runs `program args...` in `folder`, its output going where ours goes; what ends badly is an error.
pub fn step(title: &str, folder: &Path, program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    if counted(&Output::live(), title, folder, program, args, env)?.failed > 0 {
        bail!("{title} failed: `{program} {}`", args.join(" "));
    }
    Ok(())
}

/// Runs cargo in the workspace.
pub fn cargo(title: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    step(title, &root(), &cargo_program(), args, env)
}

/// The cargo that runs this.
pub fn cargo_program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Whether `program args...` can be started and ends well; its output is thrown away.
pub fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What `program args...` prints, if it can be started and ends well.
pub fn prints(program: &str, args: &[&str]) -> Option<String> {
    let done = Command::new(program).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was taken to be `target` in the workspace, wherever CARGO_TARGET_DIR or a configuration of cargo's put it.
    #[test]
    fn the_target_folder_is_the_one_that_cargo_names() {
        let said = serde_json::json!({ "target_directory": "/elsewhere/target" });
        assert_eq!(target_of(Some(&said)), Path::new("/elsewhere/target"));
        assert_eq!(target_of(None), root().join("target"));
        assert_eq!(target(), target_of(metadata().ok().as_ref()));
    }
}
