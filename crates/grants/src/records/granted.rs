//! What a person has granted, and the sites that they have confirmed: to look at and to take back.

use std::collections::BTreeMap;

use falconer_auth::{ApiError, Authentication, PageQuery, Start};
use falconer_store::{GrantRecord, StoreError};

use crate::grants::Grants;
use crate::openid::request::asks_for_groups;
use crate::words::describe::LabelPart;
use crate::words::published::ScopeWords;
use falconer_login::LoginError;
use falconer_login::Session;

/// How a grant stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantState {
    /// It can be used.
    Active,
    /// Its time is over.
    Ended,
    /// Somebody took it back.
    Revoked,
}

/// One grant. What it gives is put into words where it is shown: [`Grants::in_words`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantView {
    /// As stored, with a last use that may not be stored yet.
    pub record: GrantRecord,
    /// Checked just now.
    pub state: GrantState,
    /// Its application is told the names of the person's groups; only in a [`GrantPage`] of one person, and not of what was derived.
    pub tells_groups: bool,
    /// Clients that were made with it, ascending, or the first of them; only in a [`GrantPage`].
    pub clients: Vec<String>,
    /// What was derived from it, newest first; only in a [`GrantPage`].
    pub derived: Vec<GrantView>,
}

impl GrantView {
    /// Which application it went to: the name that an administrator has registered, or the `client_id` of one that nobody has. `None`: a site.
    pub fn application(&self) -> Option<&str> {
        application_of(&self.record)
    }

    /// What it is listed with.
    pub fn group(&self) -> GrantGroup {
        let (origin, application) = group_of(&self.record);
        GrantGroup { origin: origin.to_owned(), application: application.to_owned() }
    }
}

/// What grants are listed and taken back by: an origin, and which of those that answer there it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct GrantGroup {
    /// `https://notes.example.com`
    pub origin: String,
    /// As [`GrantView::application`]; empty: a site.
    pub application: String,
}

/// A part of a list of grants that can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantPage {
    /// In the order of the list.
    pub grants: Vec<GrantView>,
    /// How many grants each group has, on this page or another; of everybody's nothing is counted.
    pub by_group: BTreeMap<GrantGroup, usize>,
    /// All of them.
    pub total: usize,
    /// Where the next part begins.
    pub next: Option<String>,
}

/// What a person takes back at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoking<'a> {
    /// What went to this origin.
    Site(&'a str),
    /// What went to one of those that answer there.
    Group(&'a GrantGroup),
    /// All of it.
    All,
}

/// Scopes of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeGroup {
    /// Such as `notes`.
    pub name: String,
    /// In the order of the set.
    pub scopes: Vec<ScopeInWords>,
}

/// A scope and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeInWords {
    /// As it is.
    pub scope: String,
    /// One sentence.
    pub label: Vec<LabelPart>,
}

impl ScopeWords {
    /// Groups scopes by service, in words. Groups come by name, `roles` and `other` like the rest.
    pub fn group<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> Vec<ScopeGroup> {
        let mut groups: BTreeMap<String, Vec<ScopeInWords>> = BTreeMap::new();
        for scope in scopes {
            let description = self.describe(scope);
            groups.entry(description.group).or_default().push(ScopeInWords { scope: scope.to_owned(), label: description.label });
        }
        groups.into_iter().map(|(name, scopes)| ScopeGroup { name, scopes }).collect()
    }
}

impl Grants {
    /// All grants of the person, by whichever identity they are named, newest first, ended and revoked ones too. Those may be many, and pages show none of them.
    pub async fn grants_of(&self, session: &Session) -> Result<Vec<GrantView>, LoginError> {
        let mut grants = Vec::new();
        for identity in session.person.identities() {
            grants.push(self.store.grants_of(&identity).await);
        }
        self.viewed(grants)
    }

    /// Those of them that can be used, newest first.
    pub async fn open_grants_of(&self, session: &Session) -> Result<Vec<GrantView>, LoginError> {
        let now_ms = self.now_ms();
        let mut grants = Vec::new();
        for identity in session.person.identities() {
            grants.push(self.store.open_grants_of(&identity, now_ms).await);
        }
        let counts = |grant: &GrantView| grant.record.parent.is_none() || self.auth.grant_scopes(&grant.record.id).is_some();
        Ok(self.viewed(grants)?.into_iter().filter(|grant| grant.state == GrantState::Active && counts(grant)).collect())
    }

    /// What was read for each identity, as one list, newest first.
    fn viewed(&self, read: Vec<Result<Vec<GrantRecord>, StoreError>>) -> Result<Vec<GrantView>, LoginError> {
        let mut grants = Vec::new();
        for more in read {
            grants.extend(more.map_err(|error| self.read_error(error))?);
        }
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.created_ms));
        let now_ms = self.now_ms();
        let directory = self.auth.directory();
        let with_last_use = |mut grant: GrantRecord| {
            // Uses are stored once a minute; who looks meanwhile sees them too.
            grant.last_used_ms = grant.last_used_ms.max(directory.grant(&grant.id).and_then(|grant| grant.last_used_ms()));
            grant
        };
        Ok(grants.into_iter().map(|grant| view_of(with_last_use(grant), now_ms)).collect())
    }

    /// Those of them that can be used and hold `text`, in any letter case, in the site, the name or the id: by site and application, the newest of each first. `after` is
    /// [`GrantPage::next`] of the part before.
    pub async fn active_grants(&self, session: &Session, text: &str, after: Option<&str>, limit: usize) -> Result<GrantPage, LoginError> {
        let mut active = nested(self.open_grants_of(session).await?);
        // The one behind which it begins may have ended meanwhile.
        let after = match after {
            Some(id) => self.store.grant(id).await.map_err(|error| self.read_error(error))?,
            None => None,
        };
        let after = after.filter(|grant| session.person.identities().contains(&grant.identity));
        let after = after.as_ref().map(place);
        let mut page = GrantPage::default();
        for grant in &active {
            *page.by_group.entry(grant.group()).or_default() += 1;
        }
        page.total = active.len();
        let needle = text.to_lowercase();
        active.retain(|grant| grant.fits(&needle) && after.is_none_or(|after| place(&grant.record) > after));
        active.sort_by(|one, other| place(&one.record).cmp(&place(&other.record)));
        let more = active.len() > limit;
        active.truncate(limit);
        page.next = active.last().filter(|_| more).map(|last| last.record.id.clone());
        let ids: Vec<&str> = active.iter().map(|grant| grant.record.id.as_str()).collect();
        let mut clients = self.auth.clients_of_grants(&ids);
        for grant in &mut active {
            grant.clients = clients.remove(&grant.record.id).unwrap_or_default();
            if grant.record.application.is_some() && !grant.record.identity_for.is_empty() {
                grant.tells_groups = self.grant_identity(&grant.record.id).await?.is_some_and(|identity| asks_for_groups(&identity.scopes));
            }
        }
        page.grants = active;
        Ok(page)
    }

    /// The same over everybody, the newest first, for whoever has `auth:list-grants`.
    pub fn grants_of_everybody(
        &self,
        who: &Authentication,
        text: &str,
        after: Option<String>,
        limit: usize,
    ) -> Result<GrantPage, ApiError> {
        let query = PageQuery { start: after.map_or(Start::Offset(0), Start::After), limit: limit.try_into().unwrap_or(u64::MAX) };
        let found = self.auth.list_grants(who, text, &query)?;
        let now_ms = self.now_ms();
        let view = |listed: falconer_auth::ListedGrant| GrantView { clients: listed.clients, ..view_of(listed.record, now_ms) };
        let next = found.next.and_then(|start| match start {
            Start::After(from) => Some(from),
            Start::Offset(_) => None,
        });
        Ok(GrantPage { grants: found.items.into_iter().map(view).collect(), next, ..GrantPage::default() })
    }

    /// What the application of this `client_id` says of itself, where no administrator has registered it.
    pub fn calls_itself(&self, client_id: &str) -> Option<String> {
        let known = self.known_application(client_id).filter(|known| !known.is_registered())?;
        known.own_name().map(str::to_owned)
    }

    /// Scopes by service, in words.
    pub fn in_words<'a>(&self, scopes: impl IntoIterator<Item = &'a str>) -> Vec<ScopeGroup> {
        self.words().group(scopes)
    }

    /// Takes back, at once, all that the person granted to a site, or all that they granted.
    pub async fn revoke_many(&self, session: &Session, which: Revoking<'_>) -> Result<(), LoginError> {
        let ids = self.open_grants_of(session).await?.into_iter().filter(|grant| match which {
            Revoking::Site(origin) => grant.record.target_origin == origin,
            Revoking::Group(group) => group_of(&grant.record) == (group.origin.as_str(), group.application.as_str()),
            Revoking::All => true,
        });
        let ids: Vec<String> = ids.map(|grant| grant.record.id).collect();
        self.login.revoke_grants(&session.person.identities(), &session.identity, ids, "revoked by the person").await
    }

    /// Takes a grant back, at once. Not found: there is none of this id, or it is somebody else's.
    pub async fn revoke(&self, session: &Session, id: &str) -> Result<(), LoginError> {
        let person = &session.person;
        let grant = self.store.grant(id).await;
        let grant = grant.map_err(|error| self.read_error(error))?;
        if grant.is_none_or(|grant| !person.has(&grant.identity)) {
            return Err(LoginError::NotFound("You have made no such grant.".to_owned()));
        }
        self.login.revoke_grants(&person.identities(), &session.identity, vec![id.to_owned()], "revoked by the person").await
    }

    /// Ids of the roles that were made, changed or deleted with a grant of this person, each once, in the order of the first change: roles
    /// stay as they are when the grant ends, so somebody should look at them. At most the first 1,000 changes count.
    pub async fn role_changes(&self, session: &Session, id: &str) -> Result<Vec<String>, LoginError> {
        let grant = self.store.grant(id).await.map_err(|error| self.read_error(error))?;
        if grant.is_none_or(|grant| !session.person.has(&grant.identity)) {
            return Ok(Vec::new());
        }
        let rows = self.store.grant_history(id, "role", 1_000).await.map_err(|error| self.read_error(error))?;
        let mut roles: Vec<String> = Vec::new();
        for row in rows {
            if !roles.contains(&row.entity_id) {
                roles.push(row.entity_id);
            }
        }
        Ok(roles)
    }

    /// Origins that the person has confirmed by typing the host, with the time of that in milliseconds since 1970.
    pub async fn remembered_origins(&self, session: &Session) -> Result<Vec<(String, i64)>, LoginError> {
        let mut origins = BTreeMap::new();
        for identity in session.person.identities() {
            let more = self.store.remembered_origins(&identity).await;
            for (origin, at_ms) in more.map_err(|error| self.read_error(error))? {
                let last_ms = origins.entry(origin).or_insert(at_ms);
                *last_ms = at_ms.max(*last_ms);
            }
        }
        Ok(origins.into_iter().collect())
    }

    /// The next grant to this origin needs the host typed again.
    pub async fn forget_origin(&self, session: &Session, origin: &str) -> Result<(), LoginError> {
        let mut has_forgotten_some = false;
        for identity in session.person.identities() {
            let forgotten = self.store.forget_origin(&identity, origin).await.map_err(|error| self.store_error(error));
            forgotten.map_err(|error| if has_forgotten_some { error.after_a_change() } else { error })?;
            has_forgotten_some = true;
        }
        Ok(())
    }
}

fn view_of(record: GrantRecord, now_ms: i64) -> GrantView {
    let state = if record.revoked_ms.is_some() {
        GrantState::Revoked
    } else if now_ms >= record.expires_ms {
        GrantState::Ended
    } else {
        GrantState::Active
    };
    GrantView { state, tells_groups: false, clients: Vec::new(), derived: Vec::new(), record }
}

/// The name that the administrator registered for what it went to.
pub(crate) fn name_of(grant: &GrantRecord) -> Option<&str> {
    registered_name(&grant.label, &grant.target_origin)
}

fn registered_name<'l>(label: &'l str, target_origin: &str) -> Option<&'l str> {
    let is_host = label == target_origin || target_origin.ends_with(&format!("://{label}"));
    (!is_host).then_some(label)
}

/// What an application that nobody has registered calls itself tells it from no other one: its `client_id` does.
fn application_of(grant: &GrantRecord) -> Option<&str> {
    application_name(&grant.label, &grant.target_origin, grant.application.as_deref())
}

/// As [`GrantView::application`], for a grant of which only this is at hand.
pub fn application_name<'g>(label: &'g str, target_origin: &str, application: Option<&'g str>) -> Option<&'g str> {
    registered_name(label, target_origin).or(application)
}

/// Several applications may answer at one origin.
fn group_of(grant: &GrantRecord) -> (&str, &str) {
    (&grant.target_origin, application_of(grant).unwrap_or_default())
}

/// Where a grant stands in its person's list.
type Place<'a> = ((&'a str, &'a str), std::cmp::Reverse<i64>, &'a str);

fn place(grant: &GrantRecord) -> Place<'_> {
    (group_of(grant), std::cmp::Reverse(grant.created_ms), &grant.id)
}

/// Derived grants below what they are derived from.
fn nested(grants: Vec<GrantView>) -> Vec<GrantView> {
    let (mut derived, mut whole): (Vec<GrantView>, Vec<GrantView>) = grants.into_iter().partition(|grant| grant.record.parent.is_some());
    whole.iter_mut().for_each(|grant| grant.take_derived(&mut derived));
    whole
}

impl GrantView {
    fn take_derived(&mut self, derived: &mut Vec<GrantView>) {
        let is_below = |other: &mut GrantView| other.record.parent.as_ref() == Some(&self.record.id);
        let mut below: Vec<GrantView> = derived.extract_if(.., is_below).collect();
        below.iter_mut().for_each(|grant| grant.take_derived(derived));
        self.derived = below;
    }

    fn fits(&self, text: &str) -> bool {
        let GrantRecord { target_origin, label, id, name, purpose, .. } = &self.record;
        let parts = [target_origin, label, id].into_iter().chain(name).chain(purpose);
        parts.into_iter().any(|part| part.to_lowercase().contains(text)) || self.derived.iter().any(|grant| grant.fits(text))
    }
}
