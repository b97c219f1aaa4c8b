//! ffmpeg and ffprobe as child processes: found, fed, listened to, stopped.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use tempfile::NamedTempFile;

use crate::color_writer::VideoSummary;
use crate::colour::Yuv420;
use crate::error::VideoError;
use crate::fsx;
use crate::h264::FRAMES_PER_KEY;
use crate::openh264::Settings;

/// How much of the end of stderr is kept.
const STDERR_TAIL_BYTES: usize = 2048;

/// How long a process may take to end after its output has.
const GRACE: Duration = Duration::from_secs(10);

/// Pause between looks at a process that is ending.
const POLL: Duration = Duration::from_millis(5);

/// The programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// Decoder and encoder.
    pub ffmpeg: PathBuf,
    /// Beside `ffmpeg` if there is one there, else from PATH; looked for when it is needed.
    pub ffprobe: PathBuf,
}

impl Tools {
    /// The first of: `explicit`, the environment variable FFMPEG, `ffmpeg` in PATH. A path that was given
    /// but is no file is an error, not a reason to look further.
    pub fn find(explicit: Option<&Path>) -> Result<Self, VideoError> {
        let given = explicit.map(Path::to_path_buf).or_else(|| {
            std::env::var_os("FFMPEG")
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        });
        let ffmpeg = match given {
            // A bare name is looked up, as a shell would.
            Some(name) if name.components().count() == 1 && !name.is_file() => in_path(&name),
            Some(path) => path
                .is_file()
                .then_some(path.clone())
                .ok_or(format!("{} is no file", path.display())),
            None => in_path(Path::new("ffmpeg")),
        }
        .map_err(|looked| VideoError::ToolMissing {
            tool: "ffmpeg",
            looked,
        })?;
        let name = format!("ffprobe{}", std::env::consts::EXE_SUFFIX);
        let beside = ffmpeg.with_file_name(&name);
        let ffprobe = if beside.is_file() {
            beside
        } else {
            in_path(Path::new("ffprobe")).unwrap_or(beside)
        };
        Ok(Self { ffmpeg, ffprobe })
    }
}

/// `name` in a folder of PATH, or where it was looked for in words.
fn in_path(name: &Path) -> Result<PathBuf, String> {
    let mut name = name.as_os_str().to_os_string();
    if !std::env::consts::EXE_SUFFIX.is_empty() && Path::new(&name).extension().is_none() {
        name.push(std::env::consts::EXE_SUFFIX);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
        .ok_or_else(|| "not in PATH".to_owned())
}

/// A child whose stderr is listened to; killed and reaped on drop.
#[derive(Debug)]
pub(crate) struct Process {
    tool: &'static str,
    /// The video that it works on, for errors.
    path: PathBuf,
    child: Child,
    stderr_tail: Option<JoinHandle<String>>,
}

impl Process {
    /// Starts `command`; stdin and stdout are as the caller set them.
    pub(crate) fn spawn(
        tool: &'static str,
        path: &Path,
        mut command: Command,
    ) -> Result<Self, VideoError> {
        let program = PathBuf::from(command.get_program());
        let mut child = command.stderr(Stdio::piped()).spawn().map_err(|source| {
            if source.kind() == std::io::ErrorKind::NotFound {
                VideoError::ToolMissing {
                    tool,
                    looked: format!("{} is no program", program.display()),
                }
            } else {
                VideoError::io("run", &program, source)
            }
        })?;
        let stderr = child.stderr.take();
        let mut this = Self {
            tool,
            path: path.to_path_buf(),
            child,
            stderr_tail: None,
        };
        if let Some(stderr) = stderr {
            let thread = std::thread::Builder::new()
                .name(format!("{tool} stderr"))
                .spawn(move || tail(stderr))
                .map_err(|source| VideoError::io("listen to", &program, source))?;
            this.stderr_tail = Some(thread);
        }
        Ok(this)
    }

    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for the end of a process whose output has ended; one that lingers is killed.
    fn reap(&mut self) -> std::io::Result<ExitStatus> {
        let mut waited = Duration::ZERO;
        while waited < GRACE {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(POLL);
            waited += POLL;
        }
        self.child.kill()?;
        self.child.wait()
    }

    /// The end: fine, or an error with what the process said.
    pub(crate) fn finish(mut self) -> Result<(), VideoError> {
        let status = self
            .reap()
            .map_err(|source| VideoError::io("wait for the coding of", &self.path, source))?;
        if status.success() {
            return Ok(());
        }
        let message = self.message();
        Err(VideoError::Tool {
            tool: self.tool,
            path: self.path.clone(),
            status: status.to_string(),
            message,
        })
    }

    /// Stops it, because nothing came from it for `patience`.
    pub(crate) fn stalled(mut self, patience: Duration) -> VideoError {
        self.stop();
        VideoError::Stalled {
            tool: self.tool,
            path: self.path.clone(),
            seconds: patience.as_secs(),
        }
    }

    fn stop(&mut self) {
        // Errors: it has ended already, which is what is wanted.
        self.child.kill().ok();
        self.child.wait().ok();
    }

    /// What it wrote to stderr, on one line.
    fn message(&mut self) -> String {
        let tail = self
            .stderr_tail
            .take()
            .and_then(|thread| thread.join().ok());
        let lines: Vec<&str> = tail
            .iter()
            .flat_map(|text| text.lines())
            .map(str::trim)
            .collect();
        let text = without_addresses(&lines.join("; "));
        if text.is_empty() {
            "no message".to_owned()
        } else {
            text
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The last bytes of a stream, read to its end so that the writer never blocks.
fn tail(mut stream: impl Read) -> String {
    let mut kept = VecDeque::with_capacity(2 * STDERR_TAIL_BYTES);
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        kept.extend(&buffer[..count]);
        let excess = kept.len().saturating_sub(STDERR_TAIL_BYTES);
        kept.drain(..excess);
    }
    String::from_utf8_lossy(kept.make_contiguous()).into_owned()
}

/// Without the places in memory that ffmpeg names its parts by, which say nothing and differ from run to run:
/// `[mov,mp4 @ 0x55d0c8]` → `[mov,mp4]`.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split(" @ 0x");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean += part.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    clean
}

/// An ffmpeg that encodes what is pushed into a temporary file beside the target.
#[derive(Debug)]
pub(crate) struct EncodeProcess {
    process: Process,
    stdin: ChildStdin,
    output: NamedTempFile,
    target: PathBuf,
    /// Where frames are converted, if YUV is fed.
    picture: Option<Yuv420>,
    frames: u64,
}

impl EncodeProcess {
    pub(crate) fn start(
        tools: &Tools,
        target: &Path,
        settings: &Settings,
        args: &[String],
    ) -> Result<Self, VideoError> {
        let container = container_of(target)?;
        let output = fsx::temporary_beside(target)?;
        let feed = Feed::for_output(args);
        let mut command = Command::new(&tools.ffmpeg);
        command
            .args(encode_arguments(settings, args, feed))
            .args(["-f", container])
            .arg(output.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
        let mut process = Process::spawn("ffmpeg", target, command)?;
        let stdin = process.stdin().ok_or_else(|| {
            VideoError::io(
                "write to",
                &tools.ffmpeg,
                std::io::ErrorKind::BrokenPipe.into(),
            )
        })?;
        Ok(Self {
            process,
            stdin,
            output,
            target: target.to_path_buf(),
            picture: (feed == Feed::Yuv420)
                .then(|| Yuv420::new(settings.width as usize, settings.height as usize)),
            frames: 0,
        })
    }

    pub(crate) fn check_length(&self, expected: usize, got: usize) -> Result<(), VideoError> {
        if expected == got {
            return Ok(());
        }
        Err(VideoError::DataLength {
            path: self.target.clone(),
            what: format!("frame {}", self.frames),
            expected,
            got,
        })
    }

    pub(crate) fn push(&mut self, rgb: &[u8]) -> Result<(), VideoError> {
        let written = if let Some(picture) = &mut self.picture {
            picture.fill(rgb);
            [&picture.y, &picture.cb, &picture.cr]
                .into_iter()
                .try_for_each(|plane| self.stdin.write_all(plane))
        } else {
            self.stdin.write_all(rgb)
        };
        if let Err(source) = written {
            // A broken pipe means that it gave up: its own words say why.
            let message = if source.kind() == std::io::ErrorKind::BrokenPipe {
                self.process.stop();
                self.process.message()
            } else {
                source.to_string()
            };
            return Err(VideoError::Tool {
                tool: "ffmpeg",
                path: self.target.clone(),
                status: format!("at frame {}", self.frames),
                message,
            });
        }
        self.frames += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<VideoSummary, VideoError> {
        let Self {
            process,
            stdin,
            output,
            target,
            frames,
            picture: _,
        } = self;
        if frames == 0 {
            return Err(VideoError::NoFrames { path: target });
        }
        drop(stdin);
        process.wait_for_encoder()?;
        let bytes = output
            .as_file()
            .metadata()
            .map_err(|source| VideoError::io("read", &target, source))?
            .len();
        fsx::persist(output, &target)?;
        Ok(VideoSummary { frames, bytes })
    }
}

impl Process {
    /// Waits however long the last frames take, then as [`Process::finish`].
    fn wait_for_encoder(mut self) -> Result<(), VideoError> {
        self.child
            .wait()
            .map_err(|source| VideoError::io("wait for the coding of", &self.path, source))?;
        self.finish()
    }
}

/// The muxer for a file name; the temporary name has no extension that ffmpeg could go by.
fn container_of(target: &Path) -> Result<&'static str, VideoError> {
    let extension = target
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "mp4" => Ok("mp4"),
        "mkv" => Ok("matroska"),
        "mov" => Ok("mov"),
        "avi" => Ok("avi"),
        _ => Err(VideoError::Tool {
            tool: "ffmpeg",
            path: target.to_path_buf(),
            status: "not started".to_owned(),
            message: "the name of a video ends in .mp4, .mkv, .mov or .avi".to_owned(),
        }),
    }
}

/// What goes through the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    /// The same 4:2:0 that the built-in encoder gets.
    Yuv420,
    /// For an output that is not 4:2:0; ffmpeg converts.
    Rgb,
}

impl Feed {
    /// By the `-pix_fmt` among the output's arguments.
    fn for_output(args: &[String]) -> Self {
        match pixel_format(args) {
            None | Some("yuv420p" | "nv12") => Self::Yuv420,
            Some(_) => Self::Rgb,
        }
    }
}

/// The value of the last `-pix_fmt`.
fn pixel_format(args: &[String]) -> Option<&str> {
    let at = args.iter().rposition(|arg| arg == "-pix_fmt")?;
    args.get(at + 1).map(String::as_str)
}

/// Colour tags of YUV, as options of an input or an output.
const YUV_TAGS: [&str; 10] = [
    "-colorspace",
    "smpte170m",
    "-color_primaries",
    "bt709",
    "-color_trc",
    "bt709",
    "-color_range",
    "tv",
    "-chroma_sample_location",
    "center",
];

/// Everything up to the output's container and name.
fn encode_arguments(settings: &Settings, args: &[String], feed: Feed) -> Vec<OsString> {
    let size = format!("{}x{}", settings.width, settings.height);
    let rate = settings.rate.to_string();
    let qp = settings.qp.to_string();
    // The same quantiser and frame types whatever the content.
    let x264 = format!(
        "aq-mode=0:mbtree=0:ipratio=1:scenecut=0:bframes=0:keyint={FRAMES_PER_KEY}:min-keyint={FRAMES_PER_KEY}"
    );
    let mut all = vec!["-nostdin", "-hide_banner", "-loglevel", "error", "-y"];
    all.extend(["-f", "rawvideo", "-video_size", &size, "-framerate", &rate]);
    match feed {
        Feed::Yuv420 => {
            all.extend(["-pix_fmt", "yuv420p"]);
            all.extend(&YUV_TAGS[..8]);
        }
        Feed::Rgb => all.extend(["-pix_fmt", "rgb24"]),
    }
    all.extend(["-i", "pipe:0", "-an", "-map_metadata", "-1"]);
    all.extend(["-fflags", "+bitexact", "-flags:v", "+bitexact"]);
    let is_rgb = pixel_format(args).is_some_and(|name| {
        ["rgb", "bgr", "gbr"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
    });
    if feed == Feed::Rgb && !is_rgb {
        // `accurate_rnd` keeps the conversion off the fast path, which is a level off.
        all.extend([
            "-vf",
            "scale=out_color_matrix=smpte170m:out_range=limited:flags=accurate_rnd+full_chroma_int",
        ]);
    }
    if !is_rgb {
        all.extend(YUV_TAGS);
    }
    if args.is_empty() {
        all.extend([
            "-c:v",
            "libx264",
            "-threads",
            "1",
            "-qp",
            &qp,
            "-x264-params",
            &x264,
        ]);
    } else {
        all.extend(args.iter().map(String::as_str));
    }
    all.into_iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_not_there_is_named_with_a_hint() {
        let error = Tools::find(Some(Path::new("/no/such/ffmpeg"))).unwrap_err();
        assert!(error.to_string().contains("/no/such/ffmpeg"), "{error}");
        assert!(error.hint().unwrap().contains("install ffmpeg"));
    }

    #[test]
    fn only_the_tail_of_stderr_is_kept() {
        let long = "x".repeat(100_000) + "the reason";
        let kept = tail(long.as_bytes());
        assert_eq!(kept.len(), STDERR_TAIL_BYTES);
        assert!(kept.ends_with("the reason"));
    }

    #[test]
    fn no_addresses_are_in_what_ffmpeg_said() {
        let said = "[mov,mp4 @ 0x55d0c8a1] moov atom not found; a @ 0xf; b.mp4: Invalid data";
        let clean = "[mov,mp4] moov atom not found; a; b.mp4: Invalid data";
        assert_eq!(without_addresses(said), clean);
        assert_eq!(without_addresses(clean), clean);
    }

    #[test]
    fn outputs_of_full_colour_are_fed_full_colour() {
        let args = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        assert_eq!(Feed::for_output(&[]), Feed::Yuv420);
        assert_eq!(
            Feed::for_output(&args("-c:v h264_nvenc -qp 8")),
            Feed::Yuv420
        );
        assert_eq!(
            Feed::for_output(&args("-c:v ffv1 -pix_fmt gbrp")),
            Feed::Rgb
        );
        assert_eq!(Feed::for_output(&args("-pix_fmt")), Feed::Yuv420);
    }

    #[test]
    fn the_container_goes_by_the_name() {
        assert_eq!(container_of(Path::new("a/b.MP4")).unwrap(), "mp4");
        assert_eq!(container_of(Path::new("a.mkv")).unwrap(), "matroska");
        assert!(container_of(Path::new("a.png")).is_err());
    }
}
