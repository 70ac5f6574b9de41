//! The pages of the gateway: one plain style, nothing from elsewhere, nothing that runs.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};

/// In each page. It changes nothing but how the page looks, in light and dark, and the policy names it by its hash.
const STYLE: &str = ":root{color-scheme:light dark;--paper:#f6f4ef;--card:#fff;--ink:#1d1b18;--soft:#5f5a51;--line:#e6e1d7;--accent:#7a3b12;--on-accent:#fff}\
    @media (prefers-color-scheme:dark){:root{--paper:#151411;--card:#1e1c19;--ink:#ece8e0;--soft:#a9a296;--line:#35312b;--accent:#e9ab79;--on-accent:#241404}}\
    body{margin:0;padding:0 1rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}\
    main{box-sizing:border-box;max-width:34rem;margin:12vh auto 2rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:10px;overflow-wrap:anywhere}\
    h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.3}\
    p{margin:0 0 1rem}\
    a{color:var(--accent)}\
    button{padding:.5rem 1rem;border:0;border-radius:10px;background:var(--accent);color:var(--on-accent);font:inherit;cursor:pointer}\
    :focus-visible{outline:3px solid var(--accent);outline-offset:2px}\
    small{color:var(--soft);font-size:.875rem}";

static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()).as_slice());
    let policy = format!("default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
    HeaderValue::try_from(policy).ok()
});

/// A small page for people. All texts are plain: what means something in HTML is escaped here.
#[derive(Debug, Default)]
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) text: &'a str,
    /// Where somebody may go on: address and words.
    pub(crate) link: Option<(&'a str, &'a str)>,
    /// Whether there is a button to sign out: for those who are signed in.
    pub(crate) sign_out: bool,
    /// What somebody who asks for help passes on: the reason, and the id in the log.
    pub(crate) report: Option<(&'a str, &'a str)>,
}

impl Page<'_> {
    pub(crate) fn html(&self) -> String {
        let title = escaped(self.title);
        let link = self.link.map_or_else(String::new, |(to, words)| format!("<p><a href=\"{}\">{}</a></p>", escaped(to), escaped(words)));
        let button =
            if self.sign_out { "<form method=\"post\" action=\"/.falconer/sign-out\"><button>Sign out</button></form>" } else { "" };
        let report = self.report.map_or_else(String::new, |(reason, id)| {
            format!("<p><small>Reason: <code>{}</code>, id: <code>{}</code></small></p>", escaped(reason), escaped(id))
        });
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style></head><body><main><h1>{title}</h1><p>{}</p>{link}{button}{report}</main></body></html>",
            with_names(self.text)
        )
    }
}

/// What browsers are told of each page: its own style, forms to this host, nothing else.
pub(crate) fn policy() -> HeaderValue {
    POLICY.clone().unwrap_or_else(|| HeaderValue::from_static("default-src 'none'"))
}

/// Escaped, and what stands in backticks as a name: a page shows no marks.
fn with_names(text: &str) -> String {
    let text = escaped(text);
    let (mut shown, mut rest) = (String::new(), text.as_str());
    while let Some((before, name, after)) = first_name(rest) {
        shown.extend([before, "<code>", name, "</code>"]);
        rest = after;
    }
    shown + rest
}

/// What stands before the first name in backticks, the name, and what stands behind it.
fn first_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (name, after) = rest.split_once('`')?;
    Some((before, name, after))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_without_their_marks() {
        assert_eq!(with_names("The path has a `;` in it, and `<b>`."), "The path has a <code>;</code> in it, and <code>&lt;b&gt;</code>.");
        assert_eq!(with_names("a ` b"), "a ` b");
        assert_eq!(with_names("`a`"), "<code>a</code>");
    }

    #[test]
    fn nothing_that_is_passed_in_becomes_html() {
        const HOSTILE: &str = "\"><script>'&";
        let page =
            Page { title: HOSTILE, text: HOSTILE, link: Some((HOSTILE, HOSTILE)), sign_out: true, report: Some((HOSTILE, HOSTILE)) }.html();
        assert_eq!(page.matches("&quot;&gt;&lt;script&gt;&#39;&amp;").count(), 7, "{page}");
        assert!(!page.contains("<script"), "{page}");
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        let hash = STANDARD.encode(Sha256::digest(style.as_bytes()).as_slice());
        assert!(policy().to_str().unwrap().contains(&format!("style-src 'sha256-{hash}'")));
        // Nothing is fetched, and nothing has to be.
        assert!(!page.contains("src=") && !page.contains("url(") && page.contains("<html lang=\"en\">"));
    }
}
