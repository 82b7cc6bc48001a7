//! The least a reader of histories can do: inflate every entry of every pack once, deltas as they are, and nothing else.
//!
//! `cargo bench --bench floor -- REPO…` prints seconds, entries and megabytes; `benches/history` sets it beside scanners.

use gix_pack::data;
use libdeflater::Decompressor;
use rayon::prelude::*;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    for repository in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        let folder = ["objects/pack", ".git/objects/pack"].map(|below| Path::new(&repository).join(below));
        let folder = folder.iter().find(|folder| folder.is_dir()).ok_or("no repository with packs")?;
        let start = Instant::now();
        let (mut entries, mut bytes) = (0, 0);
        for file in folder.read_dir()?.filter_map(|file| Some(file.ok()?.path())) {
            if file.extension().is_some_and(|extension| extension == "idx") {
                let (count, inflated) = inflate(&file)?;
                entries += count;
                bytes += inflated;
            }
        }
        let seconds = start.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "megabytes, for people")]
        let megabytes = bytes as f64 / 1e6;
        println!("{seconds:.3} s  {entries} entries  {megabytes:.0} MB inflated  {repository}");
    }
    Ok(())
}

/// Entries of one pack and the bytes they inflate to.
fn inflate(index: &Path) -> Result<(usize, u64), Box<dyn Error>> {
    let hash = gix_hash::Kind::Sha1;
    let pack = data::File::at(index.with_extension("pack"), hash)?;
    let offsets = gix_pack::index::File::at(index, hash)?.sorted_offsets();
    let end = pack.pack_end() as u64;
    let whole = pack.entry_slice(0..end).ok_or("an empty pack")?;
    let make = || (Decompressor::new(), Vec::new());
    let inflate = |(inflater, buffer): &mut (Decompressor, Vec<u8>), offset: &u64| {
        one(inflater, buffer, whole, *offset, hash).unwrap_or(0)
    };
    let bytes = offsets.par_iter().with_min_len(256).map_init(make, inflate).sum();
    Ok((offsets.len(), bytes))
}

/// Inflates the entry at `offset`; bytes of the result.
fn one(
    inflater: &mut Decompressor,
    buffer: &mut Vec<u8>,
    pack: &[u8],
    offset: u64,
    hash: gix_hash::Kind,
) -> Option<u64> {
    let entry = data::Entry::from_bytes(pack.get(usize::try_from(offset).ok()?..)?, offset, hash).ok()?;
    let size = usize::try_from(entry.decompressed_size).ok()?;
    if buffer.len() < size {
        buffer.resize(size, 0);
    }
    let stream = pack.get(usize::try_from(entry.data_offset).ok()?..)?;
    inflater.zlib_decompress(stream, &mut buffer[..size]).ok()?;
    Some(entry.decompressed_size)
}
