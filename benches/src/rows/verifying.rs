//! authenticateHawk and signed GETs: CPU per request and latencies.

use anyhow::{Context, Result};
use falconer_credentials::{slugid, temporary};

use super::Stage;
use crate::clock::now_ms;
use crate::data::data_set::{CLIENT, NAMED, Shape, WIDE_CLIENT, certificate_scopes, ten_scopes};
use crate::figures::report::Outcome;
use crate::requests::api::{Api, Keys};
use crate::requests::load::Load;
use crate::requests::pool::{Pool, authenticate_hawk, authenticate_hawks, check, current_scopes};

/// How often each of many clients asks before it counts: by then all that a server keeps of them is there, of those whose lists do not fit into its memory too.
const ASKED_BEFORE: usize = 6;
/// Requests of a pool.
const POOL: usize = 4_000;
/// In an answer to a request that counts.
const SUCCESS: &str = "auth-success";
/// The same of check.
const CHECKED: &str = "\"allowed\"";
/// In an answer to one that does not, whatever the reason.
const FAILED: &str = "auth-failed";

/// The plain pool of the set `small`.
pub(super) fn plain(api: &Api, keys: &Keys) -> Result<Pool> {
    authenticate_hawks(api, keys, None, POOL, SUCCESS)
}

pub(super) fn measure(stage: &mut Stage<'_>) -> Result<()> {
    let api = stage.subject.api.clone();
    match stage.shape {
        Shape::Small => small(stage, &api),
        Shape::Deep => {
            let client =
                crate::data::data_set::NewClient { client_id: "bench/deep".to_owned(), scopes: vec!["assume:deep:00:00:x".to_owned()] };
            let keys = crate::data::load_data::create_client(&api, &mut api.connect()?, &client)?;
            one(stage, "verify-deep", |_| plain(&api, &keys))
        }
        Shape::Wide => {
            one(stage, "verify-wide", |stage| plain(&api, stage.keys(WIDE_CLIENT)?))?;
            one(stage, "check-wide", |stage| checks(&api, stage.keys(WIDE_CLIENT)?, "wide:12:100"))
        }
        Shape::Real => {
            one(stage, "verify-real", |stage| many(stage, |keys, random| authenticate_hawk(&api.address, keys, None, random), SUCCESS))?;
            check_real(stage, &api, "check-real")
        }
        Shape::Real16 => {
            one(stage, "verify-real16", |stage| many(stage, |keys, random| authenticate_hawk(&api.address, keys, None, random), SUCCESS))?;
            check_real(stage, &api, "check-real16")
        }
        Shape::Thousand | Shape::TenThousand => Ok(()),
    }
}

/// A check by each client of the set, of a scope that it has for itself, whatever else it has.
fn check_real(stage: &mut Stage<'_>, api: &Api, id: &'static str) -> Result<()> {
    let own = |keys: &Keys| format!("project:client-{}:action-0", keys.id.rsplit('/').next().unwrap_or_default());
    one(stage, id, |stage| many(stage, |keys, random| check(&api.address, keys, &own(keys), random), CHECKED))
}

fn small(stage: &mut Stage<'_>, api: &Api) -> Result<()> {
    let keys = stage.keys(CLIENT)?.clone();
    let named = temporary_keys(&keys)?;
    let authorized: Vec<String> = ten_scopes();
    let within: Vec<String> = certificate_scopes();
    let wrong = Keys::new(CLIENT, &"w".repeat(44));
    let unknown = Keys::new("nobody", &"w".repeat(44));
    let as_client = api.with(&keys);
    if stage.wants("verify-plain") || stage.wants("verify-p99") || stage.wants("memory-load") {
        let outcome = stage.cpu_row("verify-plain", &plain(api, &keys)?)?;
        if let Some(load) = &outcome.load {
            let p99 = Outcome { load: Some(load.clone()), ..Outcome::figure("verify-p99", load.p99_us / 1_000.0) };
            if stage.wants("verify-p99") {
                stage.add(p99.noting(format!("{} connections, closed loop", stage.options.connections)));
            }
            if let (true, Some(kib)) = (stage.wants("memory-load"), outcome.load.as_ref().and_then(|load| load.resident_kib)) {
                stage.add(Outcome::figure("memory-load", kib as f64 / 1024.0));
            }
        }
        stage.add(outcome);
    }
    one(stage, "verify-temporary", |_| plain(api, &named))?;
    one(stage, "verify-authorized", |_| authenticate_hawks(api, &keys, Some(&authorized), POOL, SUCCESS))?;
    one(stage, "verify-both", |_| authenticate_hawks(api, &named, Some(&within), POOL, SUCCESS))?;
    for (id, keys_of_nobody) in [("verify-wrong-mac", &wrong), ("verify-unknown", &unknown)] {
        if stage.wants(id) {
            let (refused, accepted) = (authenticate_hawks(api, keys_of_nobody, None, POOL, FAILED)?, plain(api, &keys)?);
            let outcome = stage.cpu_row_beside(id, &refused, Some(("verify-plain", &accepted)))?;
            stage.add(outcome);
        }
    }
    one(stage, "current-scopes", |_| current_scopes(&as_client, POOL))?;
    one(stage, "check", |_| checks(api, &keys, "bench:own:3"))?;
    if stage.wants("verify-p99-open") {
        let load = Load { rate: Some(stage.options.open_loop), ..stage.load() };
        let figures = stage.drive(&plain(api, &keys)?, load)?;
        let note = format!("{} requests/s over {} connections", stage.options.open_loop, stage.options.connections);
        stage.add(Outcome { load: Some(figures.clone()), ..Outcome::figure("verify-p99-open", figures.p99_us / 1_000.0) }.noting(note));
    }
    Ok(())
}

fn one(stage: &mut Stage<'_>, id: &'static str, pool: impl FnOnce(&Stage<'_>) -> Result<Pool>) -> Result<()> {
    if stage.wants(id) {
        let outcome = stage.cpu_row(id, &pool(stage)?)?;
        stage.add(outcome);
    }
    Ok(())
}

/// Requests to check, with a scope that these keys have.
fn checks(api: &Api, keys: &Keys, required: &str) -> Result<Pool> {
    let mut random = fastrand::Rng::new();
    Ok(Pool::new((0..POOL).map(|_| check(&api.address, keys, required, &mut random)).collect::<Result<_>>()?, CHECKED))
}

/// Requests of all clients of the set, a few of each.
fn many(stage: &Stage<'_>, request: impl Fn(&Keys, &mut fastrand::Rng) -> Result<Vec<u8>>, contains: &'static str) -> Result<Pool> {
    let mut random = fastrand::Rng::with_seed(crate::data::data_set::SEED);
    let mut ids: Vec<&String> = stage.keys.keys().filter(|id| id.starts_with("bench/project/")).collect();
    ids.sort_unstable();
    let mut requests = Vec::with_capacity(ids.len().max(POOL));
    for id in ids.iter().cycle().take(ids.len().max(POOL)) {
        let keys = stage.keys.get(*id).context("a client without keys")?;
        requests.push(request(keys, &mut random)?);
    }
    random.shuffle(&mut requests);
    let pool = Pool::new(requests, contains);
    let mut connection = stage.subject.api.connect()?;
    for request in pool.requests.iter().cycle().take(ids.len() * ASKED_BEFORE) {
        pool.check(&connection.exchange(request)?)?;
    }
    Ok(pool)
}

/// A named temporary credential of ten scopes, for an hour.
fn temporary_keys(keys: &Keys) -> Result<Keys> {
    let mut random = fastrand::Rng::new();
    let mut half = || slugid(std::array::from_fn(|_| random.u8(..)));
    let (seed, now_ms) = (format!("{}{}", half(), half()), now_ms()?);
    let issued = temporary::create(&keys.id, &keys.token, Some(NAMED), &certificate_scopes(), now_ms - 60_000, now_ms + 3_600_000, &seed)?;
    Ok(Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) })
}
