//! Services that verify tokens by themselves: `[[offline_service]]` of the configuration.

use falconer_auth::SigningAlgorithm;
use falconer_login::LoginError;
use falconer_scopes::ScopeSet;

use crate::oauth::request::resources::check_resource;
use crate::targets::target::Target;

/// So many there may be, and so many scopes of one.
const MOST_SERVICES: usize = 1000;
const MOST_SCOPES: usize = 200;

/// `[[offline_service]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfflineService {
    /// What applications name as `resource`, letter by letter, and what tokens have as `aud`.
    pub resource: String,
    /// What a token says of the grant's scopes: those that the service asks for.
    pub scopes: Vec<String>,
    /// How its tokens are signed.
    pub alg: SigningAlgorithm,
}

/// One of them, checked.
pub(crate) struct KnownService {
    pub(crate) resource: String,
    pub(crate) scopes: ScopeSet,
    pub(crate) alg: SigningAlgorithm,
}

/// All of them.
pub(crate) struct OfflineServices(Vec<KnownService>);

impl OfflineServices {
    pub(crate) fn new(configured: &[OfflineService], is_own: &impl Fn(&Target) -> bool) -> Result<OfflineServices, LoginError> {
        if configured.len() > MOST_SERVICES {
            return Err(LoginError::Invalid(format!("[[offline_service]]: there are at most {MOST_SERVICES}")));
        }
        let mut known: Vec<KnownService> = Vec::new();
        for OfflineService { resource, scopes, alg } in configured {
            let invalid = |what: String| LoginError::Invalid(format!("[[offline_service]] {resource:?}: {what}"));
            check_resource(resource, is_own).map_err(|error| invalid(format!("resource: {error}")))?;
            if known.iter().any(|other| other.resource == *resource) {
                return Err(invalid("resource: it is there twice".to_owned()));
            }
            if scopes.is_empty() || scopes.len() > MOST_SCOPES {
                return Err(invalid(format!("scopes: give 1 to {MOST_SCOPES}, those that the service asks for")));
            }
            if let Some(wrong) = scopes.iter().find(|scope| scope.is_empty() || !falconer_scopes::is_valid_scope(scope)) {
                return Err(invalid(format!("scopes: {:?} is not a scope", wrong.chars().take(100).collect::<String>())));
            }
            known.push(KnownService { resource: resource.clone(), scopes: ScopeSet::new(scopes), alg: *alg });
        }
        Ok(OfflineServices(known))
    }

    /// The one of this `resource`.
    pub(crate) fn find(&self, resource: &str) -> Option<&KnownService> {
        self.0.iter().find(|known| known.resource == resource)
    }

    /// Whether there are any.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_service_is_refused_at_the_start() {
        let service = |resource: &str, scopes: &[&str]| OfflineService {
            resource: resource.to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            alg: SigningAlgorithm::Es256,
        };
        let own = |target: &Target| target.host() == "auth.example.com";
        let good = service("https://notes.example.com/api", &["notes:*"]);
        let services = OfflineServices::new(std::slice::from_ref(&good), &own).unwrap();
        assert!(services.find("https://notes.example.com/api").is_some() && services.find("https://notes.example.com/api/").is_none());
        // Of a fragment it said that a redirect URI has none.
        for (resource, why) in [
            ("https://notes.example.com/#x", "a resource has no fragment"),
            ("notes", "The resource must begin with https://"),
            ("https://ann@notes.example.com/", "The resource has a user name or password"),
            ("https://notes.example.com/a/../b", "instead of where the resource points"),
            ("https://auth.example.com/api", "that is Falconer itself, which takes no such tokens"),
        ] {
            let error = OfflineServices::new(&[service(resource, &["a"])], &own).err().unwrap().to_string();
            assert!(error.contains(why) && !error.contains("redirect") && !error.contains("target"), "{resource}: {error}");
        }
        for wrong in [
            service("notes", &["a"]),
            service("http://notes.example.com/", &["a"]),
            service("https://notes.example.com/#x", &["a"]),
            service("https://auth.example.com/api", &["a"]),
            service("https://notes.example.com/", &[]),
            service("https://notes.example.com/", &[""]),
            service("https://notes.example.com/", &["a\nb"]),
            service("https://notes.example.com/", &["a"; 201]),
            good.clone(),
        ] {
            assert!(OfflineServices::new(&[good.clone(), wrong.clone()], &own).is_err(), "{wrong:?}");
        }
    }
}
