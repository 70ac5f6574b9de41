//! Where a link to this server leads somebody who has not signed in (RFC 9700 section 4.11.2).

use super::*;
use crate::site::applications::{CALLBACK, LOGOUT_DECISION};
use crate::site::encode;

const BY_ADMIN: &str = "page";

/// Story: whoever registered could send people from this host to any other one, without a page, and before anybody had signed in.
#[tokio::test]
async fn nobody_is_sent_on_by_what_nobody_has_checked_before_they_sign_in() {
    let site = site().await;
    configure(&site, Registration::Open);
    let one = registered(&site.register(None, &metadata()).await);
    for (id, back, is_trusted) in [(BY_ADMIN, CALLBACK, true), (one.id.as_str(), BACK, false)] {
        let asked = with(authorization_fields(), &[("client_id", id), ("redirect_uri", back), ("response_type", "bogus")]);
        let out = crate::site::applications::fields(&[("client_id", id), ("post_logout_redirect_uri", back)]);
        let out = format!("/login/oauth/logout?{}", encode(&out));
        for (path, status) in [(authorize(&asked), StatusCode::BAD_REQUEST), (out.clone(), StatusCode::OK)] {
            let page = site.browser().get(&path).await;
            if is_trusted {
                assert!(page.location().starts_with(back), "{path}: {}", page.location());
                continue;
            }
            assert_eq!((page.status, page.header("location")), (status, ""), "{path}");
            assert!(
                page.text.contains("Go on to agent.example.com") && page.text.contains("nobody of this server has checked it"),
                "{}",
                page.text
            );
            assert!(page.text.contains(&format!("href=\"{back}")), "{}", page.text);
        }
        // By a form the browser comes here first.
        let posted = site.browser().send(Method::POST, "/login/oauth/authorize", &[], Some(encode(&asked))).await;
        let leads = if is_trusted { back.to_owned() } else { authorize(&asked) };
        assert!(posted.location().starts_with(&leads), "{}", posted.location());
        // Whoever may not be shown anything is told so, and who has signed in goes on.
        let asked_silently = with(asked.clone(), &[("response_type", "code"), ("scope", "openid"), ("prompt", "none")]);
        if !is_trusted {
            let location = site.browser().get(&authorize(&asked_silently)).await.location().to_owned();
            assert!(location.starts_with(&format!("{back}?error=login_required")), "{location}");
        }
        let mut ann = site.ann().await;
        assert!(ann.get(&authorize(&asked)).await.location().starts_with(&format!("{back}?error=unsupported_response_type")));
        let page = ann.get(&out).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        // What it calls itself stands in quotation marks.
        let named = if is_trusted { "<b>The &#60;page&#62; application</b>" } else { "calls itself <q>The &#60;helpful&#62; agent</q>" };
        assert!(page.text.contains(named) && is_trusted != page.text.contains("nobody of this server has checked"), "{}", page.text);
        assert!(ann.post(LOGOUT_DECISION, &page.form(LOGOUT_DECISION)).await.location().starts_with(back));
    }
}
