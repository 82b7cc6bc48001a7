//! `explain` and `rules`, and what they say about a repository's own history.

use crate::template::live_key;
use crate::workspace::Workspace;
use serde_json::Value;

#[test]
fn rules_are_listed_for_people_and_for_programs() {
    let work = Workspace::new();
    let text = work.run(&["rules"]).stdout;
    let all: Value = work.run(&["rules", "--format", "json"]).json();
    let all = all.as_array().unwrap();
    assert!(all.len() >= 10);
    for rule in all {
        let code = rule["code"].as_str().unwrap();
        assert!(text.contains(code) && rule["help"].as_str().unwrap().len() > 40, "{code}");
        let page = work.run(&["explain", code]);
        assert_eq!(page.code, Some(0));
        assert!(page.stdout.starts_with(code) && page.stdout.contains(rule["title"].as_str().unwrap()), "{code}");
    }
    assert_eq!(work.run(&["explain"]).stdout, text);
}

#[test]
fn a_page_tells_what_to_do_by_case() {
    let work = Workspace::new();
    let page = work.run(&["explain", "merchant-secret-key-in-client-code"]).stdout;
    for part in [
        "After a leak: in client code, or public",
        "support@getansa.com at once",
        "Expect an outage",
        "After a leak: on a private server",
        "Deploy the new key",
        "Then have the old one deactivated",
        "the masked form and the fingerprint",
        "never the key itself",
        "git filter-repo --sensitive-data-removal",
        "forks",
        "caches",
        "React Native",
        "Flutter",
        "Android",
        "iOS",
        "initialize-payment-session",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let unknown = work.run(&["explain", "ANSA101"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("did you mean `ANSA1"), "{}", unknown.stderr);
}

#[test]
fn the_commands_name_the_refs_that_still_hold_a_key_and_never_the_key() {
    let work = Workspace::new();
    work.git(&["init", "-q"]);
    let (one, two) = (live_key(1), live_key(2));
    work.write("a.txt", &one);
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "first"]);
    work.git(&["branch", "old';touch-pwned;#"]);
    work.git(&["update-ref", "refs/pull/7/head", "HEAD"]);
    work.git(&["commit", "-q", "--allow-empty", "-m", &format!("with {two}")]);
    work.git(&["rm", "-q", "a.txt"]);
    work.git(&["commit", "-q", "-m", "gone"]);
    assert_eq!(work.run(&["history", "--format", "json", "--output", "h.json"]).code, Some(1));
    let page = work.run(&["explain", "ANSA1004", "--report", "h.json"]).stdout;
    let commands = page.split("Commands for the refs that still hold it").nth(1).unwrap();
    for part in [
        "--strip-blobs-with-ids blobs.txt",
        "git push --force origin 'refs/heads/main':'refs/heads/main'",
        "'refs/heads/old'\\'';touch-pwned;#'",
        "'refs/pull/7/head': the host keeps this one",
        "# reword ",
        "git gc --prune=now",
    ] {
        assert!(commands.contains(part), "{part}: {commands}");
    }
    assert!(!page.contains(&one[13..]) && !page.contains(&two[13..]));
    // The name of the blob is what git calls it.
    let blob = commands.split("printf '%s\\n' ").nth(1).unwrap();
    assert!(blob.as_bytes()[..40].iter().all(u8::is_ascii_hexdigit), "{blob}");
    let none = work.run(&["explain", "ANSA2001", "--report", "h.json"]).stdout;
    assert!(none.contains("no finding of this rule in a history"), "{none}");
}
