//! Sides that the configuration sets by path.
//!
//! They win over what the classifier concludes, and say so. What the code itself says is kept beside it, because a live
//! key in client code is guarded whatever a glob says.

use crate::settings::{Globs, Settings};
use crate::side::{Judgement, Side};
use crate::suppress::Anchor;

/// Sides by glob.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    globs: Globs,
    sides: Vec<(String, Side)>,
    anchor: Anchor,
}

impl Overrides {
    /// Those of `settings`; `anchor` leads from reported paths to those that the globs are about.
    pub fn new(settings: &Settings, anchor: Anchor) -> Self {
        let sides = settings.sides();
        // Whoever read the settings has checked the globs.
        let globs = Globs::new(sides.iter().map(|(glob, _)| *glob)).unwrap_or_default();
        Self { globs, sides: sides.into_iter().map(|(glob, side)| (glob.to_owned(), side)).collect(), anchor }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sides.is_empty()
    }

    /// The side that is set for `path`, as reports show it, and the sentence about it.
    pub fn of(&self, path: &str) -> Option<(Side, String)> {
        let number = self.anchor.below_root(path).and_then(|path| self.globs.last_match(&path))?;
        let (glob, side) = self.sides.get(number)?;
        Some((*side, format!("the configuration puts `{glob}` on side {}", side.as_str())))
    }

    /// `judgement` of something at `path`, as reports show it, with the side that is set for the path.
    pub fn apply(&self, path: &str, mut judgement: Judgement) -> Judgement {
        if let Some((side, mut why)) = self.of(path) {
            let own = judgement.side;
            if own != side {
                why.push_str("; the code itself says ");
                why.push_str(own.as_str());
                judgement.overruled = Some(own);
            }
            judgement.side = side;
            judgement.evidence.insert(0, why);
        }
        judgement
    }
}
