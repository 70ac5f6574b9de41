//! The methods of Falconer's own API about people. Each gives the errors of [`Client::call`].

use crate::methods::falconer::ours;
use crate::{Call, Client, Error, encode_segment};
use falconer_wire::{
    InvitePersonRequest, LinkPersonRequest, MapPersonRequest, MappedPerson, NodeRevision, PeoplePage, PersonHistory, PersonInFull,
    PersonLink, PersonSummary, RefreshedPerson, UpdatePersonRequest,
};
use http::Method;

/// Which people are listed: those that all of this fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeopleSearch {
    /// A part of the identity, of the name or of the e-mail address.
    pub text: Option<String>,
    /// A group.
    pub group: Option<String>,
    /// Whether they may not act.
    pub disabled: Option<bool>,
}

impl Client {
    /// A page of people. Go on with the page's `continuation_token` until it is `None`; a page may be empty before that.
    pub async fn list_people(
        &self,
        search: &PeopleSearch,
        limit: Option<u32>,
        continuation_token: Option<&str>,
    ) -> Result<PeoplePage, Error> {
        let mut query = Vec::new();
        query.extend(search.text.as_ref().map(|text| ("q", text.clone())));
        query.extend(search.group.as_ref().map(|group| ("group", group.clone())));
        query.extend(search.disabled.map(|disabled| ("disabled", disabled.to_string())));
        query.extend(limit.map(|limit| ("limit", limit.to_string())));
        query.extend(continuation_token.map(|token| ("continuationToken", token.to_owned())));
        self.call_as(&Call { query, ..ours(Method::GET, "/people".to_owned()) }, None::<&()>).await
    }

    /// All pages of [`Client::list_people`].
    pub async fn list_all_people(&self, search: &PeopleSearch) -> Result<Vec<PersonSummary>, Error> {
        let mut all = Vec::new();
        let mut token = None;
        loop {
            let page = self.list_people(search, None, token.as_deref()).await?;
            all.extend(page.people);
            match page.continuation_token {
                Some(next) => token = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// A person, by one of their identities; `None` if nobody has it.
    pub async fn person(&self, identity: &str) -> Result<Option<PersonInFull>, Error> {
        match self.call_as(&ours(Method::GET, of(identity, "")?), None::<&()>).await {
            Err(error) if error.code() == Some("ResourceNotFound") => Ok(None),
            answer => answer.map(Some),
        }
    }

    /// Makes a local account, and the link with which the person sets its password.
    pub async fn invite_person(&self, identity: &str, person: &InvitePersonRequest) -> Result<PersonLink, Error> {
        self.call_as(&ours(Method::PUT, of(identity, "")?), Some(person)).await
    }

    /// [`Client::invite_person`], and the server mails the link to the account's address: `mail` of the answer says what became of that.
    pub async fn invite_person_by_mail(&self, identity: &str, person: &InvitePersonRequest) -> Result<PersonLink, Error> {
        self.call_as(&by_mail(ours(Method::PUT, of(identity, "")?)), Some(person)).await
    }

    /// Changes a local account; what is `None` stays.
    pub async fn update_person(&self, identity: &str, change: &UpdatePersonRequest) -> Result<NodeRevision, Error> {
        self.call_as(&ours(Method::POST, of(identity, "")?), Some(change)).await
    }

    /// Does one of these: `disable`, `enable`, `unlock`, `sign-out`, `unlink`, `name`.
    pub async fn act_on_person(&self, identity: &str, action: &str) -> Result<NodeRevision, Error> {
        self.call_as(&ours(Method::POST, of(identity, &format!("/{action}"))?), None::<&()>).await
    }

    /// Makes an identity one of the person of `with`; nobody signs in for it.
    pub async fn link_person(&self, identity: &str, with: &str) -> Result<NodeRevision, Error> {
        let request = LinkPersonRequest { with: with.to_owned() };
        self.call_as(&ours(Method::POST, of(identity, "/link")?), Some(&request)).await
    }

    /// Has the provider of an identity asked about it now.
    pub async fn refresh_person(&self, identity: &str) -> Result<RefreshedPerson, Error> {
        self.call_as(&ours(Method::POST, of(identity, "/refresh")?), None::<&()>).await
    }

    /// Makes a link with which the person sets another password.
    pub async fn make_reset_link(&self, identity: &str) -> Result<PersonLink, Error> {
        self.call_as(&ours(Method::POST, of(identity, "/reset-link")?), None::<&()>).await
    }

    /// [`Client::make_reset_link`], and the server mails it like [`Client::invite_person_by_mail`].
    pub async fn mail_reset_link(&self, identity: &str) -> Result<PersonLink, Error> {
        self.call_as(&by_mail(ours(Method::POST, of(identity, "/reset-link")?)), None::<&()>).await
    }

    /// Deletes a local account for good.
    pub async fn delete_person(&self, identity: &str) -> Result<(), Error> {
        self.call_as(&ours(Method::DELETE, of(identity, "")?), None::<&()>).await
    }

    /// Ends a grant of a person.
    pub async fn revoke_grant_of_person(&self, identity: &str, grant: &str) -> Result<(), Error> {
        let route = of(identity, &format!("/grants/{}", encode_segment(grant)?))?;
        self.call_as(&ours(Method::DELETE, route), None::<&()>).await
    }

    /// What happened to a person, oldest first.
    pub async fn person_history(&self, identity: &str, continuation_token: Option<&str>) -> Result<PersonHistory, Error> {
        let query = continuation_token.map(|token| ("continuationToken", token.to_owned())).into_iter().collect();
        self.call_as(&Call { query, ..ours(Method::GET, of(identity, "/history")?) }, None::<&()>).await
    }

    /// What a person with these claims would get from a provider of the server.
    pub async fn map_person(&self, provider: &str, claims: &MapPersonRequest) -> Result<MappedPerson, Error> {
        self.call_as(&ours(Method::POST, format!("/providers/{}/map", encode_segment(provider)?)), Some(claims)).await
    }
}

fn of(identity: &str, below: &str) -> Result<String, Error> {
    Ok(format!("/people/{}{below}", encode_segment(identity)?))
}

fn by_mail(call: Call) -> Call {
    Call { query: vec![("mail", "true".to_owned())], ..call }
}
