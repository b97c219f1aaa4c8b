//! Same version, same plan: same bytes.

use crate::context::{Context, TINY, skip};

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_threads_and_instruction_set() {
    let context = Context::new();
    let make = |name: &str, flags: &str, variable: Option<(&str, &str)>| {
        let mut command = context.command(&format!(
            "removal --seed 3 {TINY} --output-dir {name} {flags}"
        ));
        if let Some((key, value)) = variable {
            command.env(key, value);
        }
        command.output().unwrap()
    };
    assert_eq!(make("reference", "", None).status.code(), Some(0));
    let reference = context.dataset("reference");
    assert!(reference.contains_key("000003/rgb_full.mp4"));
    for (name, flags, variable) in [
        ("again", "", None),
        ("one-thread", "--threads 1", None),
        ("three-threads", "--threads 3", None),
        ("portable", "", Some(("DIORAMA_ISA", "portable"))),
        ("avx2", "", Some(("DIORAMA_ISA", "avx2"))),
        ("avx512", "", Some(("DIORAMA_ISA", "avx512"))),
        (
            "other-libm",
            "",
            Some(("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA")),
        ),
    ] {
        let output = make(name, flags, variable);
        if output.status.code() == Some(2) && variable.is_some_and(|(key, _)| key == "DIORAMA_ISA")
        {
            skip(&format!("this processor has no {name}"));
            continue;
        }
        assert_eq!(output.status.code(), Some(0), "{name}: {output:?}");
        assert_eq!(context.dataset(name), reference, "{name}");
    }
}

#[test]
fn seed_0_is_a_seed_and_differs_from_seed_1() {
    let context = Context::new();
    context
        .run(&format!("removal --seeds 0..2 {TINY} --output-dir d"))
        .expect(0);
    let files = context.dataset("d");
    assert_ne!(files["000000/rgb_full.mp4"], files["000001/rgb_full.mp4"]);
    let shot: serde_json::Value =
        serde_json::from_str(&context.read("d/000000/shot.json")).unwrap();
    assert_eq!(shot["seed"], 0);
}

#[test]
fn a_stored_plan_as_config_repeats_the_run() {
    let context = Context::new();
    context
        .run(&format!(
            "removal --seed 5 {TINY} --prob-wall 1 --output-dir a"
        ))
        .expect(0);
    context
        .run("removal --seed 5 --config a/plan.toml --output-dir b")
        .expect(0);
    assert_eq!(context.dataset("a"), context.dataset("b"));
}

#[test]
fn the_shot_command_draws_what_the_run_drew() {
    let context = Context::new();
    context
        .run(&format!("removal --seed 2 {TINY} --output-dir d"))
        .expect(0);
    context
        .run(&format!("shot removal --seed 2 {TINY} -o shot.json"))
        .expect(0);
    let read = |name| -> serde_json::Value {
        let mut shot: serde_json::Value = serde_json::from_str(&context.read(name)).unwrap();
        // The run has chosen the exposure by its first frame.
        shot.as_object_mut().unwrap().remove("exposure");
        shot
    };
    assert_eq!(read("shot.json"), read("d/000002/shot.json"));
}

/// Minutes: one sample on an emulated processor of 2008 without AVX.
#[test]
#[ignore = "slow: cargo xtask slow"]
fn an_emulated_old_processor_gives_the_same_bytes() {
    let context = Context::new();
    let flags = format!("removal --seed 3 {TINY} --video-length 2 --output-dir");
    context.run(&format!("{flags} native")).expect(0);
    let mut command = std::process::Command::new("qemu-x86_64");
    command
        .args(["-cpu", "Nehalem", env!("CARGO_BIN_EXE_diorama-e2e")])
        .args(format!("{flags} emulated").split_whitespace())
        .current_dir(context.path(""));
    match command.output() {
        Err(error) => skip(&format!("qemu-x86_64 cannot be started: {error}")),
        Ok(output) => {
            assert!(output.status.success(), "{output:?}");
            assert_eq!(context.dataset("emulated"), context.dataset("native"));
        }
    }
}
