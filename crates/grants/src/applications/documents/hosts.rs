//! Whose documents count, and which hosts of this network are told that somebody has signed out: `grant.client_documents` and `grant.logout_hosts` of the
//! configuration.

use falconer_login::LoginError;
use falconer_login::http::AllowedAddresses;

use crate::oauth::request::refusal::Unanswerable;
use crate::targets::target::Target;

/// Stands for every host of the internet.
const ANY: &str = "*";
/// Longest `client_id` that is a URL, in bytes.
const LONGEST: usize = 512;

/// Hosts that the operator has named, and whether every other one counts too.
#[derive(Clone, Debug, Default)]
pub(crate) struct NamedHosts {
    any: bool,
    /// Each with its port, where that is not 443.
    named: Vec<String>,
}

/// The URL of a document, and which addresses its host may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentUrl {
    pub(crate) target: Target,
    pub(crate) allowed_addresses: AllowedAddresses,
}

impl NamedHosts {
    /// Those whose documents count.
    pub(crate) fn of_documents(configured: &[String]) -> Result<NamedHosts, LoginError> {
        NamedHosts::new("grant.client_documents", "the host alone, with its port where that is not 443, or `*`", configured)
    }

    /// Those of this network that are told. Each of the internet is.
    pub(crate) fn of_logouts(configured: &[String]) -> Result<NamedHosts, LoginError> {
        let hosts = NamedHosts::new("grant.logout_hosts", "the host alone, with its port where that is not 443", configured)?;
        if hosts.any {
            return Err(LoginError::Invalid("grant.logout_hosts: those of the internet need not be named, and `*` is none".to_owned()));
        }
        Ok(NamedHosts { any: true, ..hosts })
    }

    fn new(setting: &str, form: &str, configured: &[String]) -> Result<NamedHosts, LoginError> {
        let mut hosts = NamedHosts::default();
        for entry in configured {
            if entry == ANY {
                hosts.any = true;
                continue;
            }
            let invalid = |why: String| LoginError::Invalid(format!("{setting}: {entry:?}: {why}"));
            let spelling = || invalid(format!("write {form}"));
            // A whole URL would be refused for a port that nobody wrote.
            if entry.contains('/') {
                return Err(spelling());
            }
            let target = Target::parse(&format!("https://{entry}/")).map_err(|error| invalid(error.to_string()))?;
            if target.host_and_port() != *entry {
                return Err(spelling());
            }
            hosts.named.push(entry.clone());
        }
        Ok(hosts)
    }

    /// Whether an application can be known by a document at all.
    pub(crate) fn is_on(&self) -> bool {
        self.any || !self.named.is_empty()
    }

    /// Reads a `client_id` that is a URL. Errors say to the author of the application what is wrong.
    pub(crate) fn read(&self, client_id: &str) -> Result<DocumentUrl, Unanswerable> {
        if !self.is_on() {
            let why = "No application of this `client_id` is registered, and this server reads no documents of applications.";
            return Err(Unanswerable::unregistered(why));
        }
        if client_id.len() > LONGEST {
            return Err(Unanswerable::wrong(format!("The `client_id` is longer than {LONGEST} bytes.")));
        }
        let target = Target::parse(client_id).map_err(|error| Unanswerable::wrong(format!("The `client_id` can't be used. {error}")))?;
        let wrong = |why: &str| Err(Unanswerable::wrong(format!("The `client_id` can't be used: {why}.")));
        if target.scheme() != "https" {
            return wrong("a document is read by https only");
        }
        if client_id.contains(['?', '#']) {
            return wrong("the address of a document has no query and no fragment");
        }
        if target.path_on() == "/" {
            return wrong("the address of a document has a path");
        }
        // INVARIANT: one document has one spelling, so that nobody is two applications.
        if target.href() != client_id {
            return wrong(&format!("a browser writes it as {}", target.href()));
        }
        match self.addresses(&target) {
            Some(allowed_addresses) => Ok(DocumentUrl { target, allowed_addresses }),
            // Such as one that the operator has taken out.
            None => Err(Unanswerable::unregistered(format!("This server reads no documents of {}.", target.host_and_port()))),
        }
    }

    /// Whether a page of this origin can be an application that is known by its document.
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.is_on()
            && Target::parse(origin)
                .is_ok_and(|target| target.scheme() == "https" && target.origin() == origin && self.addresses(&target).is_some())
    }

    /// A host that the operator has named may be one of their own network. Any other one is a name of the internet, at the port that everybody is asked at.
    pub(crate) fn addresses(&self, target: &Target) -> Option<AllowedAddresses> {
        if self.named.contains(&target.host_and_port()) {
            return Some(AllowedAddresses::Own);
        }
        let is_public = target.registrable_domain().is_some() && target.port().is_none();
        (self.any && is_public).then_some(AllowedAddresses::Public)
    }
}

#[cfg(test)]
mod tests {
    use super::NamedHosts;
    use falconer_login::http::AllowedAddresses;

    fn hosts(configured: &[&str]) -> NamedHosts {
        NamedHosts::of_documents(&configured.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_document_has_one_spelling() {
        let any = hosts(&["*"]);
        let fine = any.read("https://agent.example.com/oauth/client.json").unwrap();
        assert_eq!(fine.allowed_addresses, AllowedAddresses::Public);
        for wrong in [
            "https://agent.example.com",
            "https://agent.example.com/",
            "http://agent.example.com/client.json",
            "http://localhost/client.json",
            "https://agent.example.com/client.json#x",
            "https://agent.example.com/client.json#",
            "https://agent.example.com/client.json?x=1",
            "https://agent.example.com/client.json?",
            "https://user@agent.example.com/client.json",
            "https://user:password@agent.example.com/client.json",
            "https://@agent.example.com/client.json",
            "https://agent.example.com/a/../client.json",
            "https://agent.example.com/a/%2e%2e/client.json",
            "https://agent.example.com/./client.json",
            "https://agent.example.com:443/client.json",
            "https://agent.example.com:8443/client.json",
            "https://AGENT.example.com/client.json",
            "https://agent.example.com./client.json",
            "https://agent.example.com/client document.json",
            "https://agent.example.com\\client.json",
            "https://b\u{fc}cher.example/client.json",
            "https://agent.example.com/b\u{fc}cher.json",
            "https://127.0.0.1/client.json",
            "https://[::1]/client.json",
            "https://93.184.216.34/client.json",
            "https://localhost/client.json",
            "https://falconer/client.json",
            "https://com/client.json",
            "HTTPS://agent.example.com/client.json",
            "ftp://agent.example.com/client.json",
            "agent.example.com/client.json",
        ] {
            assert!(any.read(wrong).is_err(), "{wrong}");
        }
        let long = format!("https://agent.example.com/{}", "x".repeat(500));
        assert!(any.read(&long).is_err());
    }

    #[test]
    fn a_host_that_is_named_may_be_inside() {
        let named = hosts(&["tools.internal:8443", "agents.example.com"]);
        assert_eq!(named.read("https://tools.internal:8443/c").unwrap().allowed_addresses, AllowedAddresses::Own);
        assert_eq!(named.read("https://agents.example.com/c").unwrap().allowed_addresses, AllowedAddresses::Own);
        for other in ["https://tools.internal/c", "https://x.agents.example.com/c", "https://agents.example.com:444/c"] {
            assert!(named.read(other).is_err(), "{other}");
        }
        assert!(named.has_origin("https://agents.example.com") && !named.has_origin("https://agents.example.com/"));
        assert!(
            !named.has_origin("null") && !named.has_origin("http://agents.example.com") && !hosts(&[]).has_origin("https://a.example.com")
        );
        assert!(hosts(&[]).read("https://agents.example.com/c").is_err());
        for wrong in
            ["", "https://agents.example.com", "agents.example.com/x", "AGENTS.example.com", "agents.example.com:443", "*.example.com"]
        {
            assert!(NamedHosts::of_documents(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
    }
}
