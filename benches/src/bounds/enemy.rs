//! A right is removed on one server, then something is made on another one that whoever had it would see. A third one that answers from the revision of the second change
//! must know of the first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::nodes::{Follows, Nodes};
use super::{Line, Options};
use crate::data::data_set::NewClient;
use crate::data::load_data::create_client;
use crate::requests::api::{Api, bytes};
use crate::requests::connection::Connection;

const CURRENT: &str = "/api/auth/v1/scopes/current";
/// It may say for a while that it is not there yet.
const PATIENCE: Duration = Duration::from_secs(60);
/// Before it is asked once more.
const PAUSE: Duration = Duration::from_millis(100);

/// A server, and the connection to it.
struct Caller<'a> {
    api: &'a Api,
    connection: Connection,
}

impl<'a> Caller<'a> {
    fn at(nodes: &'a Nodes, number: usize) -> Result<Caller<'a>> {
        let api = &nodes.nodes.get(number % nodes.nodes.len()).context("no such server")?.api;
        Ok(Caller { api, connection: api.connect()? })
    }

    /// A change that has to go well; its revision.
    fn change(&mut self, method: &str, path: &str, body: &Value) -> Result<String> {
        let request = self.api.request(method, path, Some(body), &mut fastrand::Rng::new())?;
        let answer = self.connection.exchange(&request)?;
        if answer.status != 200 {
            bail!("{method} {path} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.content()));
        }
        answer.headers("falconer-revision").into_iter().next().context("no revision")
    }

    /// What the caller may do at this revision or later, and what was said first as long as it was not there yet.
    fn scopes_at(&mut self, revision: &str) -> Result<(String, Option<String>)> {
        let (began, mut not_yet) = (Instant::now(), None);
        loop {
            let header = self.api.keys.header("GET", CURRENT, self.api.host_and_port()?, None, &mut fastrand::Rng::new())?;
            let with_revision = format!("{header}\r\nfalconer-at-least: {revision}");
            let request = bytes(&self.api.address, "identity", "GET", CURRENT, Some(&with_revision), None);
            let answer = self.connection.exchange(&request)?;
            match answer.status {
                200 => return Ok((String::from_utf8_lossy(&answer.content()).into_owned(), not_yet)),
                503 if began.elapsed() < PATIENCE => {
                    not_yet.get_or_insert_with(|| String::from_utf8_lossy(&answer.content()).into_owned());
                    std::thread::sleep(PAUSE);
                }
                status => bail!("GET {CURRENT} answered {status}: {}", String::from_utf8_lossy(&answer.content())),
            }
        }
    }
}

/// So many rounds.
pub(super) fn measure(options: &Options) -> Result<Line> {
    let nodes = Nodes::start(options, Follows::Notified, None)?;
    let [mut remover, mut maker, mut reader] = [Caller::at(&nodes, 0)?, Caller::at(&nodes, 1)?, Caller::at(&nodes, 2)?];
    let scopes = vec!["assume:team".to_owned(), "auth:current-scopes".to_owned()];
    let keys = create_client(remover.api, &mut remover.connection, &NewClient { client_id: "bench/enemy".to_owned(), scopes })?;
    let team = |scopes: &[String]| json!({ "description": "", "scopes": scopes });
    let revision = remover.change("PUT", "/api/auth/v1/roles/team", &team(&[]))?;
    // Whoever is not known yet is not waited for: first the reader's server has to know who asks.
    reader.scopes_at(&revision)?;
    let as_enemy = reader.api.with(&keys);
    reader.api = &as_enemy;
    let (began, mut seen, mut not_yet) = (Instant::now(), 0_u64, Vec::new());
    for round in 0..options.enemies {
        remover.change("POST", "/api/auth/v1/roles/team", &team(&[format!("assume:folder-{round}")]))?;
        remover.change("POST", "/api/auth/v1/roles/team", &team(&[]))?;
        let secret = format!("read:secret-{round}");
        let revision = maker.change("PUT", &format!("/api/auth/v1/roles/folder-{round}"), &team(std::slice::from_ref(&secret)))?;
        let (scopes, waited) = reader.scopes_at(&revision)?;
        seen += u64::from(scopes.contains(&format!("\"{secret}\"")));
        not_yet.extend(waited);
    }
    let took = began.elapsed().as_secs_f64();
    nodes.end()?;
    Ok(Line {
        work: "seen by somebody whose right was removed before it was made".to_owned(),
        measured: seen.to_string(),
        note: format!(
            "{} rounds in {took:.1} s; in {} of them it was answered 503 first{}",
            options.enemies,
            not_yet.len(),
            not_yet.first().map(|said| format!(", as {said}")).unwrap_or_default()
        ),
        bound: Some(("0".to_owned(), seen == 0)),
    })
}
