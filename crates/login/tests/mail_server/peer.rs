//! A real mail server, aiosmtpd, on free ports of this machine: `e2e/support/mail_server.py` says what it does. It ends with the test, however that ends,
//! because its input does.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use falconer_login::mail::{Mail, MailAddress, MailLogin, MailSettings, SmtpMailer};
use falconer_store::Secret;
use serde_json::Value;

use crate::common::START_MS;
use crate::freezing;
use crate::patience::patience;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/support/mail_server.py");
const PASSWORD: &str = "password of the mail server";

/// The server.
pub struct Peer {
    child: Child,
    ports: Value,
    said: Arc<(Mutex<Vec<Value>>, Condvar)>,
}

impl Peer {
    pub fn start() -> Peer {
        let mut child = Command::new("/usr/bin/python3")
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3: install the Debian package python3-aiosmtpd");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let first = lines.next().expect("the mail server ended: install the Debian package python3-aiosmtpd");
        let ports = serde_json::from_str::<Value>(&first).unwrap()["ports"].take();
        let said: Arc<(Mutex<Vec<Value>>, Condvar)> = Arc::default();
        let written = Arc::clone(&said);
        std::thread::spawn(move || {
            for line in lines {
                written.0.lock().unwrap().push(serde_json::from_str(&line).unwrap());
                written.1.notify_all();
            }
        });
        Peer { child, ports, said }
    }

    /// Where it listens as this, for whoever calls the machine by this name.
    pub fn url(&self, scheme: &str, host: &str, name: &str) -> String {
        format!("{scheme}://{host}:{}", self.ports[name])
    }

    /// Waits until it has said something like this, and gives what it has said since the last time, up to that.
    pub fn said_until(&self, is_this: impl Fn(&Value) -> bool) -> Vec<Value> {
        let (said, more) = &*self.said;
        let (mut said, waited) = more.wait_timeout_while(said.lock().unwrap(), patience(), |said| !said.iter().any(&is_this)).unwrap();
        assert!(!waited.timed_out(), "the mail server said only {said:?}");
        let here = said.iter().position(is_this).unwrap();
        said.drain(..=here).collect()
    }

    /// The next mail that it takes.
    pub fn mail(&self) -> Value {
        self.said_until(|line| !line["mail"].is_null()).into_iter().find_map(|mut line| line.get_mut("mail").map(Value::take)).unwrap()
    }

    /// The first words of what it was told since the last time, up to the end of that connection.
    pub fn received(&self) -> Vec<String> {
        let said = self.said_until(|line| line["gone"] == true);
        said.iter().filter_map(|line| line["told"].as_str()?.split(' ').next().map(str::to_owned)).collect()
    }

    /// Stops it in the middle of whatever it does: connections are taken, and never answered.
    pub fn freeze(&self) {
        freezing::freeze(self.child.id());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        freezing::thaw(self.child.id());
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Settings that trust the authorities of the tests' certificates.
pub fn settings(url: &str) -> MailSettings {
    let ca_pem = [include_bytes!("../ldap/tls/ca.pem").as_slice(), include_bytes!("tls/ca.pem")].concat();
    MailSettings { url: url.to_owned(), login: None, from: "The Falconer <falconer@example.com>".to_owned(), ca_pem: Some(ca_pem) }
}

/// The same, with the user that the server lets in.
pub fn with_login(url: &str) -> MailSettings {
    let login = MailLogin { user: "falconer".to_owned(), password: Secret::new(PASSWORD) };
    MailSettings { login: Some(login), ..settings(url) }
}

pub fn mailer(settings: &MailSettings) -> SmtpMailer {
    SmtpMailer::new(settings).unwrap()
}

pub fn mail_to(address: &str) -> Mail {
    let text = "Hello\n.\nA line of dots follows\n..\nGr\u{fc}\u{df}e\n".to_owned().into();
    Mail { id: "i".repeat(22), to: MailAddress::parse(address).unwrap(), subject: "A code".to_owned(), text, at_ms: START_MS }
}
