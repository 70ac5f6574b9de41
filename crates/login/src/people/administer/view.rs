//! A person with all that an administrator may know of them.

use falconer_auth::{ApiError, Authentication, By, Identity};
use falconer_scopes::ScopeSet;
use falconer_store::{AccountLink, AccountLinkKind, GrantRecord, SessionRecord};

use crate::accounts::account::LOCAL;
use crate::login::Login;
use crate::mail::MailOutcome;
use crate::sessions::session::SessionView;

/// So many clients of a person are named.
const MOST_CLIENTS: usize = 1000;

/// A person. No secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonDetail {
    /// Immutable, and means nothing.
    pub id: String,
    /// The identity that names what is new.
    pub name: String,
    /// The person may not act, by any identity.
    pub disabled: bool,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
    /// All identities, ascending.
    pub identities: Vec<IdentityDetail>,
    /// What they may do at present, expanded: what all identities that may act give together.
    pub scopes: ScopeSet,
    /// What they let others do, and has not ended; newest first.
    pub grants: Vec<GrantLine>,
    /// Where they are signed in, newest first.
    pub sessions: Vec<SessionView>,
    /// The clients that are named by them, ascending; the first thousand.
    pub clients: Vec<String>,
    /// Whether there are more clients.
    pub more_clients: bool,
}

impl PersonDetail {
    /// The identity of this name.
    pub fn identity(&self, identity: &str) -> Option<&IdentityDetail> {
        self.identities.iter().find(|known| known.identity == identity)
    }
}

/// One of a person's identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityDetail {
    /// `<provider>/<subject>`
    pub identity: String,
    /// The provider's configured name.
    pub provider: String,
    /// For people to read.
    pub display_name: String,
    /// As the provider says.
    pub email: Option<String>,
    /// Whether an authoritative provider says that the address is the person's.
    pub email_verified: bool,
    /// As the provider says.
    pub groups: Vec<String>,
    /// What it gives, not expanded.
    pub scopes: Vec<String>,
    /// Nobody signs in by it, and it gives nothing.
    pub disabled: bool,
    /// When the provider was last asked, milliseconds since 1970.
    pub refreshed_ms: i64,
    /// The local account, where it is one.
    pub account: Option<AccountDetail>,
}

/// What a local account has besides its identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountDetail {
    /// Scopes of its own.
    pub scopes: Vec<String>,
    /// Whether it can sign in with a password.
    pub has_password: bool,
    /// How many passkeys it has.
    pub passkeys: usize,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
    /// Gone; the name stays taken.
    pub deleted: bool,
    /// Milliseconds since 1970.
    pub last_modified_ms: i64,
    /// The link with which it gets a password, while it holds.
    pub link: Option<LinkLine>,
}

/// A link, without what makes it work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkLine {
    /// What it is for.
    pub kind: AccountLinkKind,
    /// Who made it.
    pub by: String,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub expires_ms: i64,
    /// What became of the mail with it, where it was made to be mailed.
    pub mail: Option<MailOutcome>,
}

/// What a person lets somebody do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantLine {
    /// Its id.
    pub id: String,
    /// Which of the person's identities names it.
    pub identity: String,
    /// Scheme, host and port of who got it.
    pub target_origin: String,
    /// As stored: what it went to is called this, where that is not its host.
    pub label: String,
    /// The id of the application that it was made for, where that was noted.
    pub application: Option<String>,
    /// As granted.
    pub scopes: Vec<String>,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// Milliseconds since 1970.
    pub expires_ms: i64,
    /// Milliseconds since 1970.
    pub last_used_ms: Option<i64>,
}

impl Login {
    /// A person, by one of their identities. It takes `auth:get-person:<identity>` for each of their identities.
    pub async fn person_detail(&self, who: &Authentication, identity: &str) -> Result<PersonDetail, ApiError> {
        self.auth.check_scope_for_person(By::Caller { who, verb: "get" }, identity)?;
        self.detail(identity).await
    }

    /// The same for somebody who was checked.
    pub(crate) async fn detail(&self, identity: &str) -> Result<PersonDetail, ApiError> {
        let directory = self.auth.directory();
        let nobody = || ApiError::ResourceNotFound(format!("Nobody has the identity {identity}"));
        let person = directory.person_of(identity).ok_or_else(nobody)?;
        let linked: Vec<&Identity> = directory.linked(&person.record.id).map(AsRef::as_ref).collect();
        let now_ms = self.now_ms();
        let (mut identities, mut grants, mut sessions) = (Vec::new(), Vec::new(), Vec::new());
        let mut clients: Vec<String> = Vec::new();
        for known in &linked {
            let name = known.record.identity.as_str();
            identities.push(self.identity_detail(known).await?);
            let open = self.store.open_grants_of(name, now_ms).await.map_err(|error| self.store_error(error))?;
            grants.extend(open.into_iter().map(grant_line));
            let begun = self.store.sessions_of(name).await.map_err(|error| self.store_error(error))?;
            sessions.extend(begun.into_iter().filter_map(|record| self.session_line(record, now_ms)));
            let prefix = format!("{name}/");
            clients.extend(directory.clients(&prefix).take(MOST_CLIENTS + 1).map(|client| client.id()));
        }
        grants.sort_by_key(|grant| std::cmp::Reverse(grant.created_ms));
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_ms));
        clients.sort_unstable();
        clients.dedup();
        let more_clients = clients.len() > MOST_CLIENTS;
        clients.truncate(MOST_CLIENTS);
        let acts = linked.iter().find(|known| !known.record.disabled);
        Ok(PersonDetail {
            id: person.record.id.clone(),
            name: person.record.name.clone(),
            disabled: person.record.disabled,
            created_ms: person.record.created_ms,
            last_modified_ms: person.record.last_modified_ms,
            scopes: acts.and_then(|acts| self.auth.person_scopes(&acts.record.identity)).unwrap_or_default(),
            identities,
            grants,
            sessions,
            clients,
            more_clients,
        })
    }

    async fn identity_detail(&self, identity: &Identity) -> Result<IdentityDetail, ApiError> {
        let record = &identity.record;
        let account = if record.provider == LOCAL { self.account_record(&record.subject).await? } else { None };
        let account = match account {
            None => None,
            Some(account) => {
                let link = self.store.account_link_of(&account.name).await.map_err(|error| self.store_error(error))?;
                let credentials = self.credentials(&account.name).await?;
                let password = credentials.password_hash.as_deref();
                Some(AccountDetail {
                    link: link.filter(|link| self.link_holds(link, &account, password)).map(|link| self.link_line(link)),
                    scopes: account.scopes,
                    has_password: password.is_some(),
                    passkeys: credentials.passkeys.len(),
                    recovery_codes: credentials.recovery_codes.iter().filter(|code| code.used_ms.is_none()).count(),
                    deleted: account.deleted,
                    last_modified_ms: account.last_modified_ms,
                })
            }
        };
        Ok(IdentityDetail {
            identity: record.identity.clone(),
            provider: record.provider.clone(),
            display_name: record.display_name.clone(),
            email: record.email.clone(),
            email_verified: record.email_verified,
            groups: record.groups.clone(),
            scopes: record.scopes.clone(),
            disabled: record.disabled,
            refreshed_ms: record.refreshed_ms,
            account,
        })
    }

    fn link_line(&self, link: AccountLink) -> LinkLine {
        let mail = link.mailed.then(|| self.mail_outcome(&link.hash).unwrap_or(MailOutcome::Unknown));
        LinkLine { kind: link.kind, by: link.by, created_ms: link.created_ms, expires_ms: link.expires_ms, mail }
    }

    /// `None` when it has ended.
    fn session_line(&self, record: SessionRecord, now_ms: i64) -> Option<SessionView> {
        let expires_ms = self.end_of(&record);
        (now_ms < expires_ms).then_some(SessionView {
            id: record.id_hash,
            created_ms: record.created_ms,
            last_seen_ms: record.last_seen_ms,
            expires_ms,
            identity: record.identity,
            method: record.method,
            user_agent: record.user_agent,
            address: record.address,
            current: false,
        })
    }
}

fn grant_line(grant: GrantRecord) -> GrantLine {
    GrantLine {
        id: grant.id,
        identity: grant.identity,
        target_origin: grant.target_origin,
        label: grant.label,
        application: grant.application,
        scopes: grant.scopes,
        created_ms: grant.created_ms,
        expires_ms: grant.expires_ms,
        last_used_ms: grant.last_used_ms,
    }
}
