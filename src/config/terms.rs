//! Reads what decides which findings count: the configuration, the baseline, dead keys, from the disk or from a revision.
//!
//! No link is followed to any of them, and what is no text is not echoed.

use super::standpoint::Standpoint;
use crate::cli::PolicyArgs;
use crate::detect::{Detector, mask};
use crate::path::decode;
use crate::rule::Rules;
use crate::scan::Overrides;
use crate::secret::is_fingerprint;
use crate::settings::{self, BASELINE_NAME, Date, FILE_NAME, Globs, Settings};
use crate::source::open::Root;
use crate::source::repository::Committed;
use crate::suppress::{Baseline, Suppressions, inline};
use anyhow::{Context as _, Result, anyhow, bail};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The largest configuration, and the largest baseline.
pub(super) const SETTINGS_BYTES_MAX: u64 = 1 << 20;
const BASELINE_BYTES_MAX: u64 = 256 << 20;

/// Settings of a change that are named one by one.
const ATTEMPTS_MAX: usize = 50;

/// Where the branch that others start from is looked for.
const UPSTREAM: [&str; 3] = ["origin/HEAD", "origin/main", "origin/master"];

/// What decides which findings count, and where it came from.
pub struct Terms {
    /// In force.
    pub suppressions: Suppressions,
    /// Where it was read.
    pub origin: Origin,
    /// What the files on disk say, where another revision's are in force.
    pub tried: Option<Suppressions>,
    /// The revision whose files are in force.
    pub base: Option<Base>,
    /// The folder of the configuration.
    pub root: PathBuf,
    /// Whether what is scanned holds all of it.
    pub is_whole: bool,
    /// SHA-256 over what is in force; none where nothing is.
    pub digest: Option<String>,
    /// What people should know.
    pub remarks: Vec<String>,
    args: PolicyArgs,
    standpoint: Standpoint,
}

/// Where each part was read, as a person would name it; none where there is none.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The configuration, and its text.
    pub settings: Option<(String, String)>,
    /// The baseline.
    pub baseline: Option<String>,
    /// The file of the baseline, there or not.
    pub baseline_path: PathBuf,
    /// The file of dead keys.
    pub deactivated: Option<String>,
    /// What of the configuration an organisation's does not let hold.
    pub refused: Vec<String>,
}

/// A revision whose files are in force.
pub struct Base {
    /// As it was asked for.
    pub name: String,
    committed: Committed,
}

impl Base {
    /// Whether there is a file at `path` below the root, as reports encode it; true where that cannot be told.
    pub fn has_file(&self, path: &str) -> bool {
        self.committed.file(&decode(path)).map_or(true, |file| file.is_some())
    }

    /// The file at `path` below the root, as reports encode it, allows this key in a comment.
    pub fn has_comment(&self, path: &str, fingerprint: &str) -> bool {
        let Ok(Some(text)) = self.committed.file(&decode(path)) else { return false };
        inline::comments(&text).iter().any(|one| one.fingerprint == fingerprint && one.reason.is_some())
    }
}

/// Reads files from the disk, or those below the root from a revision.
struct Reader<'r> {
    standpoint: &'r Standpoint,
    rules: &'r Rules,
    base: Option<&'r Base>,
}

impl Terms {
    /// What `args` ask for, seen from `standpoint` on the day of `now`, in seconds since 1970.
    pub fn new(args: &PolicyArgs, standpoint: &Standpoint, rules: &Rules, now: i64) -> Result<Self> {
        if let Some(wrong) = args.allow.iter().find(|one| !is_fingerprint(one)) {
            let shown = settings::cut(wrong);
            bail!(
                "--allow {shown}: a fingerprint is 32 hexadecimal digits in lower case, as reports show it; never the key"
            );
        }
        let base = args.policy_from.as_deref().map(|name| base(name, &standpoint.root)).transpose()?;
        let today = Date::of_seconds(now);
        let read = |base| Reader { standpoint, rules, base }.read(args, today);
        let (suppressions, origin, texts) = read(base.as_ref())?;
        let mut remarks = origin.refused.clone();
        let mut tried = None;
        if let Some(base) = &base {
            match read(None) {
                Ok((own, own_origin, own_texts)) => {
                    if own_texts != texts {
                        remarks.push(format!(
                            "configuration or baseline differ from those of {}, which are in force",
                            base.name
                        ));
                        remarks.extend(attempts(&suppressions, &own));
                        let refused = own_origin.refused.into_iter().filter(|one| !origin.refused.contains(one));
                        remarks.extend(refused.map(|one| format!("in this change, and not in force: {one}")));
                    }
                    tried = Some(own);
                }
                Err(error) => remarks.push(format!("the configuration in this change is not valid: {error:#}")),
            }
        }
        Ok(Self {
            suppressions,
            origin,
            tried,
            base,
            root: standpoint.root.clone(),
            is_whole: standpoint.is_whole,
            digest: settings::digest_of(&texts),
            remarks,
            args: args.clone(),
            standpoint: standpoint.clone(),
        })
    }

    /// The sides it sets by path.
    pub fn overrides(&self) -> Overrides {
        Overrides::new(&self.suppressions.settings, self.suppressions.anchor.clone())
    }

    /// What would be in force if it were taken from the branch others start from; none where none is known or sound.
    pub fn upstream(&self, rules: &Rules) -> Option<(Suppressions, Base)> {
        let base = UPSTREAM.iter().find_map(|name| base(name, &self.root).ok())?;
        let reader = Reader { standpoint: &self.standpoint, rules, base: Some(&base) };
        let (suppressions, ..) = reader.read(&self.args, self.suppressions.today).ok()?;
        Some((suppressions, base))
    }
}

/// What `own`, of a change, says otherwise than `ours`, which is in force.
fn attempts(ours: &Suppressions, own: &Suppressions) -> Vec<String> {
    let mut told = settings::changes(&ours.settings, &own.settings);
    let more = told.len().saturating_sub(ATTEMPTS_MAX);
    told.truncate(ATTEMPTS_MAX);
    told.extend((more > 0).then(|| format!("and {more} more settings that this change has otherwise")));
    let differing = |these: &Baseline, those: &Baseline| {
        these.entries().filter(|one| those.get(&one.fingerprint, &one.path) != Some(*one)).count()
    };
    let (added, gone) = (differing(&own.baseline, &ours.baseline), differing(&ours.baseline, &own.baseline));
    if added + gone > 0 {
        told.push(format!(
            "the baseline is another in this change, and not in force; lines new or changed: {added}, gone or changed: {gone}"
        ));
    }
    if ours.deactivated != own.deactivated {
        told.push("the file of dead keys is another in this change, and not in force".into());
    }
    told
}

fn base(name: &str, root: &Path) -> Result<Base> {
    let shown = settings::cut(name);
    let committed = Committed::open(root, name).map_err(|reason| {
        anyhow!("--policy-from {shown}: this base is not available: {reason}; fetch it, in a shallow checkout with `fetch-depth: 0`")
    })?;
    Ok(Base { name: name.into(), committed })
}

impl Reader<'_> {
    fn read(&self, args: &PolicyArgs, today: Date) -> Result<(Suppressions, Origin, Vec<Vec<u8>>)> {
        let mut texts = Vec::new();
        let mut origin = Origin::default();
        let mut settings = Settings::default();
        if let Some((name, text)) = self.settings(args)? {
            settings = Settings::read(&name, &text, self.rules)?;
            origin.settings = Some((name, String::from_utf8_lossy(&text).into_owned()));
            texts.push(text);
        }
        if let Some(path) = &args.organisation
            && let Some(text) = self.named(path, "policy")?
        {
            let policy = Settings::read(&self.name(path), &text, self.rules)?;
            (settings, origin.refused) = settings::under(policy, settings, self.rules);
            if let Err((_, fault)) = Globs::new(settings.sides().into_iter().map(|(glob, _)| glob)) {
                bail!("{} and the configuration together have too many sides: {fault}", self.name(path));
            }
            texts.push(text);
        }
        let mut baseline = Baseline::default();
        let named = args.baseline.clone();
        let set = settings.baseline.as_ref().map(|path| self.standpoint.root.join(path.get_ref()));
        let must_be = named.is_some() || set.is_some();
        origin.baseline_path = named.or(set).unwrap_or_else(|| self.standpoint.root.join(BASELINE_NAME));
        if must_be || !args.no_config {
            match self.file(&origin.baseline_path, BASELINE_BYTES_MAX)? {
                Some(text) => {
                    let name = self.name(&origin.baseline_path);
                    baseline = Baseline::read(&name, &text)?;
                    origin.baseline = Some(name);
                    texts.push(text);
                }
                // A base from before the file was named has none.
                None if must_be && self.base.is_none() && !args.baseline_may_be_missing => {
                    bail!(
                        "{}: there is no such baseline; `ansalint baseline create` makes one",
                        self.name(&origin.baseline_path)
                    )
                }
                None => {}
            }
        }
        let mut deactivated = Vec::new();
        if let Some(path) = &args.deactivated
            && let Some(text) = self.named(path, "file of dead keys")?
        {
            deactivated = settings::deactivated(&self.name(path), &text)?;
            origin.deactivated = Some(self.name(path));
        }
        if !args.allow.is_empty() || !deactivated.is_empty() {
            texts.push(format!("{:?} {deactivated:?}", args.allow).into_bytes());
        }
        let exclude = settings.exclude.iter().map(|glob| glob.get_ref().as_str());
        let suppressions = Suppressions {
            excluded: Globs::new(exclude).unwrap_or_default(),
            baseline,
            arguments: args.allow.clone(),
            deactivated,
            anchor: self.standpoint.anchor.clone(),
            today,
            settings,
        };
        Ok((suppressions, origin, texts))
    }

    /// The configuration and its name, if there is one.
    fn settings(&self, args: &PolicyArgs) -> Result<Option<(String, Vec<u8>)>> {
        if args.no_config {
            return Ok(None);
        }
        let path = args.config.clone().unwrap_or_else(|| self.standpoint.root.join(FILE_NAME));
        let text = match args.config {
            Some(_) => self.named(&path, "configuration")?,
            None => self.file(&path, SETTINGS_BYTES_MAX)?,
        };
        Ok(text.map(|text| (self.name(&path), text)))
    }

    /// The content of the file at `path`, which somebody named; none only where a base is from before it was made.
    fn named(&self, path: &Path, what: &str) -> Result<Option<Vec<u8>>> {
        let text = self.file(path, SETTINGS_BYTES_MAX)?;
        if text.is_some() {
            return Ok(text);
        }
        let name = self.name(path);
        let Some(base) = self.base.filter(|_| self.below_root(path).is_some()) else {
            bail!("{name}: there is no such {what}");
        };
        if path.symlink_metadata().is_err() {
            bail!("{name}: there is no such {what}, neither in {} nor on disk", base.name);
        }
        Ok(None)
    }

    /// The content of the file at `path`, keys in it masked; none where there is none.
    fn file(&self, path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
        let text = match (self.base, self.below_root(path)) {
            (Some(base), Some(below)) => {
                let parts: Vec<&[u8]> = below.iter().map(OsStr::as_encoded_bytes).collect();
                let read = base.committed.file(&parts.join(&b'/'));
                read.map_err(|reason| anyhow!("{}: cannot be read: {reason}", self.name(path)))?
            }
            _ => from_disk(path, bytes_max).with_context(|| self.name(path))?,
        };
        if text.as_ref().is_some_and(|text| text.len() as u64 > bytes_max) {
            bail!("{}: too large", self.name(path));
        }
        text.map(|text| self.masked(text)).transpose()
    }

    /// How messages name the file at `path`.
    fn name(&self, path: &Path) -> String {
        let below = self.below_root(path);
        let shown = below.as_deref().unwrap_or(path).display();
        match self.base.filter(|_| below.is_some()) {
            Some(base) => format!("{}:{shown}", base.name),
            None => shown.to_string(),
        }
    }

    fn below_root(&self, path: &Path) -> Option<PathBuf> {
        self.standpoint.below_root(path)
    }

    /// Somebody may have written a key where a reason or a fingerprint belongs.
    fn masked(&self, text: Vec<u8>) -> Result<Vec<u8>> {
        let has_prefix = |text: &str| self.rules.keys.kind.iter().any(|kind| text.contains(&kind.prefix));
        if std::str::from_utf8(&text).is_ok_and(has_prefix) {
            return Ok(mask(&Detector::new(self.rules)?, &text).into_bytes());
        }
        Ok(text)
    }
}

/// All of a regular file that is no link.
pub(super) fn from_disk(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().context("not a file")?;
    let Ok(root) = Root::open(folder) else { return Ok(None) };
    Ok(root.read_bounded(Path::new(name), bytes_max)?)
}
