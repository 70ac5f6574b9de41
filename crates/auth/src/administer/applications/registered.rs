//! Applications that have registered themselves (RFC 7591, RFC 7592): registered, changed by themselves, and removed where nobody grants them anything. Who may do that is
//! `grants`' to say, which has looked at their tokens.

use std::collections::BTreeMap;

use falconer_store::{ApplicationRecord, Difference, InitialTokenRecord, Key, RegistrationRecord, Step, Write};

use crate::administer::applications::{ApplicationInput, ChangedApplication, filled, nothing};
use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::time::{DAY_MS, MINUTE_MS};

/// So many of them with a token there are at most, and so many without, beside those of administrators.
const MOST_REGISTERED: usize = 1000;
/// So many of them that needed no token and that nobody has granted anything.
const MOST_WAITING: usize = 100;
/// So long such a one keeps its place although others want one, where no network has more than a few.
const PLACE_KEPT_MS: i64 = 10 * MINUTE_MS;
/// So many are a few.
const FEW_OF_NETWORK: usize = 3;
/// So often a place is made for one, which somebody else may take first.
const PLACES_TRIED: usize = 4;
/// So long one that needed no token waits for somebody who grants it something.
const UNUSED_WITHOUT_TOKEN_MS: i64 = DAY_MS;
/// And one that had a token.
const UNUSED_WITH_TOKEN_MS: i64 = 30 * DAY_MS;
/// So long it stays after the last grant. No grant lasts longer.
const UNUSED_SINCE_MS: i64 = 90 * DAY_MS;
/// A grant is noted so often at most.
const NOTED_EVERY_MS: i64 = DAY_MS;
/// Who does what is registered without a token.
const OPEN_ACTOR: &str = "registration";

/// What an application wants to be registered as.
pub struct NewRegistration<'a> {
    /// Its `client_id`, drawn at random.
    pub id: &'a str,
    /// What it is to be.
    pub input: &'a ApplicationInput,
    /// Of its secret, if it is confidential.
    pub secret_hash: &'a str,
    /// Of the token with which it is read, changed and deleted.
    pub access_hash: &'a str,
    /// What it has shown. `None`: nothing, where nothing is needed.
    pub initial_token: Option<&'a InitialTokenRecord>,
    /// The network that it comes from.
    pub network: &'a str,
}

/// What came of registering one.
enum Tried {
    Registered(Box<ApplicationRecord>),
    /// All places are taken in which applications wait that needed no token.
    AllWait,
    /// There are as many as there can be.
    Full,
}

impl Auth {
    /// Registers an application. `None`: there are as many as there can be. [`ApiError::RequestConflict`]: the token can't be used any more.
    pub async fn register_application(&self, new: &NewRegistration<'_>) -> Result<Option<ApplicationRecord>, ApiError> {
        reserved::check_contents(&new.input.scopes, &new.input.description)?;
        for _ in 0..PLACES_TRIED {
            match self.register_where_there_is_room(new).await? {
                Tried::Registered(record) => return Ok(Some(*record)),
                Tried::AllWait if self.make_room(new.network).await? => {}
                Tried::AllWait | Tried::Full => break,
            }
        }
        Ok(None)
    }

    async fn register_where_there_is_room(&self, new: &NewRegistration<'_>) -> Result<Tried, ApiError> {
        self.decide(|now| {
            let maker = new.initial_token.map(|token| self.still_gives(now, token, &new.input.scopes)).transpose()?;
            let is_open = new.initial_token.is_none();
            if registrations(now, is_open).count() >= MOST_REGISTERED {
                return Ok(Decision::Keep(Tried::Full));
            }
            if is_open && waiting(now).count() >= MOST_WAITING {
                return Ok(Decision::Keep(Tried::AllWait));
            }
            let registration = RegistrationRecord {
                access_hash: new.access_hash.to_owned(),
                initial_token: new.initial_token.map(|token| token.id.clone()),
                granted_ms: None,
                registered_from: is_open.then(|| new.network.to_owned()),
            };
            let empty = nothing(new.id, now.now_ms);
            let record =
                filled(ApplicationRecord { registration: Some(registration), ..empty.clone() }, new.input, new.secret_hash, now.now_ms);
            let mut step = step(now, "registered", &empty, &record);
            step.depends_on.extend(maker.unwrap_or_default());
            let write = match new.initial_token {
                Some(token) => Write::RegisterApplication(record.clone(), token.hash.clone()),
                None => Write::InsertApplication(record.clone()),
            };
            Ok(Decision::Write(step, write, Tried::Registered(Box::new(record))))
        })
        .await
        .map(|(tried, _)| tried)
    }

    /// Removes one of those that wait for their first grant, so that strangers who take all places keep nobody else out. Whether there is room now.
    async fn make_room(&self, network: &str) -> Result<bool, ApiError> {
        self.decide(|now| {
            let waiting: Vec<&ApplicationRecord> = waiting(now).collect();
            if waiting.len() < MOST_WAITING {
                return Ok(Decision::Keep(true));
            }
            let Some(leaves) = who_leaves(&waiting, network, now.now_ms) else { return Ok(Decision::Keep(false)) };
            let step = step_by(now, OPEN_ACTOR, "deleted, in favour of another", vec![Key::Application(leaves.id.clone())]);
            Ok(Decision::Write(step, Write::DeleteApplication(leaves.id.clone()), true))
        })
        .await
        .map(|(has_room, _)| has_room)
    }

    /// Makes an application that has registered itself what it says now, given what it is. `None`: there is none of this id and this token.
    pub async fn update_registered(
        &self,
        id: &str,
        access_hash: &str,
        input: &(dyn Fn(&ApplicationRecord) -> Result<ApplicationInput, ApiError> + Sync),
        secret_hash: &str,
    ) -> Result<Option<ChangedApplication>, ApiError> {
        self.decide(|now| {
            let Some(known) = registered(now, id, access_hash) else { return Ok(Decision::Keep(None)) };
            let input = input(known)?;
            reserved::check_contents(&input.scopes, &input.description)?;
            let record = filled(known.clone(), &input, secret_hash, now.now_ms);
            let has_new_secret = record.secret_hash.is_some() && record.secret_hash != known.secret_hash;
            let step = step(now, "updated", known, &record);
            let answer = ChangedApplication { record: record.clone(), is_new: false, has_new_secret };
            Ok(Decision::Write(step, Write::UpdateApplication(record), Some(answer)))
        })
        .await
        .map(|(changed, _)| changed)
    }

    /// Deletes an application that has registered itself, as itself wants. Whether there was one of this id and this token.
    pub async fn delete_registered(&self, id: &str, access_hash: &str) -> Result<bool, ApiError> {
        self.decide(|now| {
            let Some(known) = registered(now, id, access_hash) else { return Ok(Decision::Keep(false)) };
            let step = step_by(now, &actor_of(known), "deleted", vec![Key::Application(id.to_owned())]);
            Ok(Decision::Write(step, Write::DeleteApplication(id.to_owned()), true))
        })
        .await
        .map(|(was_there, _)| was_there)
    }

    /// Notes that somebody grants an application something, where it has registered itself: it is kept on for that.
    pub async fn note_granted_application(&self, id: &str) -> Result<(), ApiError> {
        let is_due = |known: &ApplicationRecord, now_ms: i64| {
            let registration = known.registration.as_ref();
            registration.is_some_and(|kept| kept.granted_ms.is_none_or(|before| before.saturating_add(NOTED_EVERY_MS) <= now_ms))
        };
        let now_ms = self.now_ms();
        if !self.directory().applications().get(id).is_some_and(|known| is_due(known, now_ms)) {
            return Ok(());
        }
        self.decide(|now| {
            let Some(known) = now.snapshot.applications().get(id).filter(|known| is_due(known, now.now_ms)) else {
                return Ok(Decision::Keep(()));
            };
            let mut record = known.as_ref().clone();
            if let Some(registration) = &mut record.registration {
                registration.granted_ms = Some(now.now_ms);
                registration.registered_from = None;
            }
            let step = step_by(now, &actor_of(known), "granted something", vec![Key::Application(id.to_owned())]);
            Ok(Decision::Write(step, Write::UpdateApplication(record), ()))
        })
        .await
        .map(|((), _)| ())
    }

    /// Removes some of the applications that have registered themselves and that nobody has granted anything for long. How many.
    pub async fn delete_unused_registrations(&self, limit: usize) -> Result<usize, ApiError> {
        let now_ms = self.now_ms();
        let unused: Vec<String> = {
            let snapshot = self.directory();
            let all = snapshot.applications().iter().filter(|known| is_unused(known, now_ms));
            all.take(limit).map(|known| known.id.clone()).collect()
        };
        for id in &unused {
            self.decide(|now| {
                if !now.snapshot.applications().get(id).is_some_and(|known| is_unused(known, now.now_ms)) {
                    return Ok(Decision::Keep(()));
                }
                let step = step_by(now, OPEN_ACTOR, "deleted, unused", vec![Key::Application(id.clone())]);
                Ok(Decision::Write(step, Write::DeleteApplication(id.clone()), ()))
            })
            .await?;
        }
        Ok(unused.len())
    }
}

fn is_unused(known: &ApplicationRecord, now_ms: i64) -> bool {
    known.registration.as_ref().is_some_and(|registration| {
        let until_ms = match (registration.granted_ms, &registration.initial_token) {
            (Some(granted_ms), _) => granted_ms.saturating_add(UNUSED_SINCE_MS),
            (None, Some(_)) => known.created_ms.saturating_add(UNUSED_WITH_TOKEN_MS),
            (None, None) => known.created_ms.saturating_add(UNUSED_WITHOUT_TOKEN_MS),
        };
        until_ms <= now_ms
    })
}

/// Those that needed no token, or those that had one.
fn registrations(now: &Now, is_open: bool) -> impl Iterator<Item = (&ApplicationRecord, &RegistrationRecord)> {
    let all = now.snapshot.applications().iter().filter_map(|known| Some((known.as_ref(), known.registration.as_ref()?)));
    all.filter(move |(_, registration)| registration.initial_token.is_none() == is_open)
}

/// Those that needed no token and that nobody has granted anything.
fn waiting(now: &Now) -> impl Iterator<Item = &ApplicationRecord> {
    registrations(now, true).filter(|(_, registration)| registration.granted_ms.is_none()).map(|(known, _)| known)
}

/// Who leaves for one of this network: the oldest of the network that has most, the new one counted. Where even that one has only a few, nobody leaves who has just come.
fn who_leaves<'w>(waiting: &[&'w ApplicationRecord], network: &str, now_ms: i64) -> Option<&'w ApplicationRecord> {
    let network_of = |known: &'w ApplicationRecord| known.registration.as_ref().and_then(|kept| kept.registered_from.as_deref());
    let mut counts: BTreeMap<Option<&str>, usize> = BTreeMap::from([(Some(network), 1)]);
    for known in waiting {
        *counts.entry(network_of(known)).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or_default();
    let of_most = waiting.iter().copied().filter(|known| counts.get(&network_of(known)) == Some(&most));
    let oldest = of_most.min_by_key(|known| (known.created_ms, known.id.as_str()))?;
    (most > FEW_OF_NETWORK || oldest.created_ms.saturating_add(PLACE_KEPT_MS) <= now_ms).then_some(oldest)
}

fn registered<'n>(now: &'n Now, id: &str, access_hash: &str) -> Option<&'n ApplicationRecord> {
    let known = now.snapshot.applications().get(id)?;
    known.registration.as_ref().filter(|registration| registration.access_hash == access_hash)?;
    Some(known)
}

/// In the history, what registers itself does so as what it has shown.
fn actor_of(application: &ApplicationRecord) -> String {
    let token = application.registration.as_ref().and_then(|registration| registration.initial_token.as_ref());
    token.map_or_else(|| OPEN_ACTOR.to_owned(), |token| format!("{OPEN_ACTOR}/{token}"))
}

fn step(now: &Now, action: &str, before: &ApplicationRecord, after: &ApplicationRecord) -> Step {
    let step = step_by(now, &actor_of(after), action, vec![Key::Application(after.id.clone())]);
    let mut step = Step { detail: Difference::of_application(before, after).kept(), ..step };
    // In the token's own row: what was registered with it.
    if let Some(token) = after.registration.as_ref().and_then(|registration| registration.initial_token.as_ref()) {
        step.details.put("initial-token", token, Some(serde_json::json!({ "application": after.id, "name": after.name })));
    }
    step
}
