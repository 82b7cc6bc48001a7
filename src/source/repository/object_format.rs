//! What a git directory's configuration says about its objects.

use gix_hash::Kind;

use super::EXTENSIONS;
use super::config::Config;
use crate::source::open::Root;

/// How the objects of a git directory are to be read.
pub struct ObjectFormat {
    /// How they are named.
    pub object_hash: Kind,
    /// Extensions that nobody here knows.
    pub unknown: Vec<String>,
    /// Whether a remote has promised to keep what is not here.
    pub is_partial: bool,
}

/// Reads the configuration of `git`; the error is a short sentence.
pub fn object_format(git: &Root) -> Result<ObjectFormat, String> {
    let config = Config::read(git, "config")?;
    let object_hash = match config.get("extensions.objectformat") {
        None | Some(b"sha1") => Kind::Sha1,
        Some(b"sha256") => Kind::Sha256,
        Some(_) => return Err("the object format is not known".to_owned()),
    };
    let unknown = config.names("extensions").filter(|name| !EXTENSIONS.contains(name)).map(str::to_owned).collect();
    Ok(ObjectFormat { object_hash, unknown, is_partial: config.get("extensions.partialclone").is_some() })
}
