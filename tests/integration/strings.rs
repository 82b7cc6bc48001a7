//! Files that hold strings by tables of their own: databases, property lists, bytecode, documents, source maps.

use super::pack;
use super::template::live_key;
use super::workspace::{Run, Workspace};
use crate::template::{base64, fingerprint};
use serde_json::Value;

fn scan(workspace: &Workspace) -> Run {
    workspace.run(&["scan", "--format", "json"])
}

/// The fingerprints found at each path.
fn found(run: &Run) -> Vec<(String, String)> {
    let report = run.json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|finding| (text(&finding["path"]), text(&finding["key"]["fingerprint"]))).collect()
}

/// Checks that `content` shows each of `keys` once, in the file itself, and nothing else.
fn holds(name: &str, content: &[u8], keys: &[&str]) {
    let workspace = Workspace::new();
    workspace.write(name, content);
    let run = scan(&workspace);
    let mut expected: Vec<(String, String)> = keys.iter().map(|key| (name.to_owned(), fingerprint(key))).collect();
    let mut found = found(&run);
    expected.sort();
    found.sort();
    assert_eq!(found, expected, "{name}: {}", run.stdout);
    assert_eq!(run.json()["complete"], true, "{name}: {}", run.stdout);
}

/// A page of a table with one record a row, in a database of pages of 512 bytes.
fn sqlite_page(rows: &[&[&str]], is_first: bool) -> Vec<u8> {
    let mut page = vec![0; 512];
    let head = if is_first { 100 } else { 0 };
    page[head] = 0x0d;
    page[head + 3..head + 5].copy_from_slice(&u16::try_from(rows.len()).unwrap().to_be_bytes());
    let mut end = 512;
    for (number, row) in rows.iter().enumerate() {
        let kinds: Vec<u8> = row.iter().flat_map(|text| varint(13 + 2 * text.len())).collect();
        let mut record = varint(kinds.len() + 1);
        record.extend(&kinds);
        row.iter().for_each(|text| record.extend(text.as_bytes()));
        let cell = [varint(record.len()), vec![1], record].concat();
        end -= cell.len();
        page[end..end + cell.len()].copy_from_slice(&cell);
        let pointer = head + 8 + 2 * number;
        page[pointer..pointer + 2].copy_from_slice(&u16::try_from(end).unwrap().to_be_bytes());
    }
    page
}

fn varint(value: usize) -> Vec<u8> {
    let low = u8::try_from(value & 0x7f).unwrap();
    if value < 0x80 { vec![low] } else { vec![u8::try_from(value >> 7).unwrap() | 0x80, low] }
}

fn database(pages: &[Vec<u8>]) -> Vec<u8> {
    let mut database = pages.concat();
    database[..16].copy_from_slice(b"SQLite format 3\0");
    database[16..18].copy_from_slice(&512_u16.to_be_bytes());
    database[56..60].copy_from_slice(&1_u32.to_be_bytes());
    database
}

#[test]
fn a_database_gives_each_value_by_itself() {
    let (used, free) = (live_key(20), live_key(21));
    let pages =
        [sqlite_page(&[&[&used, "neighbour"], &["other", "x"]], true), sqlite_page(&[&[&free, "Neighbour"]], false)];
    holds("app.db", &database(&pages), &[&used, &free]);
}

#[test]
fn a_value_that_goes_over_a_page_is_put_together() {
    let key = live_key(22);
    // The cell keeps what fits its page, the rest is on the next one behind a number.
    let text = format!("{}{key} and more {}", "x".repeat(60), "y".repeat(500));
    let record = [varint(3), varint(13 + 2 * text.len()), text.clone().into_bytes()].concat();
    let least = (512 - 12) * 32 / 255 - 23;
    let local = least + (record.len() - least) % (512 - 4);
    assert!((60 + 3..60 + 3 + key.len()).contains(&local) || local < 512 - 35);
    let mut first = sqlite_page(&[], true);
    first[103..105].copy_from_slice(&1_u16.to_be_bytes());
    let cell = [varint(record.len()), vec![1], record[..local].to_vec(), 2_u32.to_be_bytes().to_vec()].concat();
    let at = 512 - cell.len();
    first[108..110].copy_from_slice(&u16::try_from(at).unwrap().to_be_bytes());
    first[at..].copy_from_slice(&cell);
    let mut pages = vec![first];
    let rest: Vec<&[u8]> = record[local..].chunks(508).collect();
    for (number, chunk) in rest.iter().enumerate() {
        let next = if number + 1 < rest.len() { u32::try_from(number + 3).unwrap() } else { 0 };
        let mut page = [next.to_be_bytes().to_vec(), chunk.to_vec()].concat();
        page.resize(512, 0);
        pages.push(page);
    }
    holds("app.db", &database(&pages), &[&key]);
}

#[test]
fn a_property_list_gives_each_string_by_itself() {
    let (plain, wide) = (live_key(23), live_key(24));
    let mut list = b"bplist00".to_vec();
    let mut offsets = vec![list.len()];
    list.extend([0xd1, 1, 2]);
    let wide_text: Vec<u8> = wide.encode_utf16().flat_map(u16::to_be_bytes).collect();
    // The mark of what follows is a letter or an underscore, which would be taken for more of the key.
    for (mark, text, len) in
        [(0x5f, plain.as_bytes(), plain.len()), (0x6f, &wide_text, wide.len()), (0x5f, b"a string of its own", 19)]
    {
        offsets.push(list.len());
        list.extend([mark, 0x10, u8::try_from(len).unwrap()]);
        list.extend(text);
    }
    let table = list.len();
    list.extend(offsets.iter().flat_map(|&offset| u16::try_from(offset).unwrap().to_be_bytes()));
    list.extend([0, 0, 0, 0, 0, 0, 2, 1]);
    list.extend([offsets.len(), 0, table].iter().flat_map(|&value| (value as u64).to_be_bytes()));
    holds("Info.plist", &list, &[&plain, &wide]);
}

/// Bytecode of Hermes with `strings`, packed as the compiler packs them.
fn hermes(strings: &[&str], function_bytes: usize) -> Vec<u8> {
    let (mut small, mut long, mut storage) = (Vec::<u32>::new(), Vec::<u32>::new(), Vec::<u8>::new());
    for text in strings {
        let (offset, len) = (u32::try_from(storage.len()).unwrap(), u32::try_from(text.len()).unwrap());
        if len < 0xff {
            small.push(offset << 1 | len << 24);
        } else {
            small.push(u32::try_from(long.len() / 2).unwrap() << 1 | 0xff << 24);
            long.extend([offset, len]);
        }
        storage.extend(text.as_bytes());
    }
    let mut file = 0x1f19_03c1_03bc_1fc6_u64.to_le_bytes().to_vec();
    file.resize(128, 0);
    let counts = [2, 1, 0, strings.len(), long.len() / 2, storage.len()];
    for (index, count) in counts.iter().enumerate() {
        file[40 + 4 * index..44 + 4 * index].copy_from_slice(&u32::try_from(*count).unwrap().to_le_bytes());
    }
    file.resize(128 + 2 * function_bytes + 4, 0x11);
    file.extend(small.iter().chain(&long).flat_map(|word| word.to_le_bytes()));
    file.extend(storage);
    file.extend([0; 64]);
    file
}

#[test]
fn bytecode_of_hermes_gives_each_string_by_itself() {
    let (first, second) = (live_key(25), live_key(26));
    let long = "long ".repeat(60);
    let strings = ["Authorization", &first, "POST", &long, &second, "amount"];
    for function_bytes in [16, 12] {
        holds("main.hbc", &hermes(&strings, function_bytes), &[&first, &second]);
    }
    let workspace = Workspace::new();
    let apk: &[(&str, &[u8])] =
        &[("AndroidManifest.xml", b"\x03\0\x08\0"), ("assets/index.android.bundle", &hermes(&strings, 16))];
    workspace.write("app.apk", pack::zip(apk));
    let report = scan(&workspace).json();
    assert_eq!(report["findings"][0]["path"], "app.apk!/assets/index.android.bundle");
    assert_eq!(report["findings"][0]["side"]["value"], "client");
    assert_eq!(report["findings"].as_array().unwrap().len(), 2);
}

#[test]
fn tables_whose_strings_end_by_themselves_need_no_more() {
    let key = live_key(27);
    // Between what stands before and behind the string in each format.
    let utf_16: Vec<u8> = key.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let len = u8::try_from(key.len()).unwrap();
    let cases: [(&str, Vec<u8>); 4] = [
        (
            "Config.class",
            [b"\xca\xfe\xba\xbe\0\0\0\x34\0\x05\x01\0", &[len][..], key.as_bytes(), b"\x01\0\x03ABC\0\x21"].concat(),
        ),
        ("classes.dex", [b"dex\n035\0", &[len][..], key.as_bytes(), b"\0\x03ABC\0"].concat()),
        ("resources.arsc", [b"\x02\0\x0c\0\x01\0\x1c\0", &[len, 0][..], &utf_16, b"\0\0\x03\0A\0B\0C\0\0\0"].concat()),
        (
            "app.wasm",
            [b"\0asm\x01\0\0\0\x0b\x40\x01\0\x41\x80\x08\x0b", &[len][..], key.as_bytes(), b"\0more\0"].concat(),
        ),
    ];
    for (name, content) in cases {
        holds(name, &content, &[&key]);
    }
}

#[test]
fn streams_of_a_pdf_are_inflated() {
    let key = live_key(28);
    let stream = pack::zlib(format!("BT ({key}) Tj ET").as_bytes());
    let head = format!("%PDF-1.5\n12 0 obj\n<</Length {} /Filter /FlateDecode>>\nstream\r\n", stream.len());
    let pdf = [head.as_bytes(), &stream, b"\nendstream\nendobj\ntrailer <<>>\n%%EOF\n"].concat();
    let workspace = Workspace::new();
    workspace.write("d.pdf", pdf);
    assert_eq!(found(&scan(&workspace)), [("d.pdf!/12 0 obj".into(), fingerprint(&key))]);
}

fn source_map(key: &str) -> String {
    let source = format!("import x\n\nexport const key = '{key}'\n");
    serde_json::json!({
        "version": 3, "file": "app.js", "sourceRoot": "", "sources": ["../src/other.ts", "../src/pay.ts"],
        "sourcesContent": [null, source], "mappings": "AAAA",
    })
    .to_string()
}

const ORIGINAL: &str = "before it was bundled it stood in `../src/pay.ts`, line 3, column 21";

fn evidence(finding: &Value) -> Vec<&str> {
    finding["side"]["evidence"].as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

#[test]
fn a_source_map_tells_the_original_place() {
    let key = live_key(29);
    let bundle = format!("var a=\"{key}\";\n//# sourceMappingURL=app.js.map\n");
    let workspace = Workspace::new();
    workspace.write("dist/app.js.map", source_map(&key));
    let report = scan(&workspace).json();
    assert_eq!(report["findings"][0]["path"], "dist/app.js.map");
    assert!(evidence(&report["findings"][0]).contains(&ORIGINAL));
    workspace.write("dist/app.js", &bundle);
    let report = scan(&workspace).json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["findings"][0]["path"], "dist/app.js");
    assert_eq!(report["findings"][0]["places"][0]["start"]["column"], 8);
    assert!(evidence(&report["findings"][0]).contains(&ORIGINAL));
    assert!(evidence(&report["findings"][0]).contains(&"the source map `dist/app.js.map` next to it holds it too"));
    let packed = Workspace::new();
    let map = source_map(&key);
    packed.write("dist.zip", pack::zip(&[("app.js", bundle.as_bytes()), ("app.js.map", map.as_bytes())]));
    let report = scan(&packed).json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert_eq!(report["findings"][0]["path"], "dist.zip!/app.js");
    assert!(evidence(&report["findings"][0]).contains(&ORIGINAL));
}

#[test]
fn a_source_map_within_its_bundle_tells_the_original_place() {
    let key = live_key(30);
    let bundle = format!("var a=\"{key}\";\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,");
    let workspace = Workspace::new();
    workspace.write("app.js", [bundle.as_bytes(), base64(source_map(&key).as_bytes()).as_bytes()].concat());
    let report = scan(&workspace).json();
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
    assert!(evidence(&report["findings"][0]).contains(&ORIGINAL));
}
