//! What a person does in a browser, without one: signs in, grants, revokes.

use anyhow::{Context, Result, bail};

use crate::requests::api::{Keys, segment};
use crate::requests::connection::{Answer, Connection};

/// A person's session on one connection.
pub struct Person {
    connection: Connection,
    address: String,
    cookies: Vec<(String, String)>,
    /// What the proxy in front would say of where the person is.
    forwarded_for: Option<String>,
    /// Of the first grant page: its button counts after the page was there for a moment, and that moment is waited for once.
    first_time: Option<String>,
}

/// Fields of a form, or of a query, in their order.
pub type Fields = Vec<(String, String)>;

impl Person {
    /// Signs in with a local account of the server at `address`.
    pub fn sign_in(address: &str, name: &str, password: &str) -> Result<Person> {
        let mut person = Person::at(address, None)?;
        person.sign_in_again(name, password)?;
        Ok(person)
    }

    /// Somebody who has not signed in, behind a proxy if there is an address.
    pub fn at(address: &str, forwarded_for: Option<String>) -> Result<Person> {
        let connection = Connection::open(address)?;
        Ok(Person { connection, address: address.to_owned(), cookies: Vec::new(), forwarded_for, first_time: None })
    }

    /// Leaves the session, if there is one, and signs in; the browser stays known.
    pub fn sign_in_again(&mut self, name: &str, password: &str) -> Result<()> {
        self.cookies.retain(|(cookie, _)| cookie != "falconer");
        let fields = self.sign_in_form("/login", name, password)?;
        self.post("/login", &fields)?;
        Ok(())
    }

    /// Leaves the session, if there is one, and signs in with an OpenID provider. `at_provider` is told where the browser is sent, and says where the provider
    /// sends it back.
    pub fn sign_in_away(&mut self, provider: &str, at_provider: impl FnOnce(&str) -> Result<String>) -> Result<()> {
        self.cookies.retain(|(cookie, _)| cookie != "falconer");
        let away = self.led(&format!("/login/{provider}"))?;
        let back = at_provider(&away)?;
        let path = back.strip_prefix("http://").and_then(|rest| rest.split_once('/')).map(|(_, path)| format!("/{path}"));
        self.led(&path.with_context(|| format!("the provider led to {back}"))?)?;
        if !self.cookies.iter().any(|(cookie, _)| cookie == "falconer") {
            bail!("nobody was signed in by {back}");
        }
        Ok(())
    }

    /// Signs in at a Keycloak as somebody who was never there, up to where it sends the browser back.
    pub fn sign_in_at_keycloak(&mut self, address: &str, name: &str, password: &str, back: &str) -> Result<()> {
        self.cookies.clear();
        let page = self.get(address)?;
        let action = page.split("id=\"kc-form-login\"").nth(1).and_then(|form| attribute(form, "action")).context("no form of Keycloak")?;
        let path = action.strip_prefix("http://").and_then(|rest| rest.split_once('/')).map(|(_, path)| format!("/{path}"));
        let fields =
            [("username", name), ("password", password), ("credentialId", "")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let location = self.post(&path.unwrap_or(action), &fields.to_vec())?;
        if !location.starts_with(back) || !location.contains("code=") {
            bail!("Keycloak led to {location}");
        }
        Ok(())
    }

    /// Opens a page that leads on; answers where.
    fn led(&mut self, path: &str) -> Result<String> {
        let request = self.request("GET", path, "", "");
        let answer = self.connection.exchange(&request)?;
        let (status, location, set) = (answer.status, answer.headers("location"), answer.headers("set-cookie"));
        if !matches!(status, 302 | 303) {
            bail!("GET {path} answered {status}: {}", String::from_utf8_lossy(&answer.content()));
        }
        self.keep(&set);
        location.into_iter().next().context("a redirect without a location")
    }

    /// The form of the sign-in page at `path`, filled in.
    pub fn sign_in_form(&mut self, path: &str, name: &str, password: &str) -> Result<Fields> {
        let mut fields = form(&self.get(path)?, path)?;
        set(&mut fields, "name", name);
        set(&mut fields, "password", password);
        Ok(fields)
    }

    /// What is sent with a form from this address.
    pub fn form_from(&mut self, path: &str, fields: &Fields, forwarded_for: &str) -> Vec<u8> {
        self.forwarded_for = Some(forwarded_for.to_owned());
        self.form_request(path, fields)
    }

    /// Sends a form from this address, whatever is answered; the status.
    pub fn send(&mut self, path: &str, fields: &Fields, forwarded_for: &str) -> Result<u16> {
        let request = self.form_from(path, fields, forwarded_for);
        Ok(self.connection.exchange(&request)?.status)
    }

    /// Grants these scopes to `target`; answers the credentials and the grant's id.
    pub fn grant(&mut self, target: &str, scopes: &[&str]) -> Result<(Keys, String)> {
        let mut query = format!("target={}&description=A%20measurement.", segment(target));
        for scope in scopes {
            query.push_str(&format!("&scope={}", segment(scope)));
        }
        let location = self.press(&format!("/?{query}"), "/grant", target)?;
        let query = location.strip_prefix(target).and_then(|rest| rest.strip_prefix('?'));
        let delivered = unquery(query.with_context(|| format!("Grant led to {location}"))?)?;
        let value = |key: &str| delivered.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        let id = value("clientId").context("no clientId was delivered")?;
        let grant = id.rsplit('/').next().unwrap_or_default().to_owned();
        let mut keys = Keys::new(&id, &value("accessToken").context("no accessToken was delivered")?);
        keys.certificate = value("certificate");
        Ok((keys, grant))
    }

    /// Grants an application that is registered what it asks for; answers the code.
    pub fn code(&mut self, application: &str, callback: &str, scope: &str, challenge: &str) -> Result<String> {
        let (callback, scope) = (segment(callback), segment(scope));
        let path = format!(
            "/login/oauth/authorize?response_type=code&client_id={application}&redirect_uri={callback}&scope={scope}&code_challenge={challenge}&code_challenge_method=S256"
        );
        let location = self.press(&path, "/login/oauth/authorize/decision", "")?;
        let delivered = unquery(location.split_once('?').map_or("", |(_, query)| query))?;
        let code = delivered.into_iter().find(|(name, _)| name == "code");
        code.map(|(_, code)| code).with_context(|| format!("Grant led to {location}"))
    }

    /// Presses Grant on the page at `path`, whose form goes to `action`; answers where that leads.
    fn press(&mut self, path: &str, action: &str, target: &str) -> Result<String> {
        let mut fields = form(&self.get(path)?, action)?;
        if fields.iter().any(|(name, _)| name == "typed_host") {
            let host = target.split('/').nth(2).context("a target without a host")?;
            set(&mut fields, "typed_host", host);
        }
        self.keep_first_time(&mut fields);
        set(&mut fields, "visible_ms", "5000");
        self.post(action, &fields)
    }

    /// Sends a form to an endpoint that answers with JSON, or with nothing.
    pub fn post_for_json(&mut self, path: &str, fields: &Fields) -> Result<serde_json::Value> {
        let request = self.form_request(path, fields);
        let answer = self.connection.exchange(&request)?;
        if answer.status != 200 {
            bail!("POST {path} answered {}: {}", answer.status, String::from_utf8_lossy(&answer.content()));
        }
        Ok(serde_json::from_slice(&answer.content()).unwrap_or_default())
    }

    fn keep_first_time(&mut self, fields: &mut Fields) {
        if let Some(first) = &self.first_time {
            set(fields, "form_time", first);
            return;
        }
        self.first_time = fields.iter().find(|(name, _)| name == "form_time").map(|(_, value)| value.clone());
        std::thread::sleep(std::time::Duration::from_millis(1_100));
    }

    /// A form of the person's own page that revokes: its CSRF field serves for every grant.
    pub fn csrf(&mut self) -> Result<String> {
        let fields = form(&self.get("/")?, "/me/revoke")?;
        fields.into_iter().find(|(name, _)| name == "csrf").map(|(_, value)| value).context("no csrf field")
    }

    /// Revokes a grant. When this returns, the acknowledgement was read.
    pub fn revoke(&mut self, csrf: &str, grant: &str) -> Result<()> {
        let fields = vec![("csrf".to_owned(), csrf.to_owned()), ("grant".to_owned(), grant.to_owned())];
        let location = self.post("/me/revoke", &fields)?;
        if !location.contains("revoked") {
            bail!("Revoke led to {location}");
        }
        Ok(())
    }

    fn get(&mut self, path: &str) -> Result<String> {
        let request = self.request("GET", path, "", "");
        let answer = self.connection.exchange(&request)?;
        let (status, text) = (answer.status, String::from_utf8_lossy(&answer.content()).into_owned());
        let set = answer.headers("set-cookie");
        self.keep(&set);
        if status != 200 {
            bail!("GET {path} answered {status}: {text}");
        }
        Ok(text)
    }

    /// Sends a form; answers where it leads.
    fn post(&mut self, path: &str, fields: &Fields) -> Result<String> {
        let request = self.form_request(path, fields);
        let answer: Answer<'_> = self.connection.exchange(&request)?;
        let (status, location, set) = (answer.status, answer.headers("location"), answer.headers("set-cookie"));
        if !matches!(status, 302 | 303) {
            bail!("POST {path} answered {status}: {}", String::from_utf8_lossy(&answer.content()));
        }
        self.keep(&set);
        location.into_iter().next().context("a redirect without a location")
    }

    fn form_request(&self, path: &str, fields: &Fields) -> Vec<u8> {
        let body = fields.iter().map(|(name, value)| format!("{}={}", segment(name), segment(value))).collect::<Vec<_>>().join("&");
        let extra = format!(
            "origin: http://{}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n",
            self.address,
            body.len()
        );
        self.request("POST", path, &extra, &body)
    }

    fn request(&self, method: &str, path: &str, extra: &str, body: &str) -> Vec<u8> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie = if cookies.is_empty() { String::new() } else { format!("cookie: {}\r\n", cookies.join("; ")) };
        let from = self.forwarded_for.as_ref().map(|from| format!("x-forwarded-for: {from}\r\n")).unwrap_or_default();
        format!("{method} {path} HTTP/1.1\r\nhost: {}\r\naccept: text/html\r\n{from}{cookie}{extra}\r\n{body}", self.address).into_bytes()
    }

    fn keep(&mut self, set: &[String]) {
        for line in set {
            let pair = line.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// The fields that a browser would send with the first form of this action.
fn form(html: &str, action: &str) -> Result<Fields> {
    let at = html.find(&format!("action=\"{action}\"")).with_context(|| format!("no form {action} in {html}"))?;
    let rest = html.get(at..).unwrap_or_default();
    let inside = rest.split("</form>").next().unwrap_or_default();
    let mut fields = Fields::new();
    for input in inside.split("<input").skip(1).filter_map(|input| input.split('>').next()) {
        let optional = matches!(attribute(input, "type").as_deref(), Some("checkbox" | "radio"));
        let ticked = input.split_whitespace().any(|word| word.trim_end_matches('/') == "checked");
        if let (Some(name), true) = (attribute(input, "name"), !optional || ticked) {
            fields.push((name, attribute(input, "value").unwrap_or_default()));
        }
    }
    Ok(fields)
}

fn attribute(input: &str, name: &str) -> Option<String> {
    let value = input.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?;
    Some(plain(value))
}

/// What HTML's references stand for, as far as the pages use them.
fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    for (reference, character) in [
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ] {
        text = text.replace(reference, character);
    }
    text
}

fn set(fields: &mut Fields, name: &str, value: &str) {
    fields.retain(|(known, _)| known != name);
    fields.push((name.to_owned(), value.to_owned()));
}

/// The fields of a query, or of a form as it is sent.
pub fn unquery(query: &str) -> Result<Fields> {
    let decode = |text: &str| -> Result<String> { Ok(percent_encoding::percent_decode_str(text).decode_utf8()?.into_owned()) };
    query.split('&').filter_map(|pair| pair.split_once('=')).map(|(name, value)| Ok((decode(name)?, decode(value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_give_what_a_browser_would_send() {
        let html = "<form action=\"/a\"><input name=\"x\" value=\"1\"></form><form method=\"post\" action=\"/b\"><input type=\"hidden\" name=\"csrf\" value=\"a&amp;b\">\
                    <input type=\"checkbox\" name=\"s\" value=\"off\"><input type=\"checkbox\" name=\"s\" value=\"on\" checked></form>";
        let fields = form(html, "/b").unwrap();
        assert_eq!(fields, [("csrf".to_owned(), "a&b".to_owned()), ("s".to_owned(), "on".to_owned())]);
        assert!(form(html, "/c").is_err());
        assert_eq!(unquery("a=1%2F2&b=").unwrap(), [("a".to_owned(), "1/2".to_owned()), ("b".to_owned(), String::new())]);
    }
}
