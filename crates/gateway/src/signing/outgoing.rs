use std::time::Duration;

use falconer_client::{ClientConfig, Error, tls_config};
use url::{Host, Url};

const CONNECT: Duration = Duration::from_secs(10);

/// The connections out: proxies of the environment are asked for other machines only, and only HTTP/1.1 switches to another protocol.
#[derive(Debug)]
pub(super) struct Outgoing {
    here: reqwest::Client,
    elsewhere: reqwest::Client,
    switching_here: reqwest::Client,
    switching_elsewhere: reqwest::Client,
}

impl Outgoing {
    pub(super) fn new() -> Result<Outgoing, Error> {
        let tls = tls_config().map_err(|error| Error::Settings(format!("TLS can't be set up: {error}")))?;
        let mut first_version = tls.clone();
        first_version.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = |tls: &ClientConfig, here: bool, switching: bool| {
            let mut builder = reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                // The signature of a request is for its own address.
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(CONNECT);
            if here {
                builder = builder.no_proxy();
            }
            if switching {
                builder = builder.http1_only();
            }
            builder.build().map_err(|error| Error::Settings(format!("the HTTP client cannot start: {error}")))
        };
        Ok(Outgoing {
            here: client(&tls, true, false)?,
            elsewhere: client(&tls, false, false)?,
            switching_here: client(&first_version, true, true)?,
            switching_elsewhere: client(&first_version, false, true)?,
        })
    }

    pub(super) fn to(&self, url: &Url, switching: bool) -> &reqwest::Client {
        match (is_here(url), switching) {
            (true, false) => &self.here,
            (false, false) => &self.elsewhere,
            (true, true) => &self.switching_here,
            (false, true) => &self.switching_elsewhere,
        }
    }
}

/// Whether a URL stays on this machine.
fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
