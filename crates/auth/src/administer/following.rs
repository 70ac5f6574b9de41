//! Following identity providers: what they say of people now, and which clients of theirs that no longer covers.

use std::collections::BTreeSet;

use falconer_store::{Difference, IdentityRecord, Key, Revision, Write};
use serde_json::json;

use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::directory::entries::Identity;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;

/// At most so many groups and scopes are named in the history of each change.
const MOST_NAMED: usize = 20;

/// Who hears from the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// The person has just signed in there.
    SignIn,
    /// Falconer asked without the person.
    Refresh,
}

/// What came of a provider's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// All of it is true from this revision on.
    pub revision: Revision,
    /// The clients that were disabled, ascending: those named by an identity of the person that have more than the person has now.
    pub disabled: Vec<String>,
}

impl Auth {
    /// Writes what a provider says about somebody. An identity that is there stays with its person, and one that was disabled here stays so: a provider does not
    /// decide that. One that was gone is there again with a sign-in, and with nothing else.
    ///
    /// In the same step clients that are named by an identity of the person and have more than the person has now are disabled. Verification does not wait for that:
    /// such a client is never worth more than its person.
    pub async fn refresh_identity(&self, by: &str, identity: &IdentityRecord, occasion: Occasion) -> Result<Followed, ApiError> {
        refuse_reserved(identity)?;
        self.follow_provider(|auth, now| {
            let mut identity = identity.clone();
            let present = now.snapshot.identity(&identity.identity).map(|present| &present.record);
            if let Some(present) = present {
                let returns = present.gone && occasion == Occasion::SignIn;
                (identity.disabled, identity.gone) = if returns { (false, false) } else { (present.disabled, present.gone) };
                identity.person.clone_from(&present.person);
            }
            let beyond = auth.clients_beyond(now, &identity);
            if occasion == Occasion::Refresh && beyond.is_empty() && present.is_some_and(|present| auth.changes_nothing(present, &identity))
            {
                return Ok(None);
            }
            let why = present.map_or(serde_json::Value::Null, |present| lost(present, &identity));
            let changed = Difference::of_identity(present, &identity);
            Ok(Some(Change { by: by.to_owned(), action: "refreshed", changed, why, identity, disable: beyond }))
        })
        .await
    }

    /// Writes what becomes of an identity by what somebody says of a part of it: `change` is given the record as it is when this is decided, so that what others say of
    /// the rest meanwhile stays; whose it is, and whether anybody may act by it, is not for `change` to say. Clients follow as with [`Auth::refresh_identity`]. Nothing happens of an identity that is gone, or that nobody has.
    pub async fn change_identity(
        &self,
        by: &str,
        identity: &str,
        change: impl Fn(&IdentityRecord) -> IdentityRecord + Send + Sync,
    ) -> Result<Followed, ApiError> {
        self.follow_provider(|auth, now| {
            let present = now.snapshot.identity(identity).map(|present| &present.record);
            let Some(present) = present.filter(|present| !present.gone) else { return Ok(None) };
            let IdentityRecord { identity, person, disabled, gone, .. } = present.clone();
            let changed = IdentityRecord { identity, person, disabled, gone, ..change(present) };
            refuse_reserved(&changed)?;
            let beyond = auth.clients_beyond(now, &changed);
            if beyond.is_empty() && auth.changes_nothing(present, &changed) {
                return Ok(None);
            }
            let why = lost(present, &changed);
            let difference = Difference::of_identity(Some(present), &changed);
            Ok(Some(Change { by: by.to_owned(), action: "refreshed", changed: difference, why, identity: changed, disable: beyond }))
        })
        .await
    }

    /// The provider says that there is nobody like that any more: the identity gives nothing, nobody acts by it, and clients that it names are disabled. Nothing happens where
    /// it is disabled already. 404 when nobody has the identity.
    pub async fn end_identity(&self, by: &str, identity: &str) -> Result<Followed, ApiError> {
        self.follow_provider(|auth, now| {
            let present = now.snapshot.identity(identity).map(|present| &present.record);
            let present = present.ok_or_else(|| ApiError::ResourceNotFound(format!("Nobody has the identity {identity}")))?;
            if present.disabled {
                return Ok(None);
            }
            let ended = IdentityRecord {
                disabled: true,
                gone: true,
                scopes: Vec::new(),
                groups: Vec::new(),
                additions: Vec::new(),
                ..present.clone()
            };
            let disable = auth.clients_beyond(now, &ended);
            let why = json!({"why": "the provider knows nobody like that any more"});
            Ok(Some(Change {
                by: by.to_owned(),
                action: "gone",
                changed: Difference::of_identity(Some(present), &ended),
                why,
                identity: ended,
                disable,
            }))
        })
        .await
    }

    async fn follow_provider(
        &self,
        change: impl Fn(&Auth, &Now) -> Result<Option<Change>, ApiError> + Send + Sync,
    ) -> Result<Followed, ApiError> {
        let decided = self.decide(|now| {
            let Some(change) = change(self, now)? else { return Ok(Decision::Keep(Vec::new())) };
            let mut depends_on = vec![Key::Identity(change.identity.identity.clone())];
            depends_on.extend(now.snapshot.identity(&change.identity.identity).into_iter().flat_map(|known| now.snapshot.keys_of(known)));
            if !change.disable.is_empty() {
                depends_on.push(Key::Role);
            }
            depends_on.extend(change.disable.iter().cloned().map(Key::Client));
            let mut step = step_by(now, &change.by, change.action, depends_on);
            // A client's row says why it was disabled. What else became of the person is not the client's.
            step.details.put("identity", &change.identity.identity, change.changed.because(&change.why).kept());
            step.detail = Some(change.why).filter(|why| !why.is_null());
            let disabled = change.disable.clone();
            let write = match change.disable {
                none if none.is_empty() => Write::PutIdentity(change.identity),
                some => Write::FollowIdentity(change.identity, some),
            };
            Ok(Decision::Write(step, write, disabled))
        });
        decided.await.map(|(disabled, revision)| Followed { revision, disabled })
    }

    /// The clients of the person that would have more than the person, with this record instead of the present one.
    pub(super) fn clients_beyond(&self, now: &Now, identity: &IdentityRecord) -> Vec<String> {
        let Some(known) = now.snapshot.identity(&identity.identity) else { return Vec::new() };
        let mut next = Snapshot::clone(&now.snapshot);
        next.write_identity(identity.clone(), now.now_ms);
        let mut beyond = Vec::new();
        for owner in now.snapshot.linked(&known.record.person) {
            beyond.extend(self.clients_of_owner_beyond(&next, owner));
        }
        beyond.sort_unstable();
        beyond.dedup();
        beyond
    }

    fn clients_of_owner_beyond(&self, next: &Snapshot, owner: &Identity) -> Vec<String> {
        let owner = &owner.record.identity;
        // However old it is: what ends by its age is there again with the next answer, a disabled client is not.
        let person = next.person_of(owner).filter(|person| !person.record.disabled);
        let active = person.into_iter().flat_map(|person| next.linked(&person.record.id)).filter(|linked| !linked.record.disabled);
        let present = next.expansion_of_people(active.flat_map(|linked| linked.record.all_scopes()));
        let is_active = next.identity(owner).is_some_and(|owner| !owner.record.disabled);
        let prefix = format!("{owner}/");
        // What a grant made ends with the grant, and shrinks with it.
        let clients =
            next.clients(&prefix).filter(|client| !client.is_disabled() && client.grant().is_none()).map(|client| client.client());
        let beyond = clients.filter(|client| !is_active || !next.expansion_of(client).scopes.iter().all(|scope| present.satisfies(scope)));
        beyond.map(|client| client.id().to_owned()).collect()
    }

    /// Whether an answer may go unwritten: it says what is there, and what is there counts for long enough.
    fn changes_nothing(&self, present: &IdentityRecord, answer: &IdentityRecord) -> bool {
        let counts_on = |provider: &str, then_ms: i64, now_ms: i64| {
            let counts_long = |max_ms: i64| now_ms.saturating_sub(then_ms) < max_ms / 4;
            // An answer that is older than the present one takes its time away.
            now_ms >= then_ms && self.node.settings.max_age_ms(provider).is_none_or(counts_long)
        };
        let mut undated = answer.clone();
        undated.refreshed_ms = present.refreshed_ms;
        let mut counts = counts_on(&answer.provider, present.refreshed_ms, answer.refreshed_ms);
        for (addition, known) in undated.additions.iter_mut().zip(&present.additions) {
            counts &= counts_on(&addition.provider, known.refreshed_ms, addition.refreshed_ms);
            addition.refreshed_ms = known.refreshed_ms;
        }
        counts && undated == *present
    }
}

fn refuse_reserved(identity: &IdentityRecord) -> Result<(), ApiError> {
    reserved::refuse_reserved(&identity.scopes)?;
    identity.additions.iter().try_for_each(|addition| reserved::refuse_reserved(&addition.scopes))
}

/// What is to be written.
struct Change {
    by: String,
    action: &'static str,
    /// What the provider says, and said before.
    changed: Difference,
    /// Why, where something was lost; null: nothing was.
    why: serde_json::Value,
    identity: IdentityRecord,
    disable: Vec<String>,
}

/// What the person lost, for the history; null: nothing.
fn lost(before: &IdentityRecord, after: &IdentityRecord) -> serde_json::Value {
    let groups = missing(before.all_groups(), after.all_groups());
    let scopes = missing(before.all_scopes().flatten(), after.all_scopes().flatten());
    if groups.is_empty() && scopes.is_empty() {
        return serde_json::Value::Null;
    }
    json!({"why": "the provider no longer says so", "lostGroups": groups, "lostScopes": scopes})
}

fn missing<'t>(before: impl Iterator<Item = &'t String>, after: impl Iterator<Item = &'t String>) -> Vec<&'t String> {
    let after: BTreeSet<&String> = after.collect();
    before.filter(|item| !after.contains(item)).take(MOST_NAMED).collect()
}
