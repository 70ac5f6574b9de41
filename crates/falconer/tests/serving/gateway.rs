//! `falconer gateway` without any server: rules are checked and tried.

use std::process::{Command, Output};

const RULES: &str = "falconer = \"https://auth.example.com\"\norigin = \"https://notes.example.com\"\n\n\
    [[rule]]\nmethods = [\"GET\"]\npath = \"/books/{book}\"\nscope = \"notes:read:<book>\"\n";

fn gateway(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_falconer")).arg("gateway").args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The rules file and the cases are what somebody has in front of them: mistakes are said as editors jump to them, and a difference is a failure.
#[test]
fn rules_are_checked_and_tried_offline() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, content).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (rules, wrong) = (write("gateway.toml", RULES), write("wrong.toml", &RULES.replace("<book>", "<boook>")));
    let case = |expect: &str| format!("[[case]]\nrequest = \"GET /books/red\"\nscopes = [\"notes:read:red\"]\nexpect = \"{expect}\"\n");
    let (cases, other) = (write("cases.toml", &case("allowed")), write("other.toml", &case("denied")));

    let checked = gateway(&["check", &rules]);
    assert!(checked.status.success() && text(&checked.stdout).contains("GET      /books/{book}  \"notes:read:<book>\""), "{checked:?}");
    let tried = gateway(&["test", &rules, &cases]);
    assert!(tried.status.success() && text(&tried.stdout) == "1 cases came out as they say.\n", "{tried:?}");

    let tried = gateway(&["test", &rules, &other]);
    assert_eq!(tried.status.code(), Some(1));
    assert!(text(&tried.stdout).contains(&format!("{other}:2: GET /books/red is allowed, not denied: the rule of line 6")), "{tried:?}");
    assert_eq!(text(&tried.stderr), "falconer: 1 of 1 cases came out otherwise\n");
    let checked = gateway(&["check", &wrong]);
    assert_eq!((checked.status.code(), checked.stdout.len()), (Some(1), 0));
    assert!(text(&checked.stderr).contains(&format!("{wrong}:7: ")) && text(&checked.stderr).contains("<boook>"), "{checked:?}");
    let nowhere = gateway(&["check", "/nowhere/gateway.toml"]);
    assert!(
        nowhere.status.code() == Some(1) && text(&nowhere.stderr).contains("can't read the rules file /nowhere/gateway.toml"),
        "{nowhere:?}"
    );
}
