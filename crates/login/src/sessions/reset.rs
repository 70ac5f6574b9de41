//! What is shown to whoever sits there and goes on without them: the access token of a client, and a link with which somebody's password is set. Whatever page asks
//! for one, the session has to be fresh.

use falconer_auth::{ApiError, Authentication, ClientInput, ClientView, Revision};

use super::session::Session;
use crate::accounts::forgotten::MailedSite;
use crate::accounts::manage::NewAccount;
use crate::error::LoginError;
use crate::login::Login;
use crate::mail::MailOutcome;
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
