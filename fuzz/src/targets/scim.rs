//! What the holder of a directory's token sends: whatever it is, the answer is one of SCIM's and bounded, what is refused changes nothing, and nothing of another directory
//! is told or touched.

use std::cell::RefCell;

use falconer_login::read_filter;
use http::Request;
use serde_json::{Value, json};

use super::{Outcome, magnitude, text};
use crate::site::{Answer, DIRECTORIES, HOST, Site};

/// Bytes of answer beside what was sent.
const LARGEST: usize = 64 * 1024;
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A directory with two users and a group, and another one with a user and a group.
struct Company {
    site: Site,
    /// Written so in inputs, and what that is.
    ids: Vec<(&'static str, String)>,
    /// All of both, as it was made.
    before: [String; 2],
}

thread_local! {
    static COMPANY: RefCell<Option<Company>> = const { RefCell::new(None) };
}

impl Company {
    fn new() -> Company {
        let mut company = Company { site: Site::new(), ids: Vec::new(), before: [String::new(), String::new()] };
        let user =
            |name: &str| json!({"schemas": [USER], "userName": name, "externalId": name, "emails": [{"value": name, "type": "work"}]});
        let group = |name: &str, member: &str| json!({"schemas": [GROUP], "displayName": name, "members": [{"value": member}]});
        let [own, another] = DIRECTORIES;
        let ann = company.create(own, "Users", &user("ann"));
        let bob = company.create(own, "Users", &user("bob"));
        let team = company.create(own, "Groups", &group("team", &ann));
        let foreign = company.create(another, "Users", &user("secret-canary"));
        let foreign_group = company.create(another, "Groups", &group("canary", &foreign));
        company.ids = vec![("{ann}", ann), ("{bob}", bob), ("{team}", team), ("{foreign}", foreign), ("{foreign-team}", foreign_group)];
        company.before = [company.all(own), company.all(another)];
        company
    }

    fn send(&self, token: &str, method: &str, path: &str, body: Vec<u8>) -> Option<Answer> {
        let request = Request::builder().method(method).uri(format!("/scim/v2/{path}")).header("host", HOST);
        let request = request.header("authorization", format!("Bearer {token}")).header("content-type", "application/scim+json");
        self.site.send(request, body)
    }

    fn create(&self, token: &str, path: &str, body: &Value) -> String {
        let answer = self.send(token, "POST", path, body.to_string().into_bytes());
        let document: Option<Value> = answer.and_then(|answer| serde_json::from_slice(&answer.body).ok());
        match document.as_ref().and_then(|document| document.get("id")).and_then(Value::as_str) {
            Some(id) => id.to_owned(),
            None => panic!("the directory of the target can't be made: {document:?}"),
        }
    }

    fn all(&self, token: &str) -> String {
        let list = |path| self.send(token, "GET", path, Vec::new()).map(|answer| text(&answer.body).into_owned());
        format!("{:?} {:?}", list("Users"), list("Groups"))
    }
}

/// A method and what follows `/scim/v2/` in the first line, the body in the rest: `PATCH Groups/{team}`.
pub(super) fn request(bytes: &[u8]) -> Outcome {
    let input = text(bytes);
    // A filter alone, too: most of a URL that is changed at random is no URL any more.
    if let Some(filter) = input.strip_prefix("? ") {
        return match read_filter(filter) {
            Ok(terms) => {
                assert!(!terms.is_empty() && terms.len() <= 8 && filter.len() <= 2000);
                for term in &terms {
                    assert!(filter.contains(&term.attribute) && !term.attribute.contains(char::is_whitespace));
                }
                format!("{} terms", terms.len())
            }
            Err(error) => format!("{error:?}").chars().take(30).collect(),
        };
    }
    COMPANY.with_borrow_mut(|slot| {
        let company = slot.get_or_insert_with(Company::new);
        let mut filled = input.into_owned();
        for (name, id) in &company.ids {
            filled = filled.replace(name, id);
        }
        let (head, body) = filled.split_once('\n').unwrap_or((&filled, ""));
        let (method, path) = head.split_once(' ').unwrap_or(("GET", head));
        let [own, another] = DIRECTORIES;
        let Some(answer) = company.send(own, method, path, body.as_bytes().to_vec()) else { return "no request".to_owned() };
        let body_text = text(&answer.body).into_owned();
        assert!(answer.status < 500, "{} {body_text}", answer.status);
        assert!(body_text.len() <= LARGEST + 4 * filled.len(), "{} bytes of answer for {} sent", body_text.len(), filled.len());
        assert!(!body_text.contains("canary") || filled.contains("canary"), "another directory's: {body_text}");
        assert_eq!(company.all(another), company.before[1], "another directory was changed");
        let mut kind = String::new();
        // An address that a browser sends nowhere leads out of here too.
        let is_scim = !path.contains("..") && method != "HEAD";
        if answer.status >= 400 && is_scim {
            let Ok(error) = serde_json::from_str::<Value>(&body_text) else { panic!("no JSON: {body_text}") };
            assert_eq!(error.get("status").and_then(Value::as_str), Some(answer.status.to_string().as_str()), "{body_text}");
            kind = error.get("scimType").and_then(Value::as_str).unwrap_or_default().to_owned();
        }
        let after = company.all(own);
        if after != company.before[0] {
            assert!(answer.status < 300 && method != "GET", "{method} changed something with {}: {body_text}", answer.status);
            if let Ok(Value::Object(changed)) = serde_json::from_str::<Value>(&body_text)
                && method != "POST"
                && changed.contains_key("userName")
            {
                let name = changed.get("externalId").and_then(Value::as_str).unwrap_or_default();
                assert!(["ann", "bob"].contains(&name), "people are known by it: {body_text}");
            }
            *slot = None;
        }
        format!("{method} {} {kind} {}", answer.status, magnitude(body_text.len()))
    })
}
