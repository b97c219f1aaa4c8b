//! What the program prints, word for word.

use insta::assert_snapshot;

use crate::context::{Context, TINY};

/// The outcome with what differs from run to run and version to version replaced.
fn snapshot(args: &str) -> String {
    let context = Context::new();
    context.run(args).snapshot()
}

#[test]
fn the_version_goes_to_standard_output() {
    let version = format!("diorama {}", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        snapshot("version"),
        format!("exit: 0\n--- stdout\n{version}\n--- stderr\n")
    );
    assert_eq!(snapshot("version"), snapshot("--version"));
}

#[test]
fn help_lists_the_commands() {
    let help = snapshot("--help");
    for word in [
        "exit: 0",
        "removal",
        "avatar",
        "assets",
        "shot",
        "render",
        "verify",
        "index",
        "merge",
        "version",
        "Exit codes:",
    ] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let removal = snapshot("removal --help");
    for flag in [
        "--seeds <A..B>",
        "--output-dir <DIR>",
        "--video-length <N>",
        "--render-width <PX>",
        "--range-object-scale <LOW,HIGH>",
        "--mask-mode <WHICH>",
        "--target <TRAINER>",
        "--motion-blur",
        "--shard <i/n>",
        "--estimate",
        "--assets <DIR>",
    ] {
        assert!(removal.contains(flag), "{flag}: {removal}");
    }
    // Words for the user, not for the code.
    assert!(!removal.contains("Option<"), "{removal}");
}

#[test]
fn an_unknown_flag_is_one_line_and_a_hint() {
    assert_snapshot!(snapshot("removal --sede 4"), @r"
    exit: 2
    --- stdout
    --- stderr
    error: unexpected argument '--sede' found
    hint: a similar argument exists: '--seed'
    ");
    assert_snapshot!(snapshot("removal --seed 4 --seeds 0..9"), @r"
    exit: 2
    --- stdout
    --- stderr
    error: the argument '--seed <S>' cannot be used with '--seeds <A..B>'
    hint: `--help` lists the flags
    ");
}

#[test]
fn a_run_prints_paths_on_stdout_and_words_on_stderr() {
    let context = Context::new();
    let args = format!("removal --seed 1 {TINY} --backend cpu --video-length 6 --output-dir clips");
    assert_snapshot!(context.run(&args).snapshot(), @r"
    exit: 0
    --- stdout
    clips/000001
    --- stderr
    note: 6 frames are not 4k+1; trainers will use 5 of them
    1 made, 0 were there, 0 failed; list: clips.json
    ");
    assert_snapshot!(context.run(&args).snapshot(), @r"
    exit: 0
    --- stdout
    clips/000001
    --- stderr
    note: 6 frames are not 4k+1; trainers will use 5 of them
    nothing to do: the sample is there
    ");
    assert_snapshot!(context.run(&format!("{args} --redo 1 --json --quiet")).snapshot(), @r#"
    exit: 0
    --- stdout
    {"folder":"clips/000001","id":"000001","seed":1,"status":"done"}
    {"failed":0,"list":"clips.json","made":1,"present":0}
    --- stderr
    "#);
    assert_snapshot!(context.run("index clips").snapshot(), @r"
    exit: 0
    --- stdout
    clips.json
    --- stderr
    1 sample, 6 frames
    ");
}

#[test]
fn samples_that_fail_are_listed_and_the_exit_is_1() {
    let context = Context::new();
    // Nothing can be half the picture and the whole of it.
    let args = format!(
        "removal --seeds 0..2 {TINY} --range-mask-area 0.99 1 --max-attempts 2 --output-dir d"
    );
    let outcome = context.run(&args).expect(1);
    assert!(
        outcome.stderr.contains("0 made, 0 were there, 2 failed"),
        "{}",
        outcome.stderr
    );
    for id in ["000000", "000001"] {
        assert!(
            outcome
                .stderr
                .contains(&format!("sample {id} failed: no usable shot in 2 attempts"))
        );
    }
    assert_eq!(context.read("d/failed.jsonl").lines().count(), 2);
    let again = context.run(&format!("{args} --redo failed")).expect(1);
    assert!(again.stderr.contains("2 failed"), "{}", again.stderr);
}

#[test]
fn colour_and_bars_stay_away_from_pipes() {
    let context = Context::new();
    let outcome = context.run(&format!("removal --seed 1 {TINY}  --spp 0"));
    assert!(!outcome.stderr.contains('\x1b'), "{}", outcome.stderr);
}
