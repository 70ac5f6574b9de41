//! What callers do, and what must hold of the answer of each call.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use falconer_auth::{ApiError, Auth, ClientInput, ClientView, Clock as _, DAY_MS, RequestParts, Revision, RoleInput, Unable, Verdict};
use falconer_credentials::sign;
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};

use super::model::Naive;
use super::people;
use super::world::{MAX_STALENESS_MS, World};
use crate::common::{HOST, Keys};

const CLIENTS: [&str; 3] = ["c/0", "c/1", "c/2"];
const ROLES: [&str; 2] = ["r0", "r1"];
const SCOPES: [&str; 5] = ["x:1", "x:2", "y:*", "assume:r0", "assume:r1"];

pub async fn keep_calling(world: Arc<World>) {
    while !world.is_over() {
        world.time.sleep(world.time.between(10, 700)).await;
        let count = world.machines.lock().unwrap().len();
        let number = usize::try_from(world.time.roll(count as u64)).unwrap();
        if world.time.roll(3) == 0 {
            // Nobody waits: the next call comes before this one is answered.
            tokio::spawn(write(world.clone(), number, false));
        } else if world.time.roll(3) == 0 {
            tokio::spawn(people::verify(world.clone(), number));
        } else {
            verify(&world, number);
        }
    }
}

pub fn header(keys: &Keys, host: &str, now_ms: i64) -> String {
    let ext = sign::ext(keys.certificate.as_deref(), None);
    let request = sign::Request {
        method: "GET",
        resource: "/x",
        host,
        port: 443,
        ts_seconds: now_ms / 1000,
        nonce: "nonce",
        hash: None,
        ext: ext.as_deref(),
        app: None,
        dlg: None,
    };
    sign::header(&keys.id, &keys.token, &request)
}

/// Somebody with a token that a client has, or had once, is verified at a node.
pub fn verify(world: &World, number: usize) {
    let machines = world.machines.lock().unwrap();
    let machine = &machines[number];
    let Some(auth) = &machine.auth else { return };
    let model = world.database.model.lock().unwrap();
    let (client_id, token) = world.time.pick(&model.tokens);
    let now_ms = machine.clock.now_ms();
    let header = header(&Keys::new(&client_id, &token), "svc.example.com", now_ms);
    let parts = RequestParts { method: "GET", resource: "/x", host: "svc.example.com", port: 443, authorization: Some(&header) };
    let snapshot = auth.directory();
    let Some(verdict) = auth.verify(&parts).now_or_never() else {
        return world.database.check(Err("a verification of a client waits for something".to_owned()));
    };
    let (revision, now) = (snapshot.revision(), world.time.now_ms());
    let word = match &verdict {
        Verdict::Success(_) => "allowed",
        Verdict::Failed(_) => "refused",
        Verdict::NoAuth { .. } => "nobody",
        Verdict::Unable(_) => "unable",
    };
    world.tell(|| format!("node {number} at {}: {client_id} is {word}", revision.0));
    let wrong = |text: &str| Err(format!("node {number} at {revision:?}, {client_id}: {text}: {verdict:?}"));
    let is_long_cut_off = now - machine.link.contact_ms.load(Ordering::SeqCst) > MAX_STALENESS_MS;
    let is_behind = snapshot.highest_ms() - now_ms > 60_000;
    let Some(state) = model.at(revision) else { return };
    world.database.check(match (&verdict, state.verdict(&client_id, &token, now_ms)) {
        (Verdict::Unable(Unable::CutOff { .. }), _) => Ok(()),
        (Verdict::Unable(Unable::ClockBehind { .. }), _) if is_behind => Ok(()),
        _ if is_long_cut_off => wrong("the node is cut off and does not say so"),
        _ if is_behind => wrong("the clock is behind, and the node does not say so"),
        _ if revision < model.newest_at(now - MAX_STALENESS_MS) => wrong("what it answers from is too old"),
        _ if revision < machine.acknowledged => wrong("what it has acknowledged does not hold"),
        (Verdict::Success(success), Naive::Allowed(scopes)) if success.scopes.to_vec() == scopes => Ok(()),
        (Verdict::Failed(_), Naive::Refused) => Ok(()),
        (_, expected) => wrong(&format!("the model says {expected:?}")),
    });
}

/// What a call would come to.
#[derive(Debug)]
enum Wanted {
    Create(&'static str),
    Update(&'static str),
    Disable(&'static str),
    Enable(&'static str),
    Reset(&'static str),
    Delete(&'static str),
    CreateRole(&'static str),
    UpdateRole(&'static str),
    DeleteRole(&'static str),
    OfPerson(people::Wanted),
}

/// One change at a node. With `must_succeed` it is one that nothing stands against.
pub async fn write(world: Arc<World>, number: usize, must_succeed: bool) {
    let (auth, link, now_ms) = {
        let machines = world.machines.lock().unwrap();
        let machine = &machines[number];
        let Some(auth) = machine.auth.clone() else { return };
        (auth, machine.link.clone(), machine.clock.now_ms())
    };
    let call = world.time.roll(1 << 40);
    let description = format!("call {call}");
    let client = world.time.pick(&CLIENTS);
    let role = world.time.pick(&ROLES);
    let wanted = match world.time.roll(18) {
        _ if must_succeed => Wanted::Delete(client),
        0..=1 => Wanted::Create(client),
        2..=4 => Wanted::Update(client),
        5 => Wanted::Disable(client),
        6 => Wanted::Enable(client),
        7 => Wanted::Reset(client),
        8 => Wanted::Delete(client),
        9 => Wanted::CreateRole(role),
        10 => Wanted::UpdateRole(role),
        11 => Wanted::DeleteRole(role),
        _ => Wanted::OfPerson(people::Wanted::of(&world)),
    };
    // Of roles none may reach another one.
    let plain = SCOPES.iter().filter(|_| world.time.roll(2) == 0).map(|scope| (*scope).to_owned()).collect::<Vec<_>>();
    let leaves = plain.iter().filter(|scope| !scope.starts_with("assume:")).cloned().collect();
    // Some end in the middle of the run.
    let ends_ms = now_ms + world.time.pick(&[10_000, 365 * DAY_MS]);
    let input =
        ClientInput { expires_us: ends_ms * 1000, description: description.clone(), scopes: Some(plain), delete_on_expiration: false };
    let role_input = RoleInput { scopes: leaves, description: description.clone() };
    let patience_ms = world.time.pick(&[50, 60_000, 60_000]);
    let calling = Box::pin(perform(&world, &auth, now_ms, &wanted, &input, &role_input));
    let giving_up = Box::pin(world.time.sleep(patience_ms));
    let answer = match select(calling, giving_up).await {
        Either::Left((answer, _)) => answer,
        // Nobody waits any more: it may be done all the same.
        Either::Right(_) => return world.tell(|| format!("node {number}: {description} is given up")),
    };
    if link.is_dead() {
        return;
    }
    world.tell(|| match &answer {
        Ok((_, revision)) => format!("node {number}: {description}, {wanted:?}, is done at {}", revision.0),
        Err(error) => format!("node {number}: {description}, {wanted:?}: {error}"),
    });
    let mut model = world.database.model.lock().unwrap();
    world.database.check(match answer {
        Ok((token, revision)) => {
            let mut machines = world.machines.lock().unwrap();
            machines[number].acknowledged = machines[number].acknowledged.max(revision);
            match model.at(revision) {
                Some(state) if is_true(&wanted, &description, token.as_deref(), &state) => Ok(()),
                state => Err(format!("{wanted:?}, {description}, was done at {revision:?}, it was said: {state:?}")),
            }
        }
        Err(error) if must_succeed => Err(format!("node {number} is well and takes no change: {error}")),
        Err(ApiError::OutcomeUnknown(_)) => Ok(()),
        Err(_) => model.must_never_be(&description),
    });
}

async fn perform(
    world: &World,
    auth: &Auth,
    now_ms: i64,
    wanted: &Wanted,
    input: &ClientInput,
    role_input: &RoleInput,
) -> Result<(Option<String>, Revision), ApiError> {
    let header = header(&world.root, HOST, now_ms);
    let parts = RequestParts { method: "GET", resource: "/x", host: HOST, port: 443, authorization: Some(&header) };
    let who = auth.authenticate(&parts).await;
    let of_client = |(view, revision): (ClientView, Revision)| (view.access_token.map(|token| token.expose().to_owned()), revision);
    match wanted {
        Wanted::Create(id) => auth.create_client(&who, id, input).await.map(of_client),
        Wanted::Update(id) => auth.update_client(&who, id, input).await.map(of_client),
        Wanted::Disable(id) => auth.disable_client(&who, id).await.map(of_client),
        Wanted::Enable(id) => auth.enable_client(&who, id).await.map(of_client),
        Wanted::Reset(id) => auth.reset_access_token(&who, id).await.map(of_client),
        Wanted::Delete(id) => auth.delete_client(&who, id).await.map(|revision| (None, revision)),
        Wanted::CreateRole(id) => auth.create_role(&who, id, role_input).await.map(|(_, revision)| (None, revision)),
        Wanted::UpdateRole(id) => auth.update_role(&who, id, role_input).await.map(|(_, revision)| (None, revision)),
        Wanted::DeleteRole(id) => auth.delete_role(&who, id).await.map(|revision| (None, revision)),
        Wanted::OfPerson(wanted) => wanted.perform(world, auth, &input.description, now_ms).await,
    }
}

/// Whether the records are what the caller was told, at the revision of the answer.
fn is_true(wanted: &Wanted, description: &str, token: Option<&str>, state: &super::model::State) -> bool {
    let client = |id: &str| state.clients.get(id);
    match wanted {
        Wanted::Create(id) | Wanted::Update(id) => client(id).is_some_and(|client| client.description == description),
        Wanted::Disable(id) => client(id).is_some_and(|client| client.disabled),
        Wanted::Enable(id) => client(id).is_some_and(|client| !client.disabled),
        Wanted::Reset(id) => client(id).is_some_and(|client| Some(client.access_token.expose()) == token),
        Wanted::Delete(id) => client(id).is_none(),
        Wanted::CreateRole(id) | Wanted::UpdateRole(id) => state.roles.get(*id).is_some_and(|role| role.description == description),
        Wanted::DeleteRole(id) => !state.roles.contains_key(*id),
        Wanted::OfPerson(wanted) => wanted.is_true(description, token, state),
    }
}
