//! What the tests need beyond cargo, part by part, and installing it: Debian packages through the package manager, Python and Node packages through
//! their registries into the target folder, `e2e/node_modules` and `sdk/js/node_modules`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::chromium;
use super::parts::{keycloak, oauth2_proxy};
use super::runtimes::{self, GO, NODE, Runtime};
use super::stores::{binaries::ON_POSTGRES, pgbouncer, postgres};
use crate::run::{root, step, target, works};

/// A program that the tests start.
struct Need {
    what: &'static str,
    /// Whether it is there.
    probe: fn() -> bool,
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
    /// The parts that start it.
    parts: &'static [&'static str],
}

/// How long the package manager's lock is waited for: another one may be installing.
const LOCK: Duration = Duration::from_secs(600);
/// How long until it is tried again.
const PAUSE: Duration = Duration::from_secs(5);

const PYTHON: [&str; 2] = ["python3", "python3-venv"];
const CLIENTS: &[&str] = &["clients", "browser", "gateway", "relying-parties", "keycloak"];
const NEEDS: &[Need] = &[
    Need {
        what: "a C compiler (SQLite, ring)",
        probe: || works("cc", &["--version"]),
        packages: &["build-essential"],
        parts: &[
            "lints",
            "crates",
            "fuzz",
            "instructions",
            "revocation",
            "sdk",
            "python",
            "go",
            "clients",
            "client-rust",
            "api",
            "browser",
            "gateway",
            "attack",
            "monitoring",
            "failover",
            "relying-parties",
            "keycloak",
        ],
    },
    Need { what: "git", probe: || works("git", &["--version"]), packages: &["git"], parts: &["check"] },
    Need { what: "curl", probe: || works("curl", &["--version"]), packages: &["curl"], parts: &["crates", "python", "clients"] },
    Need { what: "OpenSSL's command", probe: || works("openssl", &["version"]), packages: &["openssl"], parts: &["gateway", "attack"] },
    Need {
        what: "Python 3 with venv",
        probe: python_with_venv,
        packages: &PYTHON,
        parts: &["python", "clients", "api", "gateway", "attack", "monitoring", "failover", "relying-parties"],
    },
    Need {
        what: "Node.js 20.11 or newer",
        probe: || NODE.is_there(),
        packages: &["nodejs"],
        parts: &["sdk", "python", "clients", "browser", "gateway", "attack", "relying-parties", "keycloak"],
    },
    Need {
        what: "Go 1.22 or newer",
        probe: || GO.is_there(),
        packages: &["golang-go"],
        parts: &["go", "attack", "clients", "relying-parties"],
    },
    Need {
        what: "npm",
        probe: || works("npm", &["--version"]),
        packages: &["npm"],
        parts: &["sdk", "clients", "browser", "gateway", "attack", "relying-parties", "keycloak"],
    },
    Need {
        what: "Prometheus and promtool",
        probe: || works("prometheus", &["--version"]) && works("promtool", &["--version"]),
        packages: &["prometheus"],
        parts: &["monitoring"],
    },
    Need { what: "nginx with auth_request", probe: nginx_asks, packages: &["nginx-light"], parts: &["gateway", "attack"] },
    Need { what: "HAProxy with Lua", probe: haproxy_has_lua, packages: &["haproxy"], parts: &["gateway"] },
    Need {
        what: "PostgreSQL",
        probe: || postgres::is_given() || postgres::programs().is_some(),
        packages: &["postgresql"],
        parts: &["crates"],
    },
    // Whatever server the environment names: one is started and lost, and databases are made with a command.
    Need {
        what: "the programs of PostgreSQL",
        probe: || postgres::programs().is_some() && works("psql", &["--version"]),
        packages: &["postgresql"],
        parts: &["failover", ON_POSTGRES],
    },
    Need {
        what: "Patroni and etcd",
        probe: || works("patroni", &["--version"]) && works("etcd", &["--version"]),
        packages: &["patroni", "python3-etcd", "etcd-server"],
        parts: &["failover"],
    },
    Need { what: "pgbouncer", probe: pgbouncer::is_there, packages: &["pgbouncer"], parts: &["crates"] },
    Need {
        what: "OpenLDAP, its server and its commands",
        probe: || std::path::Path::new("/usr/sbin/slapd").exists() && works("ldapadd", &["-VV"]),
        packages: &["slapd", "ldap-utils"],
        parts: &["crates", "browser"],
    },
    Need {
        what: "a mail server, aiosmtpd",
        // The one of Debian's own Python, whichever comes first in the path.
        probe: || works("/usr/bin/python3", &["-c", "import aiosmtpd.smtp"]),
        packages: &["python3-aiosmtpd"],
        parts: &["crates", "browser"],
    },
    Need { what: "Chromium", probe: || chromium::whole().is_some(), packages: &["chromium"], parts: CLIENTS },
    Need {
        what: "Chromium's headless shell",
        probe: || chromium::without_windows().is_some(),
        packages: &["chromium-headless-shell"],
        parts: &[ON_POSTGRES],
    },
    Need {
        what: "a font that Chromium can draw with",
        probe: || std::path::Path::new("/usr/share/fonts").read_dir().is_ok_and(|mut d| d.next().is_some()),
        packages: &["fonts-dejavu-core"],
        parts: CLIENTS,
    },
    Need {
        what: "Java 17 or newer (Keycloak)",
        probe: keycloak::java_is_new_enough,
        packages: &["openjdk-17-jre-headless"],
        parts: &["keycloak"],
    },
    Need {
        what: "Maven (fetches Keycloak)",
        probe: || works("mvn", &["--version"]) || keycloak::is_there(),
        packages: &["maven"],
        parts: &["keycloak"],
    },
    Need {
        what: "valgrind (instruction counts)",
        probe: || works("valgrind", &["--version"]),
        packages: &["valgrind"],
        parts: &["instructions"],
    },
];

fn nginx_asks() -> bool {
    // It prints to stderr what it was built with.
    works("sh", &["-c", "PATH=$PATH:/usr/sbin; nginx -V 2>&1 | grep -q auth_request"])
}

fn haproxy_has_lua() -> bool {
    works("sh", &["-c", "PATH=$PATH:/usr/sbin; haproxy -vv | grep -q '+LUA'"])
}

fn python_with_venv() -> bool {
    works("python3", &["-c", "import venv, ensurepip"])
}

/// `cargo xtask needs`
pub fn report() -> Result<()> {
    for need in NEEDS {
        let state = if (need.probe)() { "ok     " } else { "MISSING" };
        println!("{state} {} (Debian: {}; for {})", need.what, need.packages.join(" "), need.parts.join(", "));
    }
    Ok(())
}

/// What these parts need and this machine does not have.
fn missing(parts: &[&str]) -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| need.parts.iter().any(|part| parts.contains(part)) && !(need.probe)()).collect()
}

/// An error where something is missing that these parts need.
pub fn complain(parts: &[&str]) -> Result<()> {
    let missing = missing(parts);
    if missing.is_empty() { Ok(()) } else { bail!("{}", by_hand(&missing)) }
}

/// Installs what is missing for these parts, or says precisely what to install where there are no rights to.
pub fn install(parts: &[&str]) -> Result<()> {
    let missing = missing(parts);
    if !missing.is_empty() {
        system(&missing)?;
    }
    if ["clients", "api", "monitoring", "failover"].iter().any(|part| parts.contains(part)) {
        python()?;
    }
    if ["python", "attack"].iter().any(|part| parts.contains(part)) {
        python_kit()?;
    }
    if parts.contains(&"gateway") {
        environment_of("Proxies", &proxies_venv(), "e2e/gateway/requirements.txt", &["-r", "e2e/gateway/requirements.txt"])?;
    }
    if parts.contains(&"relying-parties") {
        oauth2_proxy::fetch()?;
    }
    if parts.contains(&"keycloak") {
        keycloak::fetch()?;
    }
    if CLIENTS.iter().any(|part| parts.contains(part)) {
        node("e2e")?;
    }
    if ["sdk", "attack"].iter().any(|part| parts.contains(part)) {
        node("sdk/js")?;
    }
    Ok(())
}

fn packages(missing: &[&Need]) -> Vec<&'static str> {
    missing.iter().flat_map(|need| need.packages.iter().copied()).collect()
}

fn by_hand(missing: &[&Need]) -> String {
    let list: Vec<String> = missing.iter().map(|need| format!("  {} (Debian: {})", need.what, need.packages.join(" "))).collect();
    format!(
        "The tests need what this machine does not have:\n{}\nInstall it, for example with\n  sudo apt-get install {}\nand run `cargo xtask test` again.",
        list.join("\n"),
        packages(missing).join(" ")
    )
}

/// Installs what is missing: through the package manager, and Node.js and Go from the Python registry where the package manager has no such version or may
/// not be used.
fn system(missing: &[&Need]) -> Result<()> {
    let Some(words) = apt_get() else {
        let runtimes: Vec<&Runtime> = [&NODE, &GO].into_iter().filter(|runtime| runtimes::brings(&packages(missing), runtime)).collect();
        let rest: Vec<&Need> = without(missing, &runtimes);
        return if rest.is_empty() && python_with_venv() { runtimes::install(&runtimes) } else { bail!("{}", by_hand(missing)) };
    };
    apt(words, "package lists", &["update", "-q"], PAUSE).with_context(|| by_hand(missing))?;
    let runtimes = runtimes::not_in_debian(&packages(missing), &[&NODE, &GO]);
    let rest = without(missing, &runtimes);
    let mut wanted = packages(&rest);
    if !runtimes.is_empty() && !python_with_venv() && !wanted.contains(&"python3") {
        wanted.extend(PYTHON);
    }
    if !wanted.is_empty() {
        let wait = format!("DPkg::Lock::Timeout={}", LOCK.as_secs());
        let mut get = vec!["-o", &wait, "install", "-y", "-q", "--no-install-recommends"];
        get.extend(wanted);
        apt(words, "Debian packages", &get, PAUSE).with_context(|| by_hand(missing))?;
    }
    let still: Vec<&str> = rest.iter().filter(|need| !(need.probe)()).map(|need| need.what).collect();
    if !still.is_empty() {
        bail!("installed, but still not found: {}", still.join(", "));
    }
    if runtimes.is_empty() { Ok(()) } else { runtimes::install(&runtimes) }
}

/// How the package manager is called, where there are rights to.
fn apt_get() -> Option<&'static [&'static str]> {
    if !works("apt-get", &["--version"]) {
        return None;
    }
    if works("sh", &["-c", "test \"$(id -u)\" = 0"]) {
        return Some(&["apt-get"]);
    }
    works("sudo", &["-n", "true"]).then_some(&["sudo", "-n", "apt-get"])
}

/// What none of these runtimes brings.
fn without<'a>(missing: &[&'a Need], runtimes: &[&Runtime]) -> Vec<&'a Need> {
    missing.iter().copied().filter(|need| !need.packages.iter().any(|package| runtimes::comes_in(runtimes, package))).collect()
}

/// Runs apt-get, again while another package manager holds a lock that it does not wait for itself: that of the lists.
fn apt(words: &[&str], title: &str, args: &[&str], pause: Duration) -> Result<()> {
    println!("\n== {title}\n   {} {}", words.join(" "), args.join(" "));
    let until = Instant::now() + LOCK;
    loop {
        let (program, first) = words.split_first().context("a program")?;
        // What it says of its progress is seen as it comes: Chromium alone is 90 MB.
        let done = Command::new(program)
            .args(first)
            .args(args)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LC_ALL", "C")
            .stderr(Stdio::piped())
            .spawn()?
            .wait_with_output()?;
        let complaint = String::from_utf8_lossy(&done.stderr);
        if done.status.success() {
            return Ok(());
        }
        if !complaint.contains("Could not get lock") || Instant::now() > until {
            bail!("`{} {}` ended with {}: {complaint}", words.join(" "), args.join(" "), done.status);
        }
        println!("   another package manager is at work: waiting for its lock");
        std::thread::sleep(pause);
    }
}

/// The folder of the Python environment.
pub fn venv() -> PathBuf {
    target().join("e2e").join("venv")
}

/// The folder of the environment in which our own Python package is tested: what it needs is newer than what the published clients need.
pub fn kit_venv() -> PathBuf {
    target().join("python").join("venv")
}

fn python() -> Result<()> {
    environment_of("Python", &venv(), "e2e/clients/python/requirements.txt", &["-r", "e2e/clients/python/requirements.txt"])
}

fn python_kit() -> Result<()> {
    environment_of("Python package", &kit_venv(), "sdk/python/pyproject.toml", &["-e", "./sdk/python[test]"])
}

/// The folder of the environment with the proxies that the gateway is tried beside, and what tries them.
pub fn proxies_venv() -> PathBuf {
    target().join("gateway").join("venv")
}

/// A Python environment that is made anew when the file that names its packages changes.
fn environment_of(title: &str, venv: &Path, named_by: &str, packages: &[&str]) -> Result<()> {
    let wanted = std::fs::read_to_string(root().join(named_by)).with_context(|| named_by.to_owned())?;
    environment(title, venv, &wanted, packages)
}

/// A Python environment that is made anew when what is wanted of it changes.
pub fn environment(title: &str, venv: &Path, wanted: &str, packages: &[&str]) -> Result<()> {
    let stamp = venv.join("installed-requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    let place = venv.to_string_lossy().into_owned();
    step(&format!("{title}: environment"), &root(), "python3", &["-m", "venv", "--clear", &place], &[])?;
    let pip = venv.join("bin/pip").to_string_lossy().into_owned();
    let mut args = vec!["install", "--disable-pip-version-check", "--progress-bar", "off"];
    args.extend(packages);
    step(&format!("{title}: packages"), &root(), &pip, &args, &[])?;
    std::fs::write(&stamp, wanted).context("can't note what was installed")
}

/// The Node packages that the lock file of a folder names.
fn node(place: &str) -> Result<()> {
    let folder = root().join(place);
    let lock = std::fs::read_to_string(folder.join("package-lock.json")).with_context(|| format!("{place}/package-lock.json"))?;
    let stamp = folder.join("node_modules/.installed-lock");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == lock) {
        return Ok(());
    }
    step(&format!("Node packages of {place}"), &folder, "npm", &["ci", "--no-audit", "--no-fund", "--ignore-scripts"], &[])?;
    std::fs::write(&stamp, lock).context("can't note what was installed")
}

#[cfg(test)]
mod tests {
    use super::super::parts::PARTS;
    use super::*;

    /// Another package manager that was at work made the whole run fail.
    #[test]
    fn the_lock_of_another_package_manager_is_waited_for_and_no_other_failure() {
        let folder = std::env::temp_dir().join(format!("falconer-apt-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let times = folder.join("times");
        // Stands for apt-get: another one holds the lock twice.
        let locked = format!(
            "echo x >>{0}; test $(wc -l <{0}) -gt 2 || {{ echo 'E: Could not get lock /var/lib/apt/lists/lock' >&2; exit 100; }}",
            times.display()
        );
        apt(&["sh", "-c", &locked], "lists", &[], Duration::ZERO).unwrap();
        assert_eq!(std::fs::read_to_string(&times).unwrap().lines().count(), 3);
        let broken = format!("echo x >>{}; echo 'E: Unable to locate package' >&2; exit 100", times.display());
        let error = apt(&["sh", "-c", &broken], "packages", &[], Duration::ZERO).unwrap_err().to_string();
        assert!(error.contains("Unable to locate package"), "{error}");
        assert_eq!(std::fs::read_to_string(&times).unwrap().lines().count(), 4, "tried once");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    /// `--only sdk` asked for valgrind, and `--only crates` installed no PostgreSQL.
    #[test]
    fn a_part_needs_what_it_starts_and_no_more() {
        let of = |part: &str| NEEDS.iter().filter(|need| need.parts.contains(&part)).flat_map(|need| need.packages).collect::<Vec<_>>();
        assert_eq!(of("go"), [&"build-essential", &"golang-go"]);
        assert_eq!(of("sdk"), [&"build-essential", &"nodejs", &"npm"]);
        assert_eq!(of("crates"), [&"build-essential", &"curl", &"postgresql", &"pgbouncer", &"slapd", &"ldap-utils", &"python3-aiosmtpd"]);
        let names: Vec<&str> = PARTS.iter().map(|part| part.name).chain([ON_POSTGRES]).collect();
        let unknown: Vec<&&str> = NEEDS.iter().flat_map(|need| need.parts).filter(|part| !names.contains(part)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
