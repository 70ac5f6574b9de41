//! The packages that services mount, on real servers.

use anyhow::Result;

use super::{Done, all, node_tests};
use crate::run::{Output, counted, root};
use crate::test::needs;
use crate::test::stores::binaries::Binary;

/// The JavaScript package: the repository's vectors and scenarios on real servers.
pub fn javascript(output: &Output, binary: &Binary) -> Result<Done> {
    let env = binary.with(&[]);
    Ok(node_tests(output, "the JavaScript package", &root().join("sdk/js"), "test", &env)?.into())
}

/// The Python package: types, the repository's vectors and scenarios on real servers, the examples, and the package as it is installed.
pub fn python(output: &Output, binary: &Binary) -> Result<Done> {
    let env = binary.with(&[("PYTHONUNBUFFERED", "1"), ("PYTHONDONTWRITEBYTECODE", "1")]);
    let folder = root().join("sdk/python");
    let python = needs::kit_venv().join("bin/python").to_string_lossy().into_owned();
    let run = |title: &str, args: &[&str]| counted(output, title, &folder, &python, args, &env);
    let mut args = vec!["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"];
    args.extend(["../../examples/notes-python", "../../examples/cron-job", "../../examples/deputy"]);
    Ok(all(
        output,
        vec![
            run("types of the Python package", &["-m", "mypy", "--cache-dir=/dev/null"]),
            run("the Python package and its examples", &args),
        ],
    ))
}

/// The Go package: the repository's vectors and scenarios on real servers; and the example, which takes it as somebody else's module does.
pub fn go(output: &Output, binary: &Binary) -> Result<Done> {
    // Nothing but the standard library: what would need another module fails.
    let env = binary.with(&[("GOPROXY", "off")]);
    let run = |title: &str, folder: &str, args: &[&str]| counted(output, title, &root().join(folder), "go", args, &env);
    let (kit, example) = ("sdk/go", "examples/notes-go");
    let test = &["test", "-count=1", "./..."];
    Ok(all(
        output,
        vec![
            run("go vet", kit, &["vet", "./..."]),
            run("the Go package", kit, test),
            run("go vet of the example", example, &["vet", "./..."]),
            run("the Go example", example, test),
        ],
    ))
}
