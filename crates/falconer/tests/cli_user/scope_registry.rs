//! `falconer scope-registry`: the commands of docs/grants.md, and what a server makes of them at once.

use crate::support::world::world;

const SENTENCES: &str = "[[scope]]\nnamespace = \"notes\"\ntemplate = \"notes:read:<book>\"\nsentence = \"Read <book>\"\n\n\
                         [[scope]]\nnamespace = \"notes\"\ntemplate = \"notes:burn\"\nsentence = \"Burn all\"\nrisk = \"high\"\n";

#[test]
fn a_registry_is_published_shown_and_deleted() {
    let world = world();
    let shell = world.as_root();
    let folder = tempfile::tempdir().unwrap();
    let written = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let toml = written("scopes.toml", SENTENCES);
    let published = shell.run(&["scope-registry", "publish", &toml, "--json"]).json();
    assert_eq!((&published["namespace"], published["scopes"].as_array().unwrap().len()), (&"notes".into(), 2));
    assert!(shell.run(&["scope-registry", "publish", &toml]).err.contains("published 2 sentences about the scopes of notes"));
    let list = shell.run(&["scope-registry", "list"]).ok();
    assert!(list.contains("notes") && list.contains("static/falconer/root"), "{list}");
    let shown = shell.run(&["scope-registry", "show", "notes"]).ok();
    assert!(shown.contains("notes:burn (high): Burn all"), "{shown}");
    // What is shown as JSON is what can be published.
    let json = written("scopes.json", &shell.run(&["scope-registry", "show", "notes", "--json"]).json().to_string());
    assert_eq!(shell.run(&["scope-registry", "publish", &json, "--json"]).json(), published);
    // What is wrong is said, and ends with 1.
    shell.run(&["scope-registry", "show", "queue"]).refused(1, "no service has published anything about queue");
    shell.run(&["scope-registry", "publish", "/no/such/file"]).refused(1, "can't read the sentences");
    shell.run(&["scope-registry", "show", "no tes"]).refused(1, "A namespace is made of letters");
    for (text, said) in [
        (SENTENCES.replace("\"notes", "\"auth"), "Falconer's to say"),
        (SENTENCES.replace("\"notes:burn", "\"queue:burn"), "begin with `notes:`"),
        (SENTENCES.replace("\"high\"", "\"low\""), "risk"),
        (SENTENCES.replacen("sentence", "sentense", 1), "sentense"),
        (String::new(), "missing field `scope`"),
    ] {
        shell.run(&["scope-registry", "publish", &written("wrong.toml", &text)]).refused(1, said);
    }
    assert_eq!(shell.run(&["scope-registry", "show", "notes", "--json"]).json(), published, "nothing of it was published");
    assert!(shell.run(&["scope-registry", "delete", "notes"]).err.contains("deleted notes"));
    shell.run(&["scope-registry", "delete", "notes"]).refused(1, "nothing was deleted");
}
