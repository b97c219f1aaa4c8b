//! What clips show as a whole: every law holds over twenty seeds, and stillness stays still.

use diorama_video::{ReadFormat, ReadOptions, VideoReader};

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
    if !has_ffmpeg() {
        return;
    }
    let report = context.run("verify d --json");
    assert_eq!(report.code, Some(0), "{}", report.snapshot());
    let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["samples"], SEEDS);
    assert_eq!(report["faults"].as_array().map(Vec::len), Some(0));
}

/// Where neither scene nor camera moves, what a viewer sees must not either: samples, denoiser and
/// encoder together move a pixel by at most 0.5 levels in the median and 2 at the 99th percentile.
#[test]
#[ignore = "slow: cargo xtask slow"]
fn a_still_scene_stays_still() {
    if !has_ffmpeg() {
        return;
    }
    let context = Context::new();
    for seed in 0..3 {
        context
            .run(&format!(
                "removal --seed {seed} --output-dir d --video-length 17 --render-width 128 \
                 --prob-stationary-object 1 --camera-max-movement 0 --camera-range-lookat 0,0"
            ))
            .expect(0);
        for name in ["rgb_full", "rgb_removed"] {
            let path = context.path(&format!("d/{seed:06}/{name}.mp4"));
            let reader =
                VideoReader::open(&path, ReadFormat::Rgb8, &ReadOptions::default()).unwrap();
            let (mut sums, mut squares, mut frames) = (Vec::new(), Vec::new(), 0.0f64);
            for frame in reader {
                let frame = frame.unwrap();
                sums.resize(frame.data.len(), 0.0);
                squares.resize(frame.data.len(), 0.0);
                for (i, value) in frame.data.iter().enumerate() {
                    sums[i] += f64::from(*value);
                    squares[i] += f64::from(*value) * f64::from(*value);
                }
                frames += 1.0;
            }
            assert_eq!(frames, 17.0);
            let mut deviations: Vec<f64> = sums
                .iter()
                .zip(&squares)
                .map(|(sum, square)| (square * frames - sum * sum).max(0.0).sqrt() / frames)
                .collect();
            deviations.sort_by(f64::total_cmp);
            let at = |share: f64| deviations[(share * (deviations.len() - 1) as f64) as usize];
            let (median, high) = (at(0.5), at(0.99));
            say(&format!(
                "seed {seed}, {name}: deviation over time {median:.2} in the median, {high:.2} at the \
                 99th percentile"
            ));
            assert!(
                median <= 0.5 && high <= 2.0,
                "seed {seed}, {name}: {median} {high}"
            );
        }
    }
}

/// Whether videos can be read; says so if not.
fn has_ffmpeg() -> bool {
    let found = std::process::Command::new("ffmpeg")
        .arg("-version")
        .output()
        .is_ok();
    if !found {
        skip("videos are read through ffmpeg, which is not installed");
    }
    found
}
