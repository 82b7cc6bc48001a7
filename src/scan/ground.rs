//! What surrounds the things of one scan: the facts of their folders, and git's view of them.
//!
//! Asked only about files with a hit, except where only tracked files are wanted.

use super::Selection;
use super::decide::Standing;
use super::graphs::Graphs;
use super::target::Target;
use crate::classify::{Classifier, Graph};
use crate::side::{Facts, Judgement, Wanted};
use crate::source::facts::FolderFacts;
use crate::source::repository::{Repositories, Repository, Tracked, top_of};
use anyhow::{Result, bail};
use bstr::ByteSlice as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// What surrounds a path that is searched.
pub(super) trait Ground: Sync {
    /// Whether keys are to be judged, and not only found.
    fn judges(&self) -> bool {
        true
    }
    /// Whether packs and bundles are read where they are met; the first only where the whole blob is a bundle.
    fn opens_packs(&self, _is_bundle: bool) -> bool {
        true
    }
    /// What reports put before a path.
    fn prefix(&self) -> &[u8];
    /// The path from the top of its tree, with `/`.
    fn below_top(&self, path: &[u8]) -> String;
    /// Whether the file at `path` belongs to the scan.
    fn wants(&self, path: &[u8]) -> bool;
    /// The facts around `path`.
    fn facts(&self, classifier: &Arc<Classifier>, path: &[u8]) -> Facts;
    /// `judgement` of the file at `path` by itself, in the light of who imports it.
    fn decide(&self, _: &Arc<Classifier>, _: &Graphs, _: &[u8], judgement: Judgement) -> Judgement {
        judgement
    }
    /// Whether a module that the one at `path` imports holds one of `texts`.
    fn imports_hold(&self, _: &Arc<Classifier>, _: &Graphs, _: &[u8], _: &[String]) -> bool {
        false
    }
    /// What reports put before a path below the top of the tree, and what they leave out at its start.
    fn top_prefix(&self) -> (&[u8], &[u8]) {
        (self.prefix(), b"")
    }
    /// How the file at `path` stands with git.
    fn standing(&self, path: &[u8]) -> Standing;
}

/// What has no files around it; paths are shown behind a prefix.
#[derive(Default)]
pub(super) struct Bare {
    prefix: Vec<u8>,
    look: Look,
}

/// Which look at a blob it is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Look {
    /// The only one.
    #[default]
    Only,
    /// The first, in which keys are only found.
    First,
    /// The second, in which they are judged.
    Second,
}

impl Bare {
    pub fn new(prefix: Vec<u8>) -> Self {
        Self { prefix, look: Look::Only }
    }

    /// Where keys are only to be found, in objects of a repository whose bundles are read by whoever reads it.
    pub fn unjudged(prefix: Vec<u8>) -> Self {
        Self { prefix, look: Look::First }
    }

    /// Where what was found is looked at again.
    pub fn again(prefix: Vec<u8>) -> Self {
        Self { prefix, look: Look::Second }
    }
}

impl Ground for Bare {
    fn judges(&self) -> bool {
        self.look != Look::First
    }

    fn opens_packs(&self, is_bundle: bool) -> bool {
        match self.look {
            Look::Only => true,
            Look::First => !is_bundle,
            Look::Second => false,
        }
    }

    fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    fn below_top(&self, path: &[u8]) -> String {
        String::from_utf8_lossy(path).into_owned()
    }

    fn wants(&self, _: &[u8]) -> bool {
        true
    }

    fn facts(&self, _: &Arc<Classifier>, _: &[u8]) -> Facts {
        Facts::default()
    }

    fn standing(&self, _: &[u8]) -> Standing {
        Standing::Kept
    }
}

/// The surroundings of one target on disk.
pub(super) struct Disk {
    prefix: Vec<u8>,
    folder: PathBuf,
    /// The folder up to which manifests are facts, and how the target is called below it.
    top: PathBuf,
    top_prefix: Vec<u8>,
    repositories: Repositories,
    selection: Selection,
    facts: OnceLock<Option<FolderFacts>>,
    graph: OnceLock<Graph>,
}

impl Disk {
    /// # Errors
    /// Only tracked files are wanted and the target lies in no repository that can be read.
    pub fn new(target: &Target, selection: Selection) -> Result<Self> {
        let top = top_of(&target.folder);
        let mut top_prefix =
            target.folder.strip_prefix(&top).unwrap_or(Path::new("")).as_os_str().as_encoded_bytes().to_vec();
        if !top_prefix.is_empty() {
            top_prefix.push(b'/');
        }
        let ground = Self {
            prefix: target.prefix.clone(),
            folder: target.folder.clone(),
            top,
            top_prefix,
            repositories: Repositories::default(),
            selection,
            facts: OnceLock::new(),
            graph: OnceLock::new(),
        };
        if selection == Selection::Tracked {
            ground.check_index()?;
        }
        Ok(ground)
    }

    /// The commit at `HEAD`.
    pub fn head(&self) -> Option<String> {
        self.repositories.enclosing(&self.folder)?.head()
    }

    fn folder_facts(&self, classifier: &Arc<Classifier>) -> Option<&FolderFacts> {
        let make = || FolderFacts::new(&self.top, Arc::clone(classifier) as Arc<dyn Wanted>).ok();
        self.facts.get_or_init(make).as_ref()
    }

    /// The nearest repository around the file at `path`, and the file's path in it.
    fn repository(&self, path: &[u8]) -> Option<(Arc<Repository>, Vec<u8>)> {
        let file = self.folder.join(path.to_path().ok()?);
        let repository = self.repositories.enclosing(file.parent()?)?;
        let below = file.strip_prefix(repository.top()).ok()?.as_os_str().as_encoded_bytes().to_vec();
        Some((repository, below))
    }

    fn check_index(&self) -> Result<()> {
        let folder = self.folder.display();
        let Some(repository) = self.repositories.enclosing(&self.folder) else {
            bail!("{folder}: `--tracked` needs a git repository, and none is readable there; scan without it");
        };
        if let Err(reason) = repository.index_paths() {
            bail!("{folder}: `--tracked` cannot read the index: {reason}; scan without it");
        }
        Ok(())
    }
}

impl Ground for Disk {
    fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    fn below_top(&self, path: &[u8]) -> String {
        String::from_utf8_lossy(&[&self.top_prefix, path].concat()).into_owned()
    }

    fn wants(&self, path: &[u8]) -> bool {
        if self.selection == Selection::Every {
            return true;
        }
        let Some((repository, below)) = self.repository(path) else { return true };
        !repository.ignored(&below, false) || repository.tracked(&below) != Tracked::No
    }

    fn facts(&self, classifier: &Arc<Classifier>, path: &[u8]) -> Facts {
        let Some(facts) = self.folder_facts(classifier) else { return Facts::default() };
        let path = [&self.top_prefix, path].concat();
        facts.facts(folder_of(&path))
    }

    fn decide(&self, classifier: &Arc<Classifier>, _: &Graphs, path: &[u8], judgement: Judgement) -> Judgement {
        let Some(facts) = self.folder_facts(classifier) else { return judgement };
        let graph = self.graph.get_or_init(|| Graph::new(Arc::clone(classifier)));
        graph.decide(facts, &self.below_top(path), judgement)
    }

    fn imports_hold(&self, classifier: &Arc<Classifier>, _: &Graphs, path: &[u8], texts: &[String]) -> bool {
        let Some(facts) = self.folder_facts(classifier) else { return false };
        let graph = self.graph.get_or_init(|| Graph::new(Arc::clone(classifier)));
        graph.imports_hold(facts, &self.below_top(path), texts)
    }

    fn top_prefix(&self) -> (&[u8], &[u8]) {
        // Seen from above the top, or from below it.
        match self.prefix.strip_suffix(self.top_prefix.as_slice()) {
            Some(before) => (before, b""),
            None => (&self.prefix, &self.top_prefix),
        }
    }

    fn standing(&self, path: &[u8]) -> Standing {
        let Some((repository, below)) = self.repository(path) else { return Standing::Kept };
        if !repository.ignored(&below, false) {
            return Standing::Kept;
        }
        match repository.tracked(&below) {
            Tracked::Yes => Standing::Kept,
            Tracked::No => Standing::Ignored,
            Tracked::Unknown(reason) => Standing::Unclear(reason),
        }
    }
}

/// The folder of `path`, empty for the top.
pub(super) fn folder_of(path: &[u8]) -> &[u8] {
    memchr::memrchr(b'/', path).map_or(b"", |slash| &path[..slash])
}
