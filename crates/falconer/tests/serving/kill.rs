//! kill -9 under a write load, on the real binary and each store: no acknowledged write is lost, and the database opens each time.
//!
//! SIGKILL keeps the page cache, so this shows that an acknowledgement follows the commit, not that the disk was synchronised.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::place::Place;
use falconer_wire::ClientRequest;
use tokio::sync::mpsc;

fn kills() -> u32 {
    std::env::var("FALCONER_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_write_is_lost() {
    for place in Place::each().await {
        kill_again_and_again(&place).await;
    }
}

async fn kill_again_and_again(place: &Place) {
    let root = place.init(&[]);
    let mut acknowledged = BTreeSet::new();
    let kills = kills();
    for round in 0..kills {
        let server = place.start();
        let (say, mut received_ids) = mpsc::unbounded_channel();
        let over = Arc::new(AtomicBool::new(false));
        let mut writers = Vec::new();
        for writer in 0..4 {
            let (client, say, over) =
                (server.client(&root).with_retry(falconer_client::Retry { tries: 1, ..Default::default() }), say.clone(), over.clone());
            writers.push(tokio::spawn(async move {
                let request = |description: &str| ClientRequest {
                    expires: "2100-01-01T00:00:00.000Z".to_owned(),
                    description: description.to_owned(),
                    scopes: Some(vec!["notes:read:*".to_owned()]),
                    delete_on_expiration: false,
                };
                for number in 0.. {
                    let id = format!("kill/{round}/{writer}/{number}");
                    if over.load(Ordering::SeqCst) || client.create_client(&id, &request("made under load")).await.is_err() {
                        break;
                    }
                    let _ = say.send(id);
                }
            }));
        }
        drop(say);
        // A different number each round, so that the kill meets the writers at different points.
        let wanted = 5 + (round * 7) % 23;
        for _ in 0..wanted {
            acknowledged.insert(received_ids.recv().await.expect("the writers make progress"));
        }
        server.kill();
        over.store(true, Ordering::SeqCst);
        while let Some(id) = received_ids.recv().await {
            acknowledged.insert(id);
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let restarted = place.start();
        let kept: BTreeSet<String> =
            restarted.client(&root).list_all_clients(Some("kill/")).await.unwrap().into_iter().map(|client| client.client_id).collect();
        let lost: Vec<&String> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "round {round}: acknowledged and lost: {lost:?}");
    }
    println!("{}: {kills} kills, {} acknowledged writes, 0 lost", place.store(), acknowledged.len());
    assert!(acknowledged.len() >= kills as usize * 5);
}
