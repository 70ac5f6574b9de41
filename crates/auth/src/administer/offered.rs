//! What somebody may do with a record as it is now, so that pages offer just that. Nothing is decided here: each use case looks again when it is done.

use falconer_store::IdentityRecord;

use crate::administer::applications::right_to;
use crate::administer::clients::certificates::right_to_revoke;
use crate::administer::people::accounts::all_scopes_of;
use crate::administer::people::by::{beyond, is_own};
use crate::error::ApiError;
use crate::node::Auth;
use crate::verify::caller::{Authentication, Caller, Who};

/// What can be done with one client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each act is allowed for itself")]
pub struct ClientActs {
    /// Changed, as far as no scope is added.
    pub update: bool,
    /// Given another access token.
    pub reset: bool,
    /// Switched off.
    pub disable: bool,
    /// Switched on.
    pub enable: bool,
    /// Deleted.
    pub delete: bool,
    /// Have its temporary credentials revoked.
    pub revoke_certificates: bool,
}

/// What can be done with one role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleActs {
    /// Changed, as far as no scope is added.
    pub update: bool,
    /// Deleted.
    pub delete: bool,
}

/// What can be done with one person, by one of their identities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each act is allowed for itself")]
pub struct PersonActs {
    /// The local account changed, as far as nothing is added.
    pub update: bool,
    /// A link for another password made.
    pub reset: bool,
    /// Let try again.
    pub unlock: bool,
    /// Signed out everywhere.
    pub sign_out: bool,
    /// Grants revoked.
    pub revoke_grants: bool,
    /// The whole person stopped.
    pub disable: bool,
    /// Let in again.
    pub enable: bool,
    /// The local account deleted.
    pub delete: bool,
    /// Made a person of its own.
    pub unlink: bool,
    /// Made the one that names what is new.
    pub name: bool,
    /// Asked about.
    pub refresh: bool,
}

/// What can be done with one application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplicationActs {
    /// Changed, as far as no scope is added; given another secret.
    pub update: bool,
    /// Deleted.
    pub delete: bool,
}

/// Which lists somebody may see, and where they may add something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is allowed for itself")]
pub struct ConsoleActs {
    /// Clients are listed.
    pub list_clients: bool,
    /// Roles are listed.
    pub list_roles: bool,
    /// People are listed.
    pub list_people: bool,
    /// Grants of everybody are listed.
    pub list_grants: bool,
    /// Applications are listed: all, or those that somebody owns.
    pub list_applications: bool,
    /// What applications register themselves with is listed.
    pub list_initial_tokens: bool,
    /// What services say of their scopes.
    pub list_scope_registries: bool,
    /// Some part of the whole history is shown.
    pub history: bool,
    /// Refusals are explained.
    pub explain: bool,
    /// Scopes are expanded.
    pub expand: bool,
    /// Some client can be made.
    pub create_client: bool,
    /// Some role can be made.
    pub create_role: bool,
    /// Some application can be registered.
    pub create_application: bool,
    /// Somebody can be invited.
    pub invite: bool,
}

impl Auth {
    /// What this caller may do with a client.
    pub fn client_acts(&self, who: &Authentication, client_id: &str) -> Result<ClientActs, ApiError> {
        let caller = self.caller(who)?;
        // What is of the configuration, or of Falconer itself, is changed by nobody here.
        let revoke_certificates = right_to_revoke(client_id).satisfied_by(&caller.scopes);
        if client_id.starts_with("static/") {
            return Ok(ClientActs { revoke_certificates, ..ClientActs::default() });
        }
        let may = |verb: &str| caller.scopes.satisfies(&format!("auth:{verb}:{client_id}"));
        Ok(ClientActs {
            update: may("update-client"),
            reset: may("reset-access-token"),
            disable: may("disable-client"),
            enable: may("enable-client"),
            delete: may("delete-client"),
            revoke_certificates,
        })
    }

    /// What this caller may do with a role.
    pub fn role_acts(&self, who: &Authentication, role_id: &str) -> Result<RoleActs, ApiError> {
        let caller = self.caller(who)?;
        let may = |verb: &str| caller.scopes.satisfies(&format!("auth:{verb}:{role_id}"));
        Ok(RoleActs { update: may("update-role"), delete: may("delete-role") })
    }

    /// What this caller may do with an application.
    pub fn application_acts(&self, who: &Authentication, id: &str) -> Result<ApplicationActs, ApiError> {
        let caller = self.caller(who)?;
        let snapshot = self.directory();
        let Some(known) = snapshot.applications().get(id) else { return Ok(ApplicationActs::default()) };
        let may = |verb| right_to(verb, &snapshot, who, &caller, known).is_none_or(|right| caller.scopes.satisfies(&right));
        Ok(ApplicationActs { update: may("update"), delete: may("delete") })
    }

    fn owns_an_application(&self, who: &Authentication) -> bool {
        matches!(&who.who, Who::Person(identity) if !self.applications_owned_by(identity).is_empty())
    }

    /// What this caller may do with the person of an identity: nothing where nobody has it.
    pub fn person_acts(&self, who: &Authentication, identity: &str) -> Result<PersonActs, ApiError> {
        let caller = self.caller(who)?;
        let snapshot = self.directory();
        let Some(person) = snapshot.person_of(identity) else { return Ok(PersonActs::default()) };
        let linked: Vec<&IdentityRecord> = snapshot.linked(&person.record.id).map(|linked| &linked.record).collect();
        let may = |verb: &str, identity: &str| caller.scopes.satisfies(&format!("auth:{verb}-person:{identity}"));
        let one = |verb: &str| may(verb, identity);
        let all = |verb: &str| one(verb) && linked.iter().all(|linked| may(verb, &linked.identity));
        let is_other = !is_own(&caller, &snapshot, person);
        let could_be = || caller.grant.is_none() && beyond(&all_scopes_of(&snapshot, &linked), &caller.scopes, &linked).is_empty();
        Ok(PersonActs {
            update: one("update"),
            reset: is_other && all("reset") && could_be(),
            unlock: one("unlock"),
            sign_out: all("sign-out"),
            revoke_grants: all("revoke-grants-of"),
            disable: is_other && all("disable"),
            enable: all("enable"),
            delete: is_other && one("delete"),
            unlink: is_other && all("unlink"),
            name: is_other && all("name"),
            refresh: one("refresh"),
        })
    }

    /// Where this caller may look, and add something.
    pub fn console_acts(&self, who: &Authentication) -> Result<ConsoleActs, ApiError> {
        let caller = self.caller(who)?;
        let may = |scope: &str| caller.scopes.satisfies(scope);
        Ok(ConsoleActs {
            list_clients: may("auth:list-clients"),
            list_roles: may("auth:list-roles"),
            list_people: may("auth:list-people"),
            list_grants: may("auth:list-grants"),
            list_applications: may("auth:list-applications") || self.owns_an_application(who),
            list_initial_tokens: may("auth:list-initial-tokens"),
            list_scope_registries: may("auth:list-scope-registries"),
            history: has_some(&caller, "auth:audit-history:") || has_some(&caller, "auth:client-audit-history:"),
            explain: has_some(&caller, "auth:explain:"),
            expand: may("auth:expand-scopes"),
            create_client: has_some(&caller, "auth:create-client:"),
            create_role: has_some(&caller, "auth:create-role:"),
            create_application: has_some(&caller, "auth:create-application:"),
            invite: has_some(&caller, "auth:create-person:"),
        })
    }
}

/// Whether the caller has a scope that begins so, or one that covers some.
pub(crate) fn has_some(caller: &Caller, prefix: &str) -> bool {
    let covers = |scope: &str| scope.strip_suffix('*').is_some_and(|stem| prefix.starts_with(stem));
    caller.scopes.iter().any(|scope| scope.starts_with(prefix) || covers(scope))
}
