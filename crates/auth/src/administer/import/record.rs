//! What one record of a batch comes to: what it needs, what is to be written, what became of it.

use falconer_scopes::Expression;
use falconer_store::{ClientRecord, Difference, RevokedCertificates, RoleRecord, Secret};
use serde_json::Value;

use crate::administer::added::added;
use crate::administer::clients::change::{is_repeat, mark_after_reset, needed};
use crate::administer::import::batch::{BatchClient, BatchRole, Outcome};
use crate::change::acting::Acting;
use crate::change::decide::Now;
use crate::error::ApiError;
use crate::node::Auth;
use crate::view::ClientInput;

/// A record that the caller may change so.
pub(crate) struct Planned<R> {
    pub(crate) outcome: Outcome,
    /// What is to be written; `None` when it is there.
    pub(crate) record: Option<R>,
    /// The access token that the caller is owed.
    pub(crate) token: Option<Secret>,
    /// What becomes of a record that is there, for the history.
    pub(crate) changed: Option<Value>,
}

/// A role: stored as updateRole would store it, so that only the order of a star role's scopes is the caller's.
pub(crate) fn plan_role(now: &Now, acting: &Acting, role: &BatchRole) -> Result<Planned<RoleRecord>, ApiError> {
    let (id, input) = (&role.role_id, &role.input);
    let mut scopes = input.scopes.clone();
    if !id.ends_with('*') {
        falconer_scopes::list::sort(&mut scopes);
    }
    let create = || needed(format!("auth:create-role:{id}"), input.scopes.iter());
    let Some(known) = now.snapshot.role(id) else {
        acting.caller.require(&create())?;
        let record = RoleRecord {
            role_id: id.clone(),
            scopes,
            description: input.description.clone(),
            created_ms: now.now_ms,
            last_modified_ms: now.now_ms,
        };
        return Ok(Planned { outcome: Outcome::Created, record: Some(record), token: None, changed: None });
    };
    let update = format!("auth:update-role:{id}");
    let is_there = known.description == input.description && known.scopes == scopes;
    let may_ask = acting.caller.scopes.satisfies(&update) || (is_there && create().satisfied_by(&acting.caller.scopes));
    if !may_ask {
        // Of every scope, so that nobody learns by guessing which of them the role has.
        acting.caller.require(&needed(update.clone(), input.scopes.iter()))?;
    }
    if is_there {
        acting.caller.require(&either(create(), update))?;
        return Ok(Planned { outcome: Outcome::Unchanged, record: None, token: None, changed: None });
    }
    let had = now.snapshot.expand(&known.scopes);
    let added = input.scopes.iter().filter(|scope| !had.satisfies(scope));
    acting.caller.require(&needed(update, added))?;
    let record = RoleRecord { scopes, description: input.description.clone(), last_modified_ms: now.now_ms, ..known.clone() };
    let changed = Difference::of_role(&known, &record).kept();
    Ok(Planned { outcome: Outcome::Updated, record: Some(record), token: None, changed })
}

impl Auth {
    /// A client. What the API does not show of a stored one (the order of its scopes, microseconds of its expiry) is no difference.
    pub(crate) fn plan_client(&self, now: &Now, acting: &Acting, client: &BatchClient) -> Result<Planned<ClientRecord>, ApiError> {
        match now.snapshot.client_record(&client.client_id) {
            None => self.plan_new(now, acting, client),
            Some(before) => plan_known(now, acting, client, before),
        }
    }

    fn plan_new(&self, now: &Now, acting: &Acting, client: &BatchClient) -> Result<Planned<ClientRecord>, ApiError> {
        let id = &client.client_id;
        let disabled = client.disabled.unwrap_or_default();
        let verbs = [
            Some(format!("auth:create-client:{id}")),
            client.access_token.as_ref().map(|_| set_token(id)),
            disabled.then(|| format!("auth:disable-client:{id}")),
        ];
        acting.caller.require(&all_of(verbs, client.scopes.iter()))?;
        if now.snapshot.is_name_of_grant(id) {
            return Err(ApiError::InputError(format!("clientId \"{id}\" belongs to a grant")));
        }
        let mut record = self.new_client(now, acting, id, &input(client), client.scopes.clone());
        record.disabled = disabled;
        let mut token = Some(record.access_token.clone());
        if let Some(given) = &client.access_token {
            record.access_token = given.clone();
            token = None;
        }
        Ok(Planned { outcome: Outcome::Created, record: Some(record), token, changed: None })
    }
}

fn plan_known(now: &Now, acting: &Acting, client: &BatchClient, before: ClientRecord) -> Result<Planned<ClientRecord>, ApiError> {
    let id = &client.client_id;
    let mut after = wanted(&before, client);
    // Whether it is another token can't be told here: it is refused below, once it is known that the caller may ask. Until then it counts as the same.
    let is_untold = client.access_token.as_ref().is_some_and(|given| given.same_as(&before.access_token).is_none());
    if is_untold {
        after.access_token.clone_from(&before.access_token);
    }
    let set = client.access_token.as_ref().map(|_| set_token(id));
    let (create, update) = (needed(format!("auth:create-client:{id}"), client.scopes.iter()), format!("auth:update-client:{id}"));
    let creates = create.satisfied_by(&acting.caller.scopes);
    let may_ask = acting.caller.scopes.satisfies(&update) || (after == before && creates);
    if !may_ask {
        // Of every scope, and of none of its states, so that nobody learns by guessing what the client has.
        acting.caller.require(&all_of([Some(update.clone()), set.clone(), None], client.scopes.iter()))?;
    }
    if after == before {
        acting
            .caller
            .require(&Expression::AllOf([Some(either(create, update)), set.map(Expression::Scope)].into_iter().flatten().collect()))?;
        let owed =
            client.access_token.is_none() && creates && is_repeat(&before, acting, &as_stored(client, &before), &before.scopes, now.now_ms);
        if owed || is_untold {
            ApiError::if_not_opened(&before)?;
        }
        return Ok(Planned { outcome: Outcome::Unchanged, record: None, token: owed.then_some(before.access_token), changed: None });
    }
    let switched = match (before.disabled, after.disabled) {
        (false, true) => Some(format!("auth:disable-client:{id}")),
        (true, false) => Some(format!("auth:enable-client:{id}")),
        _ => None,
    };
    let added = added(&client.scopes, &before.scopes);
    acting.caller.require(&all_of([Some(update), set, switched], added.into_iter()))?;
    if is_untold {
        ApiError::if_not_opened(&before)?;
    }
    after.last_modified_ms = now.now_ms;
    if after.access_token == before.access_token {
        // As after an update: what a grant touches can do no more than the grant, and a mark that is there stays.
        after.grant = before.grant.clone().or_else(|| acting.caller.grant.clone());
    } else {
        // Whoever gives the token knows it, as after a reset.
        after.last_rotated_ms = now.now_ms;
        after.old_token = None;
        after.revoked = RevokedCertificates::default();
        after.grant = mark_after_reset(&after, acting);
    }
    if after.disabled {
        after.old_token = None;
    }
    let changed = Difference::of_client(&before, &after).kept();
    Ok(Planned { outcome: Outcome::Updated, record: Some(after), token: None, changed })
}

/// The record as the batch wants it, with its times and its mark as they are.
fn wanted(before: &ClientRecord, client: &BatchClient) -> ClientRecord {
    let given = as_stored(client, before);
    ClientRecord {
        description: given.description,
        expires_us: given.expires_us,
        delete_on_expiration: given.delete_on_expiration,
        scopes: given.scopes.unwrap_or_default(),
        disabled: client.disabled.unwrap_or(before.disabled),
        access_token: client.access_token.clone().unwrap_or_else(|| before.access_token.clone()),
        ..before.clone()
    }
}

fn input(client: &BatchClient) -> ClientInput {
    ClientInput {
        expires_us: client.expires_us,
        description: client.description.clone(),
        scopes: Some(client.scopes.clone()),
        delete_on_expiration: client.delete_on_expiration,
    }
}

/// The input, with what is stored in place of what the API shows of it.
fn as_stored(client: &BatchClient, before: &ClientRecord) -> ClientInput {
    let mut input = input(client);
    if input.expires_us == before.expires_us.div_euclid(1000).saturating_mul(1000) {
        input.expires_us = before.expires_us;
    }
    let sorted = |scopes: &[String]| {
        let mut scopes = scopes.to_vec();
        falconer_scopes::list::sort(&mut scopes);
        scopes
    };
    if sorted(&client.scopes) == sorted(&before.scopes) {
        input.scopes = Some(before.scopes.clone());
    }
    input
}

fn set_token(client_id: &str) -> String {
    format!("auth:set-access-token:{client_id}")
}

fn all_of<'s>(verbs: [Option<String>; 3], scopes: impl Iterator<Item = &'s String>) -> Expression {
    Expression::all_of(verbs.into_iter().flatten().chain(scopes.cloned()))
}

/// What is owed for a record that is there already: what making it would need, or what changing it would.
fn either(create: Expression, update: String) -> Expression {
    Expression::AnyOf(vec![create, Expression::Scope(update)])
}
