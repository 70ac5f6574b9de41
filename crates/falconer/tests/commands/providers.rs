//! Identity providers as an operator meets them on the command line.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use crate::support::falconer;
use crate::support::patience::output_of;
use crate::support::ports::HeldPort;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../../../docs/providers.md");

/// The examples of the page, with a secret that can be read.
fn examples(folder: &Path) -> Vec<(String, String)> {
    let secret = folder.join("secret");
    std::fs::write(&secret, "not-so-secret\n").unwrap();
    let blocks = PAGE.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let examples = blocks.map(|block| {
        let line = |line: &str| match line.split_once(" = ") {
            Some((file @ ("client_secret_file" | "api_key_file" | "bind_password_file" | "password_file"), _)) => {
                format!("{file} = {secret:?}")
            }
            _ => line.to_owned(),
        };
        let name = block.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"').to_owned();
        (name, block.lines().map(line).collect::<Vec<_>>().join("\n"))
    });
    examples.collect()
}

fn map(folder: &Path, name: &str, config: &str, claims: &Value) -> Result<Value, String> {
    let (file, claims_file) = (folder.join("falconer.toml"), folder.join("claims.json"));
    std::fs::write(&file, config).unwrap();
    std::fs::write(&claims_file, claims.to_string()).unwrap();
    let output = output_of(falconer().args(["provider", "map", name, "--json", "--claims"]).arg(&claims_file).arg("--config").arg(&file));
    match output.status.success() {
        true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn the_examples_of_the_page_give_what_they_say() {
    let folder = tempfile::tempdir().unwrap();
    let claims = json!({
        "sub": "abc|1", "name": "You", "email": "you@example.com", "email_verified": true,
        "groups": ["engineering", "22222222-2222-2222-2222-222222222222"],
        "https://example.com/claims/groups": ["engineering"],
        "oid": "00000000-0000-0000-66f3-3332eca7ea81",
        "https://sso.mozilla.com/claim/groups": ["team_moco", "mozilliansorg_vip"],
        "realm_access": {"roles": ["falconer-red", "offline_access"]},
    });
    let github = json!({
        "user": {"id": 583_231, "login": "octocat", "type": "User"},
        "emails": [{"email": "you@example.com", "primary": true, "verified": true}],
        "orgs": [{"id": 131_524, "login": "mozilla"}, {"id": 5, "login": "platform"}, {"id": 666, "login": "evil"}],
        "teams": [
            {"slug": "releng", "organization": {"id": 131_524, "login": "mozilla"}},
            {"slug": "web", "organization": {"id": 5, "login": "platform"}},
            {"slug": "releng", "organization": {"id": 666, "login": "evil"}},
        ],
    });
    let ldap = json!({
        "entryUUID": "1c0e2a52-0000-1000-8000-000000000001", "uid": "you", "cn": ["You"], "mail": "you@example.com",
        "groups": ["engineering", "mozilliansorg_vip"],
    });
    let mozillian = json!({
        "username": "you", "is_vouched": true,
        "groups": {"value": [{"name": "vip"}, {"name": "release-1"}, {"name": "knitting"}], "privacy": "Public"},
    });
    let entra = "assume:company-group:22222222-2222-2222-2222-222222222222";
    let expected = json!({
        "company": ["assume:company-user:you@example.com", "assume:company-group:engineering"],
        "auth0": ["assume:company-user:you@example.com", "assume:company-group:engineering"],
        "mozilla-auth0": ["assume:mozilla-user:you@example.com", "assume:mozilla-group:team_moco", "assume:mozillians-group:vip"],
        "okta": ["assume:company-user:you@example.com", entra, "assume:company-group:engineering"],
        "entra": [entra],
        "google": ["assume:google-user:you@example.com"],
        "keycloak": ["assume:company-group:red"],
        "keycloak-groups": ["assume:company-user:you@example.com", "assume:company-group:engineering"],
        "github": ["assume:github-person:583231", "assume:github-org:mozilla", "assume:github-team:mozilla/releng", "assume:mozilla-user:you@example.com"],
        "git": ["assume:company-team:platform/web"],
        "mozillians": ["assume:mozillians-user:you", "assume:mozillians-group:release-1", "assume:mozillians-group:vip"],
        "directory": ["assume:company-user:you@example.com", "assume:company-group:engineering"],
        "mail": ["assume:company-user:you@example.com"],
        "ldap": ["assume:company-user:you@example.com", "assume:company-group:engineering", "assume:company-group:mozilliansorg_vip"],
        "mozilla-ldap": ["assume:mozilla-user:you@example.com", "assume:mozilla-group:engineering", "assume:mozillians-group:vip"],
    });
    let examples = examples(folder.path());
    assert_eq!(examples.len(), expected.as_object().unwrap().len());
    // As Mozilla had them: people sign in with the one, and the other one adds to that.
    let named = |wanted: &str| examples.iter().find(|(name, _)| name == wanted).map(|(_, config)| config.as_str()).unwrap();
    let file = folder.path().join("falconer.toml");
    std::fs::write(&file, [named("mozilla-ldap"), named("mozillians")].join("\n")).unwrap();
    let output = output_of(falconer().args(["config", "check", "--config"]).arg(&file).current_dir(folder.path()));
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("mozilla-ldap (ldap)") && printed.contains("mozillians (http_directory)"),
        "{output:?}"
    );
    for (name, config) in examples {
        let only_authorizes = config.contains("kind = \"http_directory\"");
        let (claims, subject) = match () {
            () if config.contains("kind = \"github\"") => (&github, "583231"),
            () if only_authorizes => (&mozillian, "you"),
            () if config.contains("kind = \"email_code\"") => (&claims, "you@example.com"),
            () if config.contains("subject_claim = \"oid\"") => (&claims, "00000000-0000-0000-66f3-3332eca7ea81"),
            () if config.contains("kind = \"ldap\"") => (&ldap, "1c0e2a52-0000-1000-8000-000000000001"),
            () => (&claims, "abc|1"),
        };
        let got = map(folder.path(), &name, &config, claims).unwrap();
        assert_eq!(got["identity"], format!("{name}/{subject}"));
        assert_eq!(got["onlyAuthorizes"], only_authorizes, "{name}");
        let scopes = got["scopes"].as_array().unwrap();
        let of_a_sign_in = [json!(format!("assume:login-identity:{name}/{subject}")), json!("assume:everybody")];
        let given = if only_authorizes { scopes } else { scopes.strip_prefix(&of_a_sign_in[..]).unwrap() };
        assert_eq!(json!(given), expected[&name], "{name}");
    }
}

/// A provider's people of before would have been others, or somebody else, without a word.
#[test]
fn another_subject_than_people_are_known_by_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("falconer.toml");
    let provider = "[[provider]]\nkind = 'oidc'\nname = 'entra'\nissuer = 'https://login.example.com'\nclient_id = 'x'\n";
    let check = |lines: &str| {
        std::fs::write(&file, format!("data_dir = {:?}\n{provider}{lines}", folder.path().join("data"))).unwrap();
        let output = output_of(falconer().args(["config", "check", "--config"]).arg(&file).current_dir(folder.path()));
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check("subject_claim = 'oid'\n"), (true, String::new()), "nothing is there yet");
    let init = output_of(falconer().args(["init", "--data-dir"]).arg(folder.path().join("data")).current_dir(folder.path()));
    assert!(init.status.success(), "{init:?}");
    assert!(check("subject_claim = 'oid'\n").0, "nobody has signed in yet");
    let sqlite = rusqlite::Connection::open(folder.path().join("data/falconer.sqlite")).unwrap();
    let sql = "INSERT INTO identities (identity, provider, subject, display_name, email_verified, groups, scopes, refreshed_ms, disabled)
               VALUES ('entra/you', 'entra', 'you', 'You', 0, '[]', '[]', 1, 0)";
    sqlite.execute(sql, []).unwrap();
    let (fine, said) = check("subject_claim = 'oid'\n");
    assert!(!fine && said.contains("provider entra: its people (1 identities) are known by `oidc sub`"), "{said}");
    assert!(said.contains("configured with `oidc oid`") && said.contains("give the provider another name"), "{said}");
    assert!(check("").0, "people of before are known by `sub`");
    sqlite.execute("INSERT INTO provider_subjects VALUES ('entra', 'oidc oid')", []).unwrap();
    assert!(check("subject_claim = 'oid'\n").0);
    assert!(!check("").0);
}

#[test]
fn what_would_give_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (name, config) = examples(folder.path()).remove(0);
    let got =
        map(folder.path(), &name, &config, &json!({"sub": "1", "groups": ["release-*", "release-é", "hr", "release-a"], "email": "a@b"}))
            .unwrap();
    assert_eq!(got["scopes"][2], "assume:company-group:release-a");
    assert_eq!(got["otherGroups"], json!(["hr"]));
    assert_eq!(got["email"], Value::Null);
    let refused = got["refused"].to_string();
    assert!(refused.contains("release-*") && refused.contains("ends in a star") && refused.contains("release-é"), "{refused}");
    let said = map(folder.path(), &name, &config, &json!({"sub": "1", "groups": "hr"})).unwrap_err();
    assert!(said.contains("nobody would be signed in") && said.contains("is not a list of texts"), "{said}");
    let said = map(folder.path(), "nobody", &config, &json!({"sub": "1"})).unwrap_err();
    assert!(said.contains("has no provider \"nobody\"; it has company"), "{said}");
    let said = map(folder.path(), &name, &config, &json!([])).unwrap_err();
    assert!(said.contains("is no JSON object"), "{said}");
    let twice = format!("{config}\n{config}");
    let said = map(folder.path(), &name, &twice, &json!({"sub": "1"})).unwrap_err();
    assert!(said.contains("two are named \"company\""), "{said}");
}

/// A provider of the test that answers every request with these bytes.
fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else { return };
            let mut request = [0; 2000];
            let _ = connection.read(&mut request);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

/// GitHub says of a client what is wrong with it, with status 200.
#[test]
fn a_github_is_tried_with_its_client() {
    let json = |body: &str| format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let check = |answer: &str| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        let url = answering(json(answer));
        let section = format!("[[provider]]\nkind = 'github'\nname = 'git'\nurl = '{url}'\nclient_id = 'x'\nclient_secret = 'canary'\n");
        std::fs::write(&file, format!("{section}organizations = ['mozilla:131524']\n")).unwrap();
        let output = output_of(falconer().args(["config", "check", "--providers", "--config"]).arg(&file).current_dir(folder.path()));
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = check(r#"{"error": "bad_verification_code"}"#);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("known, with this secret") && said.contains("mozilla (131524)") && said.contains("/login/git/callback"),
        "{said}"
    );
    for (answer, why) in [
        (r#"{"error": "incorrect_client_credentials"}"#, "look at client_id, client_secret"),
        (r#"{"error": "redirect_uri_mismatch"}"#, "the callback URL that is registered there"),
        (r#"{"access_token": "gho_x", "token_type": "bearer"}"#, "offers no token endpoint that looks at codes"),
        ("<html>", "can't be read"),
    ] {
        let (code, said) = check(answer);
        assert!(code == Some(1) && said.contains(why) && !said.contains("canary"), "{answer}: {said}");
    }
}

/// A directory is asked for somebody whom there is not.
#[test]
fn an_http_directory_is_tried_with_its_key() {
    let answer =
        |status: &str, body: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    for (answer, code, said) in [
        (answer("200 OK", r#"{"results": []}"#), 0, "as it should be"),
        (answer("200 OK", r#"{"results": [{"username": "x"}]}"#), 0, "whom there is not"),
        (answer("403 Forbidden", "{}"), 1, "answered with status 403"),
        (answer("200 OK", "[]"), 1, "has no list of profiles"),
        (answer("200 OK", "<html>"), 1, "can't be read"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        let url = answering(answer);
        let section = "kind = 'http_directory'\nname = 'people'\nprofiles_path = 'results'\nusername_path = 'username'\napi_key = 'canary'";
        std::fs::write(&file, format!("[[provider]]\n{section}\nurl = '{url}/?email={{email}}'\n")).unwrap();
        let output = output_of(falconer().args(["config", "check", "--providers", "--config"]).arg(&file).current_dir(folder.path()));
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.code() == Some(code) && stdout.contains(said), "{said}: {stdout}{stderr}");
        assert!(!format!("{stdout}{stderr}").contains("canary"));
        assert_eq!(stderr.contains("nothing would be added by people"), code == 1, "{stderr}");
    }
}

/// What is asked over the real HTTP: elsewhere, too much, a page, nobody, and inside of the network.
#[test]
fn each_provider_is_asked_and_says_what_is_wrong() {
    let page = |status: &str, headers: &str, body: &str| format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}\r\n{body}");
    let nobody = HeldPort::new();
    for (issuer, said) in [
        (answering(page("302 Found", "Location: http://127.0.0.1:1/\r\n", "")), "the answer is a redirect, which is not followed"),
        (answering(page("200 OK", "", &"x".repeat(300_000))), "the answer is too long"),
        (answering(page("200 OK", "", "<html>")), "the discovery document can't be read"),
        (answering(page("404 Not Found", "", "{}")), "answered with status 404"),
        (answering("nonsense\r\n\r\n".to_owned()), "it can't be reached"),
        (format!("http://{}", nobody.address()), "it can't be reached"),
        ("https://169.254.169.254".to_owned(), "has an address inside of this network"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("falconer.toml");
        std::fs::write(&file, format!("[[provider]]\nkind = 'oidc'\nname = 'company'\nissuer = '{issuer}'\nclient_id = 'x'\n")).unwrap();
        let checked =
            |more: &[&str]| output_of(falconer().args(["config", "check", "--config"]).arg(&file).args(more).current_dir(folder.path()));
        assert!(checked(&[]).status.success(), "nobody is asked without being told to");
        let output = checked(&["--providers"]);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{issuer}: {stdout}");
        assert!(stdout.contains("company\nfailed: ") && stdout.contains(said), "{issuer}: {stdout}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("nobody could sign in with company"));
    }
}
