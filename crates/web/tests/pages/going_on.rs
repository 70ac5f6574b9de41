//! After a form that signs somebody in, on the way to another site. Browsers hold redirects after a form to the policy of its page, which lets nobody go elsewhere: so
//! no chain of redirects may lead from such a form to an application or a provider.

use crate::site::applications::{CALLBACK, Fields, authorization_fields, authorize, parameter};
use crate::site::provider::{FakeProvider, configured, found};
use crate::site::{Browser, PASSWORD, Page, Site, site, site_with, with};
use falconer_web::RequestLimits;
use http::StatusCode;

/// Of an application of which nobody is asked.
fn request(more: &[(&str, &str)]) -> Fields {
    with(with(authorization_fields(), &[("client_id", "ours"), ("scope", "openid profile notes:read:*")]), more)
}

/// The form's answer stays here, and what it leads on to ends at the application.
async fn ends_at_the_application(browser: &mut Browser<'_>, posted: &Page) {
    assert!(posted.header("content-security-policy").contains("form-action 'self';"), "{:?}", posted.headers);
    let next = posted.leads_on_to();
    assert!(next.starts_with("/login/oauth/authorize?"), "{next}");
    let answer = browser.get(&next).await;
    assert!(answer.location().starts_with(CALLBACK) && parameter(answer.location(), "code").is_some(), "{}", answer.text);
}

/// The page at which somebody signs in who came with this request.
async fn sent_to_sign_in(browser: &mut Browser<'_>) -> Page {
    let sent = browser.get(&authorize(&request(&[]))).await;
    let place = sent.location().to_owned();
    assert!(place.starts_with("/login?next="), "{place}");
    browser.get(&place).await
}

async fn recovery_code(site: &Site) -> String {
    let mut ann = site.ann().await;
    let form = ann.get("/me/passkeys").await.form("/me/recovery-codes");
    let shown = ann.post("/me/recovery-codes", &form).await;
    shown.text.split("class=\"token\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

/// Story: Chromium stayed on the sign-in page. The person was signed in, the grant was made, and its code was lost.
#[tokio::test]
async fn signing_in_leads_to_an_application_of_which_nobody_is_asked() {
    let site = site().await;
    let code = recovery_code(&site).await;
    let mut browser = site.browser();
    let page = sent_to_sign_in(&mut browser).await;
    let posted = browser.post("/login", &with(page.form("/login"), &[("name", "ann"), ("password", PASSWORD)])).await;
    ends_at_the_application(&mut browser, &posted).await;

    let mut browser = site.browser();
    let page = sent_to_sign_in(&mut browser).await;
    let recovery = page.text.split("href=\"/login/recovery").nth(1).expect("a link to it").split('"').next().unwrap();
    let recovery = format!("/login/recovery{}", recovery.replace("&#38;", "&").replace("&amp;", "&"));
    let form = browser.get(&recovery).await.form("/login/recovery");
    let posted = browser.post("/login/recovery", &with(form, &[("name", "ann"), ("code", &code)])).await;
    ends_at_the_application(&mut browser, &posted).await;
}

#[tokio::test]
async fn a_directory_and_a_provider_lead_there_too() {
    let directory = FakeProvider::password(|name, _| Ok(found(name, None)));
    let away = FakeProvider::away(|code, _| Ok(found(code, None)));
    let providers =
        vec![configured("company", "Company", &["notes:read:*"], directory), configured("elsewhere", "Elsewhere", &["notes:read:*"], away)];
    let site = site_with("https://auth.example.com", RequestLimits::default(), providers).await;
    let next = url::form_urlencoded::byte_serialize(authorize(&request(&[])).as_bytes()).collect::<String>();
    let mut browser = site.browser();
    let form = browser.get(&format!("/login/company?next={next}")).await.form("/login/company");
    let posted = browser.post("/login/company", &with(form, &[("name", "zoe"), ("password", "right")])).await;
    ends_at_the_application(&mut browser, &posted).await;

    // The provider's own form is bound by the provider's policy.
    let mut browser = site.browser();
    let left = browser.get(&format!("/login/elsewhere?next={next}")).await;
    let state = parameter(left.location(), "state").unwrap();
    let back = browser.get(&format!("/login/elsewhere/callback?code=zoe&state={state}")).await;
    ends_at_the_application(&mut browser, &back).await;
}

#[tokio::test]
async fn signing_in_again_leads_there_too() {
    let site = site().await;
    let mut ann = site.ann().await;
    let again = ann.get(&authorize(&request(&[("max_age", "60"), ("scope", "openid")]))).await;
    assert!(again.location().starts_with(CALLBACK), "it is fresh: {}", again.location());
    site.clock.0.fetch_add(20 * 60_000, std::sync::atomic::Ordering::SeqCst);
    for button in ["password", "another tab"] {
        let again = ann.get(&authorize(&request(&[("max_age", "60")]))).await;
        let place = again.location().to_owned();
        assert!(place.starts_with("/me/again?anew=yes&next="), "{place}");
        let form = ann.get(&place).await.form("/me/again");
        let typed: &[(&str, &str)] = if button == "password" { &[("password", PASSWORD)] } else { &[("continue", "yes")] };
        if button != "password" {
            // Done meanwhile.
            let own = ann.get("/me/again?anew=yes&next=/").await.form("/me/again");
            let done = ann.post("/me/again", &with(own, &[("password", PASSWORD)])).await;
            assert_eq!(done.location(), "/", "what stays here needs no page in between");
        }
        let posted = ann.post("/me/again", &with(form, typed)).await;
        ends_at_the_application(&mut ann, &posted).await;
        site.clock.0.fetch_add(20 * 60_000, std::sync::atomic::Ordering::SeqCst);
    }
}

/// The switch to another account on the grant page.
#[tokio::test]
async fn signing_out_leads_back_to_the_request() {
    let site = site().await;
    let mut ann = site.ann().await;
    let page = ann.get(&authorize(&with(request(&[]), &[("client_id", "remembered")]))).await;
    let out = ann.post("/logout", &page.form("/logout")).await;
    assert!(!ann.is_signed_in());
    let next = out.leads_on_to();
    assert!(next.starts_with("/login/oauth/authorize?"), "{next}");
    assert_eq!(ann.get(&next).await.status, StatusCode::SEE_OTHER);
}
