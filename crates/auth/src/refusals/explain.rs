//! What is said of a refusal to somebody who may know: what was compared, for what the signature would have been right, and who would have given the scopes.

use std::borrow::Cow;
use std::sync::Arc;

use falconer_credentials::{Failure, SignedFor, Unmatched};
use falconer_scopes::{Expression, covers};

use crate::administer::offered::has_some;
use crate::directory::snapshot::{KeyOwner, Snapshot};
use crate::error::ApiError;
use crate::node::Auth;
use crate::refusals::record::{NewRefusal, Refusal, RefusedFor};
use crate::verify::caller::Authentication;
use crate::verify::reading::Reading;
use crate::verify::reason::Reason;

/// So many missing scopes are looked for, and so many roles are named.
const MOST_SCOPES: usize = 16;
const MOST_ROLES: usize = 20;
/// Stands in scopes of a role that ends in a star for what the star stood for.
const PARAMETER: &str = "<..>";

/// What was found out about a refusal.
pub struct Explained {
    /// The refusal.
    pub refusal: Arc<Refusal>,
    /// Whether there is a client, or an issuer, of the name in the credentials; `None`: there were no credentials that could be read.
    pub is_known: Option<bool>,
    /// For what the signature would be right, where something near would be.
    pub would_match: Option<WouldMatch>,
    /// Roles that have a scope which was missing.
    pub roles: Vec<RoleWith>,
}

/// For what a signature is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WouldMatch {
    /// Upper or lower case.
    pub method: String,
    /// Path and query.
    pub resource: String,
    /// Without the port.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// A role, and what was missing that it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleWith {
    /// Its id.
    pub role_id: String,
    /// The scope of the role.
    pub scope: String,
    /// What was missing.
    pub gives: String,
}

impl Auth {
    /// Keeps a refusal within the bound of the settings, and gives it a name that nobody can guess.
    pub fn note_refusal(&self, new: NewRefusal<'_>) -> String {
        let (refusals, id) = (&self.node.refusals, self.node.new_id());
        refusals.keep(Refusal::new(id.clone(), self.now_ms(), new, refusals.secret()));
        id
    }

    /// The same for one whose answer can do without a name. `None` where so many were kept in this second that being refused would cost more than being let in.
    pub fn note_refusal_unless_many<'r>(&self, new: impl FnOnce() -> NewRefusal<'r>) -> Option<String> {
        self.node.refusals.takes_one_more(self.now_ms()).then(|| self.note_refusal(new()))
    }

    /// The newest refusals that this node remembers and the caller may have explained, newest first. The 403 is for whoever may have none explained.
    pub fn recent_refusals(&self, who: &Authentication, most: usize) -> Result<Vec<Arc<Refusal>>, ApiError> {
        let caller = self.caller(who)?;
        if !has_some(&caller, "auth:explain:") {
            caller.require_scope("auth:explain:*".to_owned())?;
        }
        Ok(self.node.refusals.newest(most, |refusal| caller.scopes.satisfies(&format!("auth:explain:{}", refusal.id))))
    }

    /// Explains a refusal that this node remembers, for a caller with `auth:explain:<id>`. Errors: the 403, and 404 where it remembers none of this id.
    pub fn explain(&self, who: &Authentication, id: &str) -> Result<Explained, ApiError> {
        let Reading { snapshot, caller, .. } = self.reading(who)?;
        caller.require_scope(format!("auth:explain:{id}"))?;
        let refusal = self.node.refusals.find(id).ok_or_else(|| {
            let text =
                "This node remembers no refusal of this id: each node keeps its own, the recent ones, and none from before its start";
            ApiError::ResourceNotFound(text.to_owned())
        })?;
        let owner = refusal.signed().map(|signed| (signed, snapshot.key_owner(signed.key_owner())));
        let is_mac = matches!(&refusal.why, RefusedFor::Credentials(Reason::Credentials(Failure::BadMac) | Reason::OtherHost));
        let would_match = match &owner {
            Some((signed, Some(owner))) if is_mac => self.would_match(signed, owner),
            _ => None,
        };
        let roles = match &refusal.why {
            RefusedFor::Scopes { missing: Some(missing), .. } => roles_with(&snapshot, missing),
            _ => Vec::new(),
        };
        let is_known = owner.as_ref().map(|(_, owner)| owner.is_some());
        Ok(Explained { refusal, is_known, would_match, roles })
    }

    /// Tries what is near: a bounded number of MACs, for a client that is known.
    fn would_match(&self, signed: &Unmatched, owner: &KeyOwner<'_>) -> Option<WouldMatch> {
        let seen = signed.seen();
        let (sites, resources) = (self.sites_near(seen), resources_near(seen.resource));
        let moved =
            resources.iter().flat_map(|resource| sites.iter().map(move |(host, port)| SignedFor { resource, host, port: *port, ..seen }));
        let other_methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].into_iter().map(|method| SignedFor { method, ..seen });
        let mut tried = moved.chain(other_methods);
        let old = owner.old_token(self.now_ms());
        let found = tried.find(|what| {
            std::iter::once(owner.token()).chain(&old).any(|token| signed.is_for(*what, token, self.node.refusals.secret()))
        })?;
        Some(WouldMatch {
            method: found.method.to_owned(),
            resource: found.resource.to_owned(),
            host: found.host.to_owned(),
            port: found.port,
        })
    }

    /// The site that was seen, the same host with other ports, this machine, and Falconer's own.
    fn sites_near<'a>(&'a self, seen: SignedFor<'a>) -> Vec<(Cow<'a, str>, u16)> {
        let mut sites: Vec<(Cow<'a, str>, u16)> = vec![(seen.host.into(), seen.port)];
        let mut add = |host: Cow<'a, str>, port: u16| {
            if !sites.iter().any(|known| *known == (host.clone(), port)) {
                sites.push((host, port));
            }
        };
        for port in [443, 80, 8443, 8080, 8000, 3000] {
            add(seen.host.into(), port);
        }
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            add(host.into(), seen.port);
        }
        let bare = seen.host.strip_prefix("www.").map_or_else(|| Cow::Owned(format!("www.{}", seen.host)), Cow::Borrowed);
        add(bare.clone(), seen.port);
        add(bare, 443);
        let settings = &self.node.settings;
        for origin in std::iter::once(&settings.public_origin).chain(settings.hawk_origins.iter().take(8)) {
            add(origin.host.as_str().into(), origin.port);
        }
        sites
    }
}

/// The resource itself, with and without what proxies and clients take away: the query, a slash at the end, and prefixes of one to three segments.
fn resources_near(resource: &str) -> Vec<String> {
    let (path, query) = resource.split_once('?').map_or((resource, None), |(path, query)| (path, Some(query)));
    let with = |path: &str| query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut near = vec![resource.to_owned()];
    if query.is_some() {
        near.push(path.to_owned());
    }
    near.push(match path.strip_suffix('/') {
        Some(shorter) => with(shorter),
        None => with(&format!("{path}/")),
    });
    let mut rest = path;
    for _ in 0..3 {
        let Some(at) = rest.get(1..).and_then(|rest| rest.find('/')) else { break };
        rest = rest.get(at + 1..).unwrap_or_default();
        near.push(with(rest));
    }
    near
}

fn roles_with(snapshot: &Snapshot, missing: &Expression) -> Vec<RoleWith> {
    let mut wanted = Vec::new();
    leaves(missing, &mut wanted);
    wanted.truncate(MOST_SCOPES);
    let mut found = Vec::new();
    for (role_id, scopes) in snapshot.roles().texts() {
        let scopes: Vec<&str> = scopes.collect();
        let one = wanted.iter().find_map(|gives| scopes.iter().find_map(|scope| role_with(role_id, scope, gives)));
        found.extend(one);
        if found.len() >= MOST_ROLES {
            break;
        }
    }
    found
}

/// The role that gives a scope: as it is written, or, where its scope has a parameter, for the one that gives it.
fn role_with(role_id: &str, scope: &str, gives: &str) -> Option<RoleWith> {
    let of = |role_id: String| RoleWith { role_id, scope: scope.to_owned(), gives: gives.to_owned() };
    if covers(scope, gives) {
        return Some(of(role_id.to_owned()));
    }
    let (prefix, (before, after)) = role_id.strip_suffix('*').zip(scope.split_once(PARAMETER))?;
    let rest = gives.strip_prefix(before)?;
    let parameter = match after.strip_suffix('*') {
        Some(after) => rest.get(..rest.find(after)?)?,
        None => rest.strip_suffix(after)?,
    };
    Some(of(format!("{prefix}{parameter}")))
}

fn leaves<'e>(expression: &'e Expression, found: &mut Vec<&'e str>) {
    match expression {
        Expression::Scope(scope) => found.push(scope),
        Expression::AllOf(parts) | Expression::AnyOf(parts) => parts.iter().for_each(|part| leaves(part, found)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_with_a_parameter_gives_what_it_is_filled_with() {
        for (role_id, scope, gives, found) in [
            ("admins", "notes:read:*", "notes:read:blue", Some("admins")),
            ("admins", "notes:read:<..>", "notes:read:blue", None),
            ("local-group:*", "notes:read:<..>", "notes:read:blue", Some("local-group:blue")),
            ("local-group:*", "notes:<..>:of", "notes:blue:of", Some("local-group:blue")),
            ("local-group:*", "notes:a<..>a", "notes:a", None),
            ("local-group:*", "notes:read:<..>", "notes:write:blue", None),
            ("local-group:*", "notes:read:<..>", "notes:read:", Some("local-group:")),
            ("local-group:*", "notes:read:<..>", "notes", None),
            ("local-group:*", "notes:read:<..>:*", "notes:read:blue", None),
            ("local-group:*", "notes:read:<..>:*", "notes:read:blue:page:1", Some("local-group:blue")),
            ("local-group:*", "notes:read", "notes:write", None),
        ] {
            let with = role_with(role_id, scope, gives).map(|with| with.role_id);
            assert_eq!(with.as_deref(), found, "{role_id} {scope} {gives}");
        }
    }

    #[test]
    fn what_is_near_is_bounded() {
        assert_eq!(resources_near("/a/b/c/d/e?x"), ["/a/b/c/d/e?x", "/a/b/c/d/e", "/a/b/c/d/e/?x", "/b/c/d/e?x", "/c/d/e?x", "/d/e?x"]);
        assert_eq!(resources_near("/"), ["/", ""]);
        assert_eq!(resources_near(""), ["", "/"]);
        assert_eq!(resources_near("/a/"), ["/a/", "/a", "/"]);
        assert!(resources_near(&"/a".repeat(1000)).len() <= 6);
    }
}
