//! Applications of the store: list, read, make, change, another secret, delete. Whether redirect URIs and ids can be is `grants`' to say, which has checked it.

pub(crate) mod initial_tokens;
pub(crate) mod registered;

use std::sync::Arc;

use falconer_scopes::{Expression, ScopeSet};
use falconer_store::{ApplicationRecord, Difference, Key, Revision, SigningAlgorithm, Step, Write};

use crate::administer::people::by::is_own;
use crate::change::acting::Acting;
use crate::change::decide::{Decision, Now};
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::Auth;
use crate::reserved;
use crate::verify::caller::{Authentication, Caller, Who};
use crate::verify::reading::Reading;
use crate::view::{Page, PageQuery};

/// So many applications of administrators there are at most: each node has all of them in memory.
const MOST_APPLICATIONS: usize = 1000;
/// What an application may ask for that needed no token to register: what any site may ask for that nobody registered. Until an administrator writes something else.
pub const ANYTHING: &str = "*";

/// What an application is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApplicationInput {
    /// What the grant page calls it.
    pub name: String,
    /// Markdown, for administrators.
    pub description: String,
    /// `<provider>/<subject>`; empty: nobody.
    pub owner: String,
    /// Where its answers go.
    pub redirect_uris: Vec<String>,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// The longest life of a grant to it, in milliseconds.
    pub max_life_ms: i64,
    /// Whether it is a server with a secret.
    pub confidential: bool,
    /// For how long consent may be remembered, in milliseconds; 0: not at all.
    pub remember_ms: i64,
    /// Whether nobody is asked.
    pub skip_consent: bool,
    /// Whether its requests have to be pushed.
    pub pushed_only: bool,
    /// What its ID tokens are signed with.
    pub id_token_alg: SigningAlgorithm,
    /// Its access tokens are bound to keys, and it gets none without a proof (RFC 9449).
    pub dpop_bound_access_tokens: bool,
    /// Where it is told that a session has ended; empty: nowhere.
    pub backchannel_logout_uri: String,
    /// The public keys that it proves with who it is (RFC 7523), each a JWK as JSON, in place of a secret; empty: it has none.
    pub keys: Vec<String>,
    /// Whether it is a program that acts of its own accord.
    pub agent: bool,
}

impl ApplicationInput {
    /// What an application is.
    pub fn of(record: &ApplicationRecord) -> ApplicationInput {
        ApplicationInput {
            name: record.name.clone(),
            description: record.description.clone(),
            owner: record.owner.clone(),
            redirect_uris: record.redirect_uris.clone(),
            scopes: record.scopes.clone(),
            max_life_ms: record.max_life_ms,
            confidential: record.confidential,
            remember_ms: record.remember_ms,
            skip_consent: record.skip_consent,
            pushed_only: record.pushed_only,
            id_token_alg: record.id_token_alg,
            dpop_bound_access_tokens: record.dpop_bound_access_tokens,
            backchannel_logout_uri: record.backchannel_logout_uri.clone(),
            keys: record.keys.clone(),
            agent: record.agent,
        }
    }
}

/// What came of a change.
#[derive(Clone, Debug)]
pub struct ChangedApplication {
    /// As it is from now on.
    pub record: ApplicationRecord,
    /// Whether it was not there before.
    pub is_new: bool,
    /// Whether the secret that was offered is its secret from now on.
    pub has_new_secret: bool,
}

impl Auth {
    /// One page of all applications, by id.
    pub fn list_applications(&self, who: &Authentication, query: &PageQuery) -> Result<Page<Arc<ApplicationRecord>>, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope(LIST.to_owned())?;
        Ok(Page::cut(snapshot.applications().iter(), query, |record| record.id.as_str().into(), Arc::clone))
    }

    /// One application. Its owner may see it too.
    pub fn application(&self, who: &Authentication, id: &str) -> Result<Arc<ApplicationRecord>, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        let known = snapshot.applications().get(id);
        if !known.is_some_and(|known| owns(&snapshot, &caller, known)) {
            caller.require_scope(LIST.to_owned())?;
        }
        known.cloned().ok_or_else(not_found)
    }

    /// The applications of a person who is signed in, by id.
    pub fn applications_owned_by(&self, identity: &str) -> Vec<Arc<ApplicationRecord>> {
        let snapshot = self.directory();
        let person = |identity: &str| snapshot.identity(identity).map(|known| known.record.person.clone());
        let Some(own) = person(identity) else { return Vec::new() };
        snapshot.applications().iter().filter(|known| person(&known.owner).as_ref() == Some(&own)).cloned().collect()
    }

    /// Makes an application, or changes it. Whoever does it needs the scope for that, and each scope that the application may ask for afterwards (ADR 263), but
    /// for a `*` that it has because it needed no token to register. A confidential one that has no secret gets the one of this hash.
    ///
    /// `seen_ms`: as whoever asks has seen it, 409 when it was changed since; 0: they have seen that there is none.
    pub async fn put_application(
        &self,
        who: &Authentication,
        id: &str,
        input: &ApplicationInput,
        secret_hash: &str,
        seen_ms: Option<i64>,
    ) -> Result<(ChangedApplication, Revision), ApiError> {
        reserved::check_contents(&input.scopes, &input.description)?;
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            let known = now.snapshot.applications().get(id);
            let right = match known {
                None => Some(format!("auth:create-application:{id}")),
                Some(known) => right_to("update", &now.snapshot, who, &acting.caller, known),
            };
            let skip = input.skip_consent.then(|| format!("auth:skip-consent:{id}"));
            let given = scopes_given_out(known.map(Arc::as_ref), &input.scopes);
            acting.caller.require(&Expression::all_of(right.into_iter().chain(skip).chain(given.cloned())))?;
            refuse_outliving(&acting.caller)?;
            reserved::refuse_unseen("application", known.map_or(0, |known| known.last_modified_ms), seen_ms)?;
            if !input.owner.is_empty() && now.snapshot.identity(&input.owner).is_none() {
                return Err(ApiError::InputError(format!("owner: nobody has the identity {}", input.owner)));
            }
            if known.is_some_and(|known| known.registration.is_some()) && (input.skip_consent || input.remember_ms > 0) {
                return Err(ApiError::InputError("People are asked each time by an application that has registered itself".to_owned()));
            }
            match known {
                Some(known) => {
                    let record = filled(known.as_ref().clone(), input, secret_hash, now.now_ms);
                    let unchanged = ApplicationRecord { last_modified_ms: known.last_modified_ms, ..record.clone() };
                    if unchanged == **known {
                        let answer = ChangedApplication { record: unchanged, is_new: false, has_new_secret: false };
                        return Ok(Decision::Keep(answer));
                    }
                    let has_new_secret = record.secret_hash != known.secret_hash && record.secret_hash.is_some();
                    let step = step(now, &acting, "updated", known, &record);
                    let answer = ChangedApplication { record: record.clone(), is_new: false, has_new_secret };
                    Ok(Decision::Write(step, Write::UpdateApplication(record), answer))
                }
                None => {
                    if now.snapshot.applications().iter().filter(|known| known.registration.is_none()).count() >= MOST_APPLICATIONS {
                        let text = format!("There are {MOST_APPLICATIONS} applications, and no more can be: delete what is not used");
                        return Err(ApiError::RequestConflict(text));
                    }
                    let record = filled(nothing(id, now.now_ms), input, secret_hash, now.now_ms);
                    let step = step(now, &acting, "created", &nothing(id, now.now_ms), &record);
                    let answer = ChangedApplication { record: record.clone(), is_new: true, has_new_secret: record.secret_hash.is_some() };
                    Ok(Decision::Write(step, Write::InsertApplication(record), answer))
                }
            }
        })
        .await
    }

    /// Whether somebody could make an application of this id, before anything else is said of it.
    pub fn check_application_scope(&self, who: &Authentication, id: &str) -> Result<(), ApiError> {
        self.caller(who)?.require_scope(format!("auth:create-application:{id}"))
    }

    /// Gives a confidential application the secret of this hash. The one before counts for `overlap_ms` more. It takes what changing takes.
    pub async fn reset_application_secret(
        &self,
        who: &Authentication,
        id: &str,
        secret_hash: &str,
        overlap_ms: i64,
    ) -> Result<(ApplicationRecord, Revision), ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            let known = now.snapshot.applications().get(id);
            let right = known.map_or_else(
                || Some(format!("auth:update-application:{id}")),
                |known| right_to("update", &now.snapshot, who, &acting.caller, known),
            );
            // First: whoever may not change it is not told what it may ask for.
            right.map_or(Ok(()), |right| acting.caller.require_scope(right))?;
            let known = known.ok_or_else(not_found)?;
            acting.caller.require(&Expression::all_of(scopes_given_out(Some(known), &known.scopes).cloned()))?;
            refuse_outliving(&acting.caller)?;
            if !known.confidential {
                return Err(ApiError::InputError("A public application has no secret".to_owned()));
            }
            if !known.keys.is_empty() {
                return Err(ApiError::InputError("An application that has keys has no secret: it proves who it is by them".to_owned()));
            }
            let keeps = overlap_ms > 0 && known.secret_hash.is_some();
            let record = ApplicationRecord {
                old_secret_hash: known.secret_hash.clone().filter(|_| keeps),
                old_secret_ends_ms: keeps.then(|| now.now_ms.saturating_add(overlap_ms)),
                secret_hash: Some(secret_hash.to_owned()),
                secret_made_ms: Some(now.now_ms),
                last_modified_ms: now.now_ms,
                ..known.as_ref().clone()
            };
            let step = step(now, &acting, "secret reset", known, &record);
            Ok(Decision::Write(step, Write::UpdateApplication(record.clone()), record))
        })
        .await
    }

    /// Deletes the application, with what people have let it do unasked; fine when there is none. `seen_ms` as in [`Auth::put_application`].
    pub async fn delete_application(&self, who: &Authentication, id: &str, seen_ms: Option<i64>) -> Result<Revision, ApiError> {
        self.decide(|now| {
            let acting = self.acting(now, who)?;
            let known = now.snapshot.applications().get(id);
            let right = known.map_or_else(
                || Some(format!("auth:delete-application:{id}")),
                |known| right_to("delete", &now.snapshot, who, &acting.caller, known),
            );
            right.map_or(Ok(()), |right| acting.caller.require_scope(right))?;
            if let Some(known) = known {
                reserved::refuse_unseen("application", known.last_modified_ms, seen_ms)?;
            }
            let step = acting.step(now, "deleted", Key::Application(id.to_owned()));
            Ok(Decision::Write(step, Write::DeleteApplication(id.to_owned()), ()))
        })
        .await
        .map(|((), revision)| revision)
    }
}

const LIST: &str = "auth:list-applications";

fn not_found() -> ApiError {
    ApiError::ResourceNotFound("Application not found".to_owned())
}

/// Whether the caller is the person who owns it, or a client of theirs.
fn owns(snapshot: &Snapshot, caller: &Caller, application: &ApplicationRecord) -> bool {
    caller.grant.is_none() && snapshot.person_of(&application.owner).is_some_and(|person| is_own(caller, snapshot, person))
}

/// The scope that it takes, if any. An owner who is signed in needs none for it; a client of theirs needs one, so that a program that was given little, or acts
/// for somebody else, can't change what its owner has registered.
pub(super) fn right_to(
    verb: &str,
    snapshot: &Snapshot,
    who: &Authentication,
    caller: &Caller,
    known: &ApplicationRecord,
) -> Option<String> {
    let right = format!("auth:{verb}-application:{}", known.id);
    if caller.scopes.satisfies(&right) || !owns(snapshot, caller, known) {
        return Some(right);
    }
    (!matches!(who.who, Who::Person(_))).then(|| format!("auth:{verb}-own-application:{}", known.id))
}

/// What somebody gives out with these scopes of an application. What needed no token to register may ask for anything: whoever leaves that as it is gives nothing out.
fn scopes_given_out<'s>(known: Option<&ApplicationRecord>, scopes: &'s [String]) -> impl Iterator<Item = &'s String> {
    let is_anything = known.is_some_and(|known| known.needed_no_token() && known.scopes.iter().any(|scope| scope == ANYTHING));
    scopes.iter().filter(move |scope| !is_anything || *scope != ANYTHING)
}

/// An application would go on when the grant has ended.
pub(super) fn refuse_outliving(caller: &Caller) -> Result<(), ApiError> {
    caller.grant.as_ref().map_or(Ok(()), |grant| Err(ApiError::OutlivesGrant { grant: grant.clone() }))
}

pub(super) fn nothing(id: &str, now_ms: i64) -> ApplicationRecord {
    ApplicationRecord {
        id: id.to_owned(),
        name: String::new(),
        description: String::new(),
        owner: String::new(),
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        max_life_ms: 0,
        confidential: false,
        secret_hash: None,
        secret_made_ms: None,
        old_secret_hash: None,
        old_secret_ends_ms: None,
        remember_ms: 0,
        skip_consent: false,
        pushed_only: false,
        id_token_alg: SigningAlgorithm::default(),
        backchannel_logout_uri: String::new(),
        registration: None,
        dpop_bound_access_tokens: false,
        keys: Vec::new(),
        agent: false,
        created_ms: now_ms,
        last_modified_ms: now_ms,
    }
}

/// A public one has no secret, and neither has one with keys; one that is confidential without keys gets one.
pub(super) fn filled(known: ApplicationRecord, input: &ApplicationInput, secret_hash: &str, now_ms: i64) -> ApplicationRecord {
    let mut record = ApplicationRecord {
        name: input.name.clone(),
        description: input.description.clone(),
        owner: input.owner.clone(),
        redirect_uris: input.redirect_uris.clone(),
        scopes: kept_scopes(&known, &input.scopes),
        max_life_ms: input.max_life_ms,
        confidential: input.confidential,
        remember_ms: input.remember_ms,
        skip_consent: input.skip_consent,
        pushed_only: input.pushed_only,
        id_token_alg: input.id_token_alg,
        dpop_bound_access_tokens: input.dpop_bound_access_tokens,
        backchannel_logout_uri: input.backchannel_logout_uri.clone(),
        keys: input.keys.clone(),
        agent: input.agent,
        last_modified_ms: now_ms,
        ..known
    };
    if !record.confidential || !record.keys.is_empty() {
        (record.secret_hash, record.secret_made_ms) = (None, None);
        (record.old_secret_hash, record.old_secret_ends_ms) = (None, None);
    } else if record.secret_hash.is_none() {
        (record.secret_hash, record.secret_made_ms) = (Some(secret_hash.to_owned()), Some(now_ms));
    }
    record
}

/// What an application may ask for, normalized. Beside the star of one that may ask for anything because nothing was needed for its registration stays what it asks for
/// where a request of it names nothing.
fn kept_scopes(known: &ApplicationRecord, scopes: &[String]) -> Vec<String> {
    if !known.needed_no_token() || !scopes.iter().any(|scope| scope == ANYTHING) {
        return ScopeSet::new(scopes).to_vec();
    }
    let named = ScopeSet::new(scopes.iter().filter(|scope| *scope != ANYTHING));
    std::iter::once(ANYTHING.to_owned()).chain(named.to_vec()).collect()
}

fn step(now: &Now, acting: &Acting, action: &str, before: &ApplicationRecord, after: &ApplicationRecord) -> Step {
    let mut step = acting.step(now, action, Key::Application(after.id.clone()));
    // Ownership is a person's: it must still be theirs.
    for owner in [&before.owner, &after.owner] {
        if let Some(identity) = now.snapshot.identity(owner) {
            step.depends_on.extend(now.snapshot.keys_of(identity));
        }
    }
    Step { detail: Difference::of_application(before, after).kept(), ..step }
}
