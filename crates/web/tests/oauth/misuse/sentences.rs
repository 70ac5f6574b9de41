//! What services say of scopes, and what they can't say (ADR 302): who may not publish, what can't be published, and sentences that would have people take something for less.

use falconer_auth::{ApiError, Authentication, Risk, ScopeSentence};
use http::StatusCode;

use crate::site::{encode, request_for, site};

const KNOWN: &str = "https://known.example/login";

/// What nobody can publish: what it is, the namespace, a template, and its sentence.
const REFUSED: [(&str, &str, &str, &str); 26] = [
    ("what Falconer's own scopes mean", "auth", "auth:create-client:<id>", "Look at clients"),
    ("the same in capitals", "AUTH", "AUTH:create-client:<id>", "Look at clients"),
    ("what a role means", "assume", "assume:<role>", "Be greeted"),
    ("something in the name of Falconer", "falconer", "falconer:x", "Checked by Falconer"),
    ("the same in other letters", "FalConer", "FalConer:x", "Checked by Falconer"),
    ("no namespace", "", ":x", "X"),
    ("a star for a namespace", "*", "*:x", "X"),
    ("a namespace with a colon", "notes:read", "notes:read:x", "X"),
    ("a namespace with a letter that looks like another", "n\u{43e}tes", "n\u{43e}tes:x", "X"),
    ("a namespace of 41 letters", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn:x", "X"),
    ("a scope of another service", "notes", "queue:create-task:<x>", "Look at tasks"),
    ("a scope of one whose name begins alike", "notes", "notes-admin:<x>", "Look at notes"),
    ("a scope without a colon", "notes", "notes", "Look at notes"),
    ("a template with a star", "notes", "notes:*", "Look at one note"),
    ("a template in other letters", "notes", "notes:r\u{e9}ad", "Look"),
    ("a parameter that is not closed", "notes", "notes:<x", "Look"),
    ("two parameters with nothing between", "notes", "notes:<a><b>", "Look"),
    ("a parameter that the template has not", "notes", "notes:<a>", "Look at <b>"),
    ("nothing for a sentence", "notes", "notes:x", " "),
    ("markup", "notes", "notes:x", "Look<br>at it"),
    ("a script", "notes", "notes:x", "<script>alert(1)</script>"),
    ("two lines", "notes", "notes:x", "Look\nat it"),
    ("a mark that turns what follows", "notes", "notes:x", "Look \u{202e}ti ta"),
    ("a mark that isolates what follows", "notes", "notes:x", "Look \u{2067}at it"),
    ("a letter that nobody sees", "notes", "notes:x", "Lo\u{200b}ok"),
    ("one parameter eleven times", "notes", "notes:<x>", "<x> <x> <x> <x> <x> <x> <x> <x> <x> <x> <x>"),
];

/// Who may not say what the scopes of `notes` mean, and take nothing back of it: what they have.
const WHO: [(&str, &[&str]); 8] = [
    ("somebody with nothing", &[]),
    ("somebody with all scopes of the service", &["notes:*"]),
    ("somebody who may read what is published", &["auth:list-scope-registries"]),
    ("another service", &["auth:publish-scopes:queue"]),
    ("a service whose name is longer", &["auth:publish-scopes:notes-admin", "auth:publish-scopes:notes-*"]),
    ("a service whose name is shorter", &["auth:publish-scopes:note"]),
    ("a service of the same name in capitals", &["auth:publish-scopes:Notes"]),
    ("whoever may do all with clients and roles", &["auth:create-client:*", "auth:update-role:*", "auth:get-client:*"]),
];

/// Sentences that would have somebody take a scope for less: what is tried, the template and its sentence, the scope, and what the page says of it all the same.
const MISLEADING: [(&str, &str, &str, &str, &str); 9] = [
    ("a star that the sentence does not name", "notes:read:<book>", "Read a book", "notes:read:*", "Read a book: anything"),
    (
        "the same with a beginning",
        "notes:read:<book>",
        "Read a book",
        "notes:read:zap/*",
        "Read a book: <b class=\"host\">zap/</b> and whatever follows",
    ),
    ("one thing for all of the service", "notes:<x>", "Look at one note", "notes:*", "Look at one note: anything"),
    ("a sentence about less than the star covers", "notes:read:<book>", "Read a book", "notes:rea*", "Everything that begins with"),
    ("a sentence for a scope of another service", "notes:<x>", "Harmless", "queue:burn:zap", "Burn <b class=\"host\">zap</b>"),
    ("one for a service whose name begins alike", "notes:<x>", "Harmless", "notes-admin:burn:zap", "Burn <b class=\"host\">zap</b>"),
    ("one for a service in capitals", "notes:<x>", "Harmless", "Notes:burn:zap", "Burn <b class=\"host\">zap</b>"),
    ("one for a scope over many services", "notes:<x>", "Harmless", "no*", "Everything that begins with"),
    (
        "a sentence that would be markup if it were read twice",
        "notes:<x>",
        "&lt;b&gt; <x>",
        "notes:zap",
        "&#38;lt;b&#38;gt; <b class=\"host\">zap</b>",
    ),
];

/// All of them: where it is decided, what is tried, and what comes of it.
pub fn rows() -> Vec<(String, String, String)> {
    let row = |what: String, comes: String| ("ADR 302".to_owned(), what, comes);
    let refused = REFUSED.iter().map(|(what, ..)| row(format!("published: {what}"), "400, and nothing is changed".to_owned()));
    let who = WHO.iter().map(|(what, _)| row(format!("published or deleted by {what}"), "403, and nothing is changed".to_owned()));
    let misleading = MISLEADING.iter().map(|(what, .., scope, says)| {
        let says = says.replace("<b class=\"host\">", "").replace("</b>", "").replace("&#38;", "&");
        row(format!("read on a page: {what}"), format!("`{says}`, above `{scope}`"))
    });
    refused.chain(who).chain(misleading).collect()
}

fn sentence(template: &str, sentence: &str, risk: Risk) -> ScopeSentence {
    ScopeSentence { template: template.to_owned(), sentence: sentence.to_owned(), risk }
}

#[tokio::test]
async fn no_service_says_what_can_not_be_said() {
    let site = site().await;
    site.somebody("publisher", &["auth:*"]).await;
    let who = Authentication::person("local/publisher");
    for (what, namespace, template, text) in REFUSED {
        for risk in [Risk::Ordinary, Risk::High] {
            let refused = site.web.grants.put_scope_registry(&who, namespace, &[sentence(template, text, risk)]).await.unwrap_err();
            assert!(matches!(refused, ApiError::InputError(_)), "{what}: {refused}");
        }
    }
    assert_eq!(site.auth.directory().scope_registries().iter().count(), 0);
}

#[tokio::test]
async fn nobody_says_what_scopes_of_others_mean() {
    let site = site().await;
    site.somebody("publisher", &["auth:publish-scopes:notes"]).await;
    let publisher = Authentication::person("local/publisher");
    let said = [sentence("notes:burn:<x>", "Burn <x>", Risk::High)];
    site.web.grants.put_scope_registry(&publisher, "notes", &said).await.unwrap();
    for (at, (what, scopes)) in WHO.into_iter().enumerate() {
        let name = format!("other-{at}");
        site.somebody(&name, scopes).await;
        let who = Authentication::person(&format!("local/{name}"));
        let put = site.web.grants.put_scope_registry(&who, "notes", &[sentence("notes:burn:<x>", "Look at <x>", Risk::Ordinary)]).await;
        let deleted = site.web.grants.delete_scope_registry(&who, "notes", None).await;
        for refused in [put.map(drop).unwrap_err(), deleted.map(drop).unwrap_err()] {
            assert!(matches!(refused, ApiError::InsufficientScopes { .. }), "{what}: {refused}");
        }
    }
    assert_eq!(site.auth.directory().scope_registries().get("notes").unwrap().scopes, said);
}

#[tokio::test]
async fn no_sentence_has_a_scope_taken_for_less() {
    let site = site().await;
    site.somebody("publisher", &["auth:publish-scopes:notes"]).await;
    let mut reader = site.somebody("reader", &["no*", "Notes:*", "queue:*"]).await;
    for (what, template, text, scope, says) in MISLEADING {
        site.web
            .grants
            .put_scope_registry(&Authentication::person("local/publisher"), "notes", &[sentence(template, text, Risk::Ordinary)])
            .await
            .unwrap();
        let page = reader.get(&request_for(KNOWN, &format!("&{}", encode(&[("scope".to_owned(), scope.to_owned())])))).await;
        assert_eq!(page.status, StatusCode::OK, "{what}: {}", page.text);
        let (above, below) = page.text.split_once(&format!("<code>{scope}</code>")).unwrap_or_else(|| panic!("{what}: {}", page.text));
        let line = above.rsplit("<input").next().unwrap();
        assert!(line.contains(says), "{what}: {line}");
        assert!(says.contains(text.split(' ').next().unwrap()) || !(line.contains(text) || below.contains(text)), "{what}: {line}");
    }
}
