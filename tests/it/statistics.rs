//! What twenty seeds show: every law holds, and the shares that the pair law is reported by.

use crate::context::{Context, say, skip};

/// Samples made.
const SEEDS: u32 = 20;

/// Minutes.
#[test]
#[ignore = "slow: cargo xtask slow"]
fn twenty_pairs_keep_every_law() {
    let context = Context::new();
    context
        .run(&format!(
            "removal --seeds 0..{SEEDS} --video-length 5 --render-width 128 --spp 32 --output-dir d"
        ))
        .expect(0);
    let mut sums = [0.0; 3];
    let journal = context.read("d/done.jsonl");
    for line in journal.lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        for (sum, figure) in sums.iter_mut().zip([
            "mean_untouched_share",
            "mean_effect_share",
            "mean_faint_share",
        ]) {
            *sum += entry["quality"][figure].as_f64().unwrap() / f64::from(SEEDS);
        }
    }
    let [untouched, effect, faint] = sums;
    say(&format!(
        "over {SEEDS} seeds {:.1} % of pixels are untouched, {:.1} % show the effect, \
         {:.1} % have an effect between 0 and 1/255",
        100.0 * untouched,
        100.0 * effect,
        100.0 * faint
    ));
    assert!((0.05..0.999).contains(&untouched), "{untouched}");
    assert!(effect > 0.005, "{effect}");
    let ffmpeg = std::process::Command::new("ffmpeg")
        .arg("-version")
        .output();
    if ffmpeg.is_err() {
        skip("verify reads videos through ffmpeg, which is not installed");
        return;
    }
    let report = context.run("verify d --json");
    assert_eq!(report.code, Some(0), "{}", report.snapshot());
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["samples"], SEEDS);
    assert_eq!(report["faults"].as_array().map(Vec::len), Some(0));
}
