//! The page that a form was sent from: where somebody goes who has to sign in before it counts.

use http::header::REFERER;
use http::request::Parts;

use crate::PublicOrigin;

/// Pages with forms, beside those below `/auth/`. Whatever else a form is sent to is no page that can be gone to.
const PAGES: [&str; 8] = ["/", "/device", "/me/grants", "/me/grants/request", "/me/link", "/me/passkeys", "/me/password", "/me/unlink"];
/// What the query of a page has, and its form has again.
const NAMED: [&str; 3] = ["id", "identity", "action"];

/// Where a form came from, as far as its head says.
pub(crate) struct FormPage {
    /// By the `Referer`, which our own pages send: a path of ours with its query.
    shown_at: Option<String>,
    /// The path that the form was sent to.
    path: String,
}

impl FormPage {
    pub(crate) fn read(parts: &Parts, origin: &PublicOrigin) -> FormPage {
        let referer = parts.headers.get(REFERER).and_then(|value| value.to_str().ok());
        let shown_at = referer.and_then(|referer| referer.strip_prefix(origin.as_str())).filter(|path| path.starts_with('/'));
        FormPage { shown_at: shown_at.map(str::to_owned), path: parts.uri.path().to_owned() }
    }

    /// A path of ours with its query; `/` where nothing is known. `field` reads the form: one that was shown once more has its query in it.
    pub(crate) fn of<'f>(&self, field: impl Fn(&str) -> &'f str) -> String {
        let shown_at = self.shown_at.as_deref().unwrap_or(&self.path);
        let (path, query) = shown_at.split_once('?').unwrap_or((shown_at, ""));
        if !path.starts_with("/auth/") && !PAGES.contains(&path) {
            return "/".to_owned();
        }
        // What was done before is not said once more.
        let shown = query.split('&').filter(|pair| !pair.starts_with("done=")).collect::<Vec<_>>().join("&");
        let named = NAMED.map(|name| (name, field(name))).into_iter().filter(|(_, value)| !value.is_empty() && query.is_empty());
        let named = named.filter(|_| path == self.path);
        let query = url::form_urlencoded::Serializer::new(shown).extend_pairs(named).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn the_page_of_a_form_is_known() {
        let origin = PublicOrigin::parse("https://auth.example.com").unwrap();
        for (path, referer, page) in [
            ("/auth/roles/edit", "https://auth.example.com/auth/roles/add", "/auth/roles/add"),
            ("/auth/roles/edit", "https://auth.example.com/auth/roles/edit?id=a%2Fb", "/auth/roles/edit?id=a%2Fb"),
            ("/auth/roles/edit", "https://auth.example.com/auth/roles/edit", "/auth/roles/edit?id=x%2Fy"),
            ("/auth/roles/edit", "", "/auth/roles/edit?id=x%2Fy"),
            ("/me/password", "", "/me/password?id=x%2Fy"),
            ("/me/grants/revoke", "https://auth.example.com/me/grants?from=g2", "/me/grants?from=g2"),
            ("/auth/roles/edit", "https://auth.example.com/auth/roles?id=a&done=saved", "/auth/roles?id=a"),
            // What is no page can't be gone to, and what is not ours is not believed.
            ("/me/grants/revoke", "", "/"),
            ("/me/passkeys/remove", "https://auth.example.com/me/passkeys/rename", "/"),
            ("/me/grants/revoke", "https://auth.example.com.evil.example/auth/x", "/"),
            ("/me/grants/revoke", "https://auth.example.com@evil.example/auth/x", "/"),
            ("/me/revoke", "https://auth.example.com/", "/"),
        ] {
            let mut request = Request::post(path);
            if !referer.is_empty() {
                request = request.header(REFERER, referer);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            let field = |name: &str| if name == "id" { "x/y" } else { "" };
            assert_eq!(FormPage::read(&parts, &origin).of(field), page, "{path} {referer}");
        }
    }
}
