//! `ansalint report`: stored JSON reports in another format, or joined.
//!
//! The file is read as if a stranger had written it: keys in its texts are masked before anything else looks at them.

use crate::cli::{MergeArgs, ReportCommand, ReportFileArgs};
use crate::config::{Config, Conversion};
use crate::detect::{Detector, mask};
use crate::exit::Exit;
use crate::report::{self, Report};
use crate::rule::{RuleFiles, Rules};
use crate::stdio;
use anyhow::{Context as _, Result, anyhow};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The largest stored report.
const BYTES_MAX: u64 = 2 << 30;

/// Runs `command`.
pub(super) fn run(args: ReportFileArgs) -> Result<Exit> {
    let (files, options) = match args.command {
        Some(ReportCommand::Merge(MergeArgs { files, options })) => (files, options),
        None => (args.file.into_iter().collect(), args.options),
    };
    if files.is_empty() {
        anyhow::bail!("name a report to convert, or `-` for standard input");
    }
    let Conversion { output, policy, now } = Config::conversion(&options)?;
    let report = joined(&files)?.context("no report")?;
    super::write(&report, &Rules::load(&RuleFiles::embedded())?, &output, now)?;
    Ok(policy.map_or(Exit::Clean, |policy| Exit::of(&report, policy)))
}

/// The reports stored in `files`, joined; none for no files.
pub(super) fn joined(files: &[PathBuf]) -> Result<Option<Report>> {
    let detector = Detector::new(&Rules::load(&RuleFiles::embedded())?)?;
    let reports: Result<Vec<Report>> = files.iter().map(|file| one(file, &detector)).collect();
    Ok(report::join(reports?))
}

fn one(file: &Path, detector: &Detector) -> Result<Report> {
    let name = if file == Path::new("-") { "standard input".into() } else { file.display().to_string() };
    let mut bytes = Vec::new();
    let read = if file == Path::new("-") {
        stdio::check_stdin()?;
        std::io::stdin().lock().take(BYTES_MAX + 1).read_to_end(&mut bytes)
    } else {
        let about = file.metadata().with_context(|| format!("{name}: the report cannot be read"))?;
        if !about.is_file() {
            anyhow::bail!("{name}: not a regular file");
        }
        std::fs::File::open(file).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("{name}: the report cannot be read"))?;
    if bytes.len() as u64 > BYTES_MAX {
        anyhow::bail!("{name}: too large for a report");
    }
    let masked = |text: String| if detector.any(text.as_bytes()) { mask(detector, text.as_bytes()) } else { text };
    report::read(&bytes, &masked).map_err(|reason| anyhow!("{name}: {reason}"))
}
