//! Links with which somebody sets the password of a local account: the first one of an account that was made for them, or another one after they have
//! forgotten theirs. Whoever makes one can use it, so a link is never worth more than whoever made it (ADR 166).

use falconer_auth::{ApiError, By, DAY_MS, Revision};
use falconer_store::{AccountLink, AccountLinkKind, AccountRecord};
use zeroize::Zeroizing;

use crate::accounts::account::{identity_of, local_identity};
use crate::accounts::forgotten::MailedSite;
use crate::accounts::manage::NewAccount;
use crate::accounts::password;
use crate::error::LoginError;
use crate::fingerprint::{fingerprint, hash_of_token};
use crate::login::Login;
use crate::mail::{Mail, MailAddress, MailOutcome};
use crate::people::administer::change::Administrator;

/// So long an invitation holds.
pub const INVITATION_MS: i64 = 7 * DAY_MS;
/// So long a link for another password holds.
pub const RESET_MS: i64 = DAY_MS;

/// A new link's token: to be shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct NewLink {
    /// 43 characters of `A-Za-z0-9_-`.
    pub token: Zeroizing<String>,
    /// Milliseconds since 1970.
    pub expires_ms: i64,
}

/// A link that was made to be mailed.
pub struct MailedLink {
    /// The link: where the mail did not arrive, it can be given in another way.
    pub link: NewLink,
    /// To which address.
    pub to: String,
    /// What is known of the mail.
    pub outcome: MailOutcome,
}

/// What a link is for, for the page that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOffered {
    /// The account's name, with which the person signs in.
    pub name: String,
    /// What the person is called.
    pub display_name: String,
    /// What it is for.
    pub kind: AccountLinkKind,
}

impl Login {
    /// Makes an account without a password, and the link for its first one. A caller needs `auth:create-person:<identity>`, and whatever the person could do
    /// besides what names them. Conflict: the name is or was in use.
    pub async fn invite_person(&self, who: impl Into<Administrator<'_>>, new: &NewAccount) -> Result<(NewLink, Revision), ApiError> {
        self.invite(who.into(), new, false).await
    }

    async fn invite(&self, who: Administrator<'_>, new: &NewAccount, mailed: bool) -> Result<(NewLink, Revision), ApiError> {
        let by = who.by("create");
        let account = self.new_account(new)?;
        let (new_link, link) = self.new_link(AccountLinkKind::Invitation, &account, None, INVITATION_MS, mailed);
        let identity = identity_of(&account, &self.new_person_id(), account.created_ms);
        let revision = self.auth.invite_account(by, &account, &identity, &link).await?;
        Ok((new_link, revision))
    }

    /// Makes a link for another password; the present one goes on until the link is used. A caller needs `auth:reset-person:<identity>` for each of the person's
    /// identities, and whatever the person may do besides what names them.
    pub async fn make_reset_link(&self, who: impl Into<Administrator<'_>>, identity: &str) -> Result<(NewLink, Revision), ApiError> {
        let by = who.into().by("reset");
        let name = self.administered(by, identity)?;
        let account = self.administered_account(name).await?;
        let (new_link, _, revision) = self.put_link(by, identity, &account, None, false).await?;
        Ok((new_link, revision))
    }

    /// Puts a new link in the place of the one before. `within`: it is worth no more than that besides what whoever makes it can do.
    async fn put_link(
        &self,
        by: By<'_>,
        identity: &str,
        account: &AccountRecord,
        within: Option<Vec<String>>,
        mailed: bool,
    ) -> Result<(NewLink, AccountLinkKind, Revision), ApiError> {
        let password = self.credentials(&account.name).await?.password_hash;
        // Somebody who has never had a password is still invited.
        let (kind, ttl_ms, action) = match password {
            Some(_) => (AccountLinkKind::Reset, RESET_MS, "reset link made"),
            None => (AccountLinkKind::Invitation, INVITATION_MS, "invited again"),
        };
        let (new_link, mut link) = self.new_link(kind, account, password.as_deref(), ttl_ms, mailed);
        link.within = within;
        let revision = self.auth.put_account_link(by, action, identity, &link).await?;
        Ok((new_link, kind, revision))
    }

    /// Whether a link can be mailed to an account with this address: there is a mail server, and mail can go there. A sentence when it can't.
    fn mail_to(&self, email: Option<&str>) -> Result<MailAddress, ApiError> {
        let refused = |why: &str| ApiError::InputError(format!("No link can be mailed: {why}"));
        if !self.mails_links() {
            return Err(refused("there is no mail server in the configuration. Make the link without mail, and give it to them"));
        }
        let email = email.ok_or_else(|| refused("the account has no e-mail address"))?;
        MailAddress::parse(email).map_err(|error| refused(&format!("the e-mail address can't be used: {error}")))
    }

    /// [`Login::invite_person`], and mails the link to the account's address. What became of the mail is told where it is known within two seconds, and by
    /// the `mail` of its line later on. Invalid, and nothing is made: there is no mail server, or no address.
    pub async fn invite_person_by_mail(
        &self,
        who: impl Into<Administrator<'_>>,
        new: &NewAccount,
        site: &MailedSite,
    ) -> Result<(MailedLink, Revision), ApiError> {
        let who = who.into();
        self.auth.check_person_scope(who.by("create"), &local_identity(&new.name))?;
        let to = self.mail_to(new.email.as_deref())?;
        let (link, revision) = self.invite(who, new, true).await?;
        Ok((self.mail_link(AccountLinkKind::Invitation, to, &new.name, link, site).await, revision))
    }

    /// [`Login::make_reset_link`], and mails it like [`Login::invite_person_by_mail`]. The link is worth no more than whoever wrote the address could do either
    /// (docs/adr/0187). Conflict: the person may do more than that.
    pub async fn mail_reset_link(
        &self,
        who: impl Into<Administrator<'_>>,
        identity: &str,
        site: &MailedSite,
    ) -> Result<(MailedLink, Revision), ApiError> {
        let by = who.into().by("reset");
        let name = self.administered(by, identity)?;
        let account = self.administered_account(name).await?;
        let to = self.mail_to(account.email.as_deref())?;
        let (link, kind, revision) = self.put_link(by, identity, &account, account.email_within.clone(), true).await?;
        Ok((self.mail_link(kind, to, name, link, site).await, revision))
    }

    async fn mail_link(&self, kind: AccountLinkKind, to: MailAddress, name: &str, link: NewLink, site: &MailedSite) -> MailedLink {
        let address = to.as_str().to_owned();
        let mail = link_mail(kind, self.draw::<16>(), to, name, &link, site, self.now_ms());
        let outcome = match &self.post {
            Some(post) => post.send_and_tell(&hash(&link.token), mail).await,
            None => MailOutcome::Unusable,
        };
        MailedLink { link, to: address, outcome }
    }

    /// What became of the mail with this link, as far as this process knows; `None` where it sent none.
    pub fn mail_of_link(&self, link: &NewLink) -> Option<MailOutcome> {
        self.mail_outcome(&hash(&link.token))
    }

    pub(crate) fn mail_outcome(&self, link_hash: &str) -> Option<MailOutcome> {
        self.post.as_ref().and_then(|post| post.outcome(link_hash))
    }

    async fn administered_account(&self, name: &str) -> Result<AccountRecord, ApiError> {
        let account = self.account_record(name).await?.filter(|account| !account.deleted);
        account.ok_or_else(|| ApiError::ResourceNotFound(format!("There is no account {name}")))
    }

    pub(crate) fn new_link(
        &self,
        kind: AccountLinkKind,
        account: &AccountRecord,
        password_hash: Option<&str>,
        ttl_ms: i64,
        mailed: bool,
    ) -> (NewLink, AccountLink) {
        let token = Zeroizing::new(self.draw::<32>());
        let created_ms = self.now_ms();
        let expires_ms = created_ms.saturating_add(ttl_ms);
        let link = AccountLink {
            hash: hash(&token),
            account: account.name.clone(),
            kind,
            by: String::new(),
            within: None,
            password: fingerprint_of(password_hash),
            created_ms,
            expires_ms,
            mailed,
        };
        (NewLink { token, expires_ms }, link)
    }

    /// Whether a link can still be used: in time, for an account that is there, with the password that it had then.
    pub(crate) fn link_holds(&self, link: &AccountLink, account: &AccountRecord, password_hash: Option<&str>) -> bool {
        self.now_ms() < link.expires_ms && !account.deleted && link.password == fingerprint_of(password_hash)
    }

    /// What a link is for. `None`: it is unknown, was used, or holds no more.
    pub async fn account_link(&self, token: &str) -> Result<Option<LinkOffered>, LoginError> {
        self.check_clock()?;
        let found = self.found_link(token).await?;
        Ok(found.map(|found| LinkOffered { name: found.account.name, display_name: found.account.display_name, kind: found.link.kind }))
    }

    async fn found_link(&self, token: &str) -> Result<Option<FoundLink>, LoginError> {
        if token.len() != 43 {
            return Ok(None);
        }
        let link = self.store.account_link(&hash(token)).await;
        let Some(link) = link.map_err(|error| self.store_error(error))? else { return Ok(None) };
        let Some(account) = self.account_record(&link.account).await? else { return Ok(None) };
        let password = self.credentials(&account.name).await?.password_hash;
        let holds = self.link_holds(&link, &account, password.as_deref()) && !account.disabled;
        Ok(holds.then_some(FoundLink { link, account, password }))
    }

    /// Uses a link up: the account has this password from now on, and its sessions end. Conflict: the link does not hold any more.
    pub async fn use_account_link(&self, token: &str, new_password: &str) -> Result<(), LoginError> {
        let over = || LoginError::Conflict("The link was used, or is over. Ask whoever gave it to you for another one.".to_owned());
        self.check_clock()?;
        password::check_new(new_password)?;
        // Before any hashing: a stranger without a link costs nothing.
        let found = self.found_link(token).await?.ok_or_else(over)?;
        let hash = self.hash_password(new_password).await?;
        self.auth.catch_up().await.map_err(|error| self.store_error(error))?;
        let identity = local_identity(&found.account.name);
        match self.auth.use_account_link(&found.link, "password set", &identity, &hash, found.password.as_deref()).await {
            Err(ApiError::RequestConflict(_)) => return Err(over()),
            used => used?,
        };
        self.end_sessions(&identity, None).await.map_err(LoginError::after_a_change)
    }
}

/// A link that can be used, and the hash that the account has until then.
struct FoundLink {
    link: AccountLink,
    account: AccountRecord,
    password: Option<String>,
}

fn hash(token: &str) -> String {
    hash_of_token("account link", token)
}

/// Stands for the password that an account has, or for none.
fn fingerprint_of(password_hash: Option<&str>) -> String {
    fingerprint(["account link", password_hash.unwrap_or_default()])
}

fn link_mail(kind: AccountLinkKind, id: String, to: MailAddress, name: &str, new: &NewLink, site: &MailedSite, at_ms: i64) -> Mail {
    let MailedSite { name: site, link } = site;
    let (subject, why, until) = match kind {
        AccountLinkKind::Invitation => (
            format!("Your account at {site}"),
            format!("You are invited to {site}: there is an account {name} for you."),
            "within seven days",
        ),
        AccountLinkKind::Reset => (
            format!("Another password for {site}"),
            format!("Somebody who administers {site} has made a link for another password of your account {name}."),
            "within a day",
        ),
    };
    let text = format!(
        "{why}\n\nChoose a password on this page, {until}:\n\n{link}{}\n\nThe link works once, and the newest one only.\n\nNever pass it on, whoever asks. If you \
         have not expected this, do nothing: nothing changes without the link.\n",
        new.token.as_str()
    );
    Mail { id, to, subject, text: Zeroizing::new(text), at_ms }
}
