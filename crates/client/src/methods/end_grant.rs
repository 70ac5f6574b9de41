use falconer_scopes::Expression;
use falconer_wire::{AuthenticateHawkRequest, CheckRequest, CheckResponse, NodeRevision};
use http::Method;

use super::falconer::ours;
use crate::connection::target;
use crate::{Client, Error};

/// What became of ending a grant.
#[derive(Debug)]
#[must_use]
pub enum GrantEnd {
    /// It has ended, now or before.
    Ended,
    /// It counts still: Falconer said no, and why.
    Counts(Error),
    /// It may have ended, or count still: there was no answer.
    NotKnown(Error),
}

/// The words of a failed check that say that a grant is over.
const OVER: [&str; 4] = ["grant-revoked", "grant-ended", "grant-unknown", "certificate-expired"];

impl Client {
    /// Ends the grant whose credentials these are: whoever has a copy of them can do nothing with it from then on. That is signing out. Where Falconer says no, or its
    /// answer is lost, it is asked whether the credentials hold still, so that the answer is true of the grant and not of one call.
    pub async fn end_grant(&self) -> GrantEnd {
        let ended: Result<NodeRevision, Error> = self.call_as(&ours(Method::POST, "/end-grant".to_owned()), None::<&()>).await;
        let Err(error) = ended else { return GrantEnd::Ended };
        match self.ask_of_self().await {
            Ok(CheckResponse::Failed { reason, .. }) if OVER.contains(&reason.as_str()) => GrantEnd::Ended,
            Ok(_) => GrantEnd::Counts(error),
            Err(_) => GrantEnd::NotKnown(error),
        }
    }

    /// What Falconer says of a request with these credentials that is sent to nobody.
    async fn ask_of_self(&self) -> Result<CheckResponse, Error> {
        let root = target::parse(self.root_url()).map_err(Error::Settings)?;
        let target::Target { host, port, .. } = target::Target::of(&root);
        let resource = "/".to_owned();
        let authorization = self.authorization_at(&Method::GET, &crate::Origin { host: host.to_owned(), port }, &resource)?;
        let request =
            AuthenticateHawkRequest { method: "get".to_owned(), resource, host: host.to_owned(), port, authorization, source_ip: None };
        let required = Expression::AllOf(Vec::new());
        let (payload_hash, reveal, identity, each, bearer) = (None, Vec::new(), false, Vec::new(), false);
        self.check(&CheckRequest { request: request.into(), required, payload_hash, reveal, identity, each, bearer }).await
    }
}
