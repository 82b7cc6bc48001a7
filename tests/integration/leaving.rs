//! Keys in server code that reach clients all the same: in markup, in what loaders return, in properties of components.

use crate::template::live_key;
use crate::workspace::Workspace;
use std::collections::BTreeMap;

/// A folder of files, and the side that the key in each is on.
fn check(manifest: &str, files: &[(&str, &str, &str)]) {
    let work = Workspace::new();
    let key = live_key(1);
    work.write("package.json", manifest);
    for (path, text, _) in files {
        work.write(path, text.replace("KEY", &key));
    }
    let sides = |command: &str| -> BTreeMap<String, String> {
        let report = work.run(&[command, "--format", "json"]).json();
        let all = report["findings"].as_array().unwrap().iter().filter(|one| one["key"].is_object());
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        all.map(|one| (text(&one["path"]), text(&one["side"]["value"]))).collect()
    };
    let expected: BTreeMap<String, String> = files
        .iter()
        .filter(|(_, text, _)| text.contains("KEY"))
        .map(|(path, _, side)| ((*path).to_owned(), (*side).to_owned()))
        .collect();
    assert_eq!(sides("scan"), expected);
    work.git(&["init", "-q"]);
    work.git(&["add", "."]);
    work.git(&["commit", "-q", "-m", "all"]);
    assert_eq!(sides("history"), expected);
}

const CALL: &str = "fetch(u, { headers: { Authorization: `Bearer ${K}` } })";

#[test]
fn markup_of_server_components() {
    let page = |body: &str| format!("const K = 'KEY'\nexport default async function Page() {{\n  {body}\n}}\n");
    let client = [
        "return <input type=\"hidden\" value={K} />",
        "return <form><input name=\"k\" value=\"KEY\" /></form>",
        "return <script>{`window.k = '${K}'`}</script>",
        "return <script dangerouslySetInnerHTML={{ __html: `window.k = '${K}'` }} />",
        "return <Script id=\"a\">{`window.k = '${K}'`}</Script>",
        "return <div data-key={K}>x</div>",
        "return <p>KEY</p>",
        "return <main>{open && <span>{K}</span>}</main>",
        "const attributes = { 'data-k': K }\n  return <div {...attributes} />",
        "return <ul>{[K].map((one) => <li>{one}</li>)}</ul>",
    ];
    let server = [
        &format!("await {CALL}\n  return <p>ok</p>"),
        &format!("const r = await {CALL}\n  return <p>{{r.status}}</p>"),
        "return <p>{await pay(K)}</p>",
        "return <form action={async () => { 'use server'; await pay(K) }}><b /></form>",
        "return <p key={K}>ok</p>",
        "return <Pay secretKey={K} />",
        "return <p>{K ? 'ready' : 'missing'}</p>",
    ];
    let mut files = Vec::new();
    for (at, body) in client.iter().enumerate() {
        files.push((format!("app/c{at}/page.tsx"), page(body), "client"));
    }
    for (at, body) in server.iter().enumerate() {
        files.push((format!("app/s{at}/page.tsx"), page(body), "server"));
    }
    let files: Vec<_> = files.iter().map(|(path, text, side)| (path.as_str(), text.as_str(), *side)).collect();
    check(r#"{"dependencies": {"next": "15", "react": "19", "react-dom": "19"}}"#, &files);
}

#[test]
fn properties_of_components_that_run_in_the_browser() {
    let text =
        |import: &str, body: &str| format!("import {import}\nexport default async function Page() {{ {body} }}\n");
    let files = [
        ("app/a/page.tsx", text("{ Pay } from './pay'", "return <Pay apiKey=\"KEY\" />"), "client"),
        ("app/a/pay.tsx", "'use client'\nexport function Pay({ apiKey }) { return null }\n".into(), ""),
        ("app/b/page.tsx", text("Pay from '@/ui/pay'", "const k = 'KEY'; return <Pay config={{ k }} />"), "client"),
        (
            "ui/pay.tsx",
            "// Pays.\n\"use client\";\nexport default function Pay({ config }) { return null }\n".into(),
            "",
        ),
        ("tsconfig.json", "{\"compilerOptions\": {\"paths\": {\"@/*\": [\"./*\"]}}}".into(), ""),
        ("app/c/page.tsx", text("{ Pay } from '../../all'", "return <Pay k={'KEY'} />"), "client"),
        ("all/index.ts", "export { Other } from './other'\nexport * from '../app/a/pay'\n".into(), ""),
        ("all/other.tsx", "'use client'\nexport function Other() { return null }\n".into(), ""),
        ("app/d/page.tsx", text("{ Balance } from './balance'", "return <Balance k=\"KEY\" />"), "server"),
        ("app/d/balance.tsx", "export async function Balance({ k }) { return <p>{await ask(k)}</p> }\n".into(), ""),
        ("app/e/page.tsx", text("{ Pay } from '../a/pay'", "await ask('KEY'); return <Pay open />"), "server"),
    ];
    let files: Vec<_> = files.iter().map(|(path, text, side)| (*path, text.as_str(), *side)).collect();
    check(r#"{"dependencies": {"next": "15", "react": "19", "react-dom": "19"}}"#, &files);
}

#[test]
fn what_loaders_return() {
    let next = [
        (
            "pages/a.jsx",
            "export default (p) => p.k\nexport async function getServerSideProps() { return { props: { k: 'KEY' } } }\n",
            "client",
        ),
        (
            "pages/b.jsx",
            "const K = 'KEY'\nexport default (p) => p.k\nexport const getStaticProps = async () => { const props = { k: K }; return { props } }\n",
            "client",
        ),
        (
            "pages/c.jsx",
            "export default (p) => p.k\nexport async function getServerSideProps() { const r = await ask('KEY'); return { props: { r } } }\n",
            "server",
        ),
        ("lib/loader.js", "import fs from 'fs'\nexport const loader = () => 'KEY'\n", "server"),
    ];
    check(r#"{"dependencies": {"next": "15", "react": "19", "react-dom": "19"}}"#, &next);
    let remix = [
        (
            "app/routes/a.tsx",
            "export const loader = async () => json({ k: 'KEY' })\nexport default () => null\n",
            "client",
        ),
        (
            "app/routes/b.tsx",
            "export async function loader() { const k = 'KEY'; return { ok: await ask(k) } }\nexport default () => null\n",
            "server",
        ),
        (
            "app/routes/c.tsx",
            "export async function action() { const k = 'KEY'; return { a: { k } } }\nexport default () => null\n",
            "client",
        ),
    ];
    check(r#"{"dependencies": {"@remix-run/react": "2", "react": "18", "react-dom": "18"}}"#, &remix);
    let kit = [
        ("src/routes/+page.server.ts", "export const load = async () => ({ k: 'KEY' })\n", "client"),
        ("src/routes/b/+page.server.ts", "export const load = async () => ({ ok: await ask('KEY') })\n", "server"),
    ];
    check(r#"{"devDependencies": {"@sveltejs/kit": "2", "svelte": "5"}}"#, &kit);
}

#[test]
fn variables_of_views_are_told_as_evidence() {
    let work = Workspace::new();
    work.write("package.json", r#"{"dependencies": {"express": "4"}}"#);
    let text = "const express = require('express')\napp.get('/', (req, res) => res.render('pay', { key: 'KEY' }))\n";
    work.write("app.js", text.replace("KEY", &live_key(1)));
    let report = work.run(&["scan", "--format", "json"]).json();
    let side = &report["findings"][0]["side"];
    assert_eq!(side["value"], "server");
    assert!(side["evidence"].to_string().contains("a view is given it"), "{side}");
}
