//! createRole and createClient, alone, together, and what readers notice of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use falconer_scopes::Role;
use serde_json::{Value, json};

use super::Stage;
use super::commits::BareCommits;
use super::verifying::plain;
use crate::data::data_set::{CLIENT, NewClient, Shape};
use crate::data::load_data::{create_client, create_role};
use crate::figures::report::Outcome;
use crate::requests::api::{Api, segment};
use crate::requests::connection::Connection;
use crate::requests::load::at;

/// Of how many writes the median is taken.
const WRITES: usize = 50;
/// Writers at once, and what each of them makes.
const WRITERS: usize = 16;
const EACH: usize = 25;

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    let id = match stage.shape {
        Shape::Small => "create-role-10",
        Shape::Thousand => "create-role-1k",
        Shape::TenThousand => "create-role-10k",
        Shape::Real16 => "create-role-real16",
        Shape::Deep | Shape::Wide | Shape::Real => return Ok(()),
    };
    if stage.wants(id) {
        let outcome = one_by_one(stage, id, |api, connection, number| create_role(api, connection, &new_role(&format!("one-{number}"))))?;
        stage.add(outcome);
    }
    if stage.wants("create-client-10k") {
        let make = |api: &Api, connection: &mut Connection, number| {
            create_client(api, connection, &new_client(&format!("one-{number}"))).map(drop)
        };
        let outcome = one_by_one(stage, "create-client-10k", make)?;
        stage.add(outcome);
    }
    if stage.wants("verify-p99-changes") {
        while_changing(stage)?;
    }
    if stage.wants("writers-16") {
        together(stage)?;
    }
    Ok(())
}

fn new_role(name: &str) -> Role {
    let scopes = (0..10).map(|n| format!("service:{n}:new-{name}")).chain(["assume:bench:x".to_owned()]).collect();
    Role { role_id: format!("bench-new:{name}"), scopes }
}

fn new_client(name: &str) -> NewClient {
    let scopes = (0..5).map(|n| format!("service:{n}:new-{name}")).chain(["assume:bench:x".to_owned()]).collect();
    NewClient { client_id: format!("bench/new/{name}"), scopes }
}

/// Latencies of writes on one connection. Each is followed by a bare commit, because what a disk needs moves from second to second.
fn one_by_one(stage: &Stage<'_>, id: &'static str, make: impl Fn(&Api, &mut Connection, usize) -> Result<()>) -> Result<Outcome> {
    let api = &stage.subject.api;
    let mut connection = api.connect()?;
    let mut floors =
        if stage.subject.ours { BareCommits::all(stage.subject.folder(), stage.options.postgres.as_deref())? } else { Vec::new() };
    make(api, &mut connection, 0)?;
    let mut took = Vec::with_capacity(WRITES);
    for number in 1..=WRITES {
        let began = Instant::now();
        make(api, &mut connection, number)?;
        took.push(began.elapsed());
        floors.iter_mut().try_for_each(BareCommits::one)?;
    }
    took.sort_unstable();
    let (p50, longest) = (at(&took, 0.5) / 1_000.0, at(&took, 1.0) / 1_000.0);
    let outcome = Outcome::figure(id, p50).noting(format!("of {WRITES}, longest {longest:.2} ms"));
    Ok(floors.into_iter().map(BareCommits::median).fold(outcome, |outcome, (name, floor)| outcome.above(name, floor)))
}

/// Reads under load while one writer makes, changes and deletes roles and clients as fast as it is answered.
fn while_changing(stage: &mut Stage<'_>) -> Result<()> {
    let api = stage.subject.api.clone();
    let pool = plain(&api, stage.keys(CLIENT)?)?;
    let (over, changes) = (AtomicBool::new(false), AtomicUsize::new(0));
    let figures = std::thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result<()> {
            let mut connection = api.connect()?;
            for number in 0.. {
                if over.load(Ordering::Relaxed) {
                    return Ok(());
                }
                change(&api, &mut connection, number)?;
                changes.fetch_add(6, Ordering::Relaxed);
            }
            Ok(())
        });
        let figures = stage.drive(&pool, stage.load());
        over.store(true, Ordering::Relaxed);
        writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))?.context("the writer beside the load")?;
        figures
    })?;
    let outcome = Outcome::figure("verify-p99-changes", figures.p99_us / 1_000.0);
    let note = format!("{} changes meanwhile", changes.into_inner());
    stage.add(Outcome { load: Some(figures), ..outcome }.noting(note));
    Ok(())
}

/// A role and a client: made, changed, deleted.
fn change(api: &Api, connection: &mut Connection, number: usize) -> Result<()> {
    let name = format!("changing-{number}");
    let (role, client) = (new_role(&name), new_client(&name));
    create_role(api, connection, &role)?;
    create_client(api, connection, &client)?;
    let (role_path, client_path) = (role_path(&role), client_path(&client));
    let fewer: Vec<&String> = role.scopes.iter().skip(1).collect();
    let calls: [(&str, &str, Option<Value>); 4] = [
        ("POST", &role_path, Some(json!({ "description": "changed", "scopes": fewer }))),
        ("POST", &format!("{client_path}/disable"), None),
        ("DELETE", &role_path, None),
        ("DELETE", &client_path, None),
    ];
    for (method, path, body) in calls {
        let (status, answer) = api.call(connection, method, path, body.as_ref())?;
        if !(200..300).contains(&status) {
            anyhow::bail!("{method} {path} answered {status}: {answer}");
        }
    }
    Ok(())
}

fn role_path(role: &Role) -> String {
    format!("/api/auth/v1/roles/{}", segment(&role.role_id))
}

fn client_path(client: &NewClient) -> String {
    format!("/api/auth/v1/clients/{}", segment(&client.client_id))
}

/// Many writers at once: none may fail, and all that was acknowledged must be there.
fn together(stage: &mut Stage<'_>) -> Result<()> {
    let api = &stage.subject.api;
    let began = Instant::now();
    let failed = AtomicUsize::new(0);
    let write = |writer: usize| -> Result<Vec<String>> {
        let mut connection = api.connect()?;
        let mut created = Vec::with_capacity(2 * EACH);
        for number in 0..EACH {
            let name = format!("together-{writer}-{number}");
            let (role, client) = (new_role(&name), new_client(&name));
            let role_body = json!({ "description": "", "scopes": role.scopes });
            let client_body = json!({ "description": "", "expires": "2100-01-01T00:00:00.000Z", "scopes": client.scopes });
            for (path, body) in [(role_path(&role), role_body), (client_path(&client), client_body)] {
                match api.call(&mut connection, "PUT", &path, Some(&body))? {
                    (200, _) => created.push(path),
                    (status, answer) => {
                        eprintln!("   PUT {path} answered {status}: {answer}");
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        Ok(created)
    };
    let write = &write;
    let created = std::thread::scope(|scope| -> Result<Vec<String>> {
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write(writer))).collect();
        let mut all = Vec::new();
        for writer in writers {
            all.append(&mut writer.join().map_err(|_| anyhow::anyhow!("a writer panicked"))??);
        }
        Ok(all)
    })?;
    let took: Duration = began.elapsed();
    let mut connection = api.connect()?;
    let mut lost = 0;
    for path in &created {
        lost += usize::from(api.call(&mut connection, "GET", path, None)?.0 != 200);
    }
    let failed = failed.into_inner();
    let rate = created.len() as f64 / took.as_secs_f64();
    let note = format!("{} written, {failed} failed, {lost} lost, {rate:.0}/s", created.len());
    stage.add(Outcome::figure("writers-16", (failed + lost) as f64).noting(note));
    Ok(())
}
