//! Whatever strangers send: nothing panics, and what is accepted keeps its promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use falconer_grants::request::{self, LONGEST_DESCRIPTION, MOST_SCOPES};
use falconer_grants::{Credentials, ResponseMode, ScopeWords, Target};
use falconer_login::identity;
use proptest::prelude::*;

const CREDENTIALS: Credentials<'_> = Credentials { client_id: "local/ann/h/x", access_token: "token", certificate: "{}" };

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn targets(text in "(https?://)?[a-z0-9.:@%/\\\\?#&=\\[\\]é\u{0}-\u{20}+~;,-]{0,40}") {
        if let Ok(target) = Target::parse(&text) {
            for mode in [ResponseMode::Query, ResponseMode::Fragment] {
                let delivered = url::Url::parse(&target.deliver(mode, &CREDENTIALS)).unwrap();
                prop_assert_eq!(delivered.origin().ascii_serialization(), target.origin());
            }
            prop_assert_eq!(Target::parse(target.href()), Ok(target));
        }
    }

    #[test]
    fn any_text_as_a_target(text in any::<String>()) {
        let _ = Target::parse(&text);
        let _ = Target::parse(&format!("https://{text}"));
        let _ = Target::parse(&format!("https://h.example/{text}"));
    }

    #[test]
    fn queries(query in "(target=https://h.example/[a-z]?&description=|)([a-z_%+=&0-9é:/*]{0,20}(&scope=|&identity=true|&expires=|&audience=|&x)?){0,4}") {
        if let Ok(Some(request)) = request::parse(&query, 1_767_225_600_000) {
            prop_assert!(request.description.len() <= LONGEST_DESCRIPTION);
            prop_assert!(request.scopes.len() <= MOST_SCOPES);
            prop_assert!(request.identity || request.audience.is_empty());
            let reparsed = request::parse(request.canonical_query(), 1_767_225_600_000);
            prop_assert_eq!(reparsed, Ok(Some(request)));
        }
    }

    #[test]
    fn any_text_as_a_query(query in any::<String>(), now_ms in any::<i64>()) {
        let _ = request::parse(&query, now_ms);
        let _ = request::parse(&format!("target=https://h.example&description=&{query}"), now_ms);
        let _ = request::parse(&format!("target=https://h.example&description=&expires={query}"), now_ms);
    }

    #[test]
    fn any_text_in_a_client_id(text in any::<String>()) {
        let encoded = identity::encode(&text);
        prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"!@:.+|_-".contains(&b)));
        if text.is_ascii() {
            prop_assert_eq!(identity::decode(&encoded), Ok(text.clone()));
        }
        let _ = identity::decode(&text);
        if let Some(owner) = identity::of_client_id(&text) {
            prop_assert!(text.starts_with(owner) && owner.matches('/').count() == 1);
        }
    }

    #[test]
    fn any_scope_in_words(scope in "[ -~]{0,40}") {
        let _ = ScopeWords::default().describe(&scope);
    }
}
