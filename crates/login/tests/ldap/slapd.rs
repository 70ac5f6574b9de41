//! A real OpenLDAP server, on ports of this machine that are held for it. It is a child of a shell that ends it as soon as the test's end of a pipe is closed, so that it
//! ends with the test, however that ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::freezing;
use crate::patience::patience;
use crate::ports::HeldPort;

/// The administrator of the tree.
pub const ROOT: &str = "cn=root,dc=example,dc=com";
/// Whoever Falconer asks as.
pub const SERVICE: &str = "cn=falconer,ou=services,dc=example,dc=com";
/// The password of both.
pub const SECRET: &str = "secret of the service";

const SUPERVISOR: &str = r#""$@" & pid=$!; read -r _; kill "$pid"; wait "$pid""#;

/// The server.
pub struct Slapd {
    pub plain_port: u16,
    pub tls_port: u16,
    ports: [HeldPort; 2],
    folder: TempDir,
    child: Child,
    pipe: Option<ChildStdin>,
    log: Arc<(Mutex<Vec<String>>, Condvar)>,
}

fn slapd_program() -> &'static str {
    if Path::new("/usr/sbin/slapd").exists() { "/usr/sbin/slapd" } else { "slapd" }
}

impl Slapd {
    /// With the people and groups of `people.ldif`, and the certificate that holds for `localhost` and 127.0.0.1.
    pub fn start() -> Slapd {
        Slapd::with_certificate("server")
    }

    /// With another certificate of the folder `tls`.
    pub fn with_certificate(name: &str) -> Slapd {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().display().to_string();
        let tls = format!("{}/tests/ldap/tls", env!("CARGO_MANIFEST_DIR"));
        let here = |text: &str| text.replace("@FOLDER@", &place).replace("@TLS@", &tls).replace("@CERTIFICATE@", name);
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("slapd.conf"), here(include_str!("slapd.conf"))).unwrap();
        let slapd = Slapd::run(folder, [HeldPort::new(), HeldPort::new()]);
        slapd.change("ldapadd", &[], include_str!("people.ldif"));
        slapd
    }

    fn run(folder: TempDir, ports: [HeldPort; 2]) -> Slapd {
        let [plain_port, tls_port] = [ports[0].port(), ports[1].port()];
        let urls = format!("ldap://127.0.0.1:{plain_port}/ ldaps://127.0.0.1:{tls_port}/");
        let config = folder.path().join("slapd.conf");
        let mut child = Command::new("sh")
            .args(["-c", SUPERVISOR, "sh", slapd_program(), "-d", "stats", "-h", &urls, "-f"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("slapd: install the Debian packages slapd and ldap-utils");
        let log = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let written = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.0.lock().unwrap().push(line);
                written.1.notify_all();
            }
        });
        let pipe = child.stdin.take();
        let slapd = Slapd { plain_port, tls_port, ports, folder, child, pipe, log };
        slapd.wait_for("slapd starting");
        // It says so a moment before it listens.
        let until = Instant::now() + patience();
        while [plain_port, tls_port].iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_err()) {
            assert!(Instant::now() < until, "slapd does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        slapd
    }

    /// Waits until its log has such a line.
    pub fn wait_for(&self, text: &str) {
        let (lines, more) = &*self.log;
        let lines = lines.lock().unwrap();
        let (lines, waited) = more.wait_timeout_while(lines, patience(), |lines| !lines.iter().any(|line| line.contains(text))).unwrap();
        assert!(!waited.timed_out(), "slapd never said {text:?}: {lines:?}");
    }

    /// The lines of its log that hold this.
    pub fn said(&self, text: &str) -> Vec<String> {
        self.log.0.lock().unwrap().iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// Runs `ldapadd` or `ldapmodify` as the administrator.
    pub fn change(&self, program: &str, args: &[&str], ldif: &str) {
        let url = format!("ldap://127.0.0.1:{}", self.plain_port);
        let mut child = Command::new(program)
            .args(["-x", "-D", ROOT, "-w", SECRET, "-H", &url])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("install the Debian package ldap-utils");
        child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{program}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// Ends it, and gives what starts it again on the same ports with the same data.
    pub fn stop(mut self) -> Stopped {
        self.end();
        let folder = std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap());
        let ports = std::mem::replace(&mut self.ports, [HeldPort::new(), HeldPort::new()]);
        Stopped { folder, ports }
    }

    /// Stops it in the middle of whatever it does: connections are taken, and never answered.
    pub fn freeze(&self) {
        freezing::freeze(self.pid());
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        freezing::thaw(self.pid());
    }

    fn pid(&self) -> u32 {
        std::fs::read_to_string(self.folder.path().join("slapd.pid")).unwrap().trim().parse().unwrap()
    }

    fn end(&mut self) {
        drop(self.pipe.take());
        let _ = self.child.wait();
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        if self.pipe.is_some() {
            self.thaw();
            self.end();
        }
    }
}

/// A server that was ended.
pub struct Stopped {
    folder: TempDir,
    ports: [HeldPort; 2],
}

impl Stopped {
    /// Starts it again.
    pub fn start(self) -> Slapd {
        Slapd::run(self.folder, self.ports)
    }
}
