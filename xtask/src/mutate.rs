//! Damaged files for every loader: no input may end the process, stop it, or cost much memory.
//!
//! The loaders run in a child process (the example `mutate` of diorama-assets) under a limit of its
//! address space. This side watches: a child that dies or falls silent has met a finding, whose input is
//! saved, and the next child goes on behind it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::step::{cargo, run, say, target};

const HELP: &str = "\
cargo xtask mutate [options]

  --loader NAME       only this loader; may be repeated (default: all)
  --inputs N          damaged files for each loader (default 20000)
  --seed S            seed of the damage (default 1)
  --from N            number of the first input (default 0)
  --memory-cap MIB    address space of the process that reads them (default 1024)
  --timeout SECONDS   longest time for one input (default 10)
  --corpus DIR        also damage the small files in DIR
  --profile NAME      cargo profile of the readers (default dev; `hunt` for millions of inputs)

Inputs that are found are saved under target/mutate.
";

/// More findings than this of one loader end its run.
const MAX_FINDINGS: usize = 20;

struct Options {
    loaders: Vec<String>,
    inputs: u64,
    seed: u64,
    from: u64,
    memory_cap_mib: u64,
    timeout: Duration,
    corpus: Option<PathBuf>,
    profile: String,
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self {
            loaders: Vec::new(),
            inputs: 20_000,
            seed: 1,
            from: 0,
            memory_cap_mib: 1024,
            timeout: Duration::from_secs(10),
            corpus: None,
            profile: "dev".to_owned(),
        };
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let value = words.next();
            let value = value.with_context(|| format!("`{word}` needs a value\n\n{HELP}"))?;
            let number = || {
                let number: u64 = value
                    .parse()
                    .with_context(|| format!("`{word} {value}` is no number"))?;
                anyhow::Ok(number)
            };
            match word.as_str() {
                "--loader" => options.loaders.push(value.clone()),
                "--inputs" => options.inputs = number()?,
                "--seed" => options.seed = number()?,
                "--from" => options.from = number()?,
                "--memory-cap" => options.memory_cap_mib = number()?,
                "--timeout" => options.timeout = Duration::from_secs(number()?),
                "--profile" => options.profile.clone_from(value),
                "--corpus" => options.corpus = Some(std::path::absolute(value)?),
                other => bail!("no option `{other}`\n\n{HELP}"),
            }
        }
        Ok(options)
    }
}

/// `cargo xtask mutate …`
pub(crate) fn run_mutate(args: &[String]) -> Result<()> {
    if args.iter().any(|word| word == "--help" || word == "-h") {
        say(HELP);
        return Ok(());
    }
    let mut options = Options::parse(args)?;
    let profile = options.profile.as_str();
    let what = ["-p", "diorama-assets", "--example", "mutate"];
    run(
        "build",
        cargo(&["build", "-q", "--profile", profile]).args(what),
    )?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let worker = target().join(folder).join("examples").join("mutate");
    if options.loaders.is_empty() {
        let names = Command::new(&worker)
            .output()
            .context("cannot start the worker")?;
        let names = String::from_utf8_lossy(&names.stdout);
        options.loaders = names.split_whitespace().map(String::from).collect();
    }
    let mut findings = 0;
    for loader in &options.loaders {
        findings += Hunt::new(loader, &worker, &options)?.run()?;
    }
    if findings > 0 {
        bail!("{findings} inputs are not handled: see above");
    }
    Ok(())
}

/// What is known of one loader so far.
struct Hunt<'a> {
    loader: &'a str,
    worker: &'a Path,
    options: &'a Options,
    /// Where findings are kept.
    kept: PathBuf,
    /// Files at work.
    scratch: PathBuf,
    findings: usize,
    read: u64,
    /// Largest, and its input.
    memory_kib: (u64, u64),
    micros: (u64, u64),
    /// Panics of codecs that the loader caught, by place.
    caught: BTreeMap<String, u64>,
}

/// How a child ended.
enum End {
    Done,
    Died(String),
    Silent,
}

impl<'a> Hunt<'a> {
    fn new(loader: &'a str, worker: &'a Path, options: &'a Options) -> Result<Self> {
        let kept = target().join("mutate").join(loader);
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_owned()
        } else {
            target()
        };
        let scratch = parent.join(format!("diorama-mutate-{loader}-{}", std::process::id()));
        std::fs::create_dir_all(&scratch)
            .with_context(|| format!("cannot make {}", scratch.display()))?;
        Ok(Self {
            loader,
            worker,
            options,
            kept,
            scratch,
            findings: 0,
            read: 0,
            memory_kib: (0, 0),
            micros: (0, 0),
            caught: BTreeMap::new(),
        })
    }

    /// Number of findings.
    fn run(mut self) -> Result<usize> {
        let start = Instant::now();
        let (mut next, end) = (self.options.from, self.options.from + self.options.inputs);
        while next < end && self.findings < MAX_FINDINGS {
            let (last, ended) = self.child(next, end)?;
            next = match ended {
                End::Done => end,
                End::Died(words) => {
                    self.finding(last, &words)?;
                    last + 1
                }
                End::Silent => {
                    // A machine that stands still looks the same: only what does it again counts.
                    let words = match self.child(last, last + 1)?.1 {
                        End::Done => None,
                        End::Died(words) => Some(words),
                        End::Silent => {
                            let secs = self.options.timeout.as_secs();
                            Some(format!("no end after {secs} s"))
                        }
                    };
                    if let Some(words) = words {
                        self.finding(last, &words)?;
                    }
                    last + 1
                }
            };
        }
        let _ = std::fs::remove_dir_all(&self.scratch);
        let done = next - self.options.from;
        let secs = start.elapsed().as_secs_f64();
        say(&format!(
            "{}: {done} inputs, {:.0}/s, {} read, most memory {} MiB (input {}), longest {} ms (input {}), {} findings",
            self.loader,
            done as f64 / secs.max(1e-9),
            self.read,
            self.memory_kib.0.div_ceil(1024),
            self.memory_kib.1,
            self.micros.0.div_ceil(1000),
            self.micros.1,
            self.findings,
        ));
        for (place, times) in &self.caught {
            say(&format!(
                "  a codec panicked and was caught, {times} times: {place}"
            ));
        }
        Ok(self.findings)
    }

    fn command(&self, from: u64, to: u64) -> Command {
        // The shell sets the limit: std cannot, and the rest of the program stays without it.
        let kib = self.options.memory_cap_mib * 1024;
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("ulimit -v {kib} && exec \"$@\""))
            .arg("sh")
            .arg(self.worker)
            .arg(self.loader)
            .arg(&self.scratch)
            .args(["--seed", &self.options.seed.to_string()])
            .args(["--from", &from.to_string(), "--to", &to.to_string()]);
        if let Some(corpus) = &self.options.corpus {
            command.arg("--corpus").arg(corpus);
        }
        command
    }

    /// Runs a child over the inputs; the last one it began, and how it ended.
    fn child(&mut self, from: u64, to: u64) -> Result<(u64, End)> {
        let mut child = self
            .command(from, to)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the worker through `sh`")?;
        let lines = lines_of(&mut child)?;
        let mut last = from;
        let mut ended = false;
        loop {
            match lines.recv_timeout(self.options.timeout) {
                Ok(line) => match line.strip_prefix('@').map(str::parse) {
                    Some(Ok(input)) => last = input,
                    _ => ended |= self.note(&line)?,
                },
                Err(RecvTimeoutError::Timeout) => {
                    child.kill()?;
                    child.wait()?;
                    return Ok((last, End::Silent));
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let status = child.wait()?;
        if ended && status.success() {
            return Ok((last, End::Done));
        }
        let mut words = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut words);
        }
        let words = words.trim().replace('\n', " ");
        Ok((last, End::Died(format!("{status}: {words}"))))
    }

    /// Takes in a line that is no number of an input; whether it was the last.
    fn note(&mut self, line: &str) -> Result<bool> {
        let mut words = line.splitn(3, ' ');
        let (what, first) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let rest = words.next().unwrap_or("");
        let input = first.parse().unwrap_or(0);
        let most = |known: &mut (u64, u64)| {
            let value = rest.parse().unwrap_or(0);
            if value > known.0 {
                *known = (value, input);
            }
        };
        match what {
            "panic" => self.finding(input, &format!("panic at {rest}"))?,
            "caught" => {
                let place = rest.split(' ').next().unwrap_or("").to_owned();
                *self.caught.entry(place).or_default() += 1;
            }
            "memory" => most(&mut self.memory_kib),
            "time" => most(&mut self.micros),
            "read" => self.read += input,
            "end" => return Ok(true),
            _ => {}
        }
        Ok(false)
    }

    /// Saves the input and says what it did.
    fn finding(&mut self, input: u64, words: &str) -> Result<()> {
        self.findings += 1;
        std::fs::create_dir_all(&self.kept)?;
        let file = self.kept.join(format!("{}-{input}", self.options.seed));
        let saved = Command::new(self.worker)
            .arg(self.loader)
            .arg(&self.scratch)
            .args(["--seed", &self.options.seed.to_string()])
            .args(["--from", &input.to_string(), "--to", &input.to_string()])
            .args(
                self.options
                    .corpus
                    .iter()
                    .flat_map(|dir| [Path::new("--corpus").as_os_str(), dir.as_os_str()]),
            )
            .arg("--save")
            .arg(&file)
            .status()?;
        let saved = if saved.success() {
            "saved as"
        } else {
            "not saved as"
        };
        say(&format!(
            "{}: input {input}: {words}; {saved} {}",
            self.loader,
            file.display()
        ));
        Ok(())
    }
}

/// Lines of the child's standard output, from a thread of their own.
fn lines_of(child: &mut Child) -> Result<Receiver<String>> {
    let stdout = child.stdout.take().context("the worker has no output")?;
    let (sender, receiver) = sync_channel(1024);
    std::thread::Builder::new()
        .name("worker-output".into())
        .spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        })?;
    Ok(receiver)
}
