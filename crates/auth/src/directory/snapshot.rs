//! What a node answers from: everything in memory, immutable, at one revision.
//!
//! A [`Snapshot`] never changes. A mutation makes the next one, which shares all that the change did not touch. Whoever answers a
//! request takes one snapshot and uses it for client, grant, person and roles alike.

mod grants;
mod next;
mod registered;
mod signing_keys;

use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use falconer_credentials::AccessToken;
use falconer_scopes::{AppliedRoles, RoleSet, ScopeSet, covers_bytes};
use falconer_store::{ClientRecord, History, Key, Loaded, Revision, RoleRecord};

use crate::directory::absent_grants::ended::EndedGrants;
use crate::directory::clients::client::Client;
use crate::directory::clients::entry::ClientEntry;
use crate::directory::clients::{ClientSet, Clients};
use crate::directory::entries::{Grant, Identity, InternalIssuer, Person};
use crate::directory::expansions::cache::ExpansionFigures;
use crate::directory::expansions::list::{Each, List, OfClient};
use crate::directory::expansions::remembered::Expansions;
use crate::directory::expansions::sets::Expansion;
use crate::directory::records::{Applications, ScopeRegistries};
use crate::directory::roles::{RoleNotes, Roles, record_of, split};
use crate::reserved::{self, FALCONER_CLIENTS, GRANT_ISSUERS, SIGNING_KEYS};

/// Everything at one revision. Cheap to clone.
#[derive(Clone, Default)]
pub struct Snapshot {
    history: History,
    revision: Revision,
    highest_ms: i64,
    roles: Arc<Roles>,
    /// What roles have besides their scopes, which are in the compiled roles and nowhere else.
    role_notes: imbl::OrdMap<Arc<str>, Arc<RoleNotes>>,
    clients: ClientSet,
    issuers: imbl::OrdMap<Arc<str>, Arc<InternalIssuer>>,
    /// Those that have not ended, or only just: the others are looked for in the store.
    grants: imbl::HashMap<Arc<str>, Arc<Grant>>,
    /// Their ids by their ends, in milliseconds since the epoch.
    grant_ends: imbl::OrdSet<(i64, Arc<str>)>,
    ended_grants: Arc<EndedGrants>,
    /// Ids of derived grants by what they are derived from.
    grants_by_origin: imbl::OrdSet<(Arc<str>, Arc<str>)>,
    /// Grant ids by the clientId that their certificate names.
    grant_names: imbl::HashMap<Arc<str>, Arc<str>>,
    identities: imbl::HashMap<Arc<str>, Arc<Identity>>,
    /// The names of all identities, ascending by their bytes.
    identity_names: imbl::OrdSet<Arc<str>>,
    people: imbl::HashMap<Arc<str>, Arc<Person>>,
    /// The identities of each person, by the person's id; ascending.
    linked: imbl::HashMap<Arc<str>, Arc<[Arc<str>]>>,
    applications: Applications,
    scope_registries: ScopeRegistries,
    expansions: Arc<Expansions>,
}

/// Whose key a request was signed with.
#[derive(Clone, Copy)]
pub(crate) enum KeyOwner<'s> {
    Client(&'s Arc<Client>),
    Issuer(&'s InternalIssuer),
}

impl KeyOwner<'_> {
    pub(crate) fn token(&self) -> &AccessToken {
        match self {
            KeyOwner::Client(client) => client.token(),
            KeyOwner::Issuer(issuer) => &issuer.token,
        }
    }

    /// The key before, where it still counts.
    pub(crate) fn old_token(&self, now_ms: i64) -> Option<AccessToken> {
        match self {
            KeyOwner::Client(client) => client.old_token_at_present(now_ms),
            KeyOwner::Issuer(_) => None,
        }
    }
}

/// What a client has with anonymous, without the set being made.
pub(crate) struct HeldScopes {
    client: Arc<Client>,
    applied: Arc<AppliedRoles>,
}

impl HeldScopes {
    /// Whether the set would satisfy this scope. INVARIANT: it is none that is reserved: what is reserved may be among the client's own, and counts for nothing.
    pub(crate) fn satisfies(&self, scope: &str) -> bool {
        let mut own = self.client.scopes_bytes().chain([ANONYMOUS.as_bytes()]);
        own.any(|held| covers_bytes(held, scope.as_bytes())) || self.applied.satisfies([], scope)
    }
}

/// What every request has besides its own.
const ANONYMOUS: &str = "assume:anonymous";

impl Snapshot {
    /// Nothing yet, with so much memory for expansions, which are found by hashes of this seed.
    pub(crate) fn empty(expansion_bytes: usize, seed: u64) -> Snapshot {
        Snapshot { expansions: Arc::new(Expansions::new(expansion_bytes, seed)), ..Snapshot::default() }
    }

    /// Everything that the store gave, at its revision. `before` lends the uses that the store does not know yet.
    pub(crate) fn from_loaded(loaded: Loaded, clients: Clients, before: &Snapshot) -> Snapshot {
        let (notes, roles): (Vec<_>, Vec<_>) = loaded.roles.into_iter().map(split).unzip();
        let set = RoleSet::new(roles);
        let mut next = Snapshot {
            history: loaded.history,
            revision: loaded.revision,
            // Not the higher one of both: a lower one may have been accepted.
            highest_ms: loaded.highest_ms,
            roles: Arc::new(Roles { set, generation: before.roles.generation.after_anything(), anonymous: OnceLock::new() }),
            expansions: Arc::clone(&before.expansions),
            ended_grants: Arc::clone(&before.ended_grants),
            clients: clients.finish(),
            ..Snapshot::default()
        };
        next.role_notes = notes.into_iter().collect();
        for issuer in loaded.issuers {
            next.put_issuer(issuer);
        }
        for grant in loaded.grants {
            next.put_grant_after(grant, before);
        }
        // How these have ended nobody has said: what is remembered of them may be of a change that came to nothing.
        before.grants.keys().filter(|id| !next.grants.contains_key(*id)).for_each(|id| next.ended_grants.forget(id));
        for identity in loaded.identities {
            next.put_identity(identity);
        }
        for person in loaded.people {
            next.put_person(person);
        }
        loaded.applications.into_iter().for_each(|record| next.put_application(record));
        loaded.scope_registries.into_iter().for_each(|record| next.put_scope_registry(record));
        next
    }

    /// Which history of the store the revision belongs to.
    pub fn history(&self) -> History {
        self.history
    }

    /// The revision that all of this belongs to.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// The highest time of any commit, in milliseconds since the epoch.
    pub fn highest_ms(&self) -> i64 {
        self.highest_ms
    }

    /// The compiled roles.
    pub fn roles(&self) -> &RoleSet {
        &self.roles.set
    }

    /// One role's record.
    pub fn role(&self, role_id: &str) -> Option<RoleRecord> {
        Some(record_of(self.roles.set.get(role_id)?, self.role_notes.get(role_id)?))
    }

    /// All roles, ascending by the bytes of the id.
    pub fn role_records(&self) -> impl Iterator<Item = RoleRecord> {
        // INVARIANT: both have the same ids, in the same order.
        self.roles.set.iter().zip(self.role_notes.values()).map(|(role, notes)| record_of(role, notes))
    }

    /// All ids of roles, ascending by their bytes.
    pub fn role_ids(&self) -> impl Iterator<Item = &str> {
        self.roles.set.ids()
    }

    /// One client, which stays at hand from now on. Internal issuers are none.
    pub fn client(&self, client_id: &str) -> Option<&Arc<Client>> {
        self.clients.get(client_id.as_bytes())
    }

    /// The same as it is listed: it does not stay at hand.
    pub(crate) fn client_entry(&self, client_id: &str) -> Option<ClientEntry<'_>> {
        self.clients.entry(client_id.as_bytes())
    }

    /// The client's record, with the last use; it does not stay at hand.
    pub(crate) fn client_record(&self, client_id: &str) -> Option<ClientRecord> {
        self.client_entry(client_id).map(|client| client.record())
    }

    /// All clients whose id begins with `prefix`, ascending by the bytes of the id.
    pub fn clients<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = ClientEntry<'a>> + 'a {
        self.clients_from(prefix, "")
    }

    /// The same from an id on.
    pub fn clients_from<'a>(&'a self, prefix: &'a str, from: &'a str) -> impl Iterator<Item = ClientEntry<'a>> + 'a {
        self.clients.from(prefix.max(from).as_bytes()).take_while(move |client| client.starts_with(prefix))
    }

    /// How many clients are at hand because they were used, about.
    pub fn clients_at_hand(&self) -> usize {
        self.clients.at_hand()
    }

    /// All clients, to lend their uses to those that are loaded.
    pub(crate) fn client_set(&self) -> &ClientSet {
        &self.clients
    }

    /// How many clients there are.
    pub fn client_count(&self) -> usize {
        self.clients.len()
    }

    /// One identity.
    pub fn identity(&self, identity: &str) -> Option<&Arc<Identity>> {
        self.identities.get(identity)
    }

    /// All identities behind this one, ascending by their bytes.
    pub(crate) fn identities_after<'a>(&'a self, last: &'a str) -> impl Iterator<Item = &'a Arc<Identity>> + 'a {
        let behind = (Bound::Excluded(last), Bound::Unbounded);
        self.identity_names.range::<_, str>(behind).filter_map(|name| self.identities.get(name))
    }

    /// One person, by id.
    pub fn person(&self, id: &str) -> Option<&Arc<Person>> {
        self.people.get(id)
    }

    /// The person that an identity belongs to.
    pub fn person_of(&self, identity: &str) -> Option<&Arc<Person>> {
        self.identity(identity).and_then(|identity| self.person(&identity.record.person))
    }

    /// All people, in no order.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.people.values()
    }

    /// The identities of a person, ascending by their bytes.
    pub fn linked(&self, person: &str) -> impl Iterator<Item = &Arc<Identity>> {
        let identities = self.linked.get(person).map(AsRef::as_ref).unwrap_or_default();
        identities.iter().filter_map(|identity| self.identities.get(identity))
    }

    /// What must stay as it is for the person behind an identity to be worth the same.
    pub(crate) fn keys_of(&self, identity: &Identity) -> Vec<Key> {
        let person = &identity.record.person;
        let linked = self.linked(person).map(|linked| Key::Identity(linked.record.identity.clone()));
        linked.chain([Key::Person(person.clone())]).collect()
    }

    /// The identities to which a clientId of the form `<identity>/...` belongs; more than one only where one identity begins with another.
    pub(crate) fn owners<'a>(&'a self, client_id: &'a str) -> impl Iterator<Item = &'a Arc<Identity>> + 'a {
        let slashes = client_id.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        slashes.skip(1).filter_map(move |(at, _)| self.identities.get(client_id.get(..at)?))
    }

    /// One of Falconer's own signers of grants.
    pub(crate) fn issuer(&self, name: &str) -> Option<&Arc<InternalIssuer>> {
        // Every client's request comes by here, and none has such a name.
        if name.starts_with(FALCONER_CLIENTS) { self.issuers.get(name) } else { None }
    }

    /// The same by its number.
    pub(crate) fn issuer_numbered(&self, number: u32) -> Option<&Arc<InternalIssuer>> {
        self.issuers.get(&*format!("{GRANT_ISSUERS}{number}"))
    }

    /// Whose key it is.
    pub(crate) fn key_owner(&self, name: &str) -> Option<KeyOwner<'_>> {
        match self.issuer(name).filter(|issuer| !is_signing_key(&issuer.record.name)) {
            Some(issuer) => Some(KeyOwner::Issuer(issuer)),
            None => self.client(name).map(KeyOwner::Client),
        }
    }

    /// The one that signs at present.
    pub(crate) fn current_issuer(&self) -> Option<&Arc<InternalIssuer>> {
        self.issuers
            .values()
            .filter(|i| i.record.retired_ms.is_none() && !is_signing_key(&i.record.name))
            .max_by_key(|i| (i.record.created_ms, i.record.name.len()))
    }

    /// The name of the issuer that signs new grants.
    pub fn current_issuer_name(&self) -> Option<&str> {
        self.current_issuer().map(|issuer| issuer.record.name.as_str())
    }

    /// How many issuers there have been.
    pub(crate) fn issuer_count(&self) -> usize {
        self.issuers.keys().filter(|name| !is_signing_key(name)).count()
    }

    /// What these scopes come to, without what is reserved, before and after. Where the roles multiply beyond what one expansion may cost, it is less
    /// than the roles give; who owes an error for that asks `expand_completely`.
    pub fn expand<I, S>(&self, scopes: I) -> ScopeSet
    where
        I: IntoIterator<Item = S>,
        S: AsRef<str>,
    {
        let scopes: Vec<S> = scopes.into_iter().collect();
        self.expand_list(scopes.iter().map(AsRef::as_ref)).scopes
    }

    /// The same; `None` where it would cost more than one expansion may.
    pub(crate) fn expand_completely<S: AsRef<str>>(&self, scopes: &[S]) -> Option<ScopeSet> {
        let expansion = self.expand_list(scopes.iter().map(AsRef::as_ref));
        expansion.is_complete.then_some(expansion.scopes)
    }

    /// The same for a list that can be walked again.
    pub(crate) fn expand_list<'l>(&self, scopes: impl Iterator<Item = &'l str> + Clone) -> Expansion {
        self.expand_known(&Each(scopes.clone().map(str::as_bytes)), scopes)
    }

    /// The same where the list is at hand as bytes too, so that only what is not remembered is looked at as text.
    fn expand_known<'l>(&self, list: &impl List<'l>, scopes: impl Iterator<Item = &'l str> + Clone) -> Expansion {
        let given = scopes.filter(|scope| !reserved::is_reserved_scope(scope));
        let (applied, make) = (|| self.roles.applied(given.clone()), || self.roles.expand(given.clone()));
        self.expansions.set(&self.roles.generation, list, given.clone(), applied, make)
    }

    /// What is remembered of expansions, and the bound.
    pub fn expansion_figures(&self) -> ExpansionFigures {
        self.expansions.figures()
    }

    /// What everybody has.
    pub fn anonymous(&self) -> &ScopeSet {
        self.roles.anonymous.get_or_init(|| self.expand_list(std::iter::once(ANONYMOUS)).scopes)
    }

    /// A client's expansion without anonymous. Says nothing about bounds (grants, people).
    pub(crate) fn expansion_of(&self, client: &Client) -> Expansion {
        self.expand_known(&Each(client.scopes_bytes()), client.scopes())
    }

    /// The same with anonymous: what nearly every request is answered with.
    pub(crate) fn expansion_with_anonymous(&self, client: &Client) -> Expansion {
        self.expand_known(&with_anonymous(client), client.scopes().chain([ANONYMOUS]))
    }

    /// The same without making the set. `None` where the set is the better way, as `Expansions::applied` says.
    pub(crate) fn held_with_anonymous(&self, client: &Arc<Client>, count: usize) -> Option<HeldScopes> {
        let given = client.scopes().chain([ANONYMOUS]).filter(|scope| !reserved::is_reserved_scope(scope));
        let applied = self.expansions.applied(&self.roles.generation, &with_anonymous(client), count, || self.roles.applied(given))?;
        Some(HeldScopes { client: Arc::clone(client), applied })
    }

    /// What these lists of scopes that people have come to together.
    pub(crate) fn expansion_of_people<'i>(&self, lists: impl Iterator<Item = &'i [String]>) -> ScopeSet {
        let scopes: Vec<&str> = lists.flat_map(reserved::of_person).collect();
        if scopes.is_empty() { ScopeSet::default() } else { self.expand_list(scopes.iter().copied()).scopes }
    }
}

/// What nearly every request is looked for by.
fn with_anonymous(client: &Client) -> OfClient<'_> {
    OfClient { own: client.scopes_in_one_piece(), last: ANONYMOUS.as_bytes(), hash: client.list_hash() }
}

fn is_signing_key(name: &str) -> bool {
    name.starts_with(SIGNING_KEYS)
}
