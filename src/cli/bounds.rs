//! The bounds of what is opened and decoded, as arguments; what lies beyond one is listed as not read.
//!
//! What holds where none is given is not said here but by who keeps the bound.

use clap::Args;

/// How far archives and encodings are followed.
#[derive(Args, Debug, Default)]
pub struct BoundArgs {
    /// Of archives.
    #[command(flatten)]
    pub archives: ArchiveArgs,

    /// Of encodings.
    #[command(flatten)]
    pub encodings: DecodeArgs,
}

/// How far archives are opened. Each bound is for one outermost archive with all that is in it.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Archives")]
pub struct ArchiveArgs {
    /// Open archives in archives to this depth; 0 opens none [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=64))]
    pub archive_depth: Option<u32>,

    /// Members of one archive [default: 1000000]
    #[arg(long, value_name = "N")]
    pub archive_entries: Option<u64>,

    /// Bytes that may come out of one archive [default: 32 GiB]
    #[arg(long, value_name = "BYTES")]
    pub archive_bytes: Option<u64>,

    /// Bytes that may come out of one member [default: 8 GiB]
    #[arg(long, value_name = "BYTES")]
    pub archive_entry_bytes: Option<u64>,

    /// Bytes that may come out for each byte of an archive, beyond the first 64 MiB [default: 250]
    #[arg(long, value_name = "N")]
    pub archive_ratio: Option<u64>,

    /// Seconds that opening one archive may take [default: 120]
    #[arg(long, value_name = "SECONDS")]
    pub archive_seconds: Option<u64>,
}

/// How far encoded text is decoded. Each bound is for one file, or one member of an archive.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Encodings")]
pub struct DecodeArgs {
    /// Undo encodings inside each other to this depth [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=8))]
    pub decode_depth: Option<u32>,

    /// Bytes that any file may decode to, however small it is [default: 8 MiB]
    #[arg(long, value_name = "BYTES")]
    pub decode_bytes: Option<u64>,

    /// Bytes that may be decoded for each byte of a file, beyond those [default: 4]
    #[arg(long, value_name = "N")]
    pub decode_ratio: Option<u64>,

    /// Encoded keys of one window of a file [default: 100000]
    #[arg(long, value_name = "N")]
    pub decode_keys: Option<usize>,
}
