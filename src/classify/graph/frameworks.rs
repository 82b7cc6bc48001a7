//! What frameworks take out of the modules they ship, and which have a server and a client in one project.

use crate::classify::manifest;
use crate::side::Facts;

/// A framework that ships a module without some of its exports.
struct Stripping {
    depends: &'static [&'static str],
    /// Folders of the modules this holds for, below the package; none for all.
    folders: &'static [&'static str],
    exports: &'static [&'static str],
    /// Beginnings of paths, below the package, of modules that are shipped without those exports.
    entries: &'static [&'static str],
}

const STRIPPING: [Stripping; 4] = [
    Stripping {
        depends: &["next"],
        folders: &["pages/"],
        exports: &["getServerSideProps", "getStaticProps", "getStaticPaths"],
        entries: &["pages/", "src/pages/"],
    },
    Stripping {
        depends: &[
            "@remix-run/react",
            "@remix-run/dev",
            "@react-router/dev",
            "@remix-run/node",
            "@shopify/remix-oxygen",
        ],
        folders: &[],
        exports: &["loader", "action", "headers", "middleware", "unstable_middleware"],
        entries: &["app/routes/", "app/root.", "app/entry.client.", "src/routes/"],
    },
    Stripping {
        depends: &["gatsby"],
        folders: &["pages/", "templates/"],
        exports: &["getServerData", "config"],
        entries: &["src/pages/", "src/templates/", "src/components/"],
    },
    Stripping {
        depends: &["@sveltejs/kit", "@tanstack/react-start", "@solidjs/start"],
        folders: &[],
        exports: &[],
        entries: &["src/routes/"],
    },
];

/// Frameworks whose projects have server code beside client code.
const FULL_STACK: [&str; 25] = [
    "vike",
    "vite-plugin-ssr",
    "@types/bun",
    "next",
    "nuxt",
    "@remix-run/react",
    "@remix-run/node",
    "@react-router/dev",
    "@sveltejs/kit",
    "astro",
    "@solidjs/start",
    "solid-start",
    "@builder.io/qwik-city",
    "@tanstack/react-start",
    "@tanstack/start",
    "gatsby",
    "@analogjs/platform",
    "express",
    "fastify",
    "koa",
    "@nestjs/core",
    "hono",
    "@hapi/hapi",
    "expo-server",
    "blitz",
];
/// Those that keep modules called `x.server.ts` out of what they ship.
const SERVER_NAMES: [&str; 6] =
    ["@remix-run/react", "@remix-run/dev", "@remix-run/node", "@react-router/dev", "@sveltejs/kit", "vike"];

/// Those that send a component to the browser only where a page says so.
pub(super) const ISLANDS: [&str; 1] = ["astro"];

/// What the nearest `package.json` says of how a module is built.
pub(super) struct Framework {
    /// The folder of the manifest, empty or with a `/` behind it.
    folder: String,
    stripping: Option<&'static Stripping>,
    pub is_full_stack: bool,
    /// Whether its components are rendered on the server alone, unless a page sends one to the browser.
    pub has_islands: bool,
    has_server_names: bool,
}

impl Framework {
    /// Of the files that `facts` surround.
    pub fn around(facts: &Facts) -> Self {
        let nearest = facts.folders.iter().find_map(|folder| Some((folder, folder.manifest("package.json")?)));
        let folder = nearest.map_or("", |(folder, _)| folder.path.as_str());
        let text = nearest.map(|(_, text)| text);
        let depends = text.map(|text| manifest::dependencies("package.json", text)).unwrap_or_default();
        let any = |names: &[&str]| names.iter().any(|name| depends.contains(*name));
        Self {
            folder: if folder.is_empty() { String::new() } else { format!("{folder}/") },
            stripping: STRIPPING.iter().find(|one| any(one.depends)),
            is_full_stack: any(&FULL_STACK),
            has_islands: any(&ISLANDS),
            has_server_names: any(&SERVER_NAMES),
        }
    }

    /// Exports of the module at `path` that are not shipped.
    pub fn stripped(&self, path: &str) -> &'static [&'static str] {
        let holds = |one: &&Stripping| {
            one.folders.is_empty()
                || one.folders.iter().any(|folder| path.starts_with(folder) || path.contains(&format!("/{folder}")))
        };
        self.stripping.filter(holds).map_or(&[], |one| one.exports)
    }

    /// Why the module at `path` is shipped, if its place says so.
    pub fn ships(&self, path: &str) -> Option<&'static str> {
        let below = path.strip_prefix(&self.folder)?;
        let is_entry = self.stripping?.entries.iter().any(|entry| below.starts_with(entry));
        is_entry.then_some("the framework ships the modules of this folder, without their server exports")
    }

    /// Why the module at `path` is never shipped, if its name says so.
    pub fn keeps_on_server(&self, path: &str) -> Option<&'static str> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let is_server = name.split('.').skip(1).any(|part| part == "server")
            || name.starts_with("+server.")
            || path.split('/').any(|part| part == ".server");
        (self.has_server_names && is_server).then_some("the framework keeps modules of this name out of what it ships")
    }
}
