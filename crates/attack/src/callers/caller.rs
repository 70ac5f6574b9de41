use falconer_client::{AccessToken, Credentials};
use falconer_credentials::{sign, temporary};

/// Callers are made that live this long.
const LIFETIME_MS: i64 = 60 * 60 * 1000;
const BEFORE_MS: i64 = 60 * 1000;

/// Somebody who signs requests: never with permanent credentials, and with no more scopes than were asked for.
#[derive(Clone)]
pub(crate) struct Caller {
    pub id: String,
    pub token: AccessToken,
    pub certificate: Option<String>,
    /// Where temporary credentials were given to us, which cannot make others, this is what narrows them.
    pub authorized: Option<Vec<String>>,
}

impl Caller {
    /// The operator, narrowed to these scopes. Errors: a sentence.
    pub fn narrowed(operator: &Credentials, scopes: &[String], now_ms: i64) -> Result<Caller, String> {
        if operator.certificate().is_none() {
            return Caller::certified(operator, scopes, now_ms - BEFORE_MS, now_ms + LIFETIME_MS);
        }
        Ok(Caller {
            id: operator.client_id().to_owned(),
            token: operator.access_token().clone(),
            certificate: operator.certificate().map(str::to_owned),
            authorized: Some(scopes.to_vec()),
        })
    }

    /// With a certificate of any times, signed by the operator. Errors: temporary credentials, which cannot sign one.
    pub fn certified(operator: &Credentials, scopes: &[String], start_ms: i64, expiry_ms: i64) -> Result<Caller, String> {
        if operator.certificate().is_some() {
            return Err("the credentials in the environment are temporary and can't sign certificates: give permanent ones".to_owned());
        }
        Caller::issued(operator.client_id(), operator.access_token(), scopes, start_ms, expiry_ms)
    }

    /// With a certificate that names `issuer` and is signed with whatever key.
    pub fn issued(issuer: &str, key: &AccessToken, scopes: &[String], start_ms: i64, expiry_ms: i64) -> Result<Caller, String> {
        let issued = temporary::create(issuer, key, None, scopes, start_ms, expiry_ms, &new_seed()).map_err(|error| error.to_string())?;
        Ok(Caller { id: issued.client_id, token: issued.access_token, certificate: Some(issued.certificate), authorized: None })
    }

    /// What goes along in the signature.
    pub fn ext(&self) -> Option<String> {
        sign::ext(self.certificate.as_deref(), self.authorized.as_deref())
    }
}

/// Two ids of 22 characters: the form of a seed.
fn new_seed() -> String {
    falconer_client::system::new_id() + &falconer_client::system::new_id()
}
