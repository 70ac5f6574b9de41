//! Revocation: while 64 workers use a credential as fast as they are answered, it is taken away. A request is a violation when it was accepted
//! although its first byte was sent after the acknowledgement of the revocation had been read.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::Stage;
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::figures::report::Outcome;
use crate::requests::api::{Api, Keys};
use crate::requests::browser::Person;
use crate::requests::connection::Connection;
use crate::requests::pool::{authenticate_hawk, holds};

const WORKERS: usize = 64;
/// Requests of one round; each worker takes them in turn.
const REQUESTS: usize = 64;
/// A round that lasts longer than this is a fault.
const PATIENCE: Duration = Duration::from_secs(60);
/// The role whose scope is taken away, and the scope.
const ROLE: &str = "/api/auth/v1/roles/bench-revoked";
const SCOPE: &str = "bench:revoked:scope";
const CLIENT: &str = "bench/revoked";
const CLIENT_PATH: &str = "/api/auth/v1/clients/bench%2Frevoked";

/// A credential in use, until it is revoked.
struct Round {
    requests: Vec<Vec<u8>>,
    /// The acknowledgement of the revocation was read.
    acknowledged: AtomicBool,
    accepted_before: AtomicUsize,
    refused_after: AtomicUsize,
}

struct Workers {
    address: String,
    /// None while there is nothing to be used.
    round: RwLock<Option<Arc<Round>>>,
    over: AtomicBool,
    failed: AtomicBool,
    violations: AtomicU64,
    /// Requests that were sent after an acknowledgement.
    tried: AtomicU64,
}

/// What is taken away, in the order in which it is measured.
const KINDS: [&str; 5] = ["revoke-disable", "revoke-delete", "revoke-reset", "revoke-role", "revoke-grant"];

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    let (mut rounds, mut violations, mut kinds) = (0, 0, Vec::new());
    for id in KINDS {
        if !stage.wants(id) && !stage.wants("revocation") {
            continue;
        }
        if id == "revoke-grant" && !stage.subject.ours {
            stage.add(Outcome::none(id, "another server's pages are not known"));
            continue;
        }
        let began = Instant::now();
        let mut kind = kind(stage, id)?;
        let (violated, tried) = run(&stage.subject.api.address, stage.options.revocations, kind.as_mut()).with_context(|| id.to_owned())?;
        let note = format!(
            "{} rounds, {WORKERS} workers, {tried} requests after an acknowledgement, {:.1} s",
            stage.options.revocations,
            began.elapsed().as_secs_f64()
        );
        stage.add(Outcome::figure(id, violated as f64).noting(note));
        rounds += stage.options.revocations;
        violations += violated;
        kinds.push(id);
    }
    if stage.wants("revocation") {
        stage.add(Outcome::figure("revocation", violations as f64).noting(format!("{rounds} rounds of {}", kinds.join(", "))));
    }
    Ok(())
}

/// One way to lose what one had.
trait Kind {
    /// Makes, or makes good again, a credential that is accepted; with the scopes that its requests are narrowed to.
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)>;
    /// Takes it away; when this returns, the acknowledgement was read.
    fn take(&mut self) -> Result<()>;
}

fn kind(stage: &Stage<'_>, id: &str) -> Result<Box<dyn Kind>> {
    let calls = Calls { api: stage.subject.api.clone(), connection: stage.subject.api.connect()? };
    Ok(match id {
        "revoke-disable" => Box::new(Disable(calls, None)),
        "revoke-delete" => Box::new(Delete(calls)),
        "revoke-reset" => Box::new(Reset(calls, false)),
        "revoke-role" => Box::new(RoleChange(calls, None)),
        _ => Box::new(Revoke::new(stage)?),
    })
}

/// Signed calls over one connection.
struct Calls {
    api: Api,
    connection: Connection,
}

impl Calls {
    fn done(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        match self.api.call(&mut self.connection, method, path, body)? {
            (200..300, answer) => Ok(answer),
            (status, answer) => bail!("{method} {path} answered {status}: {answer}"),
        }
    }

    fn client(&mut self) -> Result<Keys> {
        let scopes = vec!["bench:revoked:own".to_owned(), "assume:bench-revoked".to_owned()];
        create_client(&self.api, &mut self.connection, &NewClient { client_id: CLIENT.to_owned(), scopes })
    }
}

struct Disable(Calls, Option<Keys>);

impl Kind for Disable {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        let keys = match self.1.take() {
            Some(keys) => keys,
            None => self.0.client()?,
        };
        self.0.done("POST", &format!("{CLIENT_PATH}/enable"), None)?;
        self.1 = Some(keys.clone());
        Ok((keys, None))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{CLIENT_PATH}/disable"), None).map(drop)
    }
}

struct Delete(Calls);

impl Kind for Delete {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        // What an earlier kind has left.
        self.take()?;
        Ok((self.0.client()?, None))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("DELETE", CLIENT_PATH, None).map(drop)
    }
}

struct Reset(Calls, bool);

impl Kind for Reset {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        if !std::mem::replace(&mut self.1, true) {
            self.0.done("DELETE", CLIENT_PATH, None)?;
            self.0.client()?;
        }
        let made = self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None)?;
        Ok((Keys::new(CLIENT, made.get("accessToken").and_then(Value::as_str).context("no accessToken")?), None))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", &format!("{CLIENT_PATH}/reset"), None).map(drop)
    }
}

/// The requests claim the scope as an authorized one, so that they fail once the role has lost it.
struct RoleChange(Calls, Option<Keys>);

impl Kind for RoleChange {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        let body = json!({ "description": "", "scopes": ["bench:kept", SCOPE] });
        let keys = match self.1.take() {
            Some(keys) => {
                self.0.done("POST", ROLE, Some(&body))?;
                keys
            }
            None => {
                self.0.done("DELETE", CLIENT_PATH, None)?;
                self.0.done("DELETE", ROLE, None)?;
                self.0.done("PUT", ROLE, Some(&body))?;
                self.0.client()?
            }
        };
        self.1 = Some(keys.clone());
        Ok((keys, Some(vec![SCOPE.to_owned()])))
    }

    fn take(&mut self) -> Result<()> {
        self.0.done("POST", ROLE, Some(&json!({ "description": "", "scopes": ["bench:kept"] }))).map(drop)
    }
}

/// Grants of a person, revoked on their page from another session.
struct Revoke {
    grantor: Person,
    revoker: Person,
    csrf: Option<String>,
    grant: String,
}

impl Revoke {
    fn new(stage: &Stage<'_>) -> Result<Revoke> {
        const NAME: &str = "bench";
        let password = "only-for-this-measurement";
        let mut add = Command::new(&stage.options.binary);
        add.args(["account", "create", NAME, "--password-stdin", "--scope", "auth:current-scopes", "--data-dir"])
            .arg(stage.subject.data_dir());
        let mut child =
            add.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().context("falconer account create")?;
        child.stdin.take().context("no stdin")?.write_all(format!("{password}\n").as_bytes())?;
        let done = child.wait_with_output()?;
        if !done.status.success() {
            bail!("falconer account create: {}", String::from_utf8_lossy(&done.stderr));
        }
        // Cookies and origins go by the name that the server knows itself by.
        let address = stage.subject.api.address.replace("127.0.0.1", "localhost");
        let began = Instant::now();
        // The server takes in within a second what was written beside it.
        let sign_in = || loop {
            match Person::sign_in(&address, NAME, password) {
                Err(_) if began.elapsed() < Duration::from_secs(5) => std::thread::sleep(Duration::from_millis(600)),
                other => return other,
            }
        };
        Ok(Revoke { grantor: sign_in()?, revoker: sign_in()?, csrf: None, grant: String::new() })
    }
}

impl Kind for Revoke {
    fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
        let (keys, grant) = self.grantor.grant("https://notes.example.com/", &["auth:current-scopes"])?;
        self.grant = grant;
        if self.csrf.is_none() {
            self.csrf = Some(self.revoker.csrf()?);
        }
        Ok((keys, None))
    }

    fn take(&mut self) -> Result<()> {
        self.revoker.revoke(self.csrf.as_deref().unwrap_or_default(), &self.grant)
    }
}

impl Round {
    fn new(address: &str, (keys, authorized): (Keys, Option<Vec<String>>)) -> Result<Round> {
        let mut random = fastrand::Rng::new();
        let one = |_| authenticate_hawk(address, &keys, authorized.as_deref(), &mut random);
        Ok(Round {
            requests: (0..REQUESTS).map(one).collect::<Result<_>>()?,
            acknowledged: AtomicBool::new(false),
            accepted_before: AtomicUsize::new(0),
            refused_after: AtomicUsize::new(0),
        })
    }
}

/// Violations, and how many requests were sent after an acknowledgement.
fn run(address: &str, rounds: usize, kind: &mut dyn Kind) -> Result<(u64, u64)> {
    let workers = Workers {
        address: address.to_owned(),
        round: RwLock::new(None),
        over: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        violations: AtomicU64::new(0),
        tried: AtomicU64::new(0),
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS)
            .map(|number| {
                scope.spawn({
                    let workers = &workers;
                    move || workers.work(number)
                })
            })
            .collect();
        let mut controlled = Ok(());
        for _ in 0..rounds {
            controlled = workers.round(kind);
            if controlled.is_err() {
                break;
            }
        }
        workers.over.store(true, Ordering::SeqCst);
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
        }
        controlled?;
        Ok((workers.violations.load(Ordering::SeqCst), workers.tried.load(Ordering::SeqCst)))
    })
}

impl Workers {
    /// Lets a credential be used, takes it away, and sees that all workers notice.
    fn round(&self, kind: &mut dyn Kind) -> Result<()> {
        let round = Arc::new(Round::new(&self.address, kind.give()?)?);
        self.publish(Some(Arc::clone(&round)))?;
        self.until("the credential is accepted", || round.accepted_before.load(Ordering::SeqCst) >= WORKERS)?;
        kind.take()?;
        round.acknowledged.store(true, Ordering::SeqCst);
        self.until("the credential is refused", || round.refused_after.load(Ordering::SeqCst) >= WORKERS)?;
        // The same keys may be given again: nobody may still be using them as those of this round.
        self.publish(None)?;
        self.until("no worker uses the credential", || Arc::strong_count(&round) == 1)
    }

    fn publish(&self, round: Option<Arc<Round>>) -> Result<()> {
        *self.round.write().map_err(|_| anyhow::anyhow!("a worker panicked"))? = round;
        Ok(())
    }

    fn present(&self) -> Result<Option<Arc<Round>>> {
        Ok(self.round.read().map_err(|_| anyhow::anyhow!("a worker panicked"))?.clone())
    }

    fn until(&self, what: &str, reached: impl Fn() -> bool) -> Result<()> {
        let began = Instant::now();
        while !reached() {
            if began.elapsed() > PATIENCE || self.failed.load(Ordering::SeqCst) {
                bail!("waited in vain until {what}");
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    fn work(&self, number: usize) -> Result<()> {
        let worked = self.exchanges(number);
        if worked.is_err() {
            self.failed.store(true, Ordering::SeqCst);
        }
        worked
    }

    fn exchanges(&self, number: usize) -> Result<()> {
        let mut connection = Connection::open(&self.address)?;
        for at in number.. {
            if self.over.load(Ordering::SeqCst) {
                break;
            }
            let Some(round) = self.present()? else {
                std::thread::sleep(Duration::from_micros(100));
                continue;
            };
            let request = round.requests.get(at % REQUESTS).context("a round without requests")?;
            // Read before the first byte goes out.
            let after = round.acknowledged.load(Ordering::SeqCst);
            let answer = connection.exchange(request)?;
            let accepted = holds(answer.body(), "auth-success");
            if !accepted && !holds(answer.body(), "auth-failed") {
                bail!("unexpected answer {}: {}", answer.status, String::from_utf8_lossy(answer.whole));
            }
            self.tried.fetch_add(u64::from(after), Ordering::SeqCst);
            match (accepted, after) {
                (true, true) => drop(self.violations.fetch_add(1, Ordering::SeqCst)),
                (true, false) => drop(round.accepted_before.fetch_add(1, Ordering::SeqCst)),
                (false, true) => drop(round.refused_after.fetch_add(1, Ordering::SeqCst)),
                (false, false) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::atomic::AtomicI64;

    /// A server that accepts as long as there is something left, and a way to take it away: at once, or only after some more requests.
    struct Fake {
        left: Arc<AtomicI64>,
        after_acknowledgement: i64,
    }

    impl Kind for Fake {
        fn give(&mut self) -> Result<(Keys, Option<Vec<String>>)> {
            self.left.store(i64::MAX, Ordering::SeqCst);
            Ok((Keys::new("bench/fake", "a"), None))
        }

        fn take(&mut self) -> Result<()> {
            self.left.store(self.after_acknowledgement, Ordering::SeqCst);
            Ok(())
        }
    }

    fn violations(after_acknowledgement: i64) -> (u64, u64) {
        let left = Arc::new(AtomicI64::new(i64::MAX));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let shared = Arc::clone(&left);
        std::thread::spawn(move || {
            for stream in listener.incoming().take(WORKERS) {
                let (mut stream, left) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || {
                    let mut buffer = [0; 4096];
                    while stream.read(&mut buffer).is_ok_and(|count| count > 0) {
                        let word = if left.fetch_sub(1, Ordering::SeqCst) > 0 { "auth-success" } else { "auth-failed!" };
                        if write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\n{word}").is_err() {
                            return;
                        }
                    }
                });
            }
        });
        run(&address, 3, &mut Fake { left, after_acknowledgement }).unwrap()
    }

    #[test]
    fn a_server_that_forgets_late_is_found_out() {
        let (violated, tried) = violations(2_000);
        // What was on its way when the acknowledgement was read is nobody's fault.
        assert!(violated >= 3 * (2_000 - WORKERS as u64) && tried > violated, "{violated} of {tried}");
    }

    #[test]
    fn a_server_that_forgets_at_once_is_not_accused() {
        let (violated, tried) = violations(0);
        assert!(violated == 0 && tried >= 3 * WORKERS as u64, "{violated} of {tried}");
    }
}
