//! The keys that sign statements about people for other systems. They are kept as issuers are: sealed, followed by every node, and in no listing.

use std::sync::Arc;

use falconer_store::{IssuerRecord, Secret, Write};

use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::error::AuthError;
use crate::node::Auth;
use crate::reserved::SIGNING_KEYS;
use crate::signing::key::SigningKey;

/// Who the audit names.
const ACTOR: &str = "static/falconer/auth";

/// One of them.
#[derive(Clone)]
pub struct SigningSecret {
    /// `static/falconer/openid-<n>`
    pub name: String,
    /// The text that it was made with, or another one where that does not open any more.
    pub secret: Secret,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// When another one took its place, milliseconds since 1970.
    pub retired_ms: Option<i64>,
}

impl Auth {
    /// All of them, as this node knows them, oldest first.
    pub fn signing_secrets(&self) -> Vec<SigningSecret> {
        let directory = self.directory();
        let mut all: Vec<SigningSecret> = directory
            .signing_keys()
            .map(|record| SigningSecret {
                name: record.name.clone(),
                secret: record.token.clone(),
                created_ms: record.created_ms,
                retired_ms: record.retired_ms,
            })
            .collect();
        all.sort_by_key(|key| (key.created_ms, key.name.len(), key.name.clone()));
        all
    }

    /// Those that are published, oldest first: those of now, the next ones, and those that were replaced not long ago.
    pub fn published_keys(&self) -> Vec<Arc<SigningKey>> {
        self.directory().published_keys(self.now_ms())
    }

    /// The same with those that were replaced long ago: for statements that come back here.
    pub fn known_keys(&self) -> Vec<Arc<SigningKey>> {
        self.directory().known_keys(self.now_ms())
    }

    /// Makes the first one of this text, unless there is one already. Of several nodes that do it at once, one makes it and the others follow.
    pub async fn ensure_signing_secret(&self, text: &str) -> Result<(), AuthError> {
        self.decide(|now| {
            if now.snapshot.signing_keys().any(|record| record.retired_ms.is_none()) {
                return Ok(Decision::Keep(()));
            }
            Ok(new_key(now, text))
        })
        .await?;
        Ok(())
    }

    /// Another one of this text takes the place of those before. Answers its name.
    pub async fn rotate_signing_secret(&self, text: &str) -> Result<String, AuthError> {
        let retiring: Vec<String> =
            self.directory().signing_keys().filter(|record| record.retired_ms.is_none()).map(|record| record.name.clone()).collect();
        let (name, _) = self
            .decide(|now| {
                let record = new_record(now, text);
                let name = record.name.clone();
                Ok(Decision::Write(step_by(now, ACTOR, "created", Vec::new()), Write::InsertIssuer(record), name))
            })
            .await?;
        for retiring in retiring {
            self.decide(|now| {
                let write = Write::RetireIssuer(retiring.clone());
                Ok(Decision::Write(step_by(now, ACTOR, "retired", Vec::new()), write, ()))
            })
            .await?;
        }
        Ok(name)
    }
}

fn new_key(now: &Now, text: &str) -> Decision<()> {
    Decision::Write(step_by(now, ACTOR, "created", Vec::new()), Write::InsertIssuer(new_record(now, text)), ())
}

fn new_record(now: &Now, text: &str) -> IssuerRecord {
    let number = now.snapshot.signing_keys().count().saturating_add(1);
    IssuerRecord { name: format!("{SIGNING_KEYS}{number}"), token: Secret::new(text.to_owned()), created_ms: now.now_ms, retired_ms: None }
}
