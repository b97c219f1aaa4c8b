//! What tests need beside the Rust and C toolchains: ffmpeg, a Vulkan device (one in software does), and
//! Python packages that read video.
//!
//! Nothing here is needed to build or use the program. What cannot be installed is named, and the
//! tests that need it skip with a message.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::step::{run, say, target, works};

/// The readers of trainers, at the versions the tests speak about.
const DECODERS: &[&str] = &[
    "numpy==1.26.4",
    "opencv-python-headless==4.10.0.84",
    "av==13.1.0",
    "decord==0.6.0",
    "mediapy==1.2.2",
];

/// Installs what is missing and can be installed. Returns a line for everything that is still missing.
pub(crate) fn prepare() -> Result<Vec<String>> {
    let mut missing = Vec::new();
    missing.extend(ffmpeg());
    missing.extend(vulkan());
    missing.extend(decoders()?);
    Ok(missing)
}

/// How to become root, if at all.
fn as_root() -> Option<Vec<&'static str>> {
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|out| out.stdout.trim_ascii() == b"0");
    if root {
        Some(Vec::new())
    } else if works("sudo", &["-n", "true"]) {
        Some(vec!["sudo", "-n"])
    } else {
        None
    }
}

fn ffmpeg() -> Option<String> {
    let how = "ffmpeg is missing: tests that read videos with it skip; \
               install it (`apt-get install ffmpeg`, `brew install ffmpeg`)";
    let found = works("ffmpeg", &["-version"]) || apt_install(&["ffmpeg"]);
    (!found).then(|| how.into())
}

/// A Vulkan driver in software; any other does as well, but none can be told from here.
fn vulkan() -> Option<String> {
    let how = "no Vulkan driver is found: tests of the GPU backend skip; \
               install one (`apt-get install libvulkan1 mesa-vulkan-drivers`)";
    let drivers = Path::new("/usr/share/vulkan/icd.d");
    let has_driver = || std::fs::read_dir(drivers).is_ok_and(|mut files| files.next().is_some());
    let found = !cfg!(target_os = "linux")
        || has_driver()
        || apt_install(&["libvulkan1", "mesa-vulkan-drivers"]);
    (!found).then(|| how.into())
}

/// Installs Debian packages where that is possible without asking; whether it worked.
fn apt_install(packages: &[&str]) -> bool {
    let Some(prefix) = as_root().filter(|_| works("apt-get", &["--version"])) else {
        return false;
    };
    let apt = |args: &[&str]| {
        let words: Vec<&str> = prefix
            .iter()
            .chain(&["apt-get"])
            .chain(args)
            .copied()
            .collect();
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let name = format!("apt-get install {}", packages.join(" "));
    let install = [
        &["install", "-y", "-qq", "--no-install-recommends"],
        packages,
    ]
    .concat();
    // The lists may be there already, or there may be no network: try, update, try again.
    run(&name, &mut apt(&install))
        .or_else(|_| {
            run("apt-get update", &mut apt(&["update", "-qq"]))?;
            run(&name, &mut apt(&install))
        })
        .is_ok()
}

/// Where the Python of the decoder tests is (`bin` or `Scripts` by platform).
pub(crate) fn venv_python(venv: &Path) -> PathBuf {
    if cfg!(windows) {
        venv.join("Scripts").join("python.exe")
    } else {
        venv.join("bin").join("python")
    }
}

/// A Python of our own under the target folder with the readers of trainers.
fn decoders() -> Result<Vec<String>> {
    let venv = target().join("decoders-venv");
    let stamp = venv.join("installed.txt");
    let wanted = DECODERS.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(Vec::new());
    }
    if !works("python3", &["-c", "import venv, ensurepip"]) {
        return Ok(vec![
            "Python 3 with venv is missing: decoder tests skip; \
             install it (`apt-get install python3-venv`)"
                .into(),
        ]);
    }
    let made = run(
        "python venv",
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&venv),
    );
    if let Err(error) = made {
        return Ok(vec![format!("{error:#}: decoder tests skip")]);
    }
    let mut missing = Vec::new();
    // One by one: a package without a wheel for this platform must not cost the others.
    for package in DECODERS {
        let installed = run(
            &format!("pip install {package}"),
            Command::new(venv_python(&venv))
                .args(["-m", "pip", "install", "-q", "--only-binary", ":all:"])
                .args([*package, DECODERS[0]]),
        );
        if installed.is_err() {
            missing.push(format!(
                "{package} cannot be installed: its decoder tests skip; \
                 try `{} -m pip install {package}`",
                venv_python(&venv).display()
            ));
        }
    }
    if missing.is_empty() {
        std::fs::create_dir_all(&venv)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a stamp inside a folder that is ours alone; half of it reads as absent"
        )]
        std::fs::write(&stamp, wanted)
            .with_context(|| format!("cannot write {}", stamp.display()))?;
    } else {
        say("   some Python packages are missing; the others are used");
    }
    Ok(missing)
}
