//! Access tokens that are shown instead of a signature: the MAC first, then the grant and the person, as for credentials of the grant.
//!
//! A token carries the id of its grant under a MAC whose key every node derives from the internal issuer's, so that no node has to look in the store for one
//! (`docs/adr/0267`).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use falconer_credentials::{BearerClaims, BearerKind, BoundServices, KeyThumbprint, PresentedToken};
use falconer_store::GrantRecord;

use crate::directory::entries::InternalIssuer;
use crate::directory::snapshot::Snapshot;
use crate::error::ApiError;
use crate::node::{Auth, Node};
use crate::verify::caller::Caller;
use crate::verify::effective_scopes::ActiveGrant;
use crate::verify::reason::{Reason, TokenFault};
use crate::verify::request::{Found, NotVerified};
use crate::verify::tokens::proof::UnusedProof;
use crate::verify::tokens::shown::ShownToken;
use crate::verify::tokens::signed::authentic_access;
use crate::verify::tokens::token::{TokenOfGrant, authentic};

/// What a token is bound to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenBounds {
    /// The services where it counts.
    pub services: BoundServices,
    /// The key whose proofs go with it.
    pub proof_key: Option<KeyThumbprint>,
}

impl Auth {
    /// Makes a token of a grant.
    pub fn issue_token(&self, kind: BearerKind, grant: &GrantRecord, bounds: TokenBounds, expires_ms: i64) -> Result<String, ApiError> {
        let snapshot = self.node.directory.load();
        let unable = || ApiError::Internal(format!("no token can be made for grant {}", grant.id));
        let issuer = snapshot.issuer(&grant.issuer).ok_or_else(unable)?;
        let TokenBounds { services, proof_key } = bounds;
        let mut serial = [0; 8];
        self.node.random.fill(&mut serial);
        let key = InternalIssuer::number_of(&grant.issuer).ok_or_else(unable)?;
        let mut subject = [0; 16];
        if URL_SAFE_NO_PAD.decode_slice(&grant.id, &mut subject) != Ok(subject.len()) {
            return Err(unable());
        }
        let token =
            issuer.bearer.issue(&BearerClaims { kind, key, subject, expires_ms, serial, services, proof_key }).ok_or_else(unable)?;
        Ok(token.as_str().to_owned())
    }

    /// Whose a token of this kind is, if Falconer has made it. Nothing is looked up for any other. It may have ended, and so may its grant.
    pub fn read_token(&self, kind: BearerKind, token: &str) -> Option<TokenOfGrant> {
        authentic(&self.node.directory.load(), PresentedToken::read(kind, token)).ok()
    }

    /// Who shows a token at a service, with the scopes that the grant has at present, and the proof that is to be used where that is told.
    pub(crate) async fn check_token(&self, shown: &ShownToken<'_>) -> Result<(Found, Option<UnusedProof>), NotVerified> {
        let now_ms = self.now_ms();
        let (token, proof, reason, seen) = {
            let snapshot = self.node.directory.load();
            if let Some(unable) = self.node.unable(&snapshot, now_ms) {
                return Err(NotVerified::Unable(unable));
            }
            let token = authentic_access(&snapshot, shown.token, &self.node.settings.public_origin, now_ms)?;
            if !token.services.allow(shown.host, shown.port) {
                return Err(Reason::Token(TokenFault::OtherService).into());
            }
            if now_ms >= token.expires_ms {
                return Err(Reason::Token(TokenFault::Ended).into());
            }
            let proof = self.node.check_holder(&token, shown, now_ms)?;
            match self.node.evaluate_token(&snapshot, &token, now_ms) {
                Ok(found) => return Ok((found, proof)),
                Err(reason) => (token, proof, reason, arc_swap::Guard::into_inner(snapshot)),
            }
        };
        let found = Box::pin(self.look_for_grant(&seen, reason, &|snapshot| self.node.evaluate_token(snapshot, &token, now_ms))).await?;
        Ok((found, proof))
    }
}

impl Node {
    fn evaluate_token(&self, snapshot: &Snapshot, token: &TokenOfGrant, now_ms: i64) -> Result<Found, Reason> {
        let ActiveGrant { grant, scopes, .. } = self.active_grant(snapshot, &token.grant, now_ms)?;
        self.last_uses.note_grant(grant, now_ms);
        let caller = Caller {
            client_id: Some(grant.record.client_id.clone()),
            scopes: scopes.union(snapshot.anonymous()),
            expires_ms: token.expires_ms.min(grant.record.expires_ms),
            hash: None,
            grant: Some(grant.record.id.clone()),
            identity: Some(grant.record.identity.clone()),
        };
        // Nobody learns from a token who the person is: it does not say for which service it was sent, so that one could be taken for the person at another.
        Ok(Found { caller, disclosed: None, held_scopes: None })
    }
}
