use falconer_client::Origin;
use url::{Position, Url};

/// Where the service is, and what requests to it are signed for.
#[derive(Clone, Debug)]
pub struct Place {
    /// Scheme, host and port that requests go to, such as `http://127.0.0.1:8082`.
    pub address: String,
    /// The origin that its callers know, such as `https://notes.example.com`.
    pub origin: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) session: Option<String>,
    pub(crate) other_session: Option<String>,
    pub(crate) sign_out: Option<String>,
}

impl Place {
    /// `address` is where requests go, `origin` what they are signed for where that is another one. Errors: a sentence that says what is wrong.
    pub fn new(address: &str, origin: Option<&str>) -> Result<Place, String> {
        Origin::parse(address)
            .map_err(|wrong| format!("{wrong}; the service is written as https://notes.example.com, and routes have whole paths"))?;
        let origin = origin.unwrap_or(address).trim_end_matches('/');
        let signed = Origin::parse(origin)?;
        let address = address.trim_end_matches('/').to_owned();
        Ok(Place {
            address,
            origin: origin.to_owned(),
            host: signed.host,
            port: signed.port,
            session: None,
            other_session: None,
            sign_out: None,
        })
    }

    /// With what a browser sends along that is signed in there: the value of its `Cookie` header, such as `session=...`. Errors: a sentence.
    pub fn with_session(self, cookie: &str) -> Result<Place, String> {
        Ok(Place { session: Some(cookie_of(cookie)?), ..self })
    }

    /// With what the browser of somebody sends along who is signed in at another host. Errors: a sentence.
    pub fn with_other_session(self, cookie: &str) -> Result<Place, String> {
        Ok(Place { other_session: Some(cookie_of(cookie)?), ..self })
    }

    /// With the path to which a POST signs out. Errors: a sentence.
    pub fn with_sign_out(self, path: &str) -> Result<Place, String> {
        if !path.starts_with('/') || self.url(path).is_none() {
            return Err(format!("`{path}` is no path to sign out at, such as /.falconer/sign-out"));
        }
        Ok(Place { sign_out: Some(path.to_owned()), ..self })
    }

    pub(crate) fn is_https(&self) -> bool {
        self.address.starts_with("https://")
    }

    /// The URL of a path with its query; `None` where a URL would spell it otherwise, so that something else would be sent.
    pub(crate) fn url(&self, resource: &str) -> Option<Url> {
        let url = Url::parse(&format!("{}{resource}", self.address)).ok()?;
        (&url[Position::BeforePath..Position::AfterQuery] == resource && url.fragment().is_none()).then_some(url)
    }
}

/// What a browser sends as `Cookie`.
fn cookie_of(text: &str) -> Result<String, String> {
    let cookie = text.trim();
    if !cookie.contains('=') || http::HeaderValue::from_str(cookie).is_err() {
        return Err("a session is what a browser sends as Cookie, such as session=...".to_owned());
    }
    Ok(cookie.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_sent_as_it_is_written_is_sent() {
        let place = Place::new("http://127.0.0.1:8082/", Some("https://notes.example.com")).unwrap();
        assert_eq!((place.address.as_str(), place.host.as_str(), place.port), ("http://127.0.0.1:8082", "notes.example.com", 443));
        for resource in ["/", "/books/red?page=2", "//books", "/%62ooks", "/books;x"] {
            assert!(place.url(resource).is_some(), "{resource}");
        }
        for resource in ["", "books", "/a/../b", "/a b", "/a#b", "/%2e%2e/b", "@evil.example/", ".evil.example/", ":1/"] {
            assert!(place.url(resource).is_none(), "{resource}");
        }
        assert!(Place::new("http://127.0.0.1:8082/api", None).is_err() && Place::new("notes.example.com", None).is_err());
    }
}
