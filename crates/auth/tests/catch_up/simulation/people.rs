//! What is done with people and their grants, and what must hold of whoever uses one.

use std::sync::Arc;

use falconer_auth::{ApiError, Auth, Clock as _, DAY_MS, NewGrant, RequestParts, Revision, Verdict};
use falconer_scopes::ScopeSet;

use super::calls::header;
use super::model::State;
use super::world::{MAX_STALENESS_MS, World};
use crate::common::{Keys, new_grant, person};

/// Identities, each of a person.
pub const PEOPLE: [&str; 2] = ["local/ann", "local/bob"];
/// What they may have. No role is in the way of any of it.
pub const SCOPES: [&str; 2] = ["x:1", "x:2"];

/// What a call would come to.
#[derive(Debug)]
pub enum Wanted {
    /// What the provider says now.
    Refresh(&'static str),
    Disable(&'static str),
    Enable(&'static str),
    Grant(&'static str),
    /// More for whoever has the grant of this id, of this person.
    Widen(&'static str, String),
    /// The grant of this id, of this person.
    Revoke(String, String),
}

impl Wanted {
    pub fn of(world: &World) -> Wanted {
        let who = world.time.pick(&PEOPLE);
        let grants = world.granted.lock().unwrap();
        let own: Vec<String> = grants.iter().filter(|(_, identity, _)| identity == who).map(|(id, ..)| id.clone()).collect();
        match world.time.roll(9) {
            0 => Wanted::Refresh(who),
            1 => Wanted::Disable(who),
            2 => Wanted::Enable(who),
            3..=4 if !grants.is_empty() => {
                let (id, identity, _) = world.time.pick(&grants);
                Wanted::Revoke(id, identity)
            }
            // Often of the last one, so that there are long chains.
            5..=6 if !own.is_empty() => {
                let last = own.last().cloned().unwrap_or_default();
                Wanted::Widen(who, if world.time.roll(2) == 0 { last } else { world.time.pick(&own) })
            }
            _ => Wanted::Grant(who),
        }
    }

    pub async fn perform(
        &self,
        world: &World,
        auth: &Auth,
        description: &str,
        now_ms: i64,
    ) -> Result<(Option<String>, Revision), ApiError> {
        let done = |revision| (None, revision);
        match self {
            Wanted::Refresh(who) => {
                let scopes: Vec<&str> = SCOPES.into_iter().filter(|_| world.time.roll(4) > 0).collect();
                let mut record = person(who, &scopes, now_ms);
                record.display_name = description.to_owned();
                auth.put_identity("provider", &record).await.map(done)
            }
            Wanted::Disable(who) => auth.disable_person("operator", who, true).await.map(done),
            Wanted::Enable(who) => auth.disable_person("operator", who, false).await.map(done),
            Wanted::Revoke(id, identity) => auth.revoke_grants(&[identity], identity, std::slice::from_ref(id), "").await.map(done),
            Wanted::Grant(who) | Wanted::Widen(who, _) => {
                let widens = if let Wanted::Widen(_, widened) = self { Some(widened.clone()) } else { None };
                let has = auth.directory().identity(who).map(|known| known.record.scopes.clone()).unwrap_or_default();
                let new = NewGrant {
                    scopes: ScopeSet::new(&has),
                    label: description.to_owned(),
                    widens,
                    // Some end in the middle of the run.
                    expires_ms: now_ms + world.time.pick(&[10_000, DAY_MS, 30 * DAY_MS]),
                    ..new_grant(who, &[], now_ms)
                };
                let issued = auth.add_grant(new).await?;
                let (id, credentials) = (issued.grant.id, issued.credentials);
                let keys = Keys { id: credentials.client_id, token: credentials.access_token, certificate: Some(credentials.certificate) };
                world.granted.lock().unwrap().push((id.clone(), (*who).to_owned(), keys));
                Ok((Some(id), issued.revision))
            }
        }
    }

    /// Whether the records are what the caller was told, at the revision of the answer.
    pub fn is_true(&self, description: &str, id: Option<&str>, state: &State) -> bool {
        let is_disabled =
            |who: &str| state.identities.get(who).and_then(|known| state.people.get(&known.person)).map(|person| person.disabled);
        match self {
            Wanted::Refresh(who) => state.identities.get(*who).is_some_and(|known| known.display_name == description),
            Wanted::Disable(who) => is_disabled(who) == Some(true),
            Wanted::Enable(who) => is_disabled(who) == Some(false),
            Wanted::Grant(_) | Wanted::Widen(..) => id.and_then(|id| state.grants.get(id)).is_some_and(|grant| grant.label == description),
            Wanted::Revoke(id, _) => !state.grants.contains_key(id),
        }
    }
}

/// Somebody with a grant, perhaps one that has ended, is verified at a node. Where the node does not have it in memory, it looks in the store.
pub async fn verify(world: Arc<World>, number: usize) {
    let picked = {
        let grants = world.granted.lock().unwrap();
        (!grants.is_empty()).then(|| world.time.pick(&grants))
    };
    let Some((id, _, keys)) = picked else { return };
    let (auth, link, acknowledged, now_ms) = {
        let machines = world.machines.lock().unwrap();
        let machine = &machines[number];
        let Some(auth) = machine.auth.clone() else { return };
        (auth, machine.link.clone(), machine.acknowledged, machine.clock.now_ms())
    };
    let (began_ms, from) = (world.time.now_ms(), auth.revision());
    let header = header(&keys, "svc.example.com", now_ms);
    let parts = RequestParts { method: "GET", resource: "/x", host: "svc.example.com", port: 443, authorization: Some(&header) };
    let verdict = auth.verify(&parts).await;
    if link.is_dead() {
        return;
    }
    let to = auth.revision();
    world.tell(|| format!("node {number} at {} to {}: the grant {id} {}", from.0, to.0, word(&verdict)));
    let model = world.database.model.lock().unwrap();
    let from = from.max(acknowledged).max(model.newest_at(began_ms - MAX_STALENESS_MS));
    // What it looked for in the store may be of later than what it has in memory.
    let states: Vec<&Arc<State>> = model.between(from.min(to), model.last().0).collect();
    // While it waited for the store, its clock may have been stepped.
    let moments = [now_ms, world.machines.lock().unwrap()[number].clock.now_ms()];
    let given: Vec<_> = states.iter().flat_map(|state| moments.map(|at_ms| state.given_by(&id, &SCOPES, at_ms))).collect();
    let is_right = match &verdict {
        Verdict::Unable(_) => true,
        _ if from > to => false,
        Verdict::Success(success) => {
            let has = success.scopes.to_vec();
            let seen: Vec<&str> = SCOPES.into_iter().filter(|scope| has.iter().any(|had| had == scope)).collect();
            given.iter().any(|given| given.as_ref() == Some(&seen))
        }
        // A clock that is behind may not have reached its beginning.
        Verdict::Failed(_) => {
            let has_not_begun =
                |state: &&Arc<State>| state.grants.get(&id).is_some_and(|grant| moments.iter().any(|at_ms| *at_ms < grant.start_ms));
            given.iter().any(Option::is_none) || states.iter().any(has_not_begun)
        }
        Verdict::NoAuth { .. } => false,
    };
    let wrong = || Err(format!("node {number} between {from:?} and {to:?}, the grant {id}: the model says {given:?}: {verdict:?}"));
    world.database.check(if is_right { Ok(()) } else { wrong() });
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Success(_) => "counts",
        Verdict::Failed(_) => "does not count",
        Verdict::NoAuth { .. } => "is nobody's",
        Verdict::Unable(_) => "is not judged",
    }
}
