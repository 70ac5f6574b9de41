//! Importers and servers that are killed, and a large deployment.

use super::*;

/// The importer is killed in the middle; whoever starts it again gets the rest, and each token that was told works.
#[tokio::test]
async fn a_killed_importer_is_run_again() {
    let world = world();
    let all = clients(4_000);
    let file = world.write("in.jsonl", &all);
    let mut tokens_by_client = BTreeMap::new();
    // The pipe holds some hundred lines, so that the importer is never much further than what was read.
    for wanted in [30, 300, 600] {
        let mut child = world.start_import(&file, &["--batch-size", "25"]);
        let mut lines = String::new();
        let mut fresh = 0;
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        // The server answers each batch within the patience of the importer, or the importer ends by itself.
        while reader.read_line(&mut line).unwrap() > 0 && line.ends_with('\n') {
            lines.push_str(&line);
            fresh += usize::from(!tokens_by_client.keys().any(|id: &String| line.contains(&format!("\"{id}\""))));
            line.clear();
            if fresh == wanted {
                child.kill().unwrap();
            }
        }
        assert!(!end_of(&mut child, "a killed import").success(), "it ended by itself");
        for (id, token) in tokens(&lines) {
            // Whoever lost the answer gets the same token again.
            assert_eq!(*tokens_by_client.entry(id).or_insert_with(|| token.clone()), token);
        }
        let there = exported_clients(&world.export());
        assert!(tokens_by_client.keys().all(|id| there.contains(id)), "what was told is there");
        assert_eq!(there.len() % 25, 0, "a batch is there whole or not at all");
        assert!(there.len() < all.len(), "it was not in the middle");
    }
    let done = world.import(&file, &["--tokens", text(&world.path("tokens.jsonl")), "--json"]);
    let (created, updated, unchanged) = counts(&done, "clients");
    assert_eq!((created + unchanged, updated), (4_000, 0));
    assert!(unchanged >= 930 && created > 0, "{created} created, {unchanged} unchanged");
    let new_tokens = tokens(&std::fs::read_to_string(world.path("tokens.jsonl")).unwrap());
    assert_eq!(new_tokens.len(), 4_000, "within 15 minutes all tokens are told again");
    assert!(tokens_by_client.iter().all(|(id, token)| new_tokens[id] == *token));
    for id in ["project/p0/robot-0", "project/p9/robot-3999"] {
        assert!(works(&world, id, &new_tokens[id]).await);
    }
}

/// The server is killed in the middle: the importer says so, what was acknowledged is there, and the same command goes on.
#[tokio::test]
async fn a_killed_server_loses_nothing_acknowledged_and_the_import_goes_on() {
    let mut world = world();
    let mut all = clients(4_000);
    all.extend((0..200).map(|n| role(&format!("team:{n}"), &[&format!("assume:team:{}", n + 1)])));
    let file = world.write("in.jsonl", &all);
    let kept = world.path("tokens.jsonl");
    let lines = |kept: &Path| std::fs::read_to_string(kept).unwrap_or_default().lines().count();
    for wanted in [1, 400, 1_100] {
        let child = world.start_import(&file, &["--batch-size", "10", "--tokens", text(&kept)]);
        eventually("enough batches are acknowledged", || (lines(&kept) >= wanted).then_some(()));
        world = world.restart(Server::kill);
        let done: Done = output_of_child(child, "an import").into();
        done.refused(1, "run the same command again to go on");
        let acknowledged = tokens(&std::fs::read_to_string(&kept).unwrap());
        let exported = world.export();
        let there = exported_clients(&exported);
        assert!(acknowledged.len() >= wanted && acknowledged.keys().all(|id| there.contains(id)));
        assert_eq!(there.len() % 10, 0, "a batch is there whole or not at all");
        assert!(there.len() < 4_000, "it was not in the middle");
        assert_eq!(exported.lines().filter(|line| line.contains("\"team:")).count(), 200);
        let (id, token) = acknowledged.last_key_value().unwrap();
        assert!(works(&world, id, token).await);
    }
    let before = tokens(&std::fs::read_to_string(&kept).unwrap());
    let done = world.import(&file, &["--tokens", text(&kept), "--json"]);
    let (created, updated, unchanged) = counts(&done, "clients");
    assert_eq!((created + unchanged, updated, counts(&done, "roles")), (4_000, 0, (0, 0, 200)));
    let new_tokens = tokens(&std::fs::read_to_string(&kept).unwrap());
    assert_eq!(new_tokens.len(), 4_000);
    assert!(before.iter().all(|(id, token)| new_tokens[id] == *token));
    let (id, token) = new_tokens.last_key_value().unwrap();
    assert!(works(&world, id, token).await);
}

fn exported_clients(lines: &str) -> BTreeSet<String> {
    let records = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter_map(|record| record["clientId"].as_str().map(str::to_owned)).collect()
}

/// A tenth of a large deployment; `FALCONER_IMPORT_CLIENTS=100000` and a release build show the whole: 10,000 roles and 100,000 clients in
/// two minutes at most, with each batch synchronised to the disk.
#[test]
fn a_large_deployment_is_imported_in_time() {
    let count = std::env::var("FALCONER_IMPORT_CLIENTS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let world = world();
    let mut file = std::io::BufWriter::new(std::fs::File::create(world.path("in.jsonl")).unwrap());
    for n in 0..count / 10 {
        // A tree of roles, ten below each.
        let needs = if n == 0 { "leaf".to_owned() } else { format!("assume:team:{}", n / 10) };
        let id = format!("team:{n}");
        let id = if n == 0 { "team-root" } else { &id };
        let needs = if needs == "assume:team:0" { "assume:team-root".to_owned() } else { needs };
        writeln!(file, "{}", role(id, &[&needs, &format!("notes:read:{n}/*"), &format!("notes:write:{n}/*")])).unwrap();
    }
    for n in 0..count {
        let id = format!("project/p{}/robot-{n}", n % 97);
        let team = format!("assume:team:{}", 1 + n % (count / 10 - 1));
        writeln!(file, "{}", client(&id, &[&team, "auth:current-scopes", &format!("queue:create:{n}:*")])).unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    let begin = Instant::now();
    let done = world.import(&world.path("in.jsonl"), &["--tokens", text(&world.path("tokens.jsonl")), "--json"]);
    let took = begin.elapsed();
    assert_eq!((counts(&done, "roles"), counts(&done, "clients")), ((count / 10, 0, 0), (count, 0, 0)), "{}", done.err);
    let begin = Instant::now();
    let repeated = world.import(&world.path("in.jsonl"), &["--tokens", text(&world.path("tokens.jsonl")), "--json"]);
    let skipped = begin.elapsed();
    assert_eq!((counts(&repeated, "roles"), counts(&repeated, "clients")), ((0, 0, count / 10), (0, 0, count)));
    assert_eq!(tokens(&std::fs::read_to_string(world.path("tokens.jsonl")).unwrap()).len() as u64, count);
    println!("{} roles and {count} clients: imported in {took:.1?}, skipped in {skipped:.1?}", count / 10);
    assert!(took <= Duration::from_secs(120), "{took:?}");
}
