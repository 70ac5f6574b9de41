//! A PostgreSQL and another one that follows it: a commit is answered once both have it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::patience::{eventually, output_of};
use crate::support::ports::HeldPort;

/// Both, in one folder that goes with this value.
pub struct Pair {
    programs: PathBuf,
    folder: tempfile::TempDir,
    first: Option<Child>,
    second: Option<Child>,
    /// Whoever comes before a server listens is refused, and nobody else gets the port.
    ports: [HeldPort; 2],
}

impl Pair {
    /// The second one follows the first one.
    pub fn start() -> Pair {
        let mut pair = Pair::empty();
        pair.first = Some(pair.serve(0, &[]));
        let port = pair.ports[0].port().to_string();
        let copy = ["-D", &pair.data(1), "-R", "-c", "fast", "--no-sync", "-h", "127.0.0.1", "-p", &port, "-U", "postgres"];
        pair.run("pg_basebackup", &copy);
        pair.second = Some(pair.serve(1, &[]));
        // The copy was made before, so that it waits for nobody once it is the first one.
        pair.sql(0, "ALTER SYSTEM SET synchronous_standby_names = '*'");
        pair.sql(0, "SELECT pg_reload_conf()");
        eventually("the second one follows", || {
            (pair.sql(0, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1").then_some(())
        });
        pair
    }

    /// The first one alone, which lets `falconer` in over TLS, with a password.
    pub fn over_tls(certificate: &Path, key: &Path) -> Pair {
        let mut pair = Pair::empty();
        let data = PathBuf::from(pair.data(0));
        std::fs::write(data.join("pg_hba.conf"), "host all postgres 127.0.0.1/32 trust\nhostssl all falconer 127.0.0.1/32 scram-sha-256\n")
            .unwrap();
        for (from, to) in [(certificate, "server.crt"), (key, "server.key")] {
            std::fs::copy(from, data.join(to)).unwrap();
            std::fs::set_permissions(data.join(to), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        pair.give_away();
        pair.first = Some(pair.serve(0, &["-c", "ssl=on"]));
        pair
    }

    /// The files of the first one.
    fn empty() -> Pair {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair { programs: programs(), folder, first: None, second: None, ports: [HeldPort::new(), HeldPort::new()] };
        pair.give_away();
        pair.run("initdb", &["-D", &pair.data(0), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        pair
    }

    /// `host:port` of both, the one that follows first: nothing can be written there.
    pub fn hosts(&self) -> String {
        let [first, second] = self.addresses();
        format!("{second},{first}")
    }

    pub fn addresses(&self) -> [SocketAddr; 2] {
        [self.ports[0].address(), self.ports[1].address()]
    }

    /// As when its machine loses power.
    pub fn kill_first(&mut self) {
        // Its children notice, and end.
        let mut first = self.first.take().unwrap();
        first.kill().unwrap();
        first.wait().unwrap();
    }

    /// From now on the second one takes writes.
    pub fn promote_second(&self) {
        self.run("pg_ctl", &["promote", "-w", "-D", &self.data(1)]);
    }

    /// The first column of the first row, as text.
    pub fn sql(&self, number: usize, sql: &str) -> String {
        let port = self.ports[number].port().to_string();
        let said = self.run("psql", &["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-d", "postgres", "-X", "-A", "-t", "-c", sql]);
        said.trim().to_owned()
    }

    fn data(&self, number: usize) -> String {
        self.folder.path().join(format!("data-{number}")).to_string_lossy().into_owned()
    }

    fn serve(&self, number: usize, more: &[&str]) -> Child {
        let port = self.ports[number].port().to_string();
        let mut command = self.command("postgres");
        command.args(["-D", &self.data(number), "-p", &port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        // Nothing survives the test, so nothing has to survive a power cut.
        command.args(["-c", "fsync=off", "-c", "max_connections=50"]).args(more);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let ready = self.programs.join("pg_isready");
        eventually("PostgreSQL answers", || {
            let status = Command::new(&ready).args(["-q", "-h", "127.0.0.1", "-p", &port]).status().unwrap();
            status.success().then_some(())
        });
        child
    }

    /// To its end; what it printed.
    fn run(&self, program: &str, args: &[&str]) -> String {
        let output = output_of(self.command(program).args(args).stdin(Stdio::null()));
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// PostgreSQL refuses to run as root: then it runs as the user that its package made.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).env_remove("PGUSER").env_remove("PGPASSWORD");
        command
    }

    fn give_away(&self) {
        if is_root() {
            assert!(Command::new("chown").args(["-R", "postgres:"]).arg(self.folder.path()).status().unwrap().success());
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        for (number, child) in [self.first.take(), self.second.take()].into_iter().enumerate() {
            let Some(mut child) = child else { continue };
            let _ = self.command("pg_ctl").args(["stop", "-m", "immediate", "-D", &self.data(number)]).output();
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

/// The folder of the newest PostgreSQL's programs: Debian keeps them out of the path.
fn programs() -> PathBuf {
    let version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let debian =
        std::fs::read_dir("/usr/lib/postgresql").ok().into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let there = |folder: &PathBuf| ["initdb", "postgres", "pg_basebackup"].iter().all(|program| Path::new(&folder.join(program)).exists());
    let found = debian.filter(there).max_by_key(version).or_else(|| elsewhere.into_iter().find(there));
    found.expect("the programs of a PostgreSQL; `cargo xtask test` installs it")
}
