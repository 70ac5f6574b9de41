//! Everything after the MAC: what credentials come to at one snapshot.

use std::cell::Cell;
use std::sync::Arc;

use falconer_credentials::{Authentic, Issuer, Revoked, evaluate, evaluate_internal};
use falconer_scopes::ScopeSet;
use falconer_store::Key;

use crate::directory::clients::client::Client;
use crate::directory::entries::{Grant, InternalIssuer};
use crate::directory::expansions::sets::Expansion;
use crate::directory::snapshot::{HeldScopes, KeyOwner, Snapshot};
use crate::node::Node;
use crate::reserved::{FALCONER_CLIENTS, GRANT_SCOPE};
use crate::settings::Origin;
use crate::verify::caller::{Caller, DisclosedIdentity};
use crate::verify::effective_scopes::{ActiveGrant, DependsOn};
use crate::verify::reason::Reason;

/// Credentials that hold, with everything that follows from them at one revision.
pub(crate) struct Evaluated<'s> {
    pub(crate) caller: Caller,
    /// On the heap: hardly a request has it, and each one would be moved with the room for it.
    pub(crate) disclosed: Option<Box<DisclosedIdentity>>,
    pub(crate) used: UsedBy<'s>,
    /// What the caller has, where it was not made into a set: then [`Caller::scopes`] is empty.
    pub(crate) held_scopes: Option<HeldScopes>,
}

/// In which form a caller's scopes are wanted.
#[derive(Clone, Copy)]
pub(crate) enum ScopesAs {
    /// As a set, to be handed on.
    Set,
    /// In any form that says of so many scopes whether they are satisfied, none of which is reserved.
    Any {
        /// How many.
        count: usize,
    },
}

/// Whose last use this is.
pub(crate) enum UsedBy<'s> {
    Client(&'s Arc<Client>),
    Grant(&'s Arc<Grant>),
}

impl Node {
    /// Everything after the MAC. `owner` is who has the key at this snapshot.
    pub(crate) fn evaluate_at<'s>(
        &self,
        snapshot: &'s Snapshot,
        owner: Option<KeyOwner<'s>>,
        authentic: &Authentic<'_>,
        now_ms: i64,
        wanted: ScopesAs,
        depends_on: &mut DependsOn,
    ) -> Result<Evaluated<'s>, Reason> {
        match owner {
            Some(KeyOwner::Issuer(issuer)) => self.evaluate_grant(snapshot, issuer, authentic, now_ms, depends_on),
            Some(KeyOwner::Client(client)) => self.evaluate_client(snapshot, client, authentic, now_ms, wanted, depends_on),
            // The client has gone since the MAC was checked.
            None => Err(Reason::client_not_found(authentic.key_owner())),
        }
    }

    fn evaluate_client<'s>(
        &self,
        snapshot: &'s Snapshot,
        client: &'s Arc<Client>,
        authentic: &Authentic<'_>,
        now_ms: i64,
        wanted: ScopesAs,
        depends_on: &mut DependsOn,
    ) -> Result<Evaluated<'s>, Reason> {
        let owner = authentic.key_owner();
        depends_on.note(|| Key::Role);
        depends_on.note(|| Key::Client(owner.to_owned()));
        let bounds = self.bounds(snapshot, client, now_ms, depends_on)?;
        let is_plain = bounds.within.is_empty() && !authentic.has_certificate() && !authentic.has_authorized_scopes();
        // Nearly every request is plain: then the remembered set with anonymous is the answer, and nothing is to be expanded.
        let known_scopes = match wanted {
            ScopesAs::Any { count } if is_plain => snapshot.held_with_anonymous(client, count),
            ScopesAs::Any { .. } | ScopesAs::Set => None,
        };
        let own = match (&known_scopes, is_plain) {
            (Some(_), _) => Expansion { scopes: ScopeSet::default(), is_complete: true },
            (None, true) => snapshot.expansion_with_anonymous(client),
            (None, false) => snapshot.expansion_of(client),
        };
        let is_complete = Cell::new(own.is_complete);
        let own = bounds.apply(own.scopes);
        let present = client.token();
        // Looked for only where another key than the present one has signed.
        let old = if authentic.is_of_token(present) { None } else { client.old_token_at_present(now_ms) };
        let issuer = Issuer {
            client_id: owner,
            token: old.as_ref().filter(|old| authentic.is_of_token(old)).unwrap_or(present),
            expires_ms: client.expires_ms(),
            disabled: client.is_disabled(),
            scopes: &own,
            revoked: if authentic.has_certificate() { revoked(client, authentic) } else { Revoked::default() },
        };
        let verified = if is_plain {
            evaluate(authentic, &issuer, now_ms, &|_: &[&str]| ScopeSet::default())?
        } else {
            evaluate(authentic, &issuer, now_ms, &|scopes: &[&str]| {
                let expansion = snapshot.expand_list(scopes.iter().copied());
                is_complete.set(is_complete.get() && expansion.is_complete);
                expansion.scopes
            })?
        };
        if !is_complete.get() {
            return Err(Reason::TooManySteps { client_id: verified.client_id });
        }
        if authentic.issuer().is_some() {
            self.check_name(snapshot, authentic.id())?;
        }
        // Expansion must not lead out of the bounds again: a role may have grown since the grant was made.
        let scopes = if bounds.within.is_empty() { verified.scopes } else { bounds.apply(verified.scopes).union(snapshot.anonymous()) };
        Ok(Evaluated {
            caller: Caller {
                client_id: Some(verified.client_id),
                scopes,
                expires_ms: bounds.ends_ms.map_or(verified.expires_ms, |ends_ms| ends_ms.min(verified.expires_ms)),
                hash: verified.hash,
                grant: client.grant().map(str::to_owned),
                identity: None,
            },
            disclosed: None,
            used: UsedBy::Client(client),
            held_scopes: known_scopes,
        })
    }

    /// Names that nobody's certificate may use: those of grants, and Falconer's own, such as the internal issuers'.
    fn check_name(&self, snapshot: &Snapshot, name: &str) -> Result<(), Reason> {
        if name.starts_with(FALCONER_CLIENTS) || snapshot.is_name_of_grant(name) {
            return Err(Reason::ReservedName { client_id: name.to_owned() });
        }
        Ok(())
    }

    fn evaluate_grant<'s>(
        &self,
        snapshot: &'s Snapshot,
        issuer: &InternalIssuer,
        authentic: &Authentic<'_>,
        now_ms: i64,
        depends_on: &mut DependsOn,
    ) -> Result<Evaluated<'s>, Reason> {
        let name = issuer.record.name.as_str();
        let claim = evaluate_internal(authentic, name, &issuer.token, now_ms)?;
        let not_a_client = || Reason::client_not_found(name);
        let id = match claim.scopes.as_slice() {
            [only] if claim.named => only.strip_prefix(GRANT_SCOPE).ok_or_else(not_a_client)?,
            _ => return Err(not_a_client()),
        };
        let ActiveGrant { grant, identity, scopes } = self.active_grant(snapshot, id, now_ms)?;
        if grant.record.client_id != claim.client_id || grant.record.issuer != name {
            return Err(not_a_client());
        }
        depends_on.note(|| Key::Role);
        depends_on.note(|| Key::Grant(grant.record.id.clone()));
        depends_on.note_all(|| snapshot.keys_of(identity));
        let restricted = claim.authorized_scopes.is_some();
        let scopes = match &claim.authorized_scopes {
            None => scopes,
            Some(authorized) => restrict(snapshot, &claim.client_id, scopes, authorized)?,
        };
        let may_know =
            !restricted && !authentic.is_bewit() && !self.is_too_old(&identity.record.provider, identity.record.refreshed_ms, now_ms);
        let knows = may_know && is_for(grant, authentic.host(), authentic.port());
        Ok(Evaluated {
            caller: Caller {
                client_id: Some(claim.client_id),
                scopes: scopes.union(snapshot.anonymous()),
                expires_ms: claim.expires_ms.min(grant.record.expires_ms),
                hash: claim.hash,
                grant: Some(grant.record.id.clone()),
                identity: Some(grant.record.identity.clone()),
            },
            disclosed: knows.then(|| {
                Box::new(DisclosedIdentity {
                    id: identity.record.identity.clone(),
                    provider: identity.record.provider.clone(),
                    subject: identity.record.subject.clone(),
                    display_name: identity.record.display_name.clone(),
                    email: identity.record.email.clone(),
                    email_verified: identity.record.email_verified,
                    target: grant.record.target_origin.clone(),
                })
            }),
            used: UsedBy::Grant(grant),
            held_scopes: None,
        })
    }
}

/// What of its certificates the client has revoked, as far as it is about this one.
fn revoked(client: &Client, authentic: &Authentic<'_>) -> Revoked {
    client.revoked().map_or_else(Revoked::default, |revoked| Revoked {
        before_ms: revoked.before_ms,
        seed: revoked.seeds.iter().any(|one| authentic.seed() == Some(one.seed.as_str())),
    })
}

/// Authorized scopes of a grant: they must be satisfied, and leave what they come to within what is held.
fn restrict(snapshot: &Snapshot, client_id: &str, held_scopes: ScopeSet, authorized: &[String]) -> Result<ScopeSet, Reason> {
    let with_anonymous = held_scopes.union(snapshot.anonymous());
    if !with_anonymous.satisfies_all(authorized.iter().map(String::as_str)) {
        return Err(falconer_credentials::authorized_scopes_failure(&with_anonymous, authorized).into());
    }
    let expanded = snapshot.expand_completely(authorized).ok_or_else(|| Reason::TooManySteps { client_id: client_id.to_owned() })?;
    Ok(expanded.intersection(&held_scopes))
}

/// Whether the request was meant for a site that may know who the person is.
fn is_for(grant: &Grant, host: &str, port: u16) -> bool {
    grant.record.identity_for.iter().filter_map(|origin| Origin::parse(origin)).any(|origin| origin.is_at(host, port))
}
