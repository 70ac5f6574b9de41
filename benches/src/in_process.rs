//! Decisions in process, ready to be repeated: for the rows of the table, for criterion, and for instruction counts.
//!
//! A node in memory with a clock that stands still and counting randomness: what is measured is the same in every run.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use falconer_auth::{
    Auth, AuthSettings, Authentication, Clock, DAY_MS, Decision, Origin, ProofParts, Question, Random, RequestParts, RoleInput, Verdict,
};
use falconer_credentials::temporary;
use falconer_scopes::{Expression, Role, RoleSet};
use falconer_store::{ClientRecord, Details, KeyRing, Revision, RevokedCertificates, RoleRecord, Secret, Step, Store};
use falconer_store_sqlite::SqliteStore;

use crate::data::data_set::{
    CLIENT, EXPANDER, NAMED, NewClient, SEED, Shape, WIDE_CLIENT, certificate_scopes, data_set, hundred_scopes, ten_scopes,
};
use crate::requests::api::Keys;

/// 2026-01-01T00:00:00Z.
const START_MS: i64 = 1_767_225_600_000;
const HOST: (&str, u16) = ("auth.example.com", 443);
/// Different signed requests, in turn.
const REQUESTS: usize = 256;
/// Less than the sets of the real-shaped data take.
const SMALL_CACHE_MIB: usize = 8;
/// Lists that are expanded again and again.
const WARM: usize = 16;
/// Lists that are expanded once: a cold workload must not be run more often than this.
pub const COLD: usize = 256;

pub(crate) struct Still;

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        START_MS
    }

    fn steady_ms(&self) -> i64 {
        START_MS
    }
}

/// Bytes that are never the same twice, and the same in every run.
#[derive(Default)]
pub(crate) struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let seed = self.0.fetch_add(1, Ordering::Relaxed);
            let mut random = fastrand::Rng::with_seed(seed);
            chunk.iter_mut().for_each(|byte| *byte = random.u8(..));
        }
    }
}

/// A decision that can be repeated.
pub struct Workload {
    /// Runs it once.
    pub run: Box<dyn FnMut()>,
}

/// What instructions are counted of, with how often each is run: often enough that what a run shares (waking a thread, growing a buffer) does
/// not show. `verify-real` takes each of its 600 clients once: what they have differs by a hundred times.
pub const GATED: [(&str, usize); 13] = [
    ("verify-plain", 200),
    ("verify-real", 600),
    ("verify-temporary", 200),
    ("verify-authorized", 200),
    ("verify-wrong-mac", 200),
    ("check", 200),
    ("check-wide", 200),
    ("check-real", 200),
    ("expand-1k-warm", 50),
    ("expand-1k-cold", 50),
    ("expand-1k-full", 50),
    ("resolver-1k", 5),
    ("role-change-10k", 100),
];

/// The workload of this name.
pub fn workload(name: &str) -> Result<Workload> {
    match name {
        "verify-plain" => verify(|client| Ok((client.clone(), None)), true),
        "verify-temporary" => verify(|client| Ok((temporary_keys(client)?, None)), true),
        "verify-authorized" => verify(|client| Ok((client.clone(), Some(ten_scopes()))), true),
        "verify-wrong-mac" => verify(|_| Ok((Keys::new(CLIENT, &"w".repeat(44)), None)), false),
        "verify-real" => verify_each(Shape::Real, Some(SMALL_CACHE_MIB)),
        "verify-real16" => verify_each(Shape::Real16, None),
        "check" => check(Shape::Small),
        "check-wide" => check(Shape::Wide),
        "check-real" => check(Shape::Real),
        "expand-1k-warm" => expand(WARM, true),
        "expand-1k-cold" => expand(COLD, false),
        "expand-1k-full" => expand_full(),
        "resolver-1k" => Ok(resolver(data_set(Shape::Thousand).roles)),
        "resolver-10k" => Ok(resolver(data_set(Shape::TenThousand).roles)),
        "resolver-real16" => Ok(resolver(data_set(Shape::Real16).roles)),
        "role-change-10k" => role_change(),
        other => bail!("there is no workload `{other}`"),
    }
}

/// A node in memory that holds the roles of a set and the two clients that measurements sign with.
struct Node {
    auth: Auth,
    root: Keys,
    client: Keys,
    expander: Keys,
    /// Clients that belong to the set alone.
    typical: Vec<Keys>,
    runtime: tokio::runtime::Runtime,
}

impl Node {
    /// With one client of the set.
    fn new(shape: Shape) -> Result<Node> {
        Node::with(shape, 1, None)
    }

    fn with(shape: Shape, clients: usize, cache_mib: Option<usize>) -> Result<Node> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let random = Arc::new(Counting::default());
        let keys = KeyRing::from_bytes("k1", [7; 32])?;
        let drawn = Arc::clone(&random);
        let store: Arc<dyn Store> = Arc::new(SqliteStore::in_memory(keys, Arc::new(move |bytes: &mut [u8]| drawn.fill(bytes)))?);
        let set = data_set(shape);
        let roles: Vec<RoleRecord> = set.roles.into_iter().map(record).collect();
        let is_typical = |new: &NewClient| new.client_id == WIDE_CLIENT || new.client_id.starts_with("bench/project/");
        let typical: Vec<NewClient> = set.clients.into_iter().filter(is_typical).take(clients).collect();
        let of_set = typical.iter().map(|new| (new.client_id.as_str(), new.scopes.clone()));
        let ours = [(CLIENT, ten_scopes()), (EXPANDER, vec!["auth:expand-scopes".to_owned()])];
        let origin = Origin::parse("https://auth.example.com").context("no origin")?;
        let (auth, root) = runtime.block_on(async {
            store.insert_roles(&step(0), &roles).await?;
            for (id, scopes) in ours.into_iter().chain(of_set) {
                let now = store.revision().await?;
                store.insert_client(&step(now.0), &client(id, scopes)).await?;
            }
            let settings = AuthSettings::new(origin);
            let settings = AuthSettings { cache_mib: cache_mib.unwrap_or(settings.cache_mib), ..settings };
            let auth = Auth::open(store, settings, Arc::new(Still), random).await?;
            let root = auth.fresh_install(true).await?;
            anyhow::Ok((auth, Keys { id: root.client_id, token: root.access_token, certificate: None }))
        })?;
        let keys = |id: &str| Keys::new(id, &token(id));
        let typical = typical.iter().map(|new| keys(&new.client_id)).collect();
        Ok(Node { auth, root, client: keys(CLIENT), expander: keys(EXPANDER), typical, runtime })
    }

    /// Who a call to Falconer's own API comes from.
    fn caller(&self, keys: &Keys) -> Result<Authentication> {
        let header = header(keys, "/x", HOST, None, &mut fastrand::Rng::with_seed(SEED))?;
        let parts = RequestParts { method: "get", resource: "/x", host: HOST.0, port: HOST.1, authorization: Some(&header) };
        let caller = self.runtime.block_on(self.auth.authenticate(&parts));
        caller.caller().map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(caller)
    }
}

pub(crate) fn step(revision: i64) -> Step {
    Step {
        decided_at: Revision(revision),
        depends_on: Vec::new(),
        at_ms: START_MS,
        actor: "bench".to_owned(),
        grant: None,
        action: "created".to_owned(),
        detail: None,
        details: Details::default(),
    }
}

fn record(role: Role) -> RoleRecord {
    RoleRecord { role_id: role.role_id, scopes: role.scopes, description: String::new(), created_ms: START_MS, last_modified_ms: START_MS }
}

fn token(client_id: &str) -> String {
    format!("{:a<44}", client_id.replace('/', "-"))
}

pub(crate) fn client(client_id: &str, scopes: Vec<String>) -> ClientRecord {
    ClientRecord {
        client_id: client_id.to_owned(),
        description: String::new(),
        access_token: Secret::new(token(client_id)),
        expires_us: (START_MS + 365 * DAY_MS) * 1_000,
        created_ms: START_MS,
        last_modified_ms: START_MS,
        last_date_used_ms: START_MS,
        last_rotated_ms: START_MS,
        delete_on_expiration: false,
        scopes,
        disabled: false,
        grant: None,
        revoked: RevokedCertificates::default(),
        old_token: None,
    }
}

fn temporary_keys(issuer: &Keys) -> Result<Keys> {
    let seed = "s".repeat(44);
    let issued = temporary::create(&issuer.id, &issuer.token, Some(NAMED), &certificate_scopes(), START_MS, START_MS + DAY_MS, &seed)?;
    Ok(Keys { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate) })
}

fn header(keys: &Keys, resource: &str, at: (&str, u16), authorized: Option<&[String]>, random: &mut fastrand::Rng) -> Result<String> {
    keys.header_at(START_MS / 1_000, "GET", resource, at, authorized, random)
}

/// check without HTTP: one scope out of the middle of what the client of the set has.
fn check(shape: Shape) -> Result<Workload> {
    let node = Node::new(shape)?;
    let keys = node.typical.first().unwrap_or(&node.client).clone();
    let requests = signed(&keys, None)?;
    let (resource, header) = requests.first().context("no requests")?;
    let Verdict::Success(success) = node.runtime.block_on(node.auth.verify(&parts(resource, header))) else { bail!("nobody was verified") };
    let scope = success.scopes.iter().nth(success.scopes.len() / 2).context("a client without scopes")?;
    let required = Expression::Scope(scope.to_owned());
    let mut turn = (0..REQUESTS).cycle();
    let mut decide = move || {
        let (resource, header) = turn.next().and_then(|at| requests.get(at))?;
        let parts = parts(resource, header);
        let question = Question {
            parts,
            proof: ProofParts::default(),
            required: &required,
            payload_hash: None,
            each: None,
            reveal: None,
            identity: false,
            bearer: false,
        };
        Some(node.runtime.block_on(node.auth.check(black_box(&question))))
    };
    match decide() {
        Some(Ok(Decision::Allowed(_))) => {}
        other => bail!("an unexpected decision: {other:?}"),
    }
    Ok(Workload { run: Box::new(move || drop(black_box(decide()))) })
}

fn parts<'p>(resource: &'p str, header: &'p str) -> RequestParts<'p> {
    let service = crate::requests::pool::SERVICE;
    RequestParts { method: "get", resource, host: service.0, port: service.1, authorization: Some(header) }
}

/// Requests to a service.
fn signed(keys: &Keys, authorized: Option<&[String]>) -> Result<Vec<(String, String)>> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let one = |number: usize| {
        let resource = format!("/api/notes/v1/books/{number:022}");
        let header = header(keys, &resource, crate::requests::pool::SERVICE, authorized, &mut random)?;
        Ok::<_, anyhow::Error>((resource, header))
    };
    (0..REQUESTS).map(one).collect()
}

/// authenticateHawk without HTTP.
fn verify(signer: impl Fn(&Keys) -> Result<(Keys, Option<Vec<String>>)>, succeeds: bool) -> Result<Workload> {
    let node = Node::new(Shape::Small)?;
    let (keys, authorized) = signer(&node.client)?;
    let requests = signed(&keys, authorized.as_deref())?;
    let mut turn = (0..REQUESTS).cycle();
    let mut decide = move || {
        let (resource, header) = turn.next().and_then(|at| requests.get(at))?;
        Some(node.runtime.block_on(node.auth.verify(black_box(&parts(resource, header)))))
    };
    match (decide(), succeeds) {
        (Some(Verdict::Success(_)), true) | (Some(Verdict::Failed(_)), false) => {}
        (other, _) => bail!("an unexpected verdict: {other:?}"),
    }
    Ok(Workload { run: Box::new(move || drop(black_box(decide()))) })
}

/// authenticateHawk without HTTP, of each client of the set in turn.
fn verify_each(shape: Shape, cache_mib: Option<usize>) -> Result<Workload> {
    let node = Node::with(shape, usize::MAX, cache_mib)?;
    let mut random = fastrand::Rng::with_seed(SEED);
    let resource = "/api/notes/v1/books/1";
    let headers = node.typical.iter().map(|keys| header(keys, resource, crate::requests::pool::SERVICE, None, &mut random));
    let mut headers: Vec<String> = headers.collect::<Result<_>>()?;
    random.shuffle(&mut headers);
    let clients = headers.len();
    let mut turn = (0..clients).cycle();
    let mut decide = move || {
        let header = turn.next().and_then(|at| headers.get(at))?;
        Some(node.runtime.block_on(node.auth.verify(black_box(&parts(resource, header)))))
    };
    // Until what does not fit as a set is remembered as what it is put together of.
    for _ in 0..clients * 6 {
        match decide() {
            Some(Verdict::Success(_)) => {}
            other => bail!("an unexpected verdict: {other:?}"),
        }
    }
    Ok(Workload { run: Box::new(move || drop(black_box(decide()))) })
}

fn expand(lists: usize, warm: bool) -> Result<Workload> {
    let node = Node::new(Shape::Thousand)?;
    let caller = node.caller(&node.expander)?;
    let mut random = fastrand::Rng::with_seed(SEED);
    let lists: Vec<Vec<String>> = (0..lists).map(|_| hundred_scopes(1_000, &mut random)).collect();
    let mut turn = (0..lists.len()).cycle();
    let mut decide = move || turn.next().and_then(|at| lists.get(at)).map(|list| node.auth.expand_scopes(&caller, black_box(list)));
    for _ in 0..if warm { WARM } else { 1 } {
        if !matches!(decide(), Some(Ok(set)) if set.len() >= 800) {
            bail!("an expansion that is too small");
        }
    }
    Ok(Workload { run: Box::new(move || drop(black_box(decide()))) })
}

/// The same cold, where nothing more fits into memory.
fn expand_full() -> Result<Workload> {
    let node = Node::with(Shape::Thousand, 1, Some(1))?;
    let caller = node.caller(&node.expander)?;
    let mut random = fastrand::Rng::with_seed(SEED);
    let lists: Vec<Vec<String>> = (0..COLD * 2).map(|_| hundred_scopes(1_000, &mut random)).collect();
    let mut next = lists.into_iter();
    let mut decide = move || next.next().map(|list| node.auth.expand_scopes(&caller, black_box(&list)));
    for _ in 0..COLD {
        if !matches!(decide(), Some(Ok(set)) if set.len() >= 500) {
            bail!("an expansion that is too small");
        }
    }
    Ok(Workload { run: Box::new(move || drop(black_box(decide()))) })
}

fn resolver(roles: Vec<Role>) -> Workload {
    Workload { run: Box::new(move || drop(black_box(RoleSet::new(black_box(&roles).iter().cloned())))) }
}

/// How long it takes to build the resolver from the roles of a set. Neither the copy that each run is given nor its end is part of it: a node builds its
/// resolver once, from what it has just read.
pub fn resolver_runs(shape: Shape, runs: usize) -> Vec<Duration> {
    let roles = data_set(shape).roles;
    let run = |_| {
        let given = black_box(roles.clone());
        let began = Instant::now();
        let set = black_box(RoleSet::new(given));
        let took = began.elapsed();
        drop(set);
        took
    };
    (0..runs).map(run).collect()
}

/// updateRole without HTTP and without a disk.
fn role_change() -> Result<Workload> {
    let node = Node::new(Shape::TenThousand)?;
    let root = node.caller(&node.root)?;
    let mut turn = 0_u32;
    let mut decide = move || {
        turn += 1;
        let scopes = vec![format!("bench:changed:{turn}"), "assume:team:00002:member".to_owned()];
        let input = RoleInput { scopes, description: String::new() };
        node.runtime.block_on(node.auth.update_role(&root, "team:00001:member", &input))
    };
    if let Err(error) = decide() {
        bail!("updateRole: {error}");
    }
    Ok(Workload { run: Box::new(move || drop(black_box(decide()))) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_gated_workload_can_be_made_and_run() {
        for (name, rounds) in GATED {
            // Each of these takes a list that was never expanded.
            assert!(!name.starts_with("expand-1k-") || rounds < COLD, "{name}");
            (workload(name).unwrap().run)();
        }
        assert!(workload("nothing").is_err());
    }
}
