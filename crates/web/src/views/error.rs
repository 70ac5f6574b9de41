//! An error, for people.

use askama::Template;

use super::Layout;
use crate::http::problem::Problem;

#[derive(Template)]
#[template(path = "error.html")]
pub(crate) struct ErrorPage {
    pub layout: Layout,
    pub problem: Problem,
    pub id: String,
}

impl ErrorPage {
    fn pieces(&self) -> Vec<(bool, &str)> {
        pieces(&self.problem.next)
    }
}

/// A text in pieces: names that it has in backticks are set apart.
pub(crate) fn pieces(text: &str) -> Vec<(bool, &str)> {
    if text.matches('`').count() % 2 == 1 {
        return vec![(false, text)];
    }
    text.split('`').enumerate().map(|(at, text)| (at % 2 == 1, text)).collect()
}

#[cfg(test)]
mod tests {
    use askama::Template;
    use http::StatusCode;

    use super::*;
    use crate::PublicOrigin;

    #[test]
    fn names_in_backticks_are_set_apart() {
        for (next, expected) in [
            ("`target` must be <https>.", "<p><code>target</code> must be &#60;https&#62;.</p>"),
            ("a ` alone", "<p>a ` alone</p>"),
            ("none", "<p>none</p>"),
        ] {
            let page = ErrorPage {
                layout: Layout::anonymous(&PublicOrigin::parse("https://auth.example.com").unwrap()),
                problem: Problem::new(StatusCode::BAD_REQUEST, "x", next),
                id: String::new(),
            };
            let html = page.render().unwrap();
            assert!(html.contains(expected), "{html}");
        }
    }
}
