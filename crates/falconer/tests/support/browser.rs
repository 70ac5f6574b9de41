//! As much of a browser as a person needs here: cookies, forms, and the address that a redirect leads to.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "each test file uses a part of it; a test may stop")]

use std::collections::BTreeMap;
use std::time::Duration;

use super::Server;
use super::patience::eventually_each;

/// An answer.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub location: String,
    pub body: String,
}

/// One browser with one server.
pub struct Browser<'a> {
    server: &'a Server,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub fn new(server: &'a Server) -> Browser<'a> {
        Browser { server, cookies: BTreeMap::new() }
    }

    pub fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, "")
    }

    pub fn post(&mut self, path: &str, fields: &[(String, String)]) -> Page {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.send("POST", path, &form.finish())
    }

    /// Signs in; whether that worked.
    pub fn sign_in(&mut self, name: &str, password: &str) -> bool {
        let mut form = fields(&self.get("/login").body, "/login");
        put(&mut form, "name", name);
        put(&mut form, "password", password);
        self.post("/login", &form).status == 303
    }

    /// Whether the server takes this browser for somebody.
    pub fn is_signed_in(&mut self) -> bool {
        self.get("/me/password").status == 200
    }

    /// Grants all that the page ticks beforehand; where the answer leads.
    pub fn grant(&mut self, address: &str, host: &str) -> String {
        let page = self.get(address);
        self.press_grant(&page, "/grant", host)
    }

    /// The same on a page of a grant, whose form goes there.
    pub fn press_grant(&mut self, page: &Page, action: &str, host: &str) -> String {
        assert_eq!(page.status, 200, "{page:?}");
        let mut form = fields(&page.body, action);
        put(&mut form, "visible_ms", "5000");
        if form.iter().any(|(name, _)| name == "typed_host") {
            put(&mut form, "typed_host", host);
        }
        // The button counts after the page was there for a second: until then the answer is the page again. Looking codes of devices up is bounded for each person.
        let pressed = || Some(self.post(action, &form)).filter(|page| page.status != 409);
        let granted = eventually_each(Duration::from_millis(200), "the button counts", pressed);
        assert_eq!(granted.status, 303, "{granted:?}");
        granted.location
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Page {
        let authority = self.server.root_url.trim_start_matches("http://");
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nhost: {authority}\r\norigin: {}\r\naccept: text/html\r\ncookie: {}\r\nconnection: close\r\n\
             content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
            self.server.root_url,
            cookies.join("; "),
            body.len()
        );
        let (status, answer) = self.server.raw(text.as_bytes());
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let mut location = String::new();
        for line in head.lines() {
            let Some((name, value)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("location") {
                location = value.to_owned();
            } else if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page { status, location, body: body.to_owned() }
    }
}

/// Sets a field of a form.
pub fn put(form: &mut Vec<(String, String)>, name: &str, value: &str) {
    form.retain(|(known, _)| known != name);
    form.push((name.to_owned(), value.to_owned()));
}

/// The fields that a browser would send with the form of this action.
pub fn fields(html: &str, action: &str) -> Vec<(String, String)> {
    let at = html.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no form {action} in {html}"));
    let form = &html[at..];
    let form = &form[..form.find("</form>").unwrap()];
    let inputs = form.split("<input").skip(1).map(|rest| &rest[..rest.find('>').unwrap()]);
    let sent =
        inputs.filter(|input| !matches!(attribute(input, "type").as_deref(), Some("checkbox" | "radio")) || input.ends_with(" checked"));
    sent.filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))).collect()
}

fn attribute(input: &str, name: &str) -> Option<String> {
    let (_, rest) = input.split_once(&format!(" {name}=\""))?;
    let text = rest.split('"').next()?;
    Some(["&#38;|&", "&amp;|&", "&#34;|\"", "&quot;|\"", "&#39;|'", "&#60;|<", "&#62;|>"].iter().fold(text.to_owned(), |text, pair| {
        let (code, character) = pair.split_once('|').unwrap();
        text.replace(code, character)
    }))
}
