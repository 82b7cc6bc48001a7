//! Literals in server code that are sent to clients all the same: written into markup, returned by loaders, given to
//! components that run in the browser.
//!
//! Only what the file itself makes sure of decides; a view's variables are told as evidence, for the view is another file.

use super::Prepared;
use super::syntax::{Handed, Way, handed};
use crate::side::{Judgement, Property, Side};
use std::ops::Range;

/// Exports whose result reaches clients, of projects that depend on one of these.
const RETURNING: [(&[&str], &[&str]); 3] = [
    (&["next"], &["getServerSideProps", "getStaticProps"]),
    (
        &["@remix-run/react", "@remix-run/dev", "@remix-run/node", "@react-router/dev", "@shopify/remix-oxygen"],
        &["loader", "action"],
    ),
    (&["gatsby"], &["getServerData"]),
];
/// Those of server modules of routes in `SvelteKit`.
const ROUTES: [&str; 2] = ["load", "actions"];
/// Evidence of the file itself that is kept.
const KEPT_MAX: usize = 3;

impl Prepared<'_> {
    /// `judgement` of what stands at `key`, in the light of where it goes.
    pub(super) fn left(&self, text: &[u8], key: &Range<usize>, judgement: Judgement) -> Judgement {
        if !matches!(judgement.side, Side::Server | Side::Unknown) {
            return judgement;
        }
        let Some(handed) = self.leaving(text, key) else { return judgement };
        let why = match &handed.way {
            Way::Markup(element) => format!("it is written into `<{element}>`, and markup is sent to clients"),
            Way::Loader(loader) => format!("`{loader}` returns it, and what that returns is sent to the client"),
            Way::Property { component, module } => {
                let given = Property { component: component.clone(), module: module.clone() };
                return Judgement { property: Some(given), ..judgement };
            }
            Way::View => {
                let mut evidence = judgement.evidence;
                evidence.push("a view is given it, and may send it to the client; the view was not asked".into());
                return Judgement { evidence, ..judgement };
            }
        };
        client(why, judgement)
    }

    /// Whether what stands at `key` reaches a client for sure, whoever runs the code.
    pub(super) fn is_sent(&self, text: &[u8], key: &Range<usize>) -> bool {
        let way = self.leaving(text, key).map(|handed| &handed.way);
        let is_sure = matches!(way, Some(Way::Markup(_) | Way::Loader(_)));
        is_sure && matches!(self.gather(key).judge().side, Side::Server | Side::Unknown)
    }

    /// The surest way in which what stands at `key` leaves the server.
    fn leaving(&self, text: &[u8], key: &Range<usize>) -> Option<&Handed> {
        let all = self.handed.get_or_init(|| self.all(text));
        let here = all.iter().filter(|one| one.range.start <= key.start && key.start < one.range.end);
        here.min_by_key(|one| match one.way {
            Way::Markup(_) => 0,
            Way::Loader(_) => 1,
            Way::Property { .. } => 2,
            Way::View => 3,
        })
    }

    fn all(&self, text: &[u8]) -> Vec<Handed> {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
        if !matches!(extension, "js" | "jsx" | "ts" | "tsx" | "mjs" | "mts" | "cjs" | "cts") {
            return Vec::new();
        }
        let mut names: Vec<&str> = Vec::new();
        for (depends, exports) in RETURNING {
            let depends: Vec<String> = depends.iter().map(|&one| one.to_owned()).collect();
            if self.listed.any(&depends).is_some() {
                names.extend(exports);
            }
        }
        if file.starts_with("+page.server.") || file.starts_with("+layout.server.") {
            names.extend(ROUTES);
        }
        let holds = |part: &str| memchr::memmem::find(text, part.as_bytes()).is_some();
        let is_worth =
            ["</", "/>", ".render", ".view", "createServerFn", "routeLoader$"].iter().any(|part| holds(part));
        if !is_worth && !names.iter().any(|name| holds(name)) {
            return Vec::new();
        }
        handed(text, matches!(extension, "ts" | "mts" | "cts"), &names)
    }
}

/// `judgement` of something that reaches a client because of `why`.
pub(super) fn client(why: String, judgement: Judgement) -> Judgement {
    let side = judgement.side.as_str();
    let own = judgement.evidence.iter().take(KEPT_MAX).map(|own| format!("the code itself is for {side}: {own}"));
    let evidence = std::iter::once(why).chain(own).collect();
    Judgement { side: Side::Client, evidence, property: None, ..judgement }
}
