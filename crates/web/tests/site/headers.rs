//! The row of the header table that pages have.

use super::Page;

pub const PAGE_CSP: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What a policy names the script of a page by.
pub fn script_of(page: &Page) -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let script = page.text.split("<script>").nth(1).unwrap().split("</script>").next().unwrap();
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(script.as_bytes())))
}

/// `scripts`: whether the page may run scripts in files of ours, which are those that ask for a passkey.
pub fn assert_headers(page: &Page, form_action: &str, scripts: bool) {
    let mut csp = PAGE_CSP.replace("form-action 'self'", &format!("form-action {form_action}"));
    if form_action != "'self'" {
        // The script that tells how long the page was visible, and no other.
        csp = csp.replace("style-src", &format!("script-src {}; style-src", script_of(page)));
    }
    if scripts {
        csp = csp.replace("style-src", "script-src 'self'; style-src");
    }
    for (name, value) in [
        ("content-security-policy", csp.as_str()),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-content-type-options", "nosniff"),
        ("strict-transport-security", "max-age=63072000"),
    ] {
        assert_eq!(page.header(name), value, "{name}");
    }
    assert!(page.headers.get_all("content-security-policy").iter().count() == 1);
}

pub fn assert_page_headers(page: &Page, form_action: &str) {
    assert_headers(page, form_action, false);
}
