//! A PostgreSQL for tests: a cluster of its own in the target folder, thrown away at the end; and `cargo xtask postgres`, which runs one by hand.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::pgbouncer;
use crate::run::{target, works};

/// Names a server on which tests may make schemas and databases. Where it is set, none is started.
pub const VARIABLE: &str = "FALCONER_TEST_POSTGRES";
/// How long a new server may take until it answers.
pub const START: Duration = Duration::from_secs(120);
/// How its log says that somebody else took the port since it was chosen.
pub const TAKEN: &str = "Address already in use";

/// The folder of the newest PostgreSQL's programs: Debian keeps them out of the path.
pub fn programs() -> Option<PathBuf> {
    let version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let debian =
        std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let elsewhere = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let there = |folder: &PathBuf| folder.join("initdb").exists() && folder.join("postgres").exists();
    debian.filter(there).max_by_key(version).or_else(|| elsewhere.into_iter().find(there))
}

/// Whether the environment names a server.
pub fn is_given() -> bool {
    std::env::var(VARIABLE).is_ok_and(|url| !url.is_empty())
}

/// A program that ends when this value does, with its folder, and also when this process does, however that ends.
pub struct Watched {
    watcher: Child,
    folder: PathBuf,
}

/// What stands between this process and the program: it ends the program and removes the folder as soon as its input ends. The immediate shutdown: what is
/// thrown away needs no checkpoint, which takes long after many schemas. A program that a shell starts in the background ignores that signal unless it asks for
/// it, as PostgreSQL does; the second signal is for any other.
const WATCHER: &str = r#"folder="$1"; shift
"$@" >"$folder/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT "$server" 2>/dev/null
kill -TERM "$server" 2>/dev/null
wait "$server"
rm -rf "$folder""#;

impl Watched {
    /// Starts the words as a command that writes its log into the folder.
    pub fn start(folder: &Path, words: Vec<OsString>) -> Result<Watched> {
        let mut command = Command::new("sh");
        command.args(["-c", WATCHER, "sh"]).arg(folder).args(words).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::null());
        // A group of its own: Ctrl-C is for the tests, and the watcher then does its work.
        let watcher = command.stderr(Stdio::null()).process_group(0).spawn().with_context(|| format!("can't start {command:?}"))?;
        Ok(Watched { watcher, folder: folder.to_owned() })
    }

    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.watcher.try_wait()?.is_some())
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        let _ = self.watcher.wait();
    }
}

/// Whether a server waits for its disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// A commit is answered when it is there.
    AsInProduction,
    /// What a power cut would leave is of no interest. Making a database takes a third of the time.
    NotWaitedFor,
}

/// A server for tests; it ends with this value.
pub struct Server {
    watched: Watched,
    /// As what [`VARIABLE`] wants.
    pub url: String,
}

impl Server {
    /// Makes a cluster and starts it on a free port of this machine.
    pub fn start(disk: Disk) -> Result<Server> {
        loop {
            match Server::start_once(disk) {
                Err(error) if error.to_string().contains(TAKEN) => {}
                started => return started,
            }
        }
    }

    fn start_once(disk: Disk) -> Result<Server> {
        let programs = programs().context("no PostgreSQL found: install the Debian package `postgresql`, or set FALCONER_TEST_POSTGRES")?;
        // A run may have one of each.
        let (name, words_for_disk): (_, &[&str]) = match disk {
            Disk::AsInProduction => ("falconer-postgres", &[]),
            Disk::NotWaitedFor => ("falconer-postgres-e2e", &["-c", "fsync=off", "-c", "full_page_writes=off"]),
        };
        let folder = folder_in_reach(name)?;
        let started = prepare(&programs, &folder).and_then(|password| {
            let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut words = unprivileged(&programs.join("postgres"));
            words.extend(["-D".into(), folder.join("data").into()]);
            words.extend(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"].map(OsString::from));
            words.extend(["-c", "unix_socket_directories=", "-c", "max_connections=300"].map(OsString::from));
            words.extend(words_for_disk.iter().map(OsString::from));
            Ok((Watched::start(&folder, words)?, port, password))
        });
        let (watched, port, password) = started.inspect_err(|_| drop(std::fs::remove_dir_all(&folder)))?;
        let mut server = Server { watched, url: format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres?sslmode=disable") };
        server.wait(&programs, port)?;
        Ok(server)
    }

    fn wait(&mut self, programs: &Path, port: u16) -> Result<()> {
        let ready = programs.join("pg_isready").to_string_lossy().into_owned();
        let until = Instant::now() + START;
        while !works(&ready, &["-q", "-h", "127.0.0.1", "-p", &port.to_string()]) {
            if self.watched.has_ended()? || Instant::now() > until {
                bail!("PostgreSQL did not start; its log says:\n{}", self.watched.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// A new folder for a cluster that its user can reach: below the target folder, and for another user than this one, if the way there is closed to it, in a
/// folder for temporary files.
pub fn folder_in_reach(name: &str) -> Result<PathBuf> {
    folder_in(name, [target(), std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/var/tmp")])
}

/// In the first place that its user can reach.
fn folder_in<const N: usize>(name: &str, places: [PathBuf; N]) -> Result<PathBuf> {
    let name = format!("{name}-{}", std::process::id());
    for place in places {
        let folder = place.join(&name);
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        if !is_root() {
            return Ok(folder);
        }
        let path = folder.to_string_lossy().into_owned();
        if !works("chown", &["postgres:", &path]) {
            let _ = std::fs::remove_dir(&folder);
            bail!("PostgreSQL refuses to run as root, and there is no user `postgres`: run this as another user, or set {VARIABLE}");
        }
        let mut words = unprivileged(Path::new("test"));
        words.extend(["-w".into(), folder.clone().into()]);
        if run(&words).is_ok_and(|done| done.status.success()) {
            return Ok(folder);
        }
        std::fs::remove_dir(&folder)?;
    }
    bail!("the user `postgres` can reach neither the target folder nor a folder for temporary files: set {VARIABLE}")
}

/// Makes the cluster; the answer is the password of its superuser.
fn prepare(programs: &Path, folder: &Path) -> Result<String> {
    let mut bytes = [0u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    let password = bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    let file = folder.join("password");
    std::fs::write(&file, &password)?;
    give_away(folder)?;
    let mut words = unprivileged(&programs.join("initdb"));
    words.extend(["-D".into(), folder.join("data").into(), "--pwfile".into(), file.into()]);
    words.extend(["-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C"].map(OsString::from));
    let output = run(&words).context("can't run initdb")?;
    if !output.status.success() {
        bail!("initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(password)
}

/// Gives a folder to the user that the servers run as, and to nobody else.
pub fn give_away(folder: &Path) -> Result<()> {
    let path = folder.to_string_lossy().into_owned();
    if is_root() && !(works("chown", &["-R", "postgres:", &path]) && works("chmod", &["-R", "go=", &path])) {
        bail!("{path} can't be given to the user `postgres`");
    }
    Ok(())
}

/// Runs words as a command, in a folder that anybody may be in.
fn run(words: &[OsString]) -> Result<std::process::Output> {
    let (program, args) = words.split_first().context("a command has a program")?;
    Ok(Command::new(program).args(args).current_dir("/").stdin(Stdio::null()).output()?)
}

fn is_root() -> bool {
    works("sh", &["-c", "test \"$(id -u)\" = 0"])
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
pub fn unprivileged(program: &Path) -> Vec<OsString> {
    let as_user: &[&str] = if is_root() { &["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] } else { &[] };
    as_user.iter().map(OsString::from).chain([program.into()]).collect()
}

/// `cargo xtask postgres`
pub fn by_hand() -> Result<()> {
    let mut server = Server::start(Disk::AsInProduction)?;
    let pooler = pgbouncer::is_there().then(|| pgbouncer::Pooler::before(&server.url)).transpose()?;
    if let Some(pooler) = &pooler {
        println!("export {}='{}'", pgbouncer::VARIABLE, pooler.url);
    }
    println!("export {VARIABLE}='{}'\nPostgreSQL runs until Enter or Ctrl-C; then everything in it is gone.", server.url);
    let mut line = String::new();
    if std::io::stdin().read_line(&mut line)? == 0 {
        // Nobody can press Enter: until this process is ended from outside, or the server is.
        while !server.watched.has_ended()? {
            std::thread::sleep(Duration::from_millis(200));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cancelled run left its PostgreSQL behind. Here any program stands for the server: what counts is that it ends with the input of its watcher.
    ///
    /// The watcher has a group of its own here too: Ctrl-C would end it alone, and a program that a shell starts in the background does not hear it.
    #[test]
    fn the_watcher_ends_the_server_when_its_input_ends() {
        let folder = std::env::temp_dir().join(format!("falconer-watcher-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", WATCHER, "sh"]).arg(&folder).args(["sh", "-c", "echo $$; exec sleep 600"]);
        let mut watcher = command.stdin(Stdio::piped()).process_group(0).spawn().unwrap();
        let until = Instant::now() + START;
        let server = loop {
            match std::fs::read_to_string(folder.join("log")) {
                Ok(log) if log.ends_with('\n') => break log.trim().to_owned(),
                _ => assert!(watcher.try_wait().unwrap().is_none() && Instant::now() < until, "it does not run"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(works("kill", &["-0", &server]), "it runs");
        drop(watcher.stdin.take());
        assert!(watcher.wait().unwrap().success());
        assert!(!works("kill", &["-0", &server]), "it is gone");
        assert!(!folder.exists());
    }

    /// Run by root, with the target folder below a home that is closed to others, PostgreSQL could not reach its cluster.
    #[test]
    fn a_home_that_is_closed_to_others_holds_no_cluster_of_another_user() {
        let open = std::env::temp_dir().join(format!("falconer-places-{}", std::process::id()));
        let target = open.join("home/project/target");
        let elsewhere = open.join("elsewhere");
        std::fs::create_dir_all(&target).unwrap();
        std::fs::create_dir_all(&elsewhere).unwrap();
        for (folder, mode) in [(&open, "755"), (&open.join("home"), "700"), (&elsewhere, "755")] {
            assert!(works("chmod", &[mode, &folder.to_string_lossy()]));
        }
        let folder = folder_in("falconer-places", [target.clone(), elsewhere.clone()]).unwrap();
        assert!(folder.is_dir());
        // Whoever is not root runs it as themselves.
        let expected = if is_root() { &elsewhere } else { &target };
        assert_eq!(folder.parent(), Some(expected.as_path()));
        assert_eq!(std::fs::read_dir(&target).unwrap().count(), usize::from(!is_root()), "nothing is left where it is of no use");
        std::fs::remove_dir_all(&open).unwrap();
    }
}
