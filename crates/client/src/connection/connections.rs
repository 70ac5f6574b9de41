use std::sync::{Arc, OnceLock};

use reqwest::Url;

use super::resolver::SystemResolver;
use super::{target, tls};
use crate::Error;

/// Connections, and room for more. Proxies of the environment are asked for other machines only: it is the URL of a call that says which, not that of the server
/// which the client was made for.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    of_root: reqwest::Client,
    root_is_here: bool,
    /// Made when the first call goes there: most clients call nobody but their server.
    others: Arc<OnceLock<reqwest::Client>>,
}

impl Connections {
    /// None yet. Errors: [`Error::Settings`].
    pub(crate) fn new(root: &Url) -> Result<Connections, Error> {
        let root_is_here = target::is_loopback(root);
        Ok(Connections { of_root: pool(root_is_here)?, root_is_here, others: Arc::default() })
    }

    /// Those for this URL. Errors: [`Error::Settings`].
    pub(crate) fn to(&self, url: &Url) -> Result<&reqwest::Client, Error> {
        if target::is_loopback(url) == self.root_is_here {
            return Ok(&self.of_root);
        }
        if let Some(others) = self.others.get() {
            return Ok(others);
        }
        let made = pool(!self.root_is_here)?;
        Ok(self.others.get_or_init(|| made))
    }
}

fn pool(is_here: bool) -> Result<reqwest::Client, Error> {
    let mut http = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::config().map_err(|error| Error::Settings(format!("TLS can't be set up: {error}")))?)
        .dns_resolver(SystemResolver)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("falconer-client/", env!("CARGO_PKG_VERSION")));
    if is_here {
        http = http.no_proxy();
    }
    http.build().map_err(|error| Error::Settings(format!("the HTTP client cannot start: {error}")))
}
