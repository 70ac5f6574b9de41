//! How long files are: what is longer than a reader keeps in mind is cut by what it is about. Tests count as well.

use std::path::Path;

/// Lines that a file may have.
const MOST_LINES: usize = 400;

/// What is written by hand and read as code.
const READ_AS_CODE: [&str; 7] = ["rs", "js", "mjs", "py", "go", "html", "css"];

/// Files that are one on purpose, however long: the file, and why.
const ONE_ON_PURPOSE: [(&str, &str); 3] = [
    ("crates/store/src/contract/store.rs", "one trait, whose methods are one contract"),
    ("crates/store_sqlite/src/sqlite_store.rs", "one implementation of one trait"),
    ("crates/store_postgres/src/postgres_store.rs", "one implementation of one trait"),
];

/// Files that are too long, and exceptions that are none any more. `files` are all that are tracked, from the root, with their content.
pub fn faults<'f>(files: impl Iterator<Item = (&'f Path, String)>) -> Vec<String> {
    let (mut faults, mut excepted) = (Vec::new(), Vec::new());
    for (file, content) in files.filter(|(file, _)| is_read_as_code(file)) {
        let lines = content.lines().count();
        if lines <= MOST_LINES {
            continue;
        }
        match ONE_ON_PURPOSE.iter().find(|(one, _)| file == Path::new(one)) {
            Some((one, _)) => excepted.push(*one),
            None => faults.push(format!("{} has {lines} lines (above {MOST_LINES}: cut it by what it is about)", file.display())),
        }
    }
    let stale = ONE_ON_PURPOSE.iter().filter(|(one, _)| !excepted.contains(one));
    faults.extend(stale.map(|(one, why)| format!("xtask excepts {one} from the length of files ({why}), but it is not long")));
    faults
}

fn is_read_as_code(file: &Path) -> bool {
    file.extension().and_then(|extension| extension.to_str()).is_some_and(|extension| READ_AS_CODE.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_said_and_exceptions_that_are_none_any_more() {
        let long = || "x\n".repeat(MOST_LINES + 1);
        let fine = ONE_ON_PURPOSE.map(|(one, _)| (Path::new(one), long()));
        assert_eq!(faults(fine.clone().into_iter()), [""; 0]);
        let [excepted, rest @ ..] = fine;
        let others = [
            (Path::new("crates/a/src/b.rs"), long()),
            (Path::new("crates/a/tests/c.rs"), long()),
            (Path::new("docs/d.md"), long()),
            (Path::new("sdk/python/tests/f.py"), long()),
            (Path::new("sdk/go/g.go"), long()),
            (Path::new("e.rs"), "x\n".repeat(MOST_LINES)),
            (excepted.0, String::new()),
        ];
        let found = faults(rest.into_iter().chain(others));
        assert_eq!(found.len(), 5, "{found:?}");
        assert!(found[0].starts_with("crates/a/src/b.rs has 401 lines") && found[1].starts_with("crates/a/tests/c.rs"), "{found:?}");
        assert!(found[2].starts_with("sdk/python/tests/f.py") && found[3].starts_with("sdk/go/g.go"), "{found:?}");
        assert!(found[4].contains(ONE_ON_PURPOSE[0].0) && found[4].ends_with("is not long"), "{found:?}");
    }
}
