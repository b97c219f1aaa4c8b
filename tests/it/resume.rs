//! Stopping and going on: kill at any moment, shards, redo, refused folders.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::context::{Context, TINY};

/// Starts a run, waits until `reached` says so, and kills it with SIGKILL.
fn kill_when(context: &Context, args: &str, reached: impl Fn(&Path) -> bool) {
    let mut child = start_until(context, args, reached);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Starts a run and waits until `reached` says so.
fn start_until(context: &Context, args: &str, reached: impl Fn(&Path) -> bool) -> Child {
    let mut child = context
        .command(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !reached(&context.path("d")) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the run ended before it could be killed"
        );
        assert!(start.elapsed() < Duration::from_mins(2), "never reached");
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

fn has_temporary(dir: &Path, id: &str) -> bool {
    std::fs::read_dir(dir).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with(&format!(".{id}.tmp-"))
        })
    })
}

#[test]
fn a_killed_run_goes_on_and_ends_like_one_that_was_not() {
    let context = Context::new();
    let args = format!("removal --seeds 0..3 {TINY} --output-dir d");
    // In the middle of the second sample, then right after it came into its place.
    kill_when(&context, &args, |dir| has_temporary(dir, "000001"));
    assert!(context.path("d/000000/sample.json").exists());
    assert!(!context.path("d/000001").exists());
    kill_when(&context, &args, |dir| dir.join("000001").exists());
    context.run(&args).expect(0);
    assert!(
        !has_temporary(&context.path("d"), "000001"),
        "leftovers are swept"
    );
    let killed = context.dataset("d");
    context
        .run(&format!("removal --seeds 0..3 {TINY} --output-dir whole"))
        .expect(0);
    assert_eq!(killed, context.dataset("whole"));
}

/// Whoever starts tests in the background of a script makes them deaf to Ctrl-C, and with them every
/// program they start.
#[cfg(unix)]
fn interrupts_are_ignored() -> bool {
    const SIGINT_BIT: u64 = 1 << 1;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & SIGINT_BIT != 0)
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_at_once_and_the_same_command_ends_it_well() {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use crate::context::skip;

    const SIGINT: i32 = 2;
    if interrupts_are_ignored() {
        skip("this process ignores interrupts");
        return;
    }
    let context = Context::new();
    let args = format!("removal --seeds 0..3 {TINY} --output-dir d");
    let mut child = start_until(&context, &args, |dir| has_temporary(dir, "000001"));
    let kill = format!("kill -INT {}", child.id());
    let sent = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(sent.success());
    let status = child.wait().unwrap();
    // A shell reports it as 128 + 2.
    assert_eq!((status.code(), status.signal()), (None, Some(SIGINT)));
    assert!(context.path("d/000000/sample.json").exists());
    assert!(!context.path("d/000001").exists(), "half-made");
    assert_eq!(context.read("d/done.jsonl").lines().count(), 1);

    context.run(&args).expect(0);
    assert!(!has_temporary(&context.path("d"), "000001"));
    let interrupted = context.dataset("d");
    context
        .run(&format!("removal --seeds 0..3 {TINY} --output-dir whole"))
        .expect(0);
    assert_eq!(interrupted, context.dataset("whole"));
}

#[test]
fn a_finished_dataset_is_left_alone_and_more_seeds_are_added() {
    let context = Context::new();
    let run = |seeds: &str, more: &str| {
        context.run(&format!(
            "removal --seeds {seeds} {TINY} --output-dir d {more}"
        ))
    };
    run("0..1", "").expect(0);
    let before = context.dataset("d");
    let again = run("0..1", "").expect(0);
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    assert_eq!(context.dataset("d"), before);
    run("0..2", "").expect(0);
    let after = context.dataset("d");
    assert_eq!(after["000000/rgb_full.mp4"], before["000000/rgb_full.mp4"]);
    assert!(after.contains_key("000001/rgb_full.mp4"));
    // Another plan is refused, and nothing is touched.
    let refused = run("0..2", "--spp 3").expect(2);
    assert!(
        refused.stderr.contains("picture.spp (2 there, 3 here)"),
        "{}",
        refused.stderr
    );
    assert_eq!(context.dataset("d"), after);
    // Redo makes the same bytes again, and says so in the journal.
    run("0..2", "--redo 1").expect(0);
    let redone = context.dataset("d");
    assert_eq!(redone["000001/mask.mp4"], after["000001/mask.mp4"]);
    assert_eq!(context.read("d/done.jsonl").lines().count(), 3);
}

#[test]
fn shards_share_a_folder_and_make_the_same_samples() {
    let context = Context::new();
    let args =
        |shard: &str, dir: &str| format!("removal --seeds 0..2 {TINY} --output-dir {dir} {shard}");
    let mut first = context
        .command(&args("--shard 0/2", "d"))
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    context.run(&args("--shard 1/2", "d")).expect(0);
    assert!(first.wait().unwrap().success());
    context.run(&args("", "whole")).expect(0);
    let (mut shards, mut whole) = (context.dataset("d"), context.dataset("whole"));
    for files in [&mut shards, &mut whole] {
        files.retain(|name, _| !name.starts_with("done.") && !name.starts_with("failed."));
    }
    // Whoever ends last has written the lists; rebuilt, they are the same whoever that was.
    context.run("index d").expect(0);
    let list = context.dataset("d")["(list)"].clone();
    shards.insert("(list)".into(), list);
    for derived in ["totals.json", "ATTRIBUTION.md"] {
        shards.insert(derived.into(), context.dataset("d")[derived].clone());
    }
    assert_eq!(shards, whole);
    assert!(context.path("d/done.0-of-2.jsonl").exists());
    assert!(context.path("d/done.1-of-2.jsonl").exists());
}

#[test]
fn a_flat_folder_holds_the_files_of_one_seed() {
    let context = Context::new();
    let flat = |seed: u64| {
        context.run(&format!(
            "removal --seed {seed} {TINY} --layout flat --output-dir d"
        ))
    };
    flat(7).expect(0);
    assert!(context.path("d/rgb_full.mp4").exists());
    flat(7).expect(0);
    let refused = flat(8).expect(2);
    assert!(
        refused.stderr.contains("already holds sample 000007"),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_estimate_writes_nothing() {
    let context = Context::new();
    let outcome = context
        .run(&format!(
            "removal --seeds 0..1000 {TINY} --output-dir d --estimate --json"
        ))
        .expect(0);
    let estimate: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(estimate["clips"], 1000);
    for field in ["hours", "clips_per_hour", "disk_bytes", "memory_bytes"] {
        assert!(estimate[field].as_f64().unwrap() > 0.0, "{field}");
    }
    assert!(!context.path("d").exists());
    assert!(!context.path("d.json").exists());
}
