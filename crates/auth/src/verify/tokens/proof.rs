//! The proof beside a token (RFC 9449 section 7): looked at only for tokens that Falconer has made, so that no stranger has a signature checked.

use falconer_credentials::{BearerKey, DpopProof, ProofFault, ProofFor, ProvedRequest};

use crate::node::{Auth, Node};
use crate::verify::reason::{Reason, TokenFault};
use crate::verify::tokens::shown::{ShownToken, TokenScheme};
use crate::verify::tokens::signed::presented;
use crate::verify::tokens::token::TokenOfGrant;

/// A proof that holds and has not counted. Whoever asks once more because nothing came of it may bring it once more.
#[must_use]
pub(crate) struct UnusedProof {
    id: [u8; 32],
    /// That of the token.
    grant: String,
}

impl Auth {
    /// Whether whoever shows a token may: one that is bound to a key needs a proof of it, which counts once on this node; one that is not is shown as `Bearer`.
    pub fn check_holder(&self, token: &TokenOfGrant, shown: &ShownToken<'_>) -> Result<(), Reason> {
        match self.node.check_holder(token, shown, self.now_ms())? {
            Some(proof) => Ok(self.node.use_proof(&proof)?),
            None => Ok(()),
        }
    }
}

impl Node {
    /// What a service brings in place of the proof where it asks once more about this request, of which the proof has counted.
    pub(crate) fn follow_up(&self, shown: &ShownToken<'_>) -> Option<String> {
        self.bearer_key(shown).map(|key| key.follow_up(&shown.request()))
    }

    fn bearer_key(&self, shown: &ShownToken<'_>) -> Option<BearerKey> {
        let key = presented(shown.token)?.key();
        self.directory.load().issuer_numbered(key).map(|issuer| issuer.bearer.clone())
    }

    /// The same, with the proof where it needs one, which counts with [`Node::use_proof`].
    pub(super) fn check_holder(&self, token: &TokenOfGrant, shown: &ShownToken<'_>, now_ms: i64) -> Result<Option<UnusedProof>, Reason> {
        let key = match (token.proof_key, shown.scheme) {
            (None, TokenScheme::Bearer) => return Ok(None),
            (None, TokenScheme::Dpop) => return Err(Reason::Token(TokenFault::NotBound)),
            (Some(_), TokenScheme::Bearer) => return Err(Reason::Token(TokenFault::Bound)),
            (Some(key), TokenScheme::Dpop) => key,
        };
        if let Some(sent) = shown.follow_up {
            let holds = self.bearer_key(shown).is_some_and(|key| key.is_follow_up(&shown.request(), sent));
            return if holds { Ok(None) } else { Err(ProofFault::FollowUp.into()) };
        }
        let proof = DpopProof::read(shown.proof.ok_or(ProofFault::Missing)?)?;
        let ShownToken { token: text, method, url_scheme: scheme, host, port, resource, .. } = *shown;
        proof.check(&ProofFor { method, scheme, host, port, resource, token: Some(text), key: Some(key), now_ms })?;
        let id = proof.id();
        if self.seen_proofs.has(id) {
            return Err(ProofFault::Replayed.into());
        }
        Ok(Some(UnusedProof { id, grant: token.grant.clone() }))
    }

    /// It counts, and from now on no more. Errors: it has counted meanwhile, or there is no room to remember it.
    pub(crate) fn use_proof(&self, proof: &UnusedProof) -> Result<(), ProofFault> {
        self.seen_proofs.note(proof.id, &proof.grant, self.clock.now_ms())
    }
}

impl<'r> ShownToken<'r> {
    fn request(&self) -> ProvedRequest<'r> {
        let ShownToken { token, method, host, port, resource, .. } = *self;
        ProvedRequest { token, method, host, port, resource }
    }
}

impl From<ProofFault> for Reason {
    fn from(fault: ProofFault) -> Self {
        Reason::Proof(fault)
    }
}
