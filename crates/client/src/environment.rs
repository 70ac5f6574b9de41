use crate::{Credentials, Error};

/// What the published clients' environment variables say.
///
/// | variable | meaning |
/// |---|---|
/// | `TASKCLUSTER_ROOT_URL` | root URL |
/// | `TASKCLUSTER_CLIENT_ID`, `TASKCLUSTER_ACCESS_TOKEN` | credentials |
/// | `TASKCLUSTER_CERTIFICATE` | JSON text, only for temporary credentials |
/// | `TASKCLUSTER_PROXY_URL` | inside tasks: root URL to use without credentials; counts only where there are no credentials |
#[derive(Clone, Debug)]
pub struct Environment {
    /// Root URL, as given.
    pub root_url: Option<String>,
    /// Credentials, if there are any.
    pub credentials: Option<Credentials>,
}

impl Environment {
    /// Reads this process's environment. Errors: [`Error::Settings`], for half of the credentials or a bad certificate.
    pub fn read() -> Result<Environment, Error> {
        Environment::from_lookup(|name| std::env::var(name).ok())
    }

    /// The same from any lookup by name. Empty values count as absent.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Environment, Error> {
        let given = |name: &str| lookup(name).filter(|value| !value.is_empty());
        let certificate = given("TASKCLUSTER_CERTIFICATE");
        let credentials = match (given("TASKCLUSTER_CLIENT_ID"), given("TASKCLUSTER_ACCESS_TOKEN")) {
            (Some(client_id), Some(token)) => {
                let credentials = Credentials::new(client_id, token);
                Some(match certificate {
                    Some(certificate) => credentials
                        .with_certificate(certificate)
                        .map_err(|error| Error::Settings(format!("TASKCLUSTER_CERTIFICATE: {error}")))?,
                    None => credentials,
                })
            }
            (None, None) if certificate.is_none() => None,
            (None, _) => {
                return Err(Error::Settings("TASKCLUSTER_CLIENT_ID is missing beside the other credentials".to_owned()));
            }
            (Some(_), None) => {
                return Err(Error::Settings("TASKCLUSTER_ACCESS_TOKEN is missing beside TASKCLUSTER_CLIENT_ID".to_owned()));
            }
        };
        let proxy = if credentials.is_none() { given("TASKCLUSTER_PROXY_URL") } else { None };
        Ok(Environment { root_url: proxy.or_else(|| given("TASKCLUSTER_ROOT_URL")), credentials })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Environment, Error> {
        Environment::from_lookup(|name| given.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn as_the_published_clients_read_it() {
        let root = ("TASKCLUSTER_ROOT_URL", "https://auth.example");
        let proxy = ("TASKCLUSTER_PROXY_URL", "http://taskcluster");
        let id = ("TASKCLUSTER_CLIENT_ID", "a/b");
        let token = ("TASKCLUSTER_ACCESS_TOKEN", "secret-of-a-b");
        let certificate = ("TASKCLUSTER_CERTIFICATE", r#"{"version":1,"expiry":5}"#);

        assert_eq!(read(&[root, proxy]).unwrap().root_url.as_deref(), Some("http://taskcluster"));
        let whole = read(&[root, proxy, id, token, certificate]).unwrap();
        assert_eq!(whole.root_url.as_deref(), Some("https://auth.example"));
        let credentials = whole.credentials.unwrap();
        assert_eq!((credentials.client_id(), credentials.expires_ms()), ("a/b", Some(5)));
        assert!(!format!("{credentials:?}").contains("secret-of-a-b"));
        assert!(read(&[root, id, token, ("TASKCLUSTER_CERTIFICATE", "")]).unwrap().credentials.unwrap().certificate().is_none());
        assert!(read(&[]).unwrap().credentials.is_none());
    }

    #[test]
    fn halves_are_named() {
        for (given, named) in [
            ([("TASKCLUSTER_CLIENT_ID", "a"), ("X", "")], "TASKCLUSTER_ACCESS_TOKEN"),
            ([("TASKCLUSTER_ACCESS_TOKEN", "t"), ("X", "")], "TASKCLUSTER_CLIENT_ID"),
            ([("TASKCLUSTER_CERTIFICATE", "{}"), ("X", "")], "TASKCLUSTER_CLIENT_ID"),
        ] {
            assert!(read(&given).unwrap_err().to_string().contains(named));
        }
        let nonsense = read(&[("TASKCLUSTER_CLIENT_ID", "a"), ("TASKCLUSTER_ACCESS_TOKEN", "t"), ("TASKCLUSTER_CERTIFICATE", "nonsense")]);
        assert!(nonsense.unwrap_err().to_string().starts_with("TASKCLUSTER_CERTIFICATE: "));
    }
}
