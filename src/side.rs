//! The side of the code a file belongs to, and the facts a decision about it rests on.
//!
//! Only the data: sources gather [`Facts`], `classify` turns them into a [`Judgement`].
//! Nothing here reads a disk or decides.

use std::sync::Arc;

/// Where the code that holds a finding runs or is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Shipped to a browser, phone, desktop or extension.
    Client,
    /// Imported by client code and left in by the framework's stripping of server code.
    Shared,
    /// Runs on the merchant's machines.
    Server,
    /// Builds or deploys: CI, containers, infrastructure as code.
    Infra,
    /// Read by people.
    Docs,
    /// Run by a test runner only.
    Test,
    /// The evidence does not say.
    Unknown,
}

impl Side {
    /// The word used in every report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Shared => "shared",
            Self::Server => "server",
            Self::Infra => "infra",
            Self::Docs => "docs",
            Self::Test => "test",
            Self::Unknown => "unknown",
        }
    }

    /// Whether code on this side reaches people outside the merchant.
    pub const fn reaches_client(self) -> bool {
        matches!(self, Self::Client | Self::Shared)
    }
}

/// What `classify` decided about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The side that won.
    pub side: Side,
    /// Short sentences a reader can check, the deciding one first.
    pub evidence: Vec<String>,
    /// The variable that holds the value, when a bundler inlines that variable into client code.
    pub public_variable: Option<String>,
    /// The imports that lead from a client entry to the file judged, the entry first; empty where none decided.
    pub chain: Vec<Step>,
    /// What of the SDK takes the key although it is for another kind, such as `publishableKey`.
    pub given_as: Option<String>,
    /// What the code itself says, where the configuration says another side.
    pub overruled: Option<Side>,
    /// The component of another module that is given it as a property, where that module may run in the browser.
    pub property: Option<Property>,
}

/// A component that is given something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name where it is used.
    pub component: String,
    /// The module it is from, as the import names it.
    pub module: String,
}

impl Judgement {
    /// A side and why, and nothing more.
    pub const fn new(side: Side, evidence: Vec<String>) -> Self {
        let (public_variable, given_as, overruled, property) = (None, None, None, None);
        Self { side, evidence, public_variable, chain: Vec::new(), given_as, overruled, property }
    }
}

/// One import on the way from a client entry to a module.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// The file that imports, below the top of its tree, with `/`.
    pub path: String,
    /// The line of the import, from 1.
    pub line: u64,
}

/// A tree of files that may be asked for, however it is stored: a folder on a disk, or the tree of a commit.
///
/// Paths are below the top, with `/` between their parts; the top itself is empty. Links are not followed.
pub trait TreeView: Sync {
    /// All of the regular file at `path`; none where there is no such file, or it has more than `bytes_max` bytes.
    fn read(&self, path: &str, bytes_max: usize) -> Option<Vec<u8>>;
    /// The names in a folder, sorted; folders end in `/`. Names that are not UTF-8 are left out.
    fn list(&self, folder: &str) -> Vec<String>;
    /// What stands in a folder and those above it.
    fn facts(&self, folder: &str) -> Facts;
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The side it speaks for.
    pub side: Side,
    /// What it is worth against others.
    pub weight: u32,
    /// A sentence a reader can check.
    pub why: String,
}

/// The side of a whole file, and everything that speaks for it and against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The side of what stands in no part of its own; nothing for a file whose variables have one each.
    pub side: Option<Side>,
    /// Every piece of evidence, heaviest first.
    pub pieces: Vec<Piece>,
    /// Parts and variables that have a side of their own, in the order of the file.
    pub places: Vec<Section>,
    /// Why there may be more places than are told, if there may.
    pub cut: Option<&'static str>,
}

/// A part of a file, or a variable in it, with a side of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The line it starts on, from 1.
    pub line: u64,
    /// The line it ends on.
    pub end: u64,
    /// Its side.
    pub side: Side,
    /// The variable, if it is one.
    pub variable: Option<String>,
    /// Short sentences a reader can check.
    pub evidence: Vec<String>,
}

/// One folder of the tree as far as classification needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// Path below the top of the tree, with `/`; empty for the top itself.
    pub path: String,
    /// The names in the folder, sorted; folders end in `/`. Cut at a bound of the source's choosing.
    pub names: Vec<String>,
    /// Manifests in it: name and content, sorted by name, only regular files within the source's size bound.
    /// A name may hold `/` when the manifest lies below the folder, such as `src/main/AndroidManifest.xml`.
    pub manifests: Vec<(String, Vec<u8>)>,
}

impl Folder {
    /// The content of the manifest called `name`, byte for byte.
    pub fn manifest(&self, name: &str) -> Option<&[u8]> {
        self.manifests.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_slice())
    }
}

/// The folders above a file, nearest first, up to the top of its tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Nearest first.
    pub folders: Vec<Arc<Folder>>,
}

/// Which files of a folder a source should read as manifests; the rules decide, the source obeys.
pub trait Wanted: Send + Sync {
    /// Whether the file called `name`, in a folder above the one judged, is a manifest.
    fn is_manifest(&self, name: &str) -> bool;
    /// Paths below a folder that are manifests of that folder, such as `src/main/AndroidManifest.xml`.
    fn nested(&self) -> &[String];
}
