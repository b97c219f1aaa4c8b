//! Masks come back without one wrong pixel.

use diorama_video::{MaskVideoOptions, MaskVideoWriter, Mp4Index, ReadFormat, ReadOptions, probe};

use crate::scene::{noise_mask, random_mask, trimask};
use crate::support::{has_ffmpeg, read_all, write_mask};

fn exact_after_decoding(size: (u32, u32), frames: &[Vec<u8>]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mask.mp4");
    write_mask(&path, size, frames).unwrap();
    let grays = read_all(&path, ReadFormat::Gray8).unwrap();
    assert_eq!(grays.len(), frames.len());
    assert!(grays == frames, "grey frames differ at {size:?}");
    let colors = read_all(&path, ReadFormat::Rgb8).unwrap();
    assert_eq!(colors.len(), frames.len());
    for (color, frame) in colors.iter().zip(frames) {
        let is_exact = color
            .chunks_exact(3)
            .zip(frame)
            .all(|(rgb, &level)| rgb == [level; 3]);
        assert!(is_exact, "rgb frames differ at {size:?}");
    }
}

#[test]
fn masks_of_three_levels_are_exact_after_decoding() {
    if !has_ffmpeg() {
        return;
    }
    for (salt, size) in [
        (1, (64, 48)),
        (2, (98, 66)),
        (3, (16, 16)),
        (4, (130, 34)),
        (5, (2, 2)),
    ] {
        let (width, height) = size;
        let frames: Vec<Vec<u8>> = (0..35)
            .map(|frame| random_mask(width, height, frame, salt))
            .collect();
        exact_after_decoding(size, &frames);
    }
}

#[test]
fn a_mask_of_moving_shapes_is_exact_and_small() {
    let frames: Vec<Vec<u8>> = (0..80).map(|frame| trimask(256, 256, frame)).collect();
    let folder = tempfile::tempdir().unwrap();
    let written = write_mask(&folder.path().join("mask.mp4"), (256, 256), &frames).unwrap();
    assert_eq!(written.frames, 80);
    assert!(written.bytes < 200_000, "{} bytes", written.bytes);
    if has_ffmpeg() {
        exact_after_decoding((256, 256), &frames);
    }
}

#[test]
fn noise_and_sudden_changes_are_exact() {
    if !has_ffmpeg() {
        return;
    }
    let flat = |level: u8| vec![level; 64 * 64];
    let mut frames: Vec<Vec<u8>> = (0..20).map(|frame| noise_mask(64, 64, frame)).collect();
    frames.extend([
        flat(0),
        flat(255),
        flat(128),
        noise_mask(64, 64, 50),
        flat(255),
        flat(0),
    ]);
    exact_after_decoding((64, 64), &frames);
}

#[test]
fn other_levels_come_back_within_one() {
    if !has_ffmpeg() {
        return;
    }
    let frames: Vec<Vec<u8>> = (0..3)
        .map(|frame| (0..64 * 64).map(|i| (i / 16 + frame) as u8).collect())
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ramp.mp4");
    write_mask(&path, (64, 64), &frames).unwrap();
    for (read, frame) in read_all(&path, ReadFormat::Gray8)
        .unwrap()
        .iter()
        .zip(&frames)
    {
        let largest = read.iter().zip(frame).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(largest <= Some(1), "{largest:?}");
    }
}

#[test]
fn the_container_states_size_rate_count_and_key_frames() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mask.mp4");
    let options = MaskVideoOptions {
        width: 98,
        height: 66,
        fps: 24000.0 / 1001.0,
    };
    let mut writer = MaskVideoWriter::create(&path, &options).unwrap();
    for frame in 0..33 {
        writer.push(&trimask(98, 66, frame)).unwrap();
    }
    let written = writer.finish().unwrap();
    assert_eq!(written.bytes, path.metadata().unwrap().len());

    let index = Mp4Index::read(&path).unwrap();
    assert_eq!((index.width, index.height, index.frames()), (98, 66, 33));
    assert_eq!(
        (index.rate.numerator, index.rate.denominator),
        (24000, 1001)
    );
    assert_eq!(index.key_frames, [0, 16, 32]);
    if !has_ffmpeg() {
        return;
    }
    let info = probe(&path, &ReadOptions::default()).unwrap();
    assert_eq!((info.width, info.height, info.frames), (98, 66, 33));
    assert!((info.fps - 24000.0 / 1001.0).abs() < 1e-9);
    assert!((info.duration_secs - 33.0 * 1001.0 / 24000.0).abs() < 1e-5);
    assert_eq!((&info.codec[..], &info.pix_fmt[..]), ("h264", "yuv420p"));
    assert_eq!(info.color_range.as_deref(), Some("tv"));
    assert_eq!(info.color_space.as_deref(), Some("smpte170m"));
    assert_eq!(info.color_primaries.as_deref(), Some("bt709"));
    assert_eq!(info.color_transfer.as_deref(), Some("bt709"));
}

#[test]
fn the_same_frames_give_the_same_bytes() {
    let frames: Vec<Vec<u8>> = (0..20).map(|frame| random_mask(98, 66, frame, 7)).collect();
    let folder = tempfile::tempdir().unwrap();
    let paths = ["a.mp4", "b.mp4"].map(|name| folder.path().join(name));
    for path in &paths {
        write_mask(path, (98, 66), &frames).unwrap();
    }
    let [a, b] = paths.map(|path| std::fs::read(path).unwrap());
    assert!(a == b);
}

#[test]
fn odd_sizes_wrong_lengths_and_no_frames_are_errors_and_leave_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mask.mp4");
    for size in [(0, 16), (15, 16), (16, 33), (70_000, 2)] {
        let error = write_mask(&path, size, &[]).unwrap_err();
        assert!(
            error.hint().is_some() && error.is_users_to_mend(),
            "{error}"
        );
    }
    let error = write_mask(&path, (16, 16), &[vec![0; 255]]).unwrap_err();
    assert!(
        error.to_string().contains("255 values where 256"),
        "{error}"
    );
    let error = write_mask(&path, (16, 16), &[]).unwrap_err();
    assert!(error.to_string().contains("no frame"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
