//! A fresh folder, the program, and ways to look at what it did.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A clip small enough for a test, a second or two; further flags may change it.
pub(crate) const TINY: &str = "--config tiny.toml";

/// What [`TINY`] means.
const TINY_CONFIG: &str = "
[picture]
spp = 2
[recipe]
video_length = 5
width = 64
height = 64
range_num_objs = [1, 4]
prob_same_object = 1.0
";

/// A folder of one test.
pub(crate) struct Context {
    dir: TempDir,
}

/// What one run of the program did.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Outcome {
    /// Exit code, standard output and standard error in one text, for snapshots.
    pub(crate) fn snapshot(&self) -> String {
        format!(
            "exit: {}\n--- stdout\n{}--- stderr\n{}",
            self.code.map_or("signal".into(), |code| code.to_string()),
            self.stdout,
            self.stderr
        )
    }

    /// A program that could not be started.
    pub(crate) fn failed(why: &str) -> Self {
        Self {
            code: None,
            stdout: String::new(),
            stderr: why.to_owned(),
        }
    }

    /// Fails the test unless the program returned `code`.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.snapshot());
        self
    }
}

impl Context {
    pub(crate) fn new() -> Self {
        let context = Self {
            dir: tempfile::Builder::new()
                .prefix("e2e-")
                .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
                .unwrap(),
        };
        context.write("tiny.toml", TINY_CONFIG);
        context
    }

    /// A path inside the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The program with words of `args`, in the folder.
    pub(crate) fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_diorama-e2e"));
        command
            .args(args.split_whitespace())
            .current_dir(self.dir.path())
            .env(
                "DIORAMA_CACHE",
                Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"),
            )
            .env_remove("RUST_BACKTRACE")
            .env_remove("DIORAMA_ISA")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, args: &str) -> Outcome {
        self.command(args).output().unwrap().into()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, content.as_ref());
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// What a dataset is, beyond time: relative path → hash of the content, with the list beside it.
    pub(crate) fn dataset(&self, name: &str) -> BTreeMap<String, String> {
        let root = self.path(name);
        let mut files = BTreeMap::new();
        collect(&root, "", &mut files);
        files.remove("run.log").unwrap();
        // Datasets of avatars have their lists inside.
        if !root.join("prompt.txt").exists() {
            let list = std::fs::read(root.with_extension("json")).unwrap();
            files.insert("(list)".into(), hash(&list));
        }
        for (file, content) in &mut files {
            if file.starts_with("done.") {
                *content = without_timings(&std::fs::read_to_string(root.join(file)).unwrap());
            }
        }
        files
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "input of a test; nobody reads it while it is written"
)]
fn write(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn collect(dir: &Path, prefix: &str, files: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), files);
        } else {
            files.insert(name, hash(&std::fs::read(entry.path()).unwrap()));
        }
    }
}

/// Journal lines without the one field that is about this run.
fn without_timings(journal: &str) -> String {
    journal
        .lines()
        .map(|line| {
            let mut entry: serde_json::Value = serde_json::from_str(line).unwrap();
            let timings = entry.as_object_mut().unwrap().remove("timings");
            assert!(timings.is_some(), "{line}");
            entry.to_string()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Files of the development inputs, which are no part of the project; `None` (with a message) where
/// they are not.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("DIORAMA_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let found = root.join(path);
    if found.exists() {
        return Some(found.canonicalize().unwrap());
    }
    skip(&format!("{} is not there", found.display()));
    None
}

/// Says why a test does nothing.
pub(crate) fn skip(why: &str) {
    say(&format!("skipped: {why}"));
}

/// A line in the output of the test.
#[expect(
    clippy::print_stderr,
    reason = "skipped tests and measured figures must be seen"
)]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}
