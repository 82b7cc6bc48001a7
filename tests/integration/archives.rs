//! Archives as users have them: what is in them is found at its own path and place, and what is not read is said.

use super::pack::{self, Method};
use super::template::live_key;
use super::workspace::{Run, Workspace};
use serde_json::Value;

const EMPTY: &[u8] = b"";

fn line(key: &str) -> Vec<u8> {
    format!("# settings\nKEY=\"{key}\"\n").into_bytes()
}

/// Path, line and column of each finding.
fn places(run: &Run) -> Vec<(String, u64, u64)> {
    let report = run.json();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .flat_map(|finding| {
            let path = finding["path"].as_str().unwrap().to_owned();
            let starts = finding["places"].as_array().unwrap().iter().map(|place| place["start"].clone());
            starts.map(move |at| (path.clone(), at["line"].as_u64().unwrap(), at["column"].as_u64().unwrap()))
        })
        .collect()
}

fn left_out(run: &Run) -> Vec<(String, String)> {
    let report = run.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    report["coverage"]["left_out"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(&one["path"]), text(&one["reason"])))
        .collect()
}

fn scan(workspace: &Workspace, more: &[&str]) -> Run {
    workspace.run(&[&["scan", "--format", "json"], more].concat())
}

/// One file of each kind of container with the key in it, and where it should be found.
fn containers(key: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = line(key);
    let one: &[(&str, &[u8])] = &[("etc/k.env", &text)];
    let tar = pack::tar(one);
    vec![
        ("a.zip", pack::zip(one), "a.zip!/etc/k.env"),
        ("name-says-nothing", pack::zip(one), "name-says-nothing!/etc/k.env"),
        ("z.zip", pack::zip_of(&[("etc/k.env", &text, true)], Method::Zstd), "z.zip!/etc/k.env"),
        ("b.zip", pack::zip_of(&[("etc/k.env", &text, true)], Method::Bzip2), "b.zip!/etc/k.env"),
        ("s.zip", pack::zip_of(&[("etc/k.env", &text, true)], Method::Streamed), "s.zip!/etc/k.env"),
        ("a.tar", tar.clone(), "a.tar!/etc/k.env"),
        ("a.tgz", pack::gzip(&tar), "a.tgz!/etc/k.env"),
        ("a.tar.xz", pack::xz(&tar), "a.tar.xz!/etc/k.env"),
        ("a.tar.bz2", pack::bzip2(&tar), "a.tar.bz2!/etc/k.env"),
        ("a.tar.zst", zstd::encode_all(tar.as_slice(), 3).unwrap(), "a.tar.zst!/etc/k.env"),
        ("a.tar.lz4", pack::lz4(&tar), "a.tar.lz4!/etc/k.env"),
        ("k.env.gz", pack::gzip(&text), "k.env.gz!/k.env"),
        (
            "a.deb",
            pack::ar(&[("debian-binary", b"2.0\n"), ("data.tar.xz", &pack::xz(&tar))]),
            "a.deb!/data.tar.xz!/etc/k.env",
        ),
        ("a.cpio", pack::cpio(one), "a.cpio!/etc/k.env"),
        ("a.rpm", pack::rpm(one), "a.rpm!/etc/k.env"),
        ("app.asar", pack::asar(&[("k.env", &text), ("b.js", b"ABC")]), "app.asar!/k.env"),
    ]
}

#[test]
fn every_container_is_opened() {
    for (seed, (name, _, path)) in (100..).zip(containers("")) {
        let key = live_key(seed);
        let (_, bytes, _) = containers(&key).swap_remove(usize::try_from(seed - 100).unwrap());
        let workspace = Workspace::new();
        workspace.write(name, &bytes);
        let run = scan(&workspace, &[]);
        assert_eq!(places(&run), [(path.to_owned(), 2, 6)], "{name}: {}", run.stdout);
        assert_eq!(run.json()["complete"], true, "{name}: {}", run.stdout);
    }
}

#[test]
fn archives_in_archives_are_opened_down_to_the_bound() {
    let key = live_key(2);
    let workspace = Workspace::new();
    let nested = (0..10).fold(line(&key), |inner, depth| {
        if depth % 2 == 0 { pack::zip(&[("n", &inner)]) } else { pack::tar(&[("n", &inner)]) }
    });
    workspace.write("deep", &nested);
    let run = scan(&workspace, &[]);
    let below = "!/n".repeat(8);
    assert_eq!(run.code, Some(3));
    assert_eq!(left_out(&run)[0].0, format!("deep{below}"));
    assert!(left_out(&run)[0].1.contains("nested in 8 archives"));
    let run = scan(&workspace, &["--archive-depth", "10"]);
    assert_eq!((run.code, places(&run)), (Some(1), vec![(format!("deep{}", "!/n".repeat(10)), 2, 6)]));
    assert_eq!(scan(&workspace, &["--archive-depth", "0"]).code, Some(0));
}

#[test]
fn a_zip_is_read_whatever_its_directory_says() {
    let (named, hidden, twice) = (line(&live_key(3)), line(&live_key(4)), line(&live_key(5)));
    let entries =
        [("named", &*named, true), ("hidden", &*hidden, false), ("same", b"clean\n", true), ("same", &*twice, true)];
    for method in [Method::Stored, Method::Deflated, Method::Streamed] {
        let zip = pack::zip_of(&entries, method);
        let all = ["named", "hidden", "same"].map(|name| (format!("f!/{name}"), 2, 6));
        let cases = [
            (zip.clone(), true, 3),
            ([vec![b'j'; 5_000], zip.clone()].concat(), true, 3),
            (zip[..zip.windows(4).position(|at| at == b"PK\x01\x02").unwrap()].to_vec(), false, 3),
        ];
        for (number, (bytes, is_complete, found)) in cases.into_iter().enumerate() {
            let workspace = Workspace::new();
            workspace.write("f", &bytes);
            let run = scan(&workspace, &[]);
            let places = places(&run);
            assert_eq!(places.len(), found, "case {number}: {}", run.stdout);
            assert!(places.iter().all(|place| all.contains(place)), "case {number}: {places:?}");
            assert_eq!(run.json()["complete"], is_complete, "case {number}");
        }
    }
}

#[test]
fn what_stands_beside_a_key_does_not_run_into_it() {
    let key = live_key(6);
    let bare = key.as_bytes();
    let workspace = Workspace::new();
    workspace.write("a.zip", pack::zip_of(&[("k", bare, true), ("PQ", b"RS", true)], Method::Stored));
    workspace.write("b.asar", pack::asar(&[("k", bare), ("l", b"MNOP")]));
    let run = scan(&workspace, &[]);
    let keys: Vec<Value> =
        run.json()["findings"].as_array().unwrap().iter().map(|one| one["key"]["masked"].clone()).collect();
    assert_eq!(places(&run), [("a.zip!/k".into(), 1, 1), ("b.asar!/k".into(), 1, 1)]);
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].as_str().unwrap().ends_with(&key[key.len() - 4..]));
}

#[test]
fn encrypted_and_damaged_members_are_left_out_by_name() {
    let workspace = Workspace::new();
    let mut encrypted = pack::zip(&[("secret.txt", b"x"), ("open.txt", b"y")]);
    encrypted[6] |= 1;
    workspace.write("e.zip", &encrypted);
    let tar = pack::tar(&[("first", b"x"), ("second", &[b'y'; 2_000])]);
    workspace.write("cut.tar", &tar[..1_900]);
    let long = pack::tar_member(b"././@LongLink", &[b'n'; 3_000], b'L', b"ustar  \0");
    workspace.write("long.tar", &long[..2_000]);
    let gzip = pack::gzip(&[b'z'; 5_000]);
    workspace.write("cut.gz", &gzip[..gzip.len() - 12]);
    workspace.write("a.rar", b"Rar!\x1a\x07\x01\0");
    let run = scan(&workspace, &[]);
    assert_eq!(run.code, Some(3));
    let told = left_out(&run);
    let paths: Vec<&str> = told.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a.rar", "cut.gz!/cut", "cut.tar!/second", "e.zip!/secret.txt", "long.tar"], "{told:?}");
    assert_eq!(told[3].1, "encrypted");
}

#[test]
fn every_dialect_of_tar_is_read() {
    let content = line(&live_key(7));
    let long = format!("{}/{}", "d".repeat(150), "k.env");
    let pax = |text: &str| pack::tar_member(b"pax", text.as_bytes(), b'x', b"ustar\x0000");
    let record = |text: &str| {
        let len = text.len() + 2;
        let len = len + (len + 2).to_string().len();
        format!("{len} {text}\n")
    };
    let mut base_256 = pack::tar_member(b"k.env", &content, b'0', b"ustar  \0");
    base_256[124..136].copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, u8::try_from(content.len()).unwrap()]);
    pack::seal(&mut base_256);
    let mut none = pack::tar_member(b"k.env", &content, b'0', b"ustar\x0000");
    none[124..136].copy_from_slice(b"00000000000\0");
    pack::seal(&mut none);
    let cases: Vec<(Vec<u8>, String)> = vec![
        (pack::tar_member(b"k.env", &content, 0, b""), "k.env".into()),
        (
            [
                pack::tar_member(b"././@LongLink", format!("{long}\0").as_bytes(), b'L', b"ustar  \0"),
                pack::tar_member(b"cut", &content, b'0', b"ustar  \0"),
            ]
            .concat(),
            long.clone(),
        ),
        (
            [pax(&record(&format!("path={long}"))), pack::tar_member(b"cut", &content, b'0', b"ustar\x0000")].concat(),
            long,
        ),
        ([pax(&record(&format!("size={}", content.len()))), none].concat(), "k.env".into()),
        (base_256, "k.env".into()),
        ([vec![0; 2_048], pack::tar_member(b"k.env", &content, b'0', b"ustar\x0000")].concat(), "k.env".into()),
    ];
    for (number, (bytes, name)) in cases.into_iter().enumerate() {
        // What starts with zeros is not a tar by its start; within one, it is what follows an end.
        let bytes = [pack::tar_member(b"first", b"x", b'0', b"ustar\x0000"), bytes].concat();
        let workspace = Workspace::new();
        workspace.write("a.tar", &bytes);
        let run = scan(&workspace, &[]);
        assert_eq!(places(&run), [(format!("a.tar!/{name}"), 2, 6)], "case {number}: {}", run.stdout);
    }
}

#[test]
fn members_of_any_size_are_read_in_windows() {
    let key = live_key(8);
    let noise: Vec<u8> =
        (0_u32..700_000).map(|at| (at.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0] | 0x80).collect();
    let layer = pack::tar(&[("noise", &noise), ("app/k.env", &line(&key)), ("more", &noise)]);
    let inner = pack::zip(&[("noise", &noise), ("k.env", &line(&key))]);
    let workspace = Workspace::new();
    workspace.write(
        "image.tar.gz",
        pack::gzip(&pack::tar(&[("1/layer.tar", &layer), ("2.zip", &inner), ("3.tgz", &pack::gzip(&layer))])),
    );
    let found = ["1/layer.tar!/app/k.env", "2.zip!/k.env", "3.tgz!/app/k.env"]
        .map(|path| (format!("image.tar.gz!/{path}"), 2, 6));
    let run = scan(&workspace, &[]);
    assert_eq!(places(&run), found);
    assert_eq!(run.json()["complete"], true, "{}", run.stdout);
}

#[test]
fn a_layer_of_an_image_counts_though_the_next_one_deletes_the_file() {
    let workspace = Workspace::new();
    let lower = pack::tar(&[("app/.env", &line(&live_key(9)))]);
    let upper = pack::tar(&[("app/.wh..env", EMPTY)]);
    workspace.write(
        "docker.tar",
        pack::tar(&[("aaa/layer.tar", &lower), ("bbb/layer.tar", &upper), ("manifest.json", b"[]")]),
    );
    let oci: &[(&str, &[u8])] =
        &[("oci-layout", b"{}"), ("blobs/sha256/aaa", &pack::gzip(&lower)), ("blobs/sha256/bbb", &pack::gzip(&upper))];
    workspace.write("oci.tar", pack::tar(oci));
    let expected =
        [("docker.tar!/aaa/layer.tar!/app/.env".into(), 2, 6), ("oci.tar!/blobs/sha256/aaa!/app/.env".into(), 2, 6)];
    assert_eq!(places(&scan(&workspace, &[])), expected);
}

#[test]
fn packaged_apps_are_client_whatever_they_are_called() {
    let script = format!("var a=\"{}\"", live_key(10));
    let script = script.as_bytes();
    let crx =
        [b"Cr24\x03\0\0\0\x04\0\0\0abcd".to_vec(), pack::zip(&[("manifest.json", b"{}"), ("bg.js", script)])].concat();
    let apps = [
        ("app.apk", pack::zip(&[("AndroidManifest.xml", b"\x03\0\x08\0"), ("assets/index.android.bundle", script)])),
        (
            "release.bin",
            pack::zip(&[("AndroidManifest.xml", b"\x03\0\x08\0"), ("assets/index.android.bundle", script)]),
        ),
        ("app.aab", pack::zip(&[("BundleConfig.pb", b""), ("base/assets/index.android.bundle", script)])),
        ("app.ipa", pack::zip(&[("Payload/Shop.app/main.jsbundle", script)])),
        ("ext.crx", crx),
        ("ext.xpi", pack::zip(&[("manifest.json", b"{}"), ("bg.js", script)])),
        ("app.asar", pack::asar(&[("main.js", script)])),
    ];
    for (name, bytes) in apps {
        let workspace = Workspace::new();
        workspace.write(name, &bytes);
        let run = scan(&workspace, &[]);
        let report = run.json();
        assert_eq!(report["findings"][0]["side"]["value"], "client", "{name}: {}", run.stdout);
        assert_eq!(report["findings"][0]["code"], "ANSA1001", "{name}");
    }
    let workspace = Workspace::new();
    workspace.write("web/package.json", r#"{"dependencies": {"react-dom": "19"}}"#);
    workspace.write("web/server.jar", pack::zip(&[("META-INF/MANIFEST.MF", b""), ("config.js", script)]));
    workspace.write("web/main.js.gz", pack::gzip(script));
    let report = scan(&workspace, &[]).json();
    let sides: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|one| &one["side"]["value"]).collect();
    assert_eq!(sides, ["client", "unknown"], "what stands around an archive says nothing of what is in it");
}

#[test]
fn every_bound_is_told_with_its_place() {
    let (bomb, few) = (Workspace::new(), Workspace::new());
    bomb.write("bomb.zip", pack::zip(&[("zeros", &vec![0; 65 << 20]), ("after", b"x")]));
    few.write("few.tar.gz", pack::gzip(&pack::tar(&[("1", &vec![b'x'; 3_000_000]), ("2", b"x"), ("3", b"x")])));
    let told = |workspace: &Workspace, more: &[&str]| {
        let run = scan(workspace, more);
        assert_eq!(run.code, Some(3), "{more:?}: {}", run.stdout);
        left_out(&run).into_iter().map(|(path, reason)| format!("{path}: {reason}")).collect::<Vec<_>>().join("\n")
    };
    let rest = "; the rest of the archive was not opened";
    assert_eq!(told(&bomb, &[]), format!("bomb.zip!/zeros: more than 250 bytes inflated for each byte of it{rest}"));
    assert_eq!(told(&few, &["--archive-entries", "3"]), format!("few.tar.gz!/3: more than 3 members{rest}"));
    assert_eq!(
        told(&few, &["--archive-bytes", "2000000"]),
        format!("few.tar.gz!/1: more than 2000000 bytes inflated{rest}")
    );
    assert!(told(&few, &["--archive-seconds", "0"]).contains("opening it took more than 0 s"));
    assert_eq!(scan(&few, &[]).code, Some(0));
    let tar = Workspace::new();
    tar.write("a.tar", pack::tar(&[("1", &vec![b'x'; 3_000_000]), ("k", &line(&live_key(16)))]));
    let run = scan(&tar, &["--archive-entry-bytes", "2000000"]);
    assert_eq!(left_out(&run), [("a.tar!/1".into(), "a member of more than 2000000 bytes".into())]);
    assert_eq!(places(&run), [("a.tar!/k".into(), 2, 6)]);
}

#[test]
fn names_and_streams_are_searched_too() {
    let (name, piped) = (live_key(11), live_key(12));
    let workspace = Workspace::new();
    workspace.write("a.tar", pack::tar(&[(&format!("d/{name}"), b"x")]));
    let run = scan(&workspace, &[]);
    let report = run.json();
    assert_eq!(report["findings"][0]["origin"]["kind"], "tree-entry");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert!(!run.stdout.contains(&name));
    let mut child = workspace
        .command(&["scan", "--format", "json", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let archive = pack::gzip(&pack::tar(&[("pad", &vec![b'x'; 900_000]), ("k.env", &line(&piped))]));
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), &archive).unwrap();
    let run: Run = child.wait_with_output().unwrap().into();
    assert_eq!(places(&run), [("-!/k.env".into(), 2, 6)]);
}

#[test]
fn a_folder_in_an_archive_is_a_name_of_its_own() {
    let key = live_key(12);
    let workspace = Workspace::new();
    workspace.write("a.tar", pack::tar(&[(&format!("d/{key}/e/f"), b"x"), (&format!("d/{key}/g"), b"x")]));
    let report = scan(&workspace, &[]).json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["findings"][0]["key"]["fingerprint"], crate::template::fingerprint(&key));
}

#[test]
fn archives_in_a_history_are_opened() {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q"]);
    workspace.write("lib/a.tgz", pack::gzip(&pack::tar(&[("k.env", &line(&live_key(13)))])));
    workspace.write("b.tar", pack::tar(&[("app/k.env", &line(&live_key(14)))]));
    let content = line(&live_key(15));
    let zip = pack::zip_of(&[("k.env", &content, true)], Method::Deflated);
    workspace.write("s.run", [format!("#!/bin/sh\n{}", "echo x\n".repeat(200)).as_bytes(), &zip].concat());
    workspace.git(&["add", "-A"]);
    workspace.git(&["commit", "-qm", "one"]);
    workspace.git(&["rm", "-q", "-r", "."]);
    workspace.git(&["commit", "-qm", "two"]);
    workspace.git(&["gc", "-q"]);
    let run = workspace.run(&["history", "--format", "json"]);
    let mut found = places(&run);
    found.sort();
    assert_eq!(found, ["b.tar!/app/k.env", "lib/a.tgz!/k.env", "s.run!/k.env"].map(|path| (path.to_owned(), 2, 6)));
}

#[test]
fn a_bundle_of_git_on_disk_is_read_with_its_deltas() {
    let workspace = Workspace::new();
    workspace.git(&["init", "-q", "repo"]);
    let lines: String = (0..400).fold(String::new(), |lines, number| lines + "line " + &number.to_string() + "\n");
    workspace.write("repo/a.txt", &lines);
    workspace.git(&["-C", "repo", "add", "-A"]);
    workspace.git(&["-C", "repo", "commit", "-qm", "one"]);
    workspace.write("repo/a.txt", format!("{lines}KEY={}\n", live_key(15)));
    workspace.git(&["-C", "repo", "commit", "-qam", "two"]);
    workspace.git(&["-C", "repo", "bundle", "create", "-q", "../r.bundle", "--all"]);
    std::fs::remove_dir_all(workspace.path().join("repo")).unwrap();
    assert_eq!(places(&scan(&workspace, &[])), [("r.bundle!/a.txt".into(), 401, 5)]);
}
