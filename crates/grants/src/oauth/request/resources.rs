//! What a token is to be for (RFC 8707): services by their URLs, of which scheme, host and port count.

use falconer_auth::BoundServices;

use crate::applications::register::check_url;
use crate::consent::request::GrantRequest;
use crate::grants::Grants;
use crate::oauth::request::parameters::Parameters;
use crate::targets::target::Target;

/// Nobody can be told what is wrong with it but that it is: `invalid_target`.
pub(crate) struct WrongResource;

impl Grants {
    /// The values of `resource`, each once; none: it names none.
    pub(crate) fn resources(&self, parameters: &Parameters) -> Result<Vec<String>, WrongResource> {
        let mut resources: Vec<String> = Vec::new();
        let mut services = BoundServices::default();
        for sent in parameters.all("resource") {
            if resources.iter().any(|known| known == sent) {
                continue;
            }
            // No page of Falconer takes a token for what it gives: that is exchanged.
            let target = check_resource(sent, &|target| self.is_own(target)).map_err(|_| WrongResource)?;
            services = and(services, &target).ok_or(WrongResource)?;
            resources.push(sent.to_owned());
        }
        Ok(resources)
    }

    /// Where the tokens of a request count, as it is checked there: host and port, each once; of services that verify by themselves the whole, which they compare.
    /// Empty: everywhere.
    pub fn counts_at(&self, request: &GrantRequest) -> Vec<String> {
        let configured = self.configured();
        let mut places: Vec<String> = Vec::new();
        for resource in request.resources() {
            let place = match (configured.offline.find(resource), Target::parse(resource)) {
                (None, Ok(target)) => target.host_and_port(),
                _ => resource.clone(),
            };
            if !places.contains(&place) {
                places.push(place);
            }
        }
        places
    }
}

/// The service that a resource is the URL of, or why it is none (RFC 8707 section 2).
pub(crate) fn check_resource(resource: &str, is_own: &impl Fn(&Target) -> bool) -> Result<Target, String> {
    let target = check_url(resource, "resource")?;
    if is_own(&target) { Err("that is Falconer itself, which takes no such tokens".to_owned()) } else { Ok(target) }
}

/// What the request asks for, of what is allowed: all of that where it asks for nothing. Nothing that is allowed stands for everything.
pub(crate) fn narrowed(allowed: &[String], requested: Vec<String>) -> Result<Vec<String>, WrongResource> {
    if requested.is_empty() {
        return Ok(allowed.to_vec());
    }
    let is_within = allowed.is_empty() || requested.iter().all(|resource| allowed.contains(resource));
    if is_within { Ok(requested) } else { Err(WrongResource) }
}

/// What a token is bound to that is for these.
pub(crate) fn services(resources: &[String]) -> Option<BoundServices> {
    resources.iter().try_fold(BoundServices::default(), |services, resource| and(services, &Target::parse(resource).ok()?))
}

fn and(services: BoundServices, target: &Target) -> Option<BoundServices> {
    services.and(target.host(), target.effective_port())
}
