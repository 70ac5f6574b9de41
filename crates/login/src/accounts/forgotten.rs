//! A forgotten password: whoever reads mail at the account's address gets a link for another one.
//!
//! The answer is the same for everybody, after the same work: what was typed is looked for behind it (docs/adr/0170, 0186). The link is worth no more than
//! whoever wrote the address could do at that time (docs/adr/0187).

use std::sync::Arc;

use falconer_auth::{ApiError, HOUR_MS};
use falconer_store::{AccountLinkKind, AccountRecord};
use zeroize::Zeroizing;

use super::account::{LOCAL, local_identity, local_name};
use super::prove::normal_name;
use crate::error::LoginError;
use crate::login::Login;
use crate::mail::{Mail, MailAddress};
use crate::providers::email_code::MailPurpose;
use crate::sessions::attempts::Visitor;

/// So long a link holds that was mailed to whoever forgot the password.
pub const FORGOTTEN_MS: i64 = HOUR_MS;
/// So many accounts of one address get a mail each.
const MOST_ACCOUNTS: usize = 5;
/// Whom histories name: nobody knows who asked.
const ACTOR: &str = "forgotten password";

/// What a mail calls this server.
#[derive(Clone)]
pub struct MailedSite {
    /// `auth.example.com`
    pub name: String,
    /// The address of the page behind a link, up to the token: `https://auth.example.com/password-link?token=`
    pub link: String,
}

/// Whose password was forgotten, in the one form of it.
enum Forgotten {
    Name(String),
    Address(MailAddress),
}

impl Login {
    /// Whether forgotten passwords are mended by mail: there is a mail server.
    pub fn mails_links(&self) -> bool {
        self.post.is_some()
    }

    /// Mails a link for another password to whoever has this name or address, if anybody has, and may sign in. Nobody learns which.
    ///
    /// Invalid: it can be neither. Throttled: too many were asked for. Too busy: too many are being sent. Not found: no such mails are sent here.
    pub async fn mail_forgotten(self: &Arc<Self>, typed: &str, site: &MailedSite, visitor: &Visitor<'_>) -> Result<(), LoginError> {
        let post = self.post.as_ref().ok_or_else(|| LoginError::NotFound("No links for a password are mailed here.".to_owned()))?;
        let forgotten = Forgotten::read(typed)?;
        self.check_clock()?;
        self.check_mail_room()?;
        self.count_mail(&self.mail_counts(MailPurpose::ForgottenPassword, forgotten.text(), visitor).await?).await?;
        let (login, site) = (Arc::clone(self), site.clone());
        post.make_and_send(async move { login.forgotten_mails(&forgotten, &site).await });
        Ok(())
    }

    /// Knows the place from now on where somebody has just signed in to this account: strangers don't keep them from such a mail there.
    pub(crate) async fn know_forgotten_place(&self, account: &AccountRecord, visitor: &Visitor<'_>) -> Result<(), LoginError> {
        for to in asked_as(account) {
            self.know_mail_place(MailPurpose::ForgottenPassword, &to, visitor).await?;
        }
        Ok(())
    }

    /// From now on these mails to this account are counted anew.
    pub(crate) async fn begin_new_forgotten_counts(&self, account: &AccountRecord) -> Result<(), LoginError> {
        for to in asked_as(account) {
            self.begin_new_mail_counts(MailPurpose::ForgottenPassword, &to).await?;
        }
        Ok(())
    }

    /// Each with the hash of its link.
    async fn forgotten_mails(&self, forgotten: &Forgotten, site: &MailedSite) -> Vec<(String, Mail)> {
        let mut mails = Vec::new();
        for name in self.names_of(forgotten) {
            match self.forgotten_mail(&name, forgotten, site).await {
                Ok(mail) => mails.extend(mail),
                // It is refused to nobody: who asked has their answer.
                Err(ApiError::RequestConflict(why)) => {
                    tracing::info!(account = %name, %why, "no link was mailed to somebody who forgot a password")
                }
                Err(error) => tracing::warn!(account = %name, %error, "no link was mailed to somebody who forgot a password"),
            }
        }
        mails
    }

    /// The accounts that are meant.
    fn names_of(&self, forgotten: &Forgotten) -> Vec<String> {
        let address = match forgotten {
            Forgotten::Name(name) => return vec![name.clone()],
            Forgotten::Address(address) => address,
        };
        let directory = self.auth.directory();
        let identities = directory.people().flat_map(|person| directory.linked(&person.record.id));
        let local = identities.map(|known| &known.record).filter(|record| record.provider == LOCAL);
        let theirs = local.filter(|record| record.email.as_deref().is_some_and(|email| is_same(email, address)));
        theirs.filter_map(|record| local_name(&record.identity)).take(MOST_ACCOUNTS).map(str::to_owned).collect()
    }

    /// The link and its mail; `None` where nobody has that name or an address.
    async fn forgotten_mail(&self, name: &str, forgotten: &Forgotten, site: &MailedSite) -> Result<Option<(String, Mail)>, ApiError> {
        let account = self.account_record(name).await?.filter(|account| !account.deleted && !account.disabled);
        let Some(account) = account else { return Ok(None) };
        let address = account.email.as_deref().and_then(|email| MailAddress::parse(email).ok());
        let Some(to) = address else { return Ok(None) };
        if matches!(forgotten, Forgotten::Address(asked) if *asked != to) {
            return Ok(None);
        }
        let password = self.credentials(name).await?.password_hash;
        // Somebody who has never had a password is still invited.
        let kind = if password.is_some() { AccountLinkKind::Reset } else { AccountLinkKind::Invitation };
        let (new_link, mut link) = self.new_link(kind, &account, password.as_deref(), FORGOTTEN_MS, true);
        link.within.clone_from(&account.email_within);
        // Written before the mail goes out, so it does not say that one did.
        self.auth.put_mailed_link(ACTOR, "reset link made", &local_identity(name), &link).await?;
        Ok(Some((link.hash, link_mail(self.draw::<16>(), to, name, &new_link.token, site, self.now_ms()))))
    }
}

/// What somebody types who forgot the password of this account.
fn asked_as(account: &AccountRecord) -> Vec<String> {
    let address = account.email.as_deref().and_then(|email| MailAddress::parse(email).ok());
    std::iter::once(account.name.clone()).chain(address.map(|address| address.as_str().to_owned())).collect()
}

impl Forgotten {
    fn read(typed: &str) -> Result<Forgotten, LoginError> {
        let read = if typed.contains('@') {
            MailAddress::parse(typed).ok().map(Forgotten::Address)
        } else {
            normal_name(typed).map(Forgotten::Name)
        };
        read.ok_or_else(|| LoginError::Invalid("That is neither a name nor an e-mail address that can be used here.".to_owned()))
    }

    fn text(&self) -> &str {
        match self {
            Forgotten::Name(name) => name,
            Forgotten::Address(address) => address.as_str(),
        }
    }
}

/// Whether an address as it was entered is this one. What is left of the `@` is looked at first: reading an address takes longer.
fn is_same(entered: &str, address: &MailAddress) -> bool {
    let local = entered.trim_matches([' ', '\t']).split_once('@').map(|(local, _)| local);
    local.is_some_and(|local| local.eq_ignore_ascii_case(address.local())) && MailAddress::parse(entered).is_ok_and(|read| read == *address)
}

fn link_mail(id: String, to: MailAddress, name: &str, token: &str, site: &MailedSite, at_ms: i64) -> Mail {
    let MailedSite { name: site, link } = site;
    let text = format!(
        "Somebody, probably you, has forgotten the password of the account {name} at {site}.\n\nChoose another one on this page, within an hour:\n\n{link}{token}\n\nThe \
         link works once, and the newest one only. Until then the present password goes on.\n\nNever pass it on, whoever asks. If you have not asked for it, do \
         nothing: nothing changes without the link.\n"
    );
    Mail { id, to, subject: format!("Another password for {site}"), text: Zeroizing::new(text), at_ms }
}
