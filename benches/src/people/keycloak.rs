//! Keycloak's own sign-ins with a password, in the same run on the same machine: its page, its form, the code that it sends the browser back with. It has its
//! own defaults of a hash (argon2id, 7 MiB, five passes), its production mode, and a database in memory.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::accounts::{PASSWORD, address_of, name};
use super::in_turn::in_turn_at;
use super::{Line, Options};
use crate::requests::api::segment;
use crate::requests::browser::Person;
use crate::requests::connection::Connection;

/// The most connections at a time.
const MOST_AT_ONCE: usize = 16;
/// Accounts of each connection, which sign in in turn.
const EACH: usize = 2;
/// Where browsers are sent back; nobody is there.
const BACK: &str = "http://127.0.0.1:1/back";
const START_WITHIN: Duration = Duration::from_secs(600);
/// It compiles itself while it works: so many times as long as it is measured, it works before.
const WARMING: f64 = 4.0;

pub(super) fn measure(options: &Options) -> Result<Vec<Line>> {
    let home = options.keycloak.as_deref().context("--keycloak FOLDER: an unpacked Keycloak, such as target/keycloak/keycloak-26.5.6")?;
    let keycloak = Keycloak::start(home)?;
    let address = format!(
        "/realms/bench/protocol/openid-connect/auth?client_id=bench&response_type=code&scope=openid&redirect_uri={}",
        segment(BACK)
    );
    let sign_in = |number: usize| {
        let mut person = Person::at(&keycloak.address, Some(address_of(number)))?;
        let address = address.as_str();
        // Accounts of its own for each connection: Keycloak refuses whoever signs in while the same account is signing in elsewhere.
        Ok(move |at: usize| person.sign_in_at_keycloak(address, &name(number * EACH + at % EACH), PASSWORD, BACK))
    };
    in_turn_at(keycloak.child.id(), options.seconds * WARMING, 4, sign_in)?;
    let mut lines = Vec::new();
    for connections in [1, 4, MOST_AT_ONCE] {
        let figures = in_turn_at(keycloak.child.id(), options.seconds, connections, sign_in)?;
        lines.push(figures.line(format!("Keycloak's sign-ins with a password, {connections} at once")));
    }
    Ok(lines)
}

/// It ends when dropped.
struct Keycloak {
    child: Child,
    address: String,
}

impl Keycloak {
    fn start(home: &Path) -> Result<Keycloak> {
        let import = home.join("data/import");
        if import.exists() {
            std::fs::remove_dir_all(&import)?;
        }
        std::fs::create_dir_all(&import)?;
        std::fs::write(import.join("bench-realm.json"), realm().to_string())?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut start = Command::new(home.join("bin/kc.sh"));
        start.args(["start", "--db=dev-mem", "--import-realm", "--http-enabled=true", "--hostname-strict=false", "--http-host=127.0.0.1"]);
        start.args([format!("--http-port={port}"), "--cache=local".to_owned()]);
        // The script starts Java, which has to end with it.
        let child = start.stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn().context("can't start Keycloak")?;
        let mut keycloak = Keycloak { child, address: format!("127.0.0.1:{port}") };
        let began = Instant::now();
        while !keycloak.answers() {
            if let Some(ended) = keycloak.child.try_wait()? {
                bail!("Keycloak ended: {ended}; `{}/bin/kc.sh start --db=dev-mem` says why", home.display());
            }
            if began.elapsed() > START_WITHIN {
                bail!("Keycloak does not answer");
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(keycloak)
    }

    fn answers(&self) -> bool {
        let request = format!("GET /realms/bench HTTP/1.1\r\nhost: {}\r\n\r\n", self.address);
        let status = Connection::open(&self.address).and_then(|mut connection| Ok(connection.exchange(request.as_bytes())?.status));
        status.is_ok_and(|status| status == 200)
    }
}

impl Drop for Keycloak {
    fn drop(&mut self) {
        // All of its group: the child leads it.
        let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", self.child.id())]).status();
        let _ = self.child.wait();
    }
}

fn realm() -> serde_json::Value {
    let user = |number: usize| {
        json!({
            "username": name(number), "enabled": true, "firstName": "Person", "lastName": number.to_string(), "email": format!("{}@example.com", name(number)),
            "emailVerified": true, "realmRoles": ["default-roles-bench"], "credentials": [{ "type": "password", "value": PASSWORD }],
        })
    };
    json!({
        "realm": "bench", "enabled": true, "sslRequired": "none", "bruteForceProtected": true,
        "clients": [{ "clientId": "bench", "publicClient": true, "standardFlowEnabled": true, "redirectUris": [BACK] }],
        "users": (0..MOST_AT_ONCE * EACH).map(user).collect::<Vec<_>>(),
    })
}
