//! What a fresh installation gets: the root client and the first roles, and internal issuers.

use falconer_credentials::AccessToken;
use falconer_store::{ClientRecord, IssuerRecord, Key, RevokedCertificates, RoleRecord, Secret, Write};

use crate::change::acting::step_by;
use crate::change::decide::{Decision, Now};
use crate::directory::entries::InternalIssuer;
use crate::error::AuthError;
use crate::node::Auth;
use crate::reserved::ROOT_CLIENT;
use crate::time::MILLENNIUM_MS;

/// Who the audit names.
const ACTOR: &str = "static/falconer/auth";

/// The credentials that may do everything: shown once.
pub struct RootCredentials {
    /// `static/falconer/root`.
    pub client_id: String,
    /// 44 characters.
    pub access_token: AccessToken,
}

impl Auth {
    /// Whether the root client is there: a store without one was never set up.
    pub fn is_installed(&self) -> bool {
        self.directory().client_entry(ROOT_CLIENT).is_some()
    }

    /// Makes the root client and, unless `bare`, the first roles. Refused where the root client is there already.
    pub async fn fresh_install(&self, bare: bool) -> Result<RootCredentials, AuthError> {
        if self.is_installed() {
            return Err(AuthError::AlreadyThere(format!("{ROOT_CLIENT} is there already; `root-reset` gives it a new token")));
        }
        // Roles first: a root client is the sign that the installation was finished.
        if !bare {
            self.decide(|now| {
                let missing: Vec<RoleRecord> =
                    first_roles(now.now_ms).into_iter().filter(|role| now.snapshot.role(&role.role_id).is_none()).collect();
                if missing.is_empty() {
                    return Ok(Decision::Keep(()));
                }
                Ok(Decision::Write(step_by(now, ACTOR, "created", vec![Key::Role]), Write::InsertRoles(missing), ()))
            })
            .await?;
        }
        let (token, _) = self
            .decide(|now| {
                if now.snapshot.client_entry(ROOT_CLIENT).is_some() {
                    return Ok(Decision::Keep(None));
                }
                let record = self.root(now);
                let step = step_by(now, ACTOR, "created", vec![Key::Client(ROOT_CLIENT.to_owned())]);
                Ok(Decision::Write(step, Write::InsertClient(record.clone()), Some(record.access_token)))
            })
            .await?;
        // Another node may have been first.
        token.as_ref().map(credentials).ok_or_else(|| AuthError::AlreadyThere(format!("{ROOT_CLIENT} is there already")))
    }

    /// Gives the root client a new token, enables it where it was disabled, and makes it where it is gone.
    pub async fn root_reset(&self) -> Result<RootCredentials, AuthError> {
        let (token, _) = self
            .decide(|now| {
                let step = step_by(now, ACTOR, "access token reset", vec![Key::Client(ROOT_CLIENT.to_owned())]);
                let fresh = self.root(now);
                let token = fresh.access_token.clone();
                let write = match now.snapshot.client(ROOT_CLIENT) {
                    None => Write::InsertClient(fresh),
                    Some(known) => Write::UpdateClient(ClientRecord {
                        created_ms: known.record().created_ms,
                        last_date_used_ms: known.last_date_used_ms(),
                        ..fresh
                    }),
                };
                Ok(Decision::Write(step, write, token))
            })
            .await?;
        Ok(credentials(&token))
    }

    /// From now on another internal issuer signs; the one before is kept for what it has signed.
    pub async fn rotate_issuer(&self) -> Result<(), AuthError> {
        let retiring = self.directory().current_issuer().map(|issuer| issuer.record.name.clone());
        self.decide(|now| Ok(self.new_issuer(now))).await?;
        if let Some(name) = retiring {
            self.decide(|now| {
                let step = step_by(now, ACTOR, "retired", Vec::new());
                Ok(Decision::Write(step, Write::RetireIssuer(name.clone()), ()))
            })
            .await?;
        }
        Ok(())
    }

    /// A server begins with an issuer, whatever its clock says.
    pub(crate) async fn ensure_issuer(&self) -> Result<(), AuthError> {
        self.decide(|now| {
            if now.snapshot.current_issuer().is_some() {
                return Ok(Decision::Keep(()));
            }
            Ok(self.new_issuer(&Now { snapshot: now.snapshot.clone(), now_ms: self.node.believed_ms(&now.snapshot) }))
        })
        .await?;
        Ok(())
    }

    fn new_issuer(&self, now: &Now) -> Decision<()> {
        let record = IssuerRecord {
            name: InternalIssuer::name_of(now.snapshot.issuer_count().saturating_add(1)),
            token: self.new_token(),
            created_ms: now.now_ms,
            retired_ms: None,
        };
        Decision::Write(step_by(now, ACTOR, "created", Vec::new()), Write::InsertIssuer(record), ())
    }

    fn root(&self, now: &Now) -> ClientRecord {
        ClientRecord {
            client_id: ROOT_CLIENT.to_owned(),
            description: "The client that may do everything. The command falconer root-reset gives it a new access token.".to_owned(),
            access_token: self.new_token(),
            expires_us: now.now_ms.saturating_add(MILLENNIUM_MS).saturating_mul(1000),
            created_ms: now.now_ms,
            last_modified_ms: now.now_ms,
            last_date_used_ms: now.now_ms,
            last_rotated_ms: now.now_ms,
            delete_on_expiration: false,
            scopes: vec!["*".to_owned()],
            disabled: false,
            grant: None,
            revoked: RevokedCertificates::default(),
            old_token: None,
        }
    }
}

fn credentials(token: &Secret) -> RootCredentials {
    RootCredentials { client_id: ROOT_CLIENT.to_owned(), access_token: AccessToken::new(token.expose().to_owned()) }
}

fn first_roles(now_ms: i64) -> [RoleRecord; 2] {
    let role = |role_id: &str, description: &str, scopes: &[&str]| {
        let mut scopes: Vec<String> = scopes.iter().map(|s| (*s).to_owned()).collect();
        falconer_scopes::list::sort(&mut scopes);
        RoleRecord {
            role_id: role_id.to_owned(),
            scopes,
            description: description.to_owned(),
            created_ms: now_ms,
            last_modified_ms: now_ms,
        }
    };
    [
        role(
            "login-identity:*",
            "Everybody who signs in manages the clients under their own name.",
            &["auth:create-client:<..>/*", "auth:update-client:<..>/*", "auth:delete-client:<..>/*", "auth:reset-access-token:<..>/*"],
        ),
        role(
            "everybody",
            "What every signed-in person may do: look around.",
            &["auth:current-scopes", "auth:expand-scopes", "auth:list-clients", "auth:list-roles", "auth:get-client:*", "auth:get-role:*"],
        ),
    ]
}
