//! Reads damaged files, one after another, in one process: what `cargo xtask mutate` starts under a
//! limit and watches.
//!
//! `mutate LOADER FOLDER --seed S --from A --to B [--corpus DIR]` writes lines to standard output:
//! `@N` before input N is read, `panic N WORDS` where it panicked, `caught N WORDS` where a codec did and
//! its loader caught it, `memory N KIB` where the process grew,
//! `time N MICROSECONDS` where one took longest so far, and at the end `read N` (inputs that were read
//! without an error) and `end`. `--save FILE` writes input A instead. FOLDER is for the files at work.

#![expect(
    clippy::print_stdout,
    reason = "a worker talks to the one who started it"
)]

mod fbx_binary;
#[path = "../../tests/it/fbx_text.rs"]
mod fbx_text;
#[path = "../../tests/it/gltf_writer.rs"]
mod gltf_writer;
mod loaders;
mod mutator;
mod seeds;

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use fs_err as fs;

use self::loaders::Loader;
use self::mutator::Noise;
use self::seeds::Seed;

type Made<T> = Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "mutate LOADER FOLDER --seed S --from A --to B [--corpus DIR] [--save FILE]";

/// Words and place of the last panic.
static PANIC: Mutex<String> = Mutex::new(String::new());

fn main() -> Made<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [loader, folder, options @ ..] = args.as_slice() else {
        for (name, _) in Loader::ALL {
            println!("{name}");
        }
        return Ok(());
    };
    let option = |name: &str| {
        let at = options.iter().position(|word| word == name)?;
        options.get(at + 1)
    };
    let number = |name: &str| -> Made<u64> { Ok(option(name).ok_or(USAGE)?.parse()?) };
    let loader = Loader::ALL.iter().find(|(name, _)| name == loader);
    let (_, loader) = *loader.ok_or("no such loader")?;
    let mut seeds = seeds::of(loader)?;
    if let Some(corpus) = option("--corpus") {
        seeds.extend(seeds::corpus(Path::new(corpus), loader)?);
    }
    let (seed, from, to) = (number("--seed")?, number("--from")?, number("--to")?);
    if let Some(file) = option("--save") {
        let (_, bytes) = damaged(loader, &seeds, seed, from)?;
        fs::write(file, bytes)?;
        return Ok(());
    }
    let run = Run {
        loader,
        folder: PathBuf::from(folder),
        seeds,
        seed,
    };
    run.all(from, to)
}

/// The damaged file of an input, and which seed it was.
fn damaged(loader: Loader, seeds: &[Seed], seed: u64, input: u64) -> Made<(usize, Vec<u8>)> {
    let mut noise = Noise::new(seed, input);
    let which = noise.below(seeds.len());
    let other = &seeds[noise.below(seeds.len())].content;
    let mut bytes = seeds[which].content.clone();
    mutator::mutate(&mut bytes, other, &mut noise);
    if seeds[which].gzip {
        bytes = zipped(&bytes)?;
    }
    if loader == Loader::Png && noise.below(4) > 0 {
        mutator::seal_png(&mut bytes);
    }
    Ok((which, bytes))
}

fn zipped(bytes: &[u8]) -> Made<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

struct Run {
    loader: Loader,
    folder: PathBuf,
    seeds: Vec<Seed>,
    seed: u64,
}

impl Run {
    /// One folder for each seed: what lies beside it is written once.
    fn prepare(&self) -> Made<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for (index, seed) in self.seeds.iter().enumerate() {
            let folder = self.folder.join(index.to_string());
            for (name, content) in &seed.beside {
                let path = folder.join(name);
                fs::create_dir_all(path.parent().unwrap_or(&folder))?;
                fs::write(path, content)?;
            }
            let path = folder.join(&seed.name);
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            folders.push(folder);
        }
        Ok(folders)
    }

    /// Files made here must be good before they are damaged; those of a corpus need not be.
    fn try_whole(&self, folders: &[PathBuf]) -> Made<()> {
        for (index, seed) in self.seeds.iter().enumerate() {
            let file = folders[index].join(&seed.name);
            let bytes = if seed.gzip {
                zipped(&seed.content)?
            } else {
                seed.content.clone()
            };
            fs::write(&file, bytes)?;
            for input in 0..4 {
                let read = self.loader.read(&folders[index], &file, input);
                if let Some(reason) = read.err().filter(|_| seed.is_ours) {
                    return Err(format!("seed {index} is not valid: {reason}").into());
                }
            }
        }
        Ok(())
    }

    fn all(&self, from: u64, to: u64) -> Made<()> {
        let folders = self.prepare()?;
        std::panic::set_hook(Box::new(|info| {
            let message = info.payload();
            let words = message
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned());
            let words = words.or_else(|| message.downcast_ref::<String>().cloned());
            let place = info.location().map(ToString::to_string);
            let text = format!(
                "{} {}",
                place.unwrap_or_default(),
                words.unwrap_or_default()
            );
            *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = text;
        }));
        self.try_whole(&folders)?;
        let mut out = std::io::stdout().lock();
        let (mut memory, mut slowest, mut read) = (0, Duration::ZERO, 0u64);
        for input in from..to {
            let (which, bytes) = damaged(self.loader, &self.seeds, self.seed, input)?;
            let folder = &folders[which];
            let file = folder.join(&self.seeds[which].name);
            fs::write(&file, bytes)?;
            writeln!(out, "@{input}")?;
            let start = Instant::now();
            let result = catch_unwind(AssertUnwindSafe(|| self.loader.read(folder, &file, input)));
            let took = start.elapsed();
            let words = std::mem::take(&mut *PANIC.lock().unwrap_or_else(PoisonError::into_inner));
            let words = words.replace('\n', " ");
            match result {
                Err(_) => writeln!(out, "panic {input} {words}")?,
                // The loader itself has caught one of a codec.
                Ok(_) if !words.is_empty() => writeln!(out, "caught {input} {words}")?,
                Ok(result) => read += u64::from(result.is_ok()),
            }
            if took > slowest {
                slowest = took;
                writeln!(out, "time {input} {}", took.as_micros())?;
            }
            if let Some(now) = peak_kib().filter(|now| *now > memory) {
                memory = now;
                writeln!(out, "memory {input} {now}")?;
            }
        }
        writeln!(out, "read {read}")?;
        writeln!(out, "end")?;
        Ok(())
    }
}

/// Most memory this process has held, KiB; known on Linux.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
