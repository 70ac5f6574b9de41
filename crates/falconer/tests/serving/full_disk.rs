//! The disk of the records is full: changes are refused as not done, reading goes on, the heartbeat says so, and room is noticed without a restart. A start
//! on a full disk says which disk it is.

use crate::support::patience::output_of;
use crate::support::small_disk::SmallDisk;
use crate::support::{Server, http};
use falconer_client::Retry;
use falconer_wire::ClientRequest;

fn a_client(number: usize) -> ClientRequest {
    ClientRequest {
        expires: "2100-01-01T00:00:00.000Z".to_owned(),
        description: format!("{number} {}", "as long as that, so that pages fill up ".repeat(40)),
        scopes: Some(vec!["auth:current-scopes".to_owned()]),
        delete_on_expiration: false,
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a file system of its own: cargo xtask test makes one"]
async fn a_full_disk_is_told_and_room_is_noticed() {
    let disk = SmallDisk::make();
    let init = disk.init();
    let mut command = disk.command("made_before", &["serve", "--listen", "127.0.0.1:0"]);
    command.stderr(std::process::Stdio::null());
    let mut server = Server::of(command);
    let root = server.client(&init).with_retry(Retry { tries: 1, ..Retry::default() });
    let heartbeat = || async { http().get(format!("{}/__heartbeat__", server.root_url)).send().await.unwrap().status().as_u16() };
    root.create_client("project/before", &a_client(0)).await.unwrap();
    assert_eq!(heartbeat().await, 200);
    for round in 0..2 {
        let ballast = disk.fill(server.child.id());
        // What SQLite has taken already may be enough for a few.
        let mut number = 0;
        let (refused, error) = loop {
            let client_id = format!("project/{round}/{number}");
            match root.create_client(&client_id, &a_client(number)).await {
                Ok(_) => number += 1,
                Err(error) => break (client_id, error),
            }
            assert!(number < 10_000, "the disk is never full");
        };
        assert_eq!((error.status(), error.code()), (Some(503), Some("ServiceUnavailable")), "{error:?}");
        assert!(!error.to_string().contains("may or may not"), "it is known not to be done: {error}");
        assert_eq!(heartbeat().await, 503, "round {round}");
        assert!(root.client(&refused).await.unwrap().is_none(), "{refused}");
        assert!(root.client("project/before").await.unwrap().is_some(), "reading goes on");
        root.current_scopes().await.unwrap();
        drop(ballast);
        root.create_client(&refused, &a_client(number)).await.unwrap();
        assert_eq!(heartbeat().await, 200, "round {round}");
    }
    assert!(server.lives());
}

#[test]
#[ignore = "needs a file system of its own: cargo xtask test makes one"]
fn a_start_on_a_full_disk_says_where_it_is_and_leaves_nothing_behind() {
    let disk = SmallDisk::make();
    disk.init();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let data = disk.data().display().to_string();
    let init = ["init", "--data-dir", &data];
    for (steps, words) in [("full", &init[..]), ("full", &serve), ("made_before full", &serve)] {
        let output = output_of(&mut disk.command(steps, words));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{steps}, {words:?}: {said}");
        let is_named = said.contains(&format!("the disk of {data} is full: make room there"))
            || (said.contains(&format!("can't write {data}/")) && said.contains("No space left on device"));
        assert!(is_named && !said.contains("panicked"), "{steps}, {words:?}: {said}");
    }
    // Nothing is left behind that would be in the way of the next try, however far the first one came.
    for pages in [0, 1, 2, 4, 16, 64] {
        let steps = format!("full room_{} tried room", pages * 4);
        let output = output_of(&mut disk.command(&steps, &init));
        assert!(output.status.success(), "{pages} pages: {}", String::from_utf8_lossy(&output.stderr));
    }
}
