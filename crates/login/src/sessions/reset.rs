//! What goes on without whoever sits there: the access token of a client, a link with which somebody's password is set, and what is as good as one, such as a scope more
//! for a role that they have elsewhere. Whatever page asks for one, the session has to be fresh.

use falconer_auth::{ApiError, Authentication, ClientInput, ClientView, Revision, RoleInput};

use super::session::Session;
use crate::accounts::forgotten::MailedSite;
use crate::accounts::manage::NewAccount;
use crate::error::LoginError;
use crate::login::Login;
use crate::mail::MailOutcome;
use crate::people::administer::change::{Administrator, PersonChange};
use crate::people::administer::links::{MailedLink, NewLink};

/// A link for somebody's password, made on a page.
pub struct LinkToShow {
    /// To be shown once.
    pub link: NewLink,
    /// Where it was mailed to, and what is known of that; `None`: it was not to be mailed.
    pub mailed: Option<(String, MailOutcome)>,
}

impl From<NewLink> for LinkToShow {
    fn from(link: NewLink) -> LinkToShow {
        LinkToShow { link, mailed: None }
    }
}

impl From<MailedLink> for LinkToShow {
    fn from(mailed: MailedLink) -> LinkToShow {
        LinkToShow { link: mailed.link, mailed: Some((mailed.to, mailed.outcome)) }
    }
}

impl Login {
    /// Makes a client, as the session's person (`who`), who has to have proved a short while ago to be there. The inner answer is that of
    /// [`falconer_auth::Auth::create_client`].
    pub async fn create_client(
        &self,
        session: &Session,
        who: &Authentication,
        client_id: &str,
        input: &ClientInput,
    ) -> Result<Result<(ClientView, Revision), ApiError>, LoginError> {
        self.check_fresh(session)?;
        Ok(self.auth.create_client(who, client_id, input).await)
    }

    /// Makes a new access token, beside which the old one counts for `overlap_ms` more, as the session's person (`who`), who has to have proved a short while ago to be there: what is shown goes on without them. The
    /// inner answer is that of [`falconer_auth::Auth::reset_access_token_keeping`].
    pub async fn reset_access_token(
        &self,
        session: &Session,
        who: &Authentication,
        client_id: &str,
        overlap_ms: i64,
    ) -> Result<Result<(ClientView, Revision), ApiError>, LoginError> {
        self.check_fresh(session)?;
        Ok(self.auth.reset_access_token_keeping(who, client_id, overlap_ms).await)
    }

    /// Changes a client, as the session's person. With a scope or time more they have to have proved a short while ago to be there: they may have its token. The inner
    /// answer is that of [`falconer_auth::Auth::update_client_seen`].
    pub async fn update_client_from(
        &self,
        session: &Session,
        client_id: &str,
        input: &ClientInput,
        seen_ms: Option<i64>,
    ) -> Result<Result<Revision, ApiError>, LoginError> {
        let who = Authentication::person(&session.identity);
        match self.auth.client_gives_more(&who, client_id, input) {
            Ok(true) => self.check_fresh(session)?,
            Ok(false) => {}
            Err(refused) => return Ok(Err(refused)),
        }
        Ok(self.auth.update_client_seen(&who, client_id, input, seen_ms).await.map(|(_, revision)| revision))
    }

    /// Lets a client authenticate again, as the session's person, who has to have proved a short while ago to be there. The inner answer is that of
    /// [`falconer_auth::Auth::enable_client`].
    pub async fn enable_client_from(&self, session: &Session, client_id: &str) -> Result<Result<Revision, ApiError>, LoginError> {
        self.check_fresh(session)?;
        let who = Authentication::person(&session.identity);
        Ok(self.auth.enable_client(&who, client_id).await.map(|(_, revision)| revision))
    }

    /// Makes a role (`seen_ms`: `None`) or changes it, as the session's person. With a scope more they have to have proved a short while ago to be there: they may have the
    /// role by an account of theirs. The inner answer is that of [`falconer_auth::Auth::create_role`] or [`falconer_auth::Auth::update_role_seen`].
    pub async fn put_role_from(
        &self,
        session: &Session,
        role_id: &str,
        input: &RoleInput,
        seen_ms: Option<i64>,
    ) -> Result<Result<Revision, ApiError>, LoginError> {
        let who = Authentication::person(&session.identity);
        match self.auth.role_gives_more(&who, role_id, input, seen_ms.is_none()) {
            Ok(true) => self.check_fresh(session)?,
            Ok(false) => {}
            Err(refused) => return Ok(Err(refused)),
        }
        let put = match seen_ms {
            None => self.auth.create_role(&who, role_id, input).await,
            seen_ms => self.auth.update_role_seen(&who, role_id, input, seen_ms).await,
        };
        Ok(put.map(|(_, revision)| revision))
    }

    /// Lets a whole person act again, as the session's person, who has to have proved a short while ago to be there. The inner answer is that of
    /// [`Login::enable_whole_person`].
    pub async fn enable_whole_person_from(&self, session: &Session, identity: &str) -> Result<Result<Revision, ApiError>, LoginError> {
        self.check_fresh(session)?;
        Ok(self.enable_whole_person(&Authentication::person(&session.identity), identity).await)
    }

    /// Invites somebody, as the session's person, who has to have proved a short while ago to be there: whoever has the link can be the new person. `mail`: it is
    /// mailed too, in the name of that site. The inner answer is that of [`Login::invite_person`] or [`Login::invite_person_by_mail`].
    pub async fn invite_person_from(
        &self,
        session: &Session,
        new: &NewAccount,
        mail: Option<&MailedSite>,
    ) -> Result<Result<LinkToShow, ApiError>, LoginError> {
        self.check_fresh(session)?;
        let who = Authentication::person(&session.identity);
        Ok(match mail {
            None => self.invite_person(&who, new).await.map(|(link, _)| link.into()),
            Some(site) => self.invite_person_by_mail(&who, new, site).await.map(|(mailed, _)| mailed.into()),
        })
    }

    /// Changes a local account, as the session's person. Another e-mail address is as good as a link for the password (docs/adr/0185), and a scope or a group can be for
    /// an account of whoever sits there: with those they have to have proved a short while ago to be there. The inner answer is that of [`Login::update_person`].
    pub async fn update_person_from(
        &self,
        session: &Session,
        identity: &str,
        change: &PersonChange,
    ) -> Result<Result<Revision, ApiError>, LoginError> {
        let who = Authentication::person(&session.identity);
        // First: whoever may not change it does not learn by this what it has.
        let name = match self.administered(Administrator::from(&who).by("update"), identity) {
            Ok(name) => name,
            Err(refused) => return Ok(Err(refused)),
        };
        if self.account_record(name).await?.is_some_and(|account| change.gives_more_than(&account)) {
            self.check_fresh(session)?;
        }
        Ok(self.update_person(&who, identity, change).await)
    }

    /// The same for a link for another password of somebody who is there: [`Login::make_reset_link`] or [`Login::mail_reset_link`].
    pub async fn make_reset_link_from(
        &self,
        session: &Session,
        identity: &str,
        mail: Option<&MailedSite>,
    ) -> Result<Result<LinkToShow, ApiError>, LoginError> {
        self.check_fresh(session)?;
        let who = Authentication::person(&session.identity);
        Ok(match mail {
            None => self.make_reset_link(&who, identity).await.map(|(link, _)| link.into()),
            Some(site) => self.mail_reset_link(&who, identity, site).await.map(|(mailed, _)| mailed.into()),
        })
    }
}
