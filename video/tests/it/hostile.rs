//! Files of every sort, many of them broken: an error or frames, never a panic, a hang or gigabytes.

use std::path::Path;
use std::time::{Duration, Instant};

use diorama_video::{Mp4Index, ReadFormat, ReadOptions, VideoError, VideoReader, fsx, probe};

use crate::scene::picture;
use crate::support::{color_options, has_ffmpeg, read_all, shared, write_color};

/// Files of a folder, sorted.
fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

/// Frames that decode before the end or an error.
fn decode(path: &Path, options: &ReadOptions) -> (usize, Option<VideoError>) {
    let reader = match VideoReader::open(path, ReadFormat::Gray8, options) {
        Ok(reader) => reader,
        Err(error) => return (0, Some(error)),
    };
    let mut frames = 0;
    for frame in reader {
        match frame {
            Ok(_) => frames += 1,
            Err(error) => return (frames, Some(error)),
        }
    }
    (frames, None)
}

#[test]
fn broken_files_are_errors_that_name_them() {
    let Some(folder) = shared("assets/broken/video") else {
        return;
    };
    if !has_ffmpeg() {
        return;
    }
    for path in files(&folder) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let probed = probe(&path, &ReadOptions::default());
        let (frames, error) = decode(&path, &ReadOptions::default());
        let index = Mp4Index::read(&path);
        if let Some(error) = &error {
            assert!(error.to_string().contains(name), "{error}");
            assert!(error.hint().is_some(), "{error}");
        }
        match name {
            "tiny_16x16_10frames.mp4" => {
                assert!(error.is_none(), "{name}: {error:?}");
                assert_eq!((frames, probed.unwrap().frames), (10, 10));
                assert_eq!(index.unwrap().frames(), 10);
            }
            // Its index is whole and its frames are damaged.
            "bitflips_in_mdat.mp4" | "truncated_moov_ok_half_data.mp4" => {
                assert!(error.is_some(), "{name}: {frames} frames and no error");
                let lenient = ReadOptions {
                    strict: false,
                    ..ReadOptions::default()
                };
                assert!(decode(&path, &lenient).0 >= frames, "{name}");
            }
            _ => {
                assert!(probed.is_err(), "{name}: {probed:?}");
                assert!(frames == 0 && error.is_some(), "{name}: {frames} frames");
                assert!(!index.is_ok_and(|index| index.frames() > 0), "{name}");
            }
        }
    }
}

#[test]
fn codecs_and_containers_of_every_sort_are_read() {
    let Some(folder) = shared("assets/videos/codec") else {
        return;
    };
    if !has_ffmpeg() {
        return;
    }
    for path in files(&folder) {
        let info = probe(&path, &ReadOptions::default()).unwrap();
        assert!(
            info.fps > 0.0 && info.duration_secs > 0.0,
            "{}: {info:?}",
            path.display()
        );
        let reader = VideoReader::open(&path, ReadFormat::Rgb8, &ReadOptions::default()).unwrap();
        // The first frames; dropping the reader stops the rest.
        for frame in reader.take(3) {
            let frame = frame.unwrap();
            assert_eq!(
                (frame.width, frame.height),
                (info.width, info.height),
                "{}",
                path.display()
            );
            assert_eq!(frame.data.len(), (frame.width * frame.height * 3) as usize);
        }
    }
}

#[test]
fn a_missing_file_a_folder_and_an_empty_file_are_the_users_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.mp4");
    fsx::write_atomic(&empty, b"").unwrap();
    for path in [&folder.path().join("missing.mp4"), folder.path(), &empty] {
        for error in [
            probe(path, &ReadOptions::default()).unwrap_err(),
            VideoReader::open(path, ReadFormat::Rgb8, &ReadOptions::default()).unwrap_err(),
        ] {
            assert!(error.is_users_to_mend(), "{error}");
            assert!(
                error
                    .to_string()
                    .contains(path.file_name().unwrap().to_str().unwrap())
            );
        }
    }
}

#[test]
fn a_playlist_opens_no_other_file() {
    if !has_ffmpeg() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    let frames = vec![picture(64, 64, 0, 0.0, false); 2];
    write_color(&clip, &color_options(64, 64), &frames).unwrap();
    for (name, text) in [
        (
            "list.mp4",
            format!("ffconcat version 1.0\nfile '{}'\n", clip.display()),
        ),
        (
            "hls.mp4",
            format!("#EXTM3U\n#EXTINF:1,\nfile://{}\n", clip.display()),
        ),
    ] {
        let list = folder.path().join(name);
        fsx::write_atomic(&list, text.as_bytes()).unwrap();
        assert!(probe(&list, &ReadOptions::default()).is_err());
        assert!(read_all(&list, ReadFormat::Gray8).is_err());
    }
}

#[cfg(unix)]
#[test]
fn a_decoder_that_hangs_is_stopped() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    fsx::write_atomic(&clip, b"not looked at").unwrap();
    for tool in ["ffmpeg", "ffprobe"] {
        let program = folder.path().join(tool);
        fsx::write_atomic(&program, b"#!/bin/sh\nexec sleep 600\n").unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let options = ReadOptions {
        ffmpeg: Some(folder.path().join("ffmpeg")),
        patience: Duration::from_millis(300),
        ..ReadOptions::default()
    };
    let started = Instant::now();
    let error = probe(&clip, &options).unwrap_err();
    assert!(error.to_string().contains("was stopped"), "{error}");
    let (_, error) = decode(&clip, &options);
    assert!(error.unwrap().to_string().contains("was stopped"));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[cfg(unix)]
#[test]
fn an_older_ffmpeg_is_asked_in_its_own_words() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    fsx::write_atomic(&clip, b"not looked at").unwrap();
    let program = folder.path().join("ffmpeg");
    let script = "#!/bin/sh\ncase \"$*\" in\n*-fps_mode*) echo \"Unrecognized option 'fps_mode'.\" >&2; exit 1;;\n\
                  *'-vsync passthrough'*) printf 'P5\\n2 1\\n255\\nab';;\nesac\n";
    fsx::write_atomic(&program, script.as_bytes()).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let options = ReadOptions {
        ffmpeg: Some(program),
        ..ReadOptions::default()
    };
    let (frames, error) = decode(&clip, &options);
    assert!(error.is_none() && frames == 1, "{frames} {error:?}");
}

#[cfg(unix)]
#[test]
fn what_a_failing_decoder_says_is_in_the_error() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.mp4");
    fsx::write_atomic(&clip, b"not looked at").unwrap();
    let program = folder.path().join("ffmpeg");
    let script = "#!/bin/sh\nprintf 'P5\\n2 1\\n255\\nab'\necho 'the stream is bad' >&2\nexit 7\n";
    fsx::write_atomic(&program, script.as_bytes()).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let options = ReadOptions {
        ffmpeg: Some(program),
        ..ReadOptions::default()
    };
    let (frames, error) = decode(&clip, &options);
    assert_eq!(frames, 1);
    assert!(error.unwrap().to_string().contains("the stream is bad"));
}
