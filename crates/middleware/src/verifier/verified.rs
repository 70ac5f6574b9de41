use falconer_scopes::Expression;

use crate::{Caller, Refusal};

/// A request whose signature is right. Only a [`Verifier`](crate::Verifier) makes one. Its body has yet to be compared.
#[derive(Debug)]
pub struct Verified {
    pub(super) caller: Caller,
    pub(super) body: BodyRule,
    pub(super) follow_up: Option<String>,
}

/// What the body of a verified request has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyRule {
    /// Its hash was not signed, and this service doesn't ask for that: any body.
    Any,
    /// Its hash was not signed, and this service asks for it: no body.
    Empty,
    /// The body with this signed hash.
    Hash(String),
}

impl Verified {
    /// Whether the scopes satisfy what an operation needs. Errors: [`Refusal::InsufficientScopes`].
    pub fn require(&self, required: &Expression) -> Result<(), Refusal> {
        match required.missing(&self.caller.scopes) {
            None => Ok(()),
            Some(missing) => Err(Refusal::InsufficientScopes {
                client_id: self.caller.client_id.clone(),
                missing: Box::new(missing),
                required: Box::new(required.clone()),
                id: None,
            }),
        }
    }

    /// What goes in the place of a proof ([`Proof::FollowUp`](crate::Proof::FollowUp)) where the same request is verified once more. `None`: it had none.
    #[must_use]
    pub fn follow_up(&self) -> Option<&str> {
        self.follow_up.as_deref()
    }

    /// What the body has to be. Only [`BodyRule::Hash`] needs it to be read.
    #[must_use]
    pub fn body_rule(&self) -> &BodyRule {
        &self.body
    }

    /// The caller, for a program that never sees a body, such as one that answers a proxy's questions: a hash that was signed is compared by nobody then, and who
    /// lets the request through has to say that this is meant.
    #[must_use]
    pub fn without_body(self) -> Caller {
        self.caller
    }

    /// Compares the body with what was signed. `content_type` is the header's value, empty if there was none.
    /// Errors: [`Refusal::BodyChanged`], [`Refusal::BodyNotSigned`].
    pub fn with_body(self, content_type: &str, body: &[u8]) -> Result<Caller, Refusal> {
        match self.body {
            BodyRule::Any => Ok(self.caller),
            BodyRule::Empty if body.is_empty() => Ok(self.caller),
            BodyRule::Empty => Err(Refusal::BodyNotSigned),
            BodyRule::Hash(signed) => {
                let computed = falconer_client::payload_hash(content_type, body);
                if computed == signed { Ok(self.caller) } else { Err(Refusal::BodyChanged { signed, computed }) }
            }
        }
    }
}
