//! The rules: kinds of key, placeholder classes and what is reported, read from `rules/*.toml`.
//!
//! The data and its checks only. Nothing here looks at a scanned byte; side rules are kept as text for `classify`.

mod files;

pub use files::{RuleError, RuleFiles};

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which of Ansa's environments a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Moves real money.
    Live,
    /// Moves test money.
    Sandbox,
}

impl Environment {
    /// The word used in keys and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sandbox => "sandbox",
        }
    }
}

/// How serious a finding is, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Should be mended.
    Warning,
    /// Must be mended.
    Error,
}

impl Level {
    /// The word used in every report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// `keys.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Keys {
    /// Every environment a key may name.
    pub environments: Vec<Environment>,
    /// The kinds, in the order of the file.
    pub kind: Vec<Kind>,
    /// The shapes an identifier may have; the first match decides.
    pub shape: Vec<Shape>,
}

/// One kind of key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kind {
    /// As in reports.
    pub name: String,
    /// As in sentences.
    pub title: String,
    /// What comes before the environment, ending in `_`.
    pub prefix: String,
    /// Names of the rules that may fire on it; the first whose needs are met does.
    pub rules: Vec<String>,
    /// Templates of texts in which a key of this kind must be found.
    pub positive: Vec<String>,
    /// Templates of texts in which no key may be found.
    pub negative: Vec<String>,
}

/// A form an identifier may have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shape {
    /// Such as `uuid`.
    pub name: String,
    /// Regular expression over the whole identifier.
    pub pattern: String,
    /// Bits a character below which the identifier is `low-entropy`; none where the form alone is trusted.
    pub entropy_min: Option<f64>,
}

/// `placeholders.toml`: one table a class.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Placeholders {
    /// Keys that Ansa's own documents show.
    pub documented: Documented,
    /// A bare prefix before something filled in later.
    pub template: Template,
    /// Identifiers that are too short.
    pub too_short: TooShort,
    /// Identifiers of few different characters.
    pub few_distinct: FewDistinct,
    /// Runs along an alphabet or a keyboard row.
    pub sequence: Sequence,
    /// One piece over and over.
    pub periodic: Periodic,
    /// Words joined together.
    pub words: Words,
    /// A telling word.
    pub stopword: Stopword,
    /// Letters of one case.
    pub single_case_alpha: Examples,
    /// Too little information.
    pub low_entropy: LowEntropy,
}

macro_rules! class {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }
    };
}

class! {
    /// Keys that Ansa's own documents show.
    Documented {
        /// Bytes of their identifiers, so that nothing of another length is hashed.
        lengths: BTreeSet<usize>,
        /// First 32 hexadecimal digits of SHA-256 of each whole key.
        fingerprints: BTreeSet<String>,
    }
}
class! {
    /// A bare prefix before something filled in later.
    Template {
        /// What may follow the bare prefix.
        openers: Vec<String>,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// Identifiers that are too short.
    TooShort {
        /// Bytes an identifier has at least.
        bytes_min: usize,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// Identifiers of few different characters.
    FewDistinct {
        /// As many different characters, or fewer, are too few.
        distinct_max: usize,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// Runs along an alphabet or a keyboard row.
    Sequence {
        /// Share of steps of one among all steps, 0 to 1.
        steps_share_min: f64,
        /// The rows a step goes along.
        rows: Vec<String>,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// One piece over and over.
    Periodic {
        /// The longest piece looked for, in bytes.
        period_max: usize,
        /// A run of one character this long is periodic by itself.
        run_min: usize,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// Words joined together.
    Words {
        /// As many words, or more, are no key.
        parts_min: usize,
        /// Letters a word has at least, one of them a vowel.
        letters_min: usize,
        /// Letters a word has at least on average, where only capitals separate them.
        letters_mean_min: usize,
        /// Shorter words that count too, in lower case.
        short: Vec<String>,
        /// Share of the identifier's letters and digits that stand in words, 0 to 1.
        share_min: f64,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// A telling word.
    Stopword {
        /// The most digits an identifier has for a word alone to settle it.
        digits_max: usize,
        /// Or the bits a character below which a word settles it.
        entropy_max: f64,
        /// The words, in lower case.
        words: Vec<String>,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// A class with nothing to set.
    Examples {
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}
class! {
    /// Too little information.
    LowEntropy {
        /// An identifier this long that mixes three classes of character is never judged by entropy.
        mixed_bytes_min: usize,
        /// Identifiers of this class.
        examples: Vec<String>,
    }
}

/// `findings.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FindingRules {
    /// The rules, in the order of the file.
    pub rule: Vec<FindingRule>,
}

/// What has to hold for a rule to fire on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Needs {
    /// The key is on side client or shared.
    ClientSide,
    /// The key is the value of a variable that a bundler inlines.
    PublicVariable,
    /// The key is given where an SDK takes one of another kind.
    SdkParameter,
    /// Nothing more.
    Anything,
    /// No key: a variable that a bundler inlines says Ansa and secret.
    SecretName,
    /// No key: client code calls an endpoint that takes a merchant secret key, or sends one.
    MerchantCall,
    /// No key: a server loader returns a field that says Ansa and secret.
    ReturnedField,
    /// No key of its own: a key stands beside the host of the other environment.
    OtherEnvironment,
}

/// One published rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FindingRule {
    /// 1001 for `ANSA1001`; the sandbox form is 100 higher.
    pub number: u32,
    /// The same for both environments.
    pub name: String,
    /// A headline.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// When it fires.
    pub needs: Needs,
    /// Whether it fires only when asked for.
    #[serde(default)]
    pub on_request: bool,
    /// Hours after it was introduced when the key has run out and is but a note.
    pub note_after_hours: Option<u32>,
    /// How it fires on live keys.
    pub live: Grade,
    /// How it fires on sandbox keys; none for a rule about names and calls, which has no environment.
    pub sandbox: Option<Grade>,
    /// Markdown: why it matters and what to do.
    pub help: String,
}

/// How a rule fires in one environment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grade {
    /// Where nothing lowers it.
    pub level: Level,
    /// On sides test and docs.
    pub quiet_level: Option<Level>,
    /// In a file that git ignores and does not track.
    pub ignored_level: Option<Level>,
    /// GitHub's `security-severity`.
    pub severity: Option<String>,
}

impl FindingRule {
    /// How it fires in `environment`.
    pub fn grade(&self, environment: Environment) -> &Grade {
        match environment {
            Environment::Live => &self.live,
            Environment::Sandbox => self.sandbox.as_ref().unwrap_or(&self.live),
        }
    }

    /// The environments it has a form for.
    pub fn environments(&self) -> &'static [Environment] {
        if self.sandbox.is_some() { &[Environment::Live, Environment::Sandbox] } else { &[Environment::Live] }
    }

    /// Such as `ANSA1001`, or `ANSA1101` for the sandbox.
    pub fn code(&self, environment: Environment) -> String {
        let offset = match environment {
            Environment::Live => 0,
            Environment::Sandbox => 100,
        };
        format!("ANSA{}", self.number + offset)
    }
}

/// The longest needle of `calls.toml`.
pub const NEEDLE_BYTES_MAX: usize = 32;
/// The shortest: what is shorter is in everybody's text.
const NEEDLE_BYTES_MIN: usize = 4;

/// `calls.toml`: names and calls that are told of without a key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallRules {
    /// Texts of which one must stand in a file before anything else here is looked for.
    pub needles: Vec<String>,
    /// Hosts of each environment.
    pub host: BTreeMap<Environment, String>,
    /// Last parts of the paths of endpoints that take a merchant secret key.
    pub endpoints: Vec<String>,
    /// Those of them that nobody but Ansa has.
    pub own_endpoints: Vec<String>,
    /// Words of which a name must hold one, beside `ansa`, to say that it is a secret.
    pub secret_words: Vec<String>,
    /// Words that make it another one's secret, or none.
    pub other_words: Vec<String>,
    /// Parameters of the SDKs that take a publishable key.
    pub parameters: Vec<String>,
    /// Callbacks of the SDKs that return a client secret.
    pub providers: Vec<String>,
    /// Exports that run on a server and whose results are sent to the client.
    pub loaders: Vec<String>,
    /// Ways besides a prefix to write a variable into client code.
    pub mechanism: Vec<Mechanism>,
}

/// A way to write a variable into client code.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mechanism {
    /// Globs of the names of files; none for all.
    #[serde(default)]
    pub files: Vec<String>,
    /// What the file must hold somewhere.
    #[serde(default)]
    pub holds: String,
    /// What must stand right before the name, as a pattern.
    #[serde(default)]
    pub before: String,
    /// What must stand right before one of the brackets around the name, and that bracket, as a pattern.
    pub inside: Option<String>,
    /// The sentence, with `{name}`.
    pub why: String,
    /// Texts in which it is used: file name and text, as templates.
    pub positive: Vec<(String, String)>,
    /// Texts in which it is not.
    #[serde(default)]
    pub negative: Vec<(String, String)>,
}

/// Everything the rules say.
#[derive(Debug)]
pub struct Rules {
    /// Kinds of key.
    pub keys: Keys,
    /// What is no key.
    pub placeholders: Placeholders,
    /// Names and calls that are told of without a key.
    pub calls: CallRules,
    /// What is reported.
    pub findings: Vec<FindingRule>,
    /// Side rules: file name and text, sorted by name.
    pub sides: Vec<(String, String)>,
    /// SHA-256 over all of the above as text, 64 hexadecimal digits.
    pub digest: String,
}

impl Rules {
    /// Parses and checks `files`.
    ///
    /// # Errors
    /// The first file that does not parse or contradicts itself, with the place and what to mend.
    pub fn load(files: &RuleFiles) -> Result<Self, RuleError> {
        let keys: Keys = RuleFiles::parse("keys.toml", &files.keys)?;
        let placeholders: Placeholders = RuleFiles::parse("placeholders.toml", &files.placeholders)?;
        let findings: FindingRules = RuleFiles::parse("findings.toml", &files.findings)?;
        let calls: CallRules = RuleFiles::parse("calls.toml", &files.calls)?;
        check_kinds(&keys, &findings.rule)?;
        let is_fit = |needle: &String| (NEEDLE_BYTES_MIN..=NEEDLE_BYTES_MAX).contains(&needle.len());
        if let Some(needle) = calls.needles.iter().find(|needle| !is_fit(needle)) {
            let fault = format!("the needle `{needle}` must have {NEEDLE_BYTES_MIN} to {NEEDLE_BYTES_MAX} bytes");
            return Err(RuleError::new("calls.toml", fault));
        }
        Ok(Self {
            keys,
            placeholders,
            calls,
            findings: findings.rule,
            sides: files.sides.clone(),
            digest: files.digest(),
        })
    }

    /// The rule that fires where `needs` is met.
    pub fn finding_of(&self, needs: Needs) -> Option<&FindingRule> {
        self.findings.iter().find(|rule| rule.needs == needs)
    }

    /// Every published code, with its rule and environment, sorted by code.
    pub fn codes(&self) -> Vec<(String, &FindingRule, Environment)> {
        let both = |rule| [(rule, Environment::Live), (rule, Environment::Sandbox)];
        let code = |(rule, environment): (&FindingRule, _)| rule.code(environment);
        let mut codes: Vec<_> =
            self.findings.iter().flat_map(both).map(|one: (&FindingRule, _)| (code(one), one.0, one.1)).collect();
        codes.sort_by(|one, other| one.0.cmp(&other.0));
        codes
    }

    /// The rule called `name`; loading has checked that every name in use exists.
    pub fn finding(&self, name: &str) -> Option<&FindingRule> {
        self.findings.iter().find(|rule| rule.name == name)
    }
}

fn check_kinds(keys: &Keys, rules: &[FindingRule]) -> Result<(), RuleError> {
    let fault = |message: String| Err(RuleError::new("keys.toml", message));
    if keys.kind.is_empty() || keys.environments.is_empty() || keys.shape.is_empty() {
        return fault("at least one [[kind]], one [[shape]] and one of `environments` are needed".into());
    }
    for kind in &keys.kind {
        if kind.prefix.len() < 4 || !kind.prefix.ends_with('_') || !kind.prefix.is_ascii() {
            return fault(format!("kind `{}`: the prefix must be ASCII, at least 4 bytes, and end in `_`", kind.name));
        }
        if kind.rules.is_empty() {
            return fault(format!("kind `{}`: `rules` must name at least one rule", kind.name));
        }
        if let Some(name) = kind.rules.iter().find(|name| !rules.iter().any(|rule| rule.name == **name)) {
            return fault(format!("kind `{}` names the rule `{name}`, which findings.toml does not have", kind.name));
        }
    }
    for shape in &keys.shape {
        if let Err(error) = regex::bytes::Regex::new(&shape.pattern) {
            return fault(format!("shape `{}`: {error}", shape.name));
        }
    }
    Ok(())
}
