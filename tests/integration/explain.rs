//! `ansalint explain`: the side of any file, as its user reads it.

use crate::template::live_key;
use crate::workspace::Workspace;

#[test]
fn a_file_without_a_key_is_explained_with_weights_and_contradictions() {
    let work = Workspace::new();
    work.write("package.json", r#"{"dependencies": {"react-dom": "19"}}"#);
    work.write("src/api.js", "const fs = require('fs')\n");
    let run = work.run(&["explain", "--side", "src/api.js", "--side", "package.json"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "src/api.js: server\n   80  for server: the file imports `fs`, which runs on servers\n   45  against client: `package.json` depends on `react-dom`\n\
         package.json: infra\n   88  for infra: this file steers builds and deployments\n   45  against client: `package.json` depends on `react-dom`\n"
    );
}

#[test]
fn parts_and_variables_are_told_by_line() {
    let work = Workspace::new();
    work.write("package.json", r#"{"dependencies": {"next": "15", "react-dom": "19"}}"#);
    work.write(
        "pages/pay.jsx",
        "export default () => null\nexport async function getServerSideProps() {\n  return {}\n}\n",
    );
    work.write(".env", "A=1\nNEXT_PUBLIC_B=2\n");
    work.write("page.php", "<p>\n<?php\n$a = 1;\n?>\n");
    let told = |path: &str| work.run(&["explain", "--side", path]).stdout;
    let page = told("pages/pay.jsx");
    assert!(page.starts_with("pages/pay.jsx: client\n") && page.contains("\n  lines 2 to 4: server\n"), "{page}");
    let variables = told(".env");
    assert!(variables.starts_with(".env: each variable has a side of its own\n"), "{variables}");
    assert!(variables.contains("  line 1, `A`: server\n"), "{variables}");
    assert!(variables.contains("  line 2, `NEXT_PUBLIC_B`: client\n"), "{variables}");
    let php = told("page.php");
    assert!(php.starts_with("page.php: client\n") && php.contains("  lines 2 to 4: server\n"), "{php}");
}

#[test]
fn a_file_that_is_all_in_one_part_is_on_its_side() {
    let work = Workspace::new();
    work.write("a.php", "<?php\n$a = 1;\n");
    work.write("b.php", "\n<?php\n$a = 1;\n?>\n\n<?php $b = 2; ?>\n");
    work.write("c.php", "<?php $a = 1; ?>\n<p>\n");
    let run = work.run(&["explain", "--side", "a.php", "--side", "b.php", "--side", "c.php"]);
    let sides: Vec<&str> = run.stdout.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(sides, ["a.php: server", "b.php: server", "c.php: client"], "{}", run.stdout);
    assert!(run.stdout.contains("  line 1: server\n") && !run.stdout.contains("lines 2 to"), "{}", run.stdout);
}

#[test]
fn a_path_that_cannot_be_explained_takes_no_answer_away() {
    let work = Workspace::new();
    work.write("a.go", "package a\n");
    work.write("b.go", "package b\n");
    let run = work.run(&["explain", "--side", "a.go", "--side", "none.go", "--side", "b.go", "--side", "gone.go"]);
    assert_eq!(run.code, Some(2));
    assert!(run.stdout.contains("a.go: ") && run.stdout.contains("b.go: "), "{}", run.stdout);
    assert!(run.stderr.contains("none.go") && run.stderr.contains("gone.go"), "{}", run.stderr);
}

#[test]
fn what_cannot_be_explained_is_an_error_and_keys_are_masked() {
    let work = Workspace::new();
    work.write("src/a.bin", "x");
    work.write("pom.xml", "");
    assert_eq!(work.run(&["explain", "--side", "src/a.bin"]).stdout.lines().next(), Some("src/a.bin: unknown"));
    for path in ["src", "none", "src/none.js"] {
        let run = work.run(&["explain", "--side", path]);
        assert_eq!(run.code, Some(2), "{path}");
        assert!(run.stderr.starts_with("error: ") && run.stdout.is_empty(), "{path}: {}", run.stderr);
    }
    let key = live_key(1);
    work.write(format!("{key}/pay.go"), "package pay\n");
    work.write(format!("{key}/go.mod"), "module a\n");
    let run = work.run(&["explain", "--side", &format!("{key}/pay.go")]);
    assert!(run.stdout.contains(": server\n") && !run.stdout.contains(&key), "{}", run.stdout);
}

#[test]
fn sides_that_the_configuration_sets_are_explained_as_such() {
    let work = Workspace::new();
    std::fs::create_dir_all(work.path().join("shop/.git/objects")).unwrap();
    std::fs::create_dir_all(work.path().join("shop/.git/refs")).unwrap();
    work.write("shop/.git/HEAD", "ref: refs/heads/main\n");
    work.write("shop/package.json", r#"{"dependencies": {"react-dom": "19"}}"#);
    work.write("shop/ansalint.toml", "[sides]\n\"src/**\" = \"server\"\n");
    work.write("shop/src/mint.js", "export const a = 1\n");
    work.write("other.toml", "[sides]\n\"src/**\" = \"docs\"\n");
    let explain = |args: &[&str]| work.run(&[&["explain", "--side", "shop/src/mint.js"], args].concat());
    let set = explain(&[]);
    assert!(set.stdout.starts_with("shop/src/mint.js: server\n"), "{}{}", set.stdout, set.stderr);
    assert!(set.stdout.contains("the configuration puts `src/**` on side server"), "{}", set.stdout);
    assert!(set.stdout.contains("against client: `shop/package.json` depends on `react-dom`"), "{}", set.stdout);
    assert!(explain(&["--config", "other.toml"]).stdout.starts_with("shop/src/mint.js: docs\n"));
    assert!(explain(&["--no-config"]).stdout.starts_with("shop/src/mint.js: client\n"));
    work.write("shop/ansalint.toml", "[sides]\n\"src/**\" = \"nowhere\"\n");
    assert_eq!(explain(&[]).code, Some(2));
}
