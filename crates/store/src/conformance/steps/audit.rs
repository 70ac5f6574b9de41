//! What steps leave in the audit.

use std::sync::Arc;

use serde_json::json;

use crate::conformance::samples::{NOW, client, identity, role, step};
use crate::{AuditStart, HistoryFilter, Revision, Step, Store};

pub(crate) async fn audit_rows_tell_who_did_what(store: Arc<dyn Store>) {
    let s = &*store;
    let detail = json!({"was": ["a", 1, null, "Ω"], "z": true, "a": {}});
    let described = Step { grant: Some("g1".into()), detail: Some(detail.clone()), actor: "who/ever".into(), ..step(s, "made").await };
    s.insert_client(&described, &client("a/b")).await.unwrap();
    let rows = s.entity_history("client", "a/b", AuditStart::Offset(0), 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!((row.revision, row.at_ms), (Revision(1), NOW));
    assert_eq!((row.actor.as_str(), row.grant.as_deref(), row.action.as_str()), ("who/ever", Some("g1"), "made"));
    assert_eq!((row.entity_type.as_str(), row.entity_id.as_str()), ("client", "a/b"));
    assert_eq!(row.detail.as_ref(), Some(&detail));
    assert_eq!(s.actor_history("who/ever", AuditStart::Offset(0), 10).await.unwrap(), rows);
    assert!(s.entity_history("role", "a/b", AuditStart::Offset(0), 10).await.unwrap().is_empty());
    assert!(s.actor_history("who", AuditStart::Offset(0), 10).await.unwrap().is_empty());
}

/// Each record of a step has what is said of it, in a batch and where the step is about another record; the others have what is said of the step.
pub(crate) async fn rows_tell_what_changed_of_each_record(store: Arc<dyn Store>) {
    let s = &*store;
    let detail = async |kind: &str, id: &str| s.entity_history(kind, id, AuditStart::Offset(0), 10).await.unwrap().pop().unwrap().detail;
    let mut batch = Step { detail: Some(json!({"why": "all"})), ..step(s, "imported").await };
    batch.details.put("role", "r", Some(json!({"description": {"before": "a", "after": "Ω"}})));
    batch.details.put("client", "c", None);
    batch.details.put("client", "r", Some(json!("of a client, which is not there")));
    s.write_batch(&batch, &[role("q"), role("r")], &[client("c"), client("d")]).await.unwrap();
    assert_eq!(detail("role", "r").await, Some(json!({"description": {"before": "a", "after": "Ω"}})));
    assert_eq!(detail("role", "q").await, Some(json!({"why": "all"})));
    assert_eq!((detail("client", "c").await, detail("client", "d").await), (None, Some(json!({"why": "all"}))));
    let mut follow = Step { detail: Some(json!({"why": "less"})), ..step(s, "refreshed").await };
    let ann = identity("local/ann");
    follow.details.put("identity", &ann.identity, Some(json!({"groups": {"added": [], "removed": ["g"]}})));
    s.follow_identity(&follow, &ann, &["c".to_owned()]).await.unwrap();
    assert_eq!(detail("identity", &ann.identity).await, Some(json!({"groups": {"added": [], "removed": ["g"]}})));
    assert_eq!(detail("client", "c").await, Some(json!({"why": "less"})));
}

pub(crate) async fn histories_are_paged_oldest_first(store: Arc<dyn Store>) {
    let s = &*store;
    s.insert_role(&step(s, "0").await, &role("r")).await.unwrap();
    for action in ["1", "2", "3", "4"] {
        // The clock may step back; the order is that of the steps.
        let at_ms = NOW - action.parse::<i64>().unwrap();
        s.update_role(&Step { at_ms, ..step(s, action).await }, &role("r")).await.unwrap();
        s.insert_role(&step(s, "noise").await, &role(action)).await.unwrap();
    }
    let page = async |offset, limit| {
        let rows = s.entity_history("role", "r", AuditStart::Offset(offset), limit).await.unwrap();
        rows.into_iter().map(|row| row.action).collect::<Vec<_>>()
    };
    assert_eq!(page(0, 10).await, ["0", "1", "2", "3", "4"]);
    assert_eq!(page(0, 2).await, ["0", "1"]);
    assert_eq!(page(2, 2).await, ["2", "3"]);
    assert_eq!(page(4, 2).await, ["4"]);
    assert_eq!(page(5, 2).await, [""; 0]);
    assert_eq!(s.actor_history("suite/actor", AuditStart::Offset(8), 5).await.unwrap().len(), 1);
}

pub(crate) async fn a_history_goes_on_behind_a_row_that_is_gone(store: Arc<dyn Store>) {
    let s = &*store;
    for (action, at_ms) in [("0", NOW), ("1", NOW + 1), ("2", NOW + 2), ("3", NOW + 3)] {
        s.insert_role(&Step { at_ms, ..step(s, action).await }, &role(action)).await.unwrap();
    }
    let rows = s.actor_history("suite/actor", AuditStart::Offset(0), 2).await.unwrap();
    let last = rows[1].number;
    assert!(rows[0].number > 0 && rows[0].number < last, "numbers grow");
    // With offsets, what is removed before the second part is asked for would make two rows disappear from it.
    assert_eq!(s.prune_audit(NOW + 2, 10).await, Ok(2));
    let behind = async |number| {
        let rows = s.actor_history("suite/actor", AuditStart::After(number), 10).await.unwrap();
        rows.into_iter().map(|row| row.action).collect::<Vec<_>>()
    };
    assert_eq!(behind(last).await, ["2", "3"]);
    let rows = s.entity_history("role", "3", AuditStart::After(last), 10).await.unwrap();
    assert_eq!(s.prune_audit(NOW + 100, 10).await, Ok(1), "the newest row stays");
    assert_eq!(behind(last).await, ["3"]);
    s.insert_role(&step(s, "4").await, &role("4")).await.unwrap();
    assert_eq!(behind(rows[0].number).await, ["4"], "no number is given twice");
}

pub(crate) async fn history_is_pruned_oldest_first_and_in_bounded_steps(store: Arc<dyn Store>) {
    let s = &*store;
    // The clock stepped back once: what counts is the time of the row.
    for (index, at_ms) in [(1, NOW), (2, NOW + 30), (3, NOW + 10), (4, NOW + 20), (5, NOW + 40)] {
        s.insert_role(&Step { at_ms, ..step(s, &format!("made {index}")).await }, &role(&format!("r{index}"))).await.unwrap();
    }
    let left = async || {
        let rows = s.actor_history("suite/actor", AuditStart::Offset(0), 10).await.unwrap();
        rows.into_iter().map(|row| row.action).collect::<Vec<_>>()
    };
    assert_eq!(s.prune_audit(NOW, 10).await, Ok(0), "what happened at the instant is not before it");
    assert_eq!(s.prune_audit(NOW + 30, 2).await, Ok(2));
    assert_eq!(left().await, ["made 2", "made 4", "made 5"]);
    assert_eq!(s.prune_audit(NOW + 30, 2).await, Ok(1));
    assert_eq!(s.prune_audit(NOW + 30, 2).await, Ok(0));
    assert_eq!(left().await, ["made 2", "made 5"]);
    assert_eq!(s.entity_history("role", "r1", AuditStart::Offset(0), 10).await, Ok(vec![]));
    assert_eq!(s.revision().await, Ok(Revision(5)), "it is no step");
    assert_eq!(s.changes_since(Revision(0), 10).await.unwrap().len(), 5, "the feed is another thing");
    assert_eq!(s.load().await.unwrap().roles.len(), 5);
}

pub(crate) async fn the_whole_history_is_found_newest_first_and_in_bounded_steps(store: Arc<dyn Store>) {
    let s = &*store;
    for (actor, action, id, at_ms) in
        [("ann", "made", "a", NOW), ("bob", "made", "b", NOW + 10), ("ann", "made", "c", NOW + 20), ("bob", "made", "d", NOW + 30)]
    {
        s.insert_role(&Step { actor: actor.to_owned(), at_ms, ..step(s, action).await }, &role(id)).await.unwrap();
    }
    s.insert_client(&Step { actor: "ann".to_owned(), at_ms: NOW + 40, ..step(s, "made").await }, &client("x/a")).await.unwrap();
    s.update_role(&Step { actor: "ann".to_owned(), at_ms: NOW + 50, ..step(s, "changed").await }, &role("a")).await.unwrap();
    let part = async |wanted: &HistoryFilter, most_looked, limit| {
        let part = s.whole_history(wanted, most_looked, limit).await.unwrap();
        (part.rows.into_iter().map(|row| format!("{} {} {}", row.actor, row.action, row.entity_id)).collect::<Vec<_>>(), part.next)
    };
    let all = HistoryFilter::default();
    let every = ["ann changed a", "ann made x/a", "bob made d", "ann made c", "bob made b", "ann made a"];
    assert_eq!(part(&all, 100, 100).await, (every.map(str::to_owned).to_vec(), None));
    let some = |text: &str| Some(text.to_owned());
    for (wanted, expected) in [
        (HistoryFilter { actor: some("bob"), ..all.clone() }, &["bob made d", "bob made b"][..]),
        (HistoryFilter { actor: some("bo"), ..all.clone() }, &[]),
        (HistoryFilter { entity_type: some("client"), ..all.clone() }, &["ann made x/a"]),
        (HistoryFilter { entity_type: some("role"), entity_id: some("a"), ..all.clone() }, &["ann changed a", "ann made a"]),
        (HistoryFilter { entity_type: some("role"), entity_id: some("b"), actor: some("ann"), ..all.clone() }, &[]),
        (HistoryFilter { action: some("changed"), ..all.clone() }, &["ann changed a"]),
        (HistoryFilter { types: Some(vec!["client".to_owned(), "grant".to_owned()]), ..all.clone() }, &["ann made x/a"]),
        (HistoryFilter { types: Some(Vec::new()), ..all.clone() }, &[]),
        (HistoryFilter { from_ms: Some(NOW + 20), until_ms: Some(NOW + 40), ..all.clone() }, &["bob made d", "ann made c"]),
        (HistoryFilter { from_ms: Some(NOW + 51), ..all.clone() }, &[]),
        (HistoryFilter { until_ms: Some(NOW), ..all.clone() }, &[]),
        (HistoryFilter { actor: some("ann"), until_ms: Some(NOW + 40), ..all.clone() }, &["ann made c", "ann made a"]),
    ] {
        assert_eq!(part(&wanted, 100, 100).await, (expected.iter().map(|text| (*text).to_owned()).collect(), None), "{wanted:?}");
    }
    // In parts: by rows shown, and by rows looked at.
    for (wanted, most_looked, limit) in
        [(all.clone(), 100, 2), (all.clone(), 1, 100), (HistoryFilter { action: some("made"), ..all.clone() }, 2, 100)]
    {
        let (mut found, mut before, mut parts) = (Vec::new(), None, 0);
        loop {
            let (rows, next) = part(&HistoryFilter { before, ..wanted.clone() }, most_looked, limit).await;
            found.extend(rows);
            parts += 1;
            assert!(parts < 20, "it ends");
            match next {
                Some(next) => before = Some(next),
                None => break,
            }
        }
        let expected = every.into_iter().filter(|row| wanted.action.is_none() || row.contains("made")).collect::<Vec<_>>();
        assert_eq!(found, expected, "{wanted:?}");
    }
}
