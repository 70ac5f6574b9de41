//! Tables that people read: committed, and compared with what really happens.

/// Holds a table against the committed file of `tests/`; with `UPDATE_VERDICTS` in the environment it is written instead, for somebody to read the
/// difference.
pub fn is_as_it_was_read(name: &str, made: &str) {
    let path = format!("{}/tests/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_VERDICTS").is_some() {
        std::fs::write(path, made).unwrap();
        return;
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    for (line, (made, known)) in made.lines().zip(known.lines()).enumerate() {
        assert_eq!(made, known, "line {} of {name}: if that is meant, run this test with UPDATE_VERDICTS=1", line + 1);
    }
    assert_eq!(made.lines().count(), known.lines().count(), "if that is meant, run this test with UPDATE_VERDICTS=1");
}
