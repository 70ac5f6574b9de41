//! What the tests need beyond cargo, and installing it: Debian packages through the package manager, Python and Node packages through
//! their registries into the target folder and `e2e/node_modules`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use crate::postgres;
use crate::run::{root, step, target, works};

/// A program that the tests start, how to see that it is there, and the Debian packages that bring it.
struct Need {
    what: &'static str,
    probe: fn() -> bool,
    packages: &'static [&'static str],
}

const NEEDS: &[Need] = &[
    Need { what: "a C compiler (SQLite, aws-lc)", probe: || works("cc", &["--version"]), packages: &["build-essential"] },
    Need { what: "git", probe: || works("git", &["--version"]), packages: &["git"] },
    Need { what: "Python 3 with venv", probe: python_with_venv, packages: &["python3", "python3-venv"] },
    Need { what: "Node.js 20 or newer", probe: node_is_new_enough, packages: &["nodejs"] },
    Need { what: "npm", probe: || works("npm", &["--version"]), packages: &["npm"] },
    Need { what: "PostgreSQL", probe: || postgres::programs().is_some(), packages: &["postgresql"] },
    Need { what: "Chromium", probe: || chromium().is_some(), packages: &["chromium"] },
    Need {
        what: "a font that Chromium can draw with",
        probe: || std::path::Path::new("/usr/share/fonts").read_dir().is_ok_and(|mut d| d.next().is_some()),
        packages: &["fonts-dejavu-core"],
    },
    Need { what: "valgrind (instruction counts)", probe: || works("valgrind", &["--version"]), packages: &["valgrind"] },
];

fn python_with_venv() -> bool {
    works("python3", &["-c", "import venv, ensurepip"])
}

fn node_is_new_enough() -> bool {
    works("node", &["-e", "process.exit(Number(process.versions.node.split('.')[0]) >= 20 ? 0 : 1)"])
}

/// Where Chromium is, if it is installed.
pub fn chromium() -> Option<PathBuf> {
    ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].iter().map(PathBuf::from).find(|p| p.exists())
}

/// `cargo xtask needs`
pub fn report() -> Result<()> {
    for need in NEEDS {
        let state = if (need.probe)() { "ok     " } else { "MISSING" };
        println!("{state} {} (Debian: {})", need.what, need.packages.join(" "));
    }
    Ok(())
}

/// Installs what is missing, or says precisely what to install where there are no rights to.
pub fn install() -> Result<()> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.probe)()).collect();
    if !missing.is_empty() {
        debian(&missing)?;
    }
    python()?;
    node()
}

fn debian(missing: &[&Need]) -> Result<()> {
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    let list: Vec<String> = missing.iter().map(|need| format!("  {} (Debian: {})", need.what, need.packages.join(" "))).collect();
    let by_hand = format!(
        "The tests need what this machine does not have:\n{}\nInstall it, for example with\n  sudo apt-get install {}\nand run `cargo xtask test` again.",
        list.join("\n"),
        packages.join(" ")
    );
    let root_user = works("sh", &["-c", "test \"$(id -u)\" = 0"]);
    let sudo = !root_user && works("sudo", &["-n", "true"]);
    if !works("apt-get", &["--version"]) || !(root_user || sudo) {
        bail!("{by_hand}");
    }
    let (program, first): (&str, &[&str]) = if sudo { ("sudo", &["-n", "apt-get"]) } else { ("apt-get", &[]) };
    let call = |args: &[&str]| -> Vec<String> { first.iter().chain(args).map(|a| (*a).to_owned()).collect() };
    let update = call(&["update", "-q"]);
    let mut get = call(&["install", "-y", "-q", "--no-install-recommends"]);
    get.extend(packages.iter().map(|p| (*p).to_owned()));
    for (title, args) in [("package lists", update), ("Debian packages", get)] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        step(title, &root(), program, &args, &[("DEBIAN_FRONTEND", "noninteractive")]).with_context(|| by_hand.clone())?;
    }
    let still: Vec<&str> = missing.iter().filter(|need| !(need.probe)()).map(|need| need.what).collect();
    if still.is_empty() { Ok(()) } else { bail!("installed, but still not found: {}", still.join(", ")) }
}

/// The folder of the Python environment.
pub fn venv() -> PathBuf {
    target().join("e2e").join("venv")
}

fn python() -> Result<()> {
    let venv = venv();
    let requirements = root().join("e2e/clients/python/requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).context("e2e/clients/python/requirements.txt")?;
    let stamp = venv.join("installed-requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    let place = venv.to_string_lossy().into_owned();
    step("Python environment", &root(), "python3", &["-m", "venv", "--clear", &place], &[])?;
    let pip = venv.join("bin/pip").to_string_lossy().into_owned();
    let list = requirements.to_string_lossy().into_owned();
    step("Python packages", &root(), &pip, &["install", "--disable-pip-version-check", "--progress-bar", "off", "-r", &list], &[])?;
    std::fs::write(&stamp, wanted).context("can't note what was installed")
}

fn node() -> Result<()> {
    let folder = root().join("e2e");
    let lock = std::fs::read_to_string(folder.join("package-lock.json")).context("e2e/package-lock.json")?;
    let stamp = folder.join("node_modules/.installed-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == lock) {
        return Ok(());
    }
    step("Node packages", &folder, "npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts"], &[])?;
    std::fs::write(&stamp, lock).context("can't note what was installed")
}
