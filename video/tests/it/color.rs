//! Colour videos: what decoders see of them.

use diorama_video::{
    ColorVideoOptions, DEFAULT_QP, Encoder, Mp4Index, PAIR_QP, ReadFormat, ReadOptions, VideoError,
    probe,
};

use crate::scene::{patches, picture};
use crate::support::{color_options, differences, has_ffmpeg, read_all, write_color};

/// Limits of the Video contract.
const PATCH_MEAN: f64 = 1.5;
const PATCH_MAX: u8 = 4;
const PAIR_MEAN: f64 = 0.5;
const PAIR_P99: u8 = 3;
/// Pixels around touched ones that the pair law leaves out.
const PAIR_MARGIN: usize = 8;

#[test]
fn saturated_patches_keep_their_colour() {
    if !has_ffmpeg() {
        return;
    }
    for (width, height) in [(256, 128), (250, 98)] {
        let original = patches(width, height);
        let frames = vec![original.clone(); 18];
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("patches.mp4");
        write_color(&path, &color_options(width, height), &frames).unwrap();
        let read = read_all(&path, ReadFormat::Rgb8).unwrap();
        assert_eq!(read.len(), frames.len());
        for frame in &read {
            let pairs = frame.iter().copied().zip(original.iter().copied());
            let (mean, _, largest) = differences(pairs);
            assert!(mean <= PATCH_MEAN, "mean {mean}");
            assert!(largest <= PATCH_MAX, "largest {largest}");
        }
    }
}

#[test]
fn noise_that_codes_larger_than_the_picture_fits_or_is_said() {
    let (width, height) = (160, 96);
    let mut state = 1u32;
    let noise: Vec<u8> = (0..width * height * 3)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if state >> 31 == 0 { 0 } else { 255 }
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let write = |qp| {
        let path = folder.path().join(format!("{qp}.mp4"));
        let options = ColorVideoOptions {
            qp,
            ..color_options(width, height)
        };
        write_color(&path, &options, std::slice::from_ref(&noise))?;
        Ok::<u64, VideoError>(std::fs::metadata(&path).unwrap().len())
    };
    for qp in [3, DEFAULT_QP] {
        let bytes = write(qp).unwrap();
        assert!(bytes > u64::from(width * height * 3 / 2), "{qp}: {bytes}");
    }
    let error = write(0).unwrap_err();
    assert!(
        matches!(error, VideoError::TooDetailed { frame: 0, .. }),
        "{error}"
    );
    assert!(error.is_users_to_mend() && error.hint().is_some());
    assert!(!folder.path().join("0.mp4").exists());
}

#[test]
fn pictures_come_back_neither_darker_nor_brighter() {
    if !has_ffmpeg() {
        return;
    }
    let side: u32 = 192;
    let frames: Vec<Vec<u8>> = (0..3)
        .map(|frame| picture(side, side, frame, 0.7, false))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picture.mp4");
    write_color(&path, &color_options(side, side), &frames).unwrap();
    let read = read_all(&path, ReadFormat::Rgb8).unwrap();
    for (before, after) in frames.iter().zip(&read) {
        for channel in 0..3 {
            let pairs = before.iter().zip(after).skip(channel).step_by(3);
            let sum: i64 = pairs.map(|(a, b)| i64::from(*b) - i64::from(*a)).sum();
            let bias = sum as f64 / f64::from(side * side);
            assert!(bias.abs() < 0.3, "channel {channel}: {bias} levels");
        }
    }
}

/// Frames as a reader gets them.
fn coded_as_of_a_pair(side: u32, frames: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pair.mp4");
    let options = ColorVideoOptions {
        qp: PAIR_QP,
        ..color_options(side, side)
    };
    write_color(&path, &options, frames).unwrap();
    read_all(&path, ReadFormat::Rgb8).unwrap()
}

#[test]
fn both_videos_of_a_pair_agree_where_nothing_was_removed() {
    if !has_ffmpeg() {
        return;
    }
    let side: u32 = 192;
    let (full, removed): (Vec<_>, Vec<_>) = (0..20)
        .map(|frame| [false, true].map(|removed| picture(side, side, frame, 0.7, removed)))
        .map(|[full, removed]| (full, removed))
        .unzip();
    let read = [&full, &removed].map(|frames| coded_as_of_a_pair(side, frames));
    let mut compared = Vec::new();
    for frame in 0..full.len() {
        let is_far = far_from_touched(&full[frame], &removed[frame], side as usize, PAIR_MARGIN);
        for (pixel, _) in is_far.iter().enumerate().filter(|(_, far)| **far) {
            for channel in 0..3 {
                let at = pixel * 3 + channel;
                compared.push((read[0][frame][at], read[1][frame][at]));
            }
        }
    }
    assert!(compared.len() > 100_000, "too few pixels to speak of");
    let (mean, p99, _) = differences(compared.into_iter());
    assert!(mean <= PAIR_MEAN, "mean {mean}");
    assert!(p99 <= PAIR_P99, "99th percentile {p99}");
}

/// The worst that a pair can meet: the first frames have nothing in common, so that hardly a block of the later ones,
/// which are equal, is predicted alike in the two videos.
#[test]
fn a_pair_that_is_coded_differently_everywhere_still_agrees() {
    if !has_ffmpeg() {
        return;
    }
    let side: u32 = 128;
    let mut state = 5_u32;
    let noisy = |frame: Vec<u8>, state: &mut u32| -> Vec<u8> {
        let noise = |value: u8| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            value.saturating_add((*state >> 28) as u8)
        };
        frame.into_iter().map(noise).collect()
    };
    let full: Vec<Vec<u8>> = (0..6)
        .map(|frame| noisy(picture(side, side, frame, 0.7, false), &mut state))
        .collect();
    let mut removed = full.clone();
    removed[0] = full[0].iter().map(|value| 255 - value).collect();
    let read = [&full, &removed].map(|frames| coded_as_of_a_pair(side, frames));
    for frame in 1..full.len() {
        let pixels = read[0][frame].iter().zip(&read[1][frame]);
        let (mean, p99, _) = differences(pixels.map(|(a, b)| (*a, *b)));
        assert!(mean <= PAIR_MEAN, "frame {frame}: mean {mean}");
        assert!(p99 <= PAIR_P99, "frame {frame}: 99th percentile {p99}");
        // Otherwise it was no such pair.
        assert!(mean > 0.1, "frame {frame}: mean {mean}");
    }
}

/// Per pixel: no pixel within `margin` differs between the two pictures.
fn far_from_touched(a: &[u8], b: &[u8], side: usize, margin: usize) -> Vec<bool> {
    let is_touched = |x: usize, y: usize| {
        let at = (y * side + x) * 3;
        a[at..at + 3] != b[at..at + 3]
    };
    // A square is a row of columns: first across, then down.
    let near = |centre: usize| centre.saturating_sub(margin)..(centre + margin + 1).min(side);
    let across: Vec<bool> = (0..side * side)
        .map(|i| near(i % side).any(|x| is_touched(x, i / side)))
        .collect();
    (0..side * side)
        .map(|i| !near(i / side).any(|y| across[y * side + i % side]))
        .collect()
}

#[test]
fn frames_and_key_frames_are_counted_and_tagged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let options = ColorVideoOptions {
        fps: 80.0 / 3.0,
        ..color_options(98, 66)
    };
    let frames: Vec<Vec<u8>> = (0..35).map(|f| picture(98, 66, f, 1.0, false)).collect();
    let written = write_color(&path, &options, &frames).unwrap();
    assert_eq!(
        (written.frames, written.bytes),
        (35, path.metadata().unwrap().len())
    );
    let index = Mp4Index::read(&path).unwrap();
    assert_eq!((index.width, index.height, index.frames()), (98, 66, 35));
    assert_eq!((index.rate.numerator, index.rate.denominator), (80, 3));
    assert_eq!(index.key_frames, [0, 16, 32]);
    if !has_ffmpeg() {
        return;
    }
    let info = probe(&path, &ReadOptions::default()).unwrap();
    assert_eq!((info.width, info.height, info.frames), (98, 66, 35));
    assert_eq!(info.color_range.as_deref(), Some("tv"));
    assert_eq!(info.color_space.as_deref(), Some("smpte170m"));
    assert_eq!(info.color_primaries.as_deref(), Some("bt709"));
    assert_eq!(info.color_transfer.as_deref(), Some("bt709"));
    assert_eq!(info.chroma_location.as_deref(), Some("center"));
    assert_eq!(read_all(&path, ReadFormat::Rgb8).unwrap().len(), 35);
}

#[test]
fn key_frames_do_not_depend_on_the_content() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cuts.mp4");
    // A cut at every frame, where an encoder that looks for scenes would put key frames.
    let frames: Vec<Vec<u8>> = (0..20u8)
        .map(|f| vec![f.wrapping_mul(97); 64 * 64 * 3])
        .collect();
    write_color(&path, &color_options(64, 64), &frames).unwrap();
    assert_eq!(Mp4Index::read(&path).unwrap().key_frames, [0, 16]);
}

#[test]
fn the_same_frames_give_the_same_bytes_beside_other_encoders() {
    let frames: Vec<Vec<u8>> = (0..18).map(|f| picture(98, 66, f, 0.4, false)).collect();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let path = folder.path().join(name);
        write_color(&path, &color_options(98, 66), &frames).unwrap();
        std::fs::read(path).unwrap()
    };
    let alone = write("alone.mp4");
    let together: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let threads = ["a.mp4", "b.mp4", "c.mp4"].map(|name| scope.spawn(move || write(name)));
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert!(together.iter().all(|bytes| *bytes == alone));
}

#[test]
fn a_finer_quantiser_is_closer_and_larger() {
    if !has_ffmpeg() {
        return;
    }
    let frames: Vec<Vec<u8>> = (0..4).map(|f| picture(128, 128, f, 0.7, false)).collect();
    let folder = tempfile::tempdir().unwrap();
    let [coarse, default, finest] = [30, DEFAULT_QP, 0].map(|qp| {
        let path = folder.path().join("clip.mp4");
        let options = ColorVideoOptions {
            qp,
            ..color_options(128, 128)
        };
        let bytes = write_color(&path, &options, &frames).unwrap().bytes;
        let read = read_all(&path, ReadFormat::Rgb8).unwrap();
        let pairs = read.iter().flatten().zip(frames.iter().flatten());
        (bytes, differences(pairs.map(|(a, b)| (*a, *b))).0)
    });
    assert!(
        coarse.0 < default.0 && default.0 < finest.0,
        "{coarse:?} {default:?} {finest:?}"
    );
    assert!(
        coarse.1 > default.1 && default.1 > finest.1,
        "{coarse:?} {default:?} {finest:?}"
    );
    // Colour at half resolution and the readers' own conversion are in this figure.
    assert!(default.1 < 2.0, "mean error {}", default.1);
}

#[test]
fn bad_options_are_errors_with_a_hint_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let good = color_options(64, 64);
    let bad = [
        ColorVideoOptions {
            width: 63,
            ..good.clone()
        },
        ColorVideoOptions {
            height: 0,
            ..good.clone()
        },
        ColorVideoOptions {
            width: 8,
            ..good.clone()
        },
        ColorVideoOptions {
            width: 4096,
            ..good.clone()
        },
        ColorVideoOptions {
            fps: 0.0,
            ..good.clone()
        },
        ColorVideoOptions {
            fps: f64::NAN,
            ..good.clone()
        },
        ColorVideoOptions {
            qp: 52,
            ..good.clone()
        },
    ];
    for options in bad {
        let error = write_color(&path, &options, &[]).unwrap_err();
        assert!(
            error.hint().is_some() && error.is_users_to_mend(),
            "{error}"
        );
    }
    let odd = write_color(&path, &color_options(63, 64), &[]).unwrap_err();
    assert!(
        odd.to_string().contains("even") && odd.hint().unwrap().contains("even"),
        "{odd}"
    );
    let none = write_color(&path, &good, &[]).unwrap_err();
    assert!(none.to_string().contains("no frame"), "{none}");
    let short = write_color(&path, &good, &[vec![0; 5]]).unwrap_err();
    assert!(
        short
            .to_string()
            .contains("frame 0 has 5 values where 12288"),
        "{short}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let nowhere = folder.path().join("missing/clip.mp4");
    let error = write_color(&nowhere, &good, &[]).unwrap_err();
    assert!(
        error.to_string().contains("missing") && error.is_users_to_mend(),
        "{error}"
    );
}

#[test]
fn ffmpeg_encodes_the_same_colours() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let original = patches(128, 96);
    let options = ColorVideoOptions {
        encoder: Encoder::Ffmpeg {
            args: Vec::new(),
            program: None,
        },
        ..color_options(128, 96)
    };
    let written = write_color(&path, &options, &vec![original.clone(); 18]);
    let written = match written {
        Err(error) if error.to_string().contains("libx264") => {
            eprintln!("skipped: this ffmpeg has no libx264");
            return;
        }
        other => other.unwrap(),
    };
    assert_eq!(
        (written.frames, written.bytes),
        (18, path.metadata().unwrap().len())
    );
    let index = Mp4Index::read(&path).unwrap();
    assert_eq!((index.frames(), &index.key_frames[..]), (18, &[0, 16][..]));
    let info = probe(&path, &ReadOptions::default()).unwrap();
    assert_eq!(info.color_space.as_deref(), Some("smpte170m"));
    assert_eq!(info.color_range.as_deref(), Some("tv"));
    let read = read_all(&path, ReadFormat::Rgb8).unwrap();
    let pairs = read[17].iter().copied().zip(original);
    let (mean, _, largest) = differences(pairs);
    assert!(
        mean <= PATCH_MEAN && largest <= PATCH_MAX,
        "{mean} {largest}"
    );
}

#[test]
fn ffv1_of_rgb_loses_nothing() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mkv");
    let frames: Vec<Vec<u8>> = (0..3).map(|f| picture(98, 66, f, 0.7, false)).collect();
    let options = ColorVideoOptions {
        encoder: Encoder::Ffmpeg {
            args: ["-c:v", "ffv1", "-pix_fmt", "gbrp"]
                .map(Into::into)
                .to_vec(),
            program: None,
        },
        ..color_options(98, 66)
    };
    write_color(&path, &options, &frames).unwrap();
    assert!(read_all(&path, ReadFormat::Rgb8).unwrap() == frames);
}

#[test]
fn an_encoder_that_ffmpeg_does_not_have_is_named() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    let options = ColorVideoOptions {
        encoder: Encoder::Ffmpeg {
            args: vec!["-c:v".into(), "no_such_codec".into()],
            program: None,
        },
        ..color_options(64, 64)
    };
    let error = write_color(&path, &options, &vec![vec![0; 64 * 64 * 3]; 50]).unwrap_err();
    assert!(error.to_string().contains("no_such_codec"), "{error}");
    assert!(
        error.hint().unwrap().contains("ffmpeg -encoders"),
        "{error}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
