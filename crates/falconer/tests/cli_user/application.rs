//! `falconer application`: the commands of docs/oauth.md, and what a server makes of them at once.

use crate::support::http;
use crate::support::world::world;

#[tokio::test]
async fn applications_live_and_end() {
    let world = world();
    let shell = world.as_root();
    let create = ["application", "create", "reports", "--name", "Reports", "--redirect-uri", "https://reports.example.com/oauth/callback"];
    let created = shell.run(&[&create[..], &["--scope", "notes:read:*", "--confidential", "--json"]].concat()).json();
    let secret = created["secret"].as_str().unwrap();
    assert_eq!((&created["kind"], &created["maxLifeSeconds"]), (&"confidential".into(), &604_800.into()));
    shell.run(&[&create[..], &["--scope", "notes:read:*"]].concat()).refused(1, "falconer application update");
    // The page knows it, without a restart: whoever is not signed in is asked to sign in first.
    let url = |redirect_uri: &str| {
        let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        let request_query = format!(
            "response_type=code&client_id=reports&redirect_uri={redirect_uri}&code_challenge={challenge}&code_challenge_method=S256"
        );
        format!("{}/login/oauth/authorize?{request_query}", world.server.root_url)
    };
    let known = http().get(url("https%3A%2F%2Freports.example.com%2Foauth%2Fcallback")).send().await.unwrap();
    assert!(known.status().is_success() && known.url().path() == "/login", "{} {}", known.status(), known.url());
    assert_eq!(http().get(url("https%3A%2F%2Felsewhere.example.com%2F")).send().await.unwrap().status(), 400);
    let revoke = async |secret: &str| {
        let body = format!("client_id=reports&client_secret={secret}&token=none");
        let request = http().post(format!("{}/login/oauth/revoke", world.server.root_url)).body(body);
        request.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap().status().as_u16()
    };
    assert_eq!((revoke(secret).await, revoke("guessed").await), (200, 401));

    let changed = shell.run(&["application", "update", "reports", "--name", "All reports", "--max-life", "1 day", "--json"]).json();
    assert_eq!(
        (&changed["name"], &changed["maxLifeSeconds"], &changed["scopes"]),
        (&"All reports".into(), &86_400.into(), &created["scopes"])
    );
    assert!(changed.get("secret").is_none(), "it is shown once");
    let signed = shell.run(&["application", "update", "reports", "--pushed-only", "--id-token-alg", "EdDSA", "--json"]).json();
    assert_eq!((&signed["pushedOnly"], &signed["idTokenAlg"], &signed["name"]), (&true.into(), &"EdDSA".into(), &"All reports".into()));
    let told =
        shell.run(&["application", "update", "reports", "--backchannel-logout-uri", "https://reports.example.com/out", "--json"]).json();
    assert_eq!((&told["backchannelLogoutUri"], &told["pushedOnly"]), (&"https://reports.example.com/out".into(), &true.into()));
    let reset = shell.run(&["application", "reset-secret", "reports", "--overlap", "0 seconds", "--json"]).json();
    assert_eq!((revoke(secret).await, revoke(reset["secret"].as_str().unwrap()).await), (401, 200));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(
        &file,
        r#"{"keys": [{"kid": "a", "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#,
    )
    .unwrap();
    let keyed = shell.run(&["application", "update", "reports", "--jwks", file.to_str().unwrap(), "--agent", "--json"]).json();
    assert_eq!((&keyed["jwks"]["keys"][0]["kid"], &keyed["agent"], keyed.get("secretMade")), (&"a".into(), &true.into(), None));
    assert_eq!(revoke(reset["secret"].as_str().unwrap()).await, 401, "it has keys in place of its secret");
    shell.run(&["application", "reset-secret", "reports"]).refused(1, "has no secret");
    assert!(shell.run(&["application", "show", "reports"]).ok().contains("\"kid\":\"a\""));
    shell.run(&["application", "update", "reports", "--jwks", "/nowhere/keys.json"]).refused(2, "it can't be read");
    // Story: a private key went to the server, which refused it.
    let private = folder.path().join("private.json");
    let key = r#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}"#;
    std::fs::write(&private, key).unwrap();
    let refused = shell.run(&["application", "update", "reports", "--jwks", private.to_str().unwrap()]);
    refused.refused(2, "private part");
    std::fs::write(&private, "").unwrap();
    shell.run(&["application", "update", "reports", "--jwks", private.to_str().unwrap()]).refused(2, "there is no key in it");
    assert!(shell.run(&["application", "update", "reports", "--jwks", "", "--json"]).json()["secret"].is_string());
    let shown = shell.run(&["application", "reset-secret", "reports"]);
    assert!(shown.err.contains("shown this once") && shown.out.contains("counts until"), "{shown:?}");
    assert!(shell.run(&["application", "list"]).ok().contains("All reports"));
    assert!(shell.run(&["application", "show", "reports"]).ok().contains("https://reports.example.com/oauth/callback"));
    shell.run(&["application", "update", "reports", "--redirect-uri", "http://reports.example.com/"]).refused(1, "redirect_uris");
    shell.run(&["application", "delete", "reports"]).ok();
    shell.run(&["application", "delete", "reports"]).refused(1, "there was no application reports");
    shell.run(&["application", "show", "reports"]).refused(1, "there is no application reports");
    shell.run(&["application", "update", "reports", "--name", "Reports"]).refused(1, "there is no application reports");
    shell.run(&["application", "update", "reports"]).refused(2, "nothing is to be changed");
    assert_eq!(http().get(url("https%3A%2F%2Freports.example.com%2Foauth%2Fcallback")).send().await.unwrap().status(), 400);
    shell.run(&["application", "create", "x", "--name", "X", "--max-life", "whenever"]).refused(2, "1 hour");
    // Story: the schema of the API was printed, with numbers of seconds that nobody had written.
    for (option, most) in [("--remember-consent", "90 days"), ("--max-life", "31 days")] {
        let over = format!("{most} 1 second");
        for wrong in [over.as_str(), "-1 day", "100 years"] {
            let option = format!("{option}={wrong}");
            shell.run(&["application", "create", "x", "--name", "X", &option]).refused(2, &format!("to {most}, such as"));
        }
        let fine = format!("{option}={most}");
        shell
            .run(&[
                "application",
                "create",
                &option.replace('-', "x"),
                "--name",
                "X",
                "--redirect-uri",
                "https://x.example/",
                "--scope",
                "a",
                &fine,
            ])
            .ok();
    }
    shell.run(&["application", "reset-secret", "x", "--overlap", "8 days"]).refused(2, "to 7 days, such as");
    for words in [&["application", "create", "x", "--name", "X"][..], &["role", "create", "x"], &["client", "create", "x"]] {
        shell.run(&[words, &["--scope", "caf\u{e9}"]].concat()).refused(2, "a scope is printable ASCII");
    }
}

#[tokio::test]
async fn what_applications_register_themselves_with_is_made_listed_and_revoked() {
    let world = world();
    let shell = world.as_root();
    let create = ["application", "initial-token", "create", "agents", "--scope", "notes:read:*", "--uses", "20", "--life", "30 days"];
    let created = shell.run(&[&create[..], &["--json"]].concat()).json();
    assert!(created["token"].as_str().unwrap().starts_with("falconer_it_"), "{created}");
    assert_eq!((&created["maxUses"], &created["uses"], &created["maxLifeSeconds"]), (&20.into(), &0.into(), &604_800.into()));
    shell.run(&create).refused(1, "There is an initial access token agents");
    let listed = shell.run(&["application", "initial-token", "list"]).ok();
    assert!(listed.contains("0 of 20") && !listed.contains("falconer_it_"), "{listed}");
    // The server lets nobody register before that is configured.
    let register = http().post(format!("{}/login/oauth/register", world.server.root_url)).bearer_auth(created["token"].as_str().unwrap());
    let body = r#"{"redirect_uris": ["https://agent.example.com/"]}"#;
    assert_eq!(register.header("content-type", "application/json").body(body).send().await.unwrap().status(), 404);
    shell.run(&["application", "initial-token", "create", "x", "--scope", "notes:read:*", "--uses", "0"]).refused(1, "uses must be >= 1");
    shell.run(&["application", "initial-token", "revoke", "agents"]).ok();
    shell.run(&["application", "initial-token", "revoke", "agents"]).refused(1, "there was no initial access token agents");
}
