//! The form of `rules/sides/*.toml`: one file a platform, each with its own examples.
//!
//! Data only; [`super::compiled`] makes it ready to match.

use crate::side::Side;
use serde::Deserialize;
use std::collections::BTreeMap;

/// One file of side rules.
///
/// Weights say how much a piece of evidence is worth against others: 100 a directive or a build target, 80 what the code
/// itself imports, 60 what kind of file it is, 45 what the nearest manifest says, 30 a hint. The highest weight decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Platform {
    /// As in sentences.
    pub title: String,
    /// What manifests say about the files below them.
    #[serde(default)]
    pub project: Vec<Project>,
    /// What a file's own name or path says.
    #[serde(default)]
    pub file: Vec<File>,
    /// What a file's own text says.
    #[serde(default)]
    pub content: Vec<Content>,
    /// What the part of the file says that a key stands in.
    #[serde(default)]
    pub region: Vec<Region>,
    /// Variables that are written into client code.
    #[serde(default)]
    pub variable: Vec<Variable>,
    /// Settings that choose those variables' prefixes.
    #[serde(default)]
    pub prefix: Vec<Prefix>,
    /// Places in configuration files whose values the build writes into client code.
    #[serde(default)]
    pub setting: Vec<Setting>,
    /// Packages that put a whole dotenv file into the app.
    #[serde(default)]
    pub whole: Vec<Whole>,
    /// Files that hold variables and have no side of their own.
    #[serde(default)]
    pub dotenv: Option<Dotenv>,
    /// Files, texts and the side each must get.
    #[serde(default)]
    pub example: Vec<Example>,
}

/// What a manifest says about the files below the folder that holds it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Project {
    /// Names of the manifest as globs; a name that ends in `/` is a folder, one with a `/` inside lies below the folder.
    pub manifest: Vec<String>,
    /// Dependencies of which it must name one; in `package.json`, `composer.json` and `pubspec.yaml`.
    #[serde(default)]
    pub depends: Vec<String>,
    /// Dependencies of which it must name none.
    #[serde(default)]
    pub unless: Vec<String>,
    /// Whether it speaks of files below a nearer manifest of the same name too, as a workspace's root does of its packages.
    #[serde(default)]
    pub inherits: bool,
    /// Or a pattern its text must hold; group 1, if there is one, is `{name}`.
    pub contains: Option<String>,
    /// Whether `contains` names files by group 1, relative to the manifest: then it speaks of those files alone.
    #[serde(default)]
    pub loads: bool,
    /// Globs of the files it speaks of, relative to its folder; none for all.
    #[serde(default)]
    pub files: Vec<String>,
    /// The side they are on.
    pub side: Side,
    /// How much that is worth.
    pub weight: u32,
    /// The sentence, with `{manifest}` and `{name}`.
    pub why: String,
}

/// What a file's own name or path says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// Globs of the name, or of the path if they hold a `/`.
    pub files: Vec<String>,
    /// Dependencies of which the nearest manifest must name one; none if it does not matter.
    #[serde(default)]
    pub depends: Vec<String>,
    /// The side.
    pub side: Side,
    /// How much that is worth.
    pub weight: u32,
    /// The sentence.
    pub why: String,
}

/// What a file's own text says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Content {
    /// Globs of the files that are searched.
    pub files: Vec<String>,
    /// Dependencies of which the nearest manifest must name one; none if it does not matter.
    #[serde(default)]
    pub depends: Vec<String>,
    /// What is searched for; group 1, if there is one, is `{name}`.
    pub pattern: String,
    /// Names, by group 1, that do not count.
    pub except: Option<String>,
    /// The side.
    pub side: Side,
    /// How much that is worth.
    pub weight: u32,
    /// The sentence, with `{name}`.
    pub why: String,
}

/// What the part of the file says that a key stands in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Region {
    /// Globs of the files.
    pub files: Vec<String>,
    /// Dependencies of which the nearest manifest must name one; none if it does not matter.
    #[serde(default)]
    pub depends: Vec<String>,
    /// What opens the part.
    pub open: String,
    /// What closes it: the next match of this pattern,
    pub close: Option<String>,
    /// or brackets; strings and comments are passed over.
    pub balance: Option<Balance>,
    /// The sentence about names that are used in such parts alone, where a framework removes those too.
    pub strips: Option<String>,
    /// The side of what stands inside, and the sentence.
    pub inside: Verdict,
    /// The same for what stands outside.
    pub outside: Option<Verdict>,
}

/// How brackets close a part.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Balance {
    /// What opens it holds its bracket, group 1 or the last character; the answering one closes it.
    Bracket,
    /// The body that follows, such as that of a function.
    Function,
    /// The rest of the statement.
    Statement,
}

/// A setting that chooses the prefix of inlined variables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prefix {
    /// Names of the manifest that holds it, as globs.
    pub manifest: Vec<String>,
    /// A pattern whose group 1 holds the prefixes, each in quotes.
    pub contains: String,
    /// The sentence, with `{manifest}`, `{name}` and `{prefix}`.
    pub why: String,
}

/// A place in a configuration file whose values the build writes into client code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// Globs of the files.
    pub files: Vec<String>,
    /// Dependencies of which the nearest manifest must name one; none if it does not matter.
    #[serde(default)]
    pub depends: Vec<String>,
    /// What opens the place; a group called `name` is the setting's name, else it is what the key is assigned to.
    pub open: String,
    /// What closes it: the next match of this pattern,
    pub close: Option<String>,
    /// or brackets; strings and comments are passed over.
    pub balance: Option<Balance>,
    /// The sentence, with `{name}`.
    pub why: String,
}

/// A package that puts a whole dotenv file into the app.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Whole {
    /// Dependencies of which the nearest manifest must name one.
    pub depends: Vec<String>,
    /// A pattern the manifest must hold too.
    pub contains: Option<String>,
    /// The sentence, with `{manifest}` and `{name}`.
    pub why: String,
}

/// A side with its weight and sentence.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Verdict {
    /// The side.
    pub side: Side,
    /// How much that is worth.
    pub weight: u32,
    /// The sentence.
    pub why: String,
}

/// Variables that are written into client code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Variable {
    /// Beginnings of their names.
    pub prefixes: Vec<String>,
    /// Dependencies of which the nearest `package.json` must name one; none if the prefix speaks for itself.
    #[serde(default)]
    pub depends: Vec<String>,
    /// The sentence, with `{name}` and `{prefix}`.
    pub why: String,
}

/// Files that hold variables and have no side of their own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dotenv {
    /// Globs of their names.
    pub files: Vec<String>,
    /// Globs of files whose variables no bundler reads, whatever they are called.
    pub never: Vec<String>,
    /// The sentence for a variable that nothing inlines, with `{name}`.
    pub why: String,
}

/// A file and the side it must get.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Example {
    /// Its path.
    pub path: String,
    /// Its text; `{key}` is where the key stands.
    pub text: String,
    /// Other files around it: path and text.
    #[serde(default)]
    pub around: BTreeMap<String, String>,
    /// The side it must get.
    pub side: Side,
    /// What the deciding sentence must hold.
    #[serde(default)]
    pub because: String,
    /// The inlined variable it must name.
    pub public_variable: Option<String>,
}
