//! Proofs at the endpoints that give tokens (RFC 9449 sections 5 and 10), and beside tokens that are shown here (section 7).

use falconer_auth::{
    DpopProof, KeyThumbprint, PROOF_LIFETIME_MS, ProofFault, ProofFor, Reason, ShownToken, TokenFault, TokenOfGrant, UrlScheme,
};

use crate::applications::application::Application;
use crate::grants::Grants;
use crate::oauth::error::ExchangeError;

/// In place of a thumbprint: any key will do, but there has to be one.
pub(crate) const ANY_KEY: &str = "*";

/// What came in the header `DPoP` of a request that shows no token.
#[derive(Clone, Copy, Debug)]
pub struct SentProof<'a> {
    /// `None`: there was none.
    pub header: Option<&'a str>,
    /// The path of the endpoint below the root URL.
    pub path: &'a str,
}

impl SentProof<'_> {
    /// None at all.
    pub const NONE: SentProof<'static> = SentProof { header: None, path: "" };
}

impl Grants {
    /// Of which key the proof is, which counts once on all servers. `None`: there is none, and none is needed. `bound_to`: what it is for is bound to this key, or to [`ANY_KEY`]. Here a signature is
    /// verified: called only when it is known that there is something to be given.
    pub(crate) async fn proved_key(
        &self,
        sent: SentProof<'_>,
        client: Option<&Application>,
        bound_to: Option<&str>,
    ) -> Result<Option<KeyThumbprint>, ExchangeError> {
        let Some(header) = sent.header else {
            let is_needed = bound_to.is_some() || client.is_some_and(|client| client.settings.dpop_bound_access_tokens);
            return if is_needed { Err(ExchangeError::NoProof) } else { Ok(None) };
        };
        let origin = self.auth.public_origin();
        let key = match bound_to {
            None | Some(ANY_KEY) => None,
            Some(jkt) => Some(KeyThumbprint::read(jkt).ok_or(ProofFault::OtherKey)?),
        };
        let proof = DpopProof::read(header)?;
        proof.check(&ProofFor {
            method: "POST",
            scheme: UrlScheme::named(&origin.scheme).unwrap_or_default(),
            host: &origin.host,
            port: origin.port,
            resource: sent.path,
            token: None,
            key,
            now_ms: self.now_ms(),
        })?;
        if !self.is_first_use("dpop", &proof.id(), PROOF_LIFETIME_MS).await? {
            return Err(ProofFault::Replayed.into());
        }
        Ok(Some(proof.thumbprint()))
    }

    /// Whether whoever shows a token here may.
    pub(crate) fn check_holder(&self, token: &TokenOfGrant, shown: &ShownToken<'_>) -> Result<(), ExchangeError> {
        self.auth.check_holder(token, shown).map_err(|reason| match reason {
            Reason::Proof(fault) => ExchangeError::ProofOfToken(fault),
            Reason::Token(fault @ (TokenFault::Bound | TokenFault::NotBound)) => ExchangeError::WrongScheme(fault),
            _ => ExchangeError::InvalidToken,
        })
    }
}
