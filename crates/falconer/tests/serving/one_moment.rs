//! `export` and `import --from-root-url` beside others who change records: what comes out was there at one moment, or nothing comes out.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::foreign::{Deployment, Records};
use crate::support::user::{Done, Shell};
use crate::support::{Server, init};
use falconer_client::Credentials;

fn records(revision: Option<i64>) -> Records {
    let ids = |kind: &str| (0..6).map(|n| format!("{kind}-{n}")).collect();
    Records { clients: ids("client"), roles: ids("role"), revision }
}

/// Somebody deletes the first client that there is.
fn delete_one(records: &mut Records) {
    records.clients.remove(0);
    records.revision = records.revision.map(|revision| revision + 1);
}

fn export(deployment: &Deployment, file: &Path) -> Done {
    Shell::at(&deployment.root_url).run(&["export", "--output", file.to_str().unwrap()])
}

fn clients_in(lines: &str) -> BTreeSet<String> {
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["clientId"].as_str().map(str::to_owned);
    lines.lines().filter_map(id).collect()
}

/// While others deleted, `export` left out clients that nobody had touched, and ended with 0: 20 of 20 times.
#[test]
fn an_export_has_all_that_nobody_touched() {
    for revision in [Some(7), None] {
        // The second page of the first and of the second listing is taken after a deletion, which moves all that follow one place forward.
        let deployment = Deployment::start(records(revision), |page, records| {
            if page == 2 || page == 5 {
                delete_one(records);
            }
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out.jsonl");
        let done = export(&deployment, &file);
        assert_eq!(done.code, 0, "{done:?}");
        let there: BTreeSet<String> = deployment.records.lock().unwrap().clients.iter().cloned().collect();
        assert_eq!(clients_in(&std::fs::read_to_string(&file).unwrap()), there, "revision {revision:?}");
        assert!(done.err.contains("6 roles and 4 clients"), "{done:?}");
    }
}

/// Where something changes during each listing there is no moment to tell of: that is an error, and what was exported before stays.
#[test]
fn an_export_that_cannot_be_whole_is_an_error() {
    for revision in [Some(7), None] {
        let mut number = 0;
        let deployment = Deployment::start(records(revision), move |_, records| {
            delete_one(records);
            number += 1;
            records.clients.push(format!("late-{number:05}"));
        });
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("out.jsonl");
        std::fs::write(&file, "of yesterday\n").unwrap();
        let done = export(&deployment, &file);
        done.refused(1, "changed during each of 12 listings");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "of yesterday\n");
        Shell::at(&deployment.root_url).run(&["export"]).refused(1, "none of them is whole");
    }
}

/// `import --from-root-url` took over as little.
#[test]
fn a_deployment_is_taken_over_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let root = init(&data);
    let server = Server::start(&data);
    let shell = Shell::with(&server.root_url, &Credentials::new(&root.client_id, &root.access_token));
    let restless = Deployment::start(records(None), |page, records| {
        delete_one(records);
        records.clients.push(format!("late-{page:05}"));
    });
    let before = shell.run(&["export"]).ok();
    shell.run(&["import", "--from-root-url", &restless.root_url]).refused(1, "changed during each of 12 listings");
    assert_eq!(shell.run(&["export"]).ok(), before);
    for revision in [Some(7), None] {
        let deployment = Deployment::start(records(revision), |page, records| {
            if page == 2 {
                delete_one(records);
            }
        });
        let done = shell.run(&["import", "--from-root-url", &deployment.root_url, "--json", "--dry-run"]);
        assert_eq!(done.code, 0, "{done:?}");
        assert_eq!(done.json()["clients"]["created"], 5, "{done:?}");
    }
}
