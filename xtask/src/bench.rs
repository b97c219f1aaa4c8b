//! Yardsticks beside ours. The scripts under `bench/` say what each measures and how.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup::venv_python;
use crate::step::{cargo, root, run, say, target, works};

const HELP: &str = "\
cargo xtask bench <what> [options of the script]

  pairs   full and removed picture of five_suzannes beside Cycles: time and error
          needs Python 3.11 and `--environment sky.hdr` (an HDRI such as venice_sunset_1k.hdr)
  cycles  pictures of seven scenes beside Cycles', object by object
          needs Python 3.11, `--environment sky.hdr` (once or more) and `--assets` (the folder of sample assets)
  avatar  a frame of a clip with its tracking video beside Blender's EEVEE and Cycles
          needs Python 3.11, Xvfb with Mesa (apt-get install xvfb libgl1-mesa-dri libegl1) and `--assets`
  rays    rays per second beside Embree 3 (apt-get install libembree-dev)
  paths   paths per second beside Mitsuba 3: one mesh, material, light, depth (needs LLVM newer than 16)

Everything is made under target/bench.
";

/// What Blender needs: its module is built for one Python and one numpy.
const BLENDER: &[&str] = &["numpy==1.26.4", "bpy==4.3.0", "OpenEXR==3.3.2"];
/// What comparing pictures needs beside that.
const PICTURES: &[&str] = &["flip-evaluator==1.7", "pillow==11.0.0"];
/// What Mitsuba's script needs.
const MITSUBA: &[&str] = &["numpy==1.26.4", "mitsuba==3.6.4", "OpenEXR==3.3.2"];

/// `cargo xtask bench …`
pub(crate) fn run_bench(args: &[String]) -> Result<()> {
    let Some((what, options)) = args.split_first() else {
        say(HELP);
        return Ok(());
    };
    match what.as_str() {
        "pairs" => pairs(options),
        "cycles" => cycles(options),
        "avatar" => avatar(options),
        "rays" => rays(),
        "paths" => paths(options),
        "--help" | "-h" => {
            say(HELP);
            Ok(())
        }
        other => bail!("no bench `{other}`\n\n{HELP}"),
    }
}

fn folder() -> Result<PathBuf> {
    let folder = target().join("bench");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

fn script(name: &str) -> PathBuf {
    root().join("xtask").join("bench").join(name)
}

/// A Python of our own with these packages.
fn python(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let venv = folder()?.join(name);
    let python = venv_python(&venv);
    if !python.exists() {
        run(
            "python venv",
            Command::new("python3").args(["-m", "venv"]).arg(&venv),
        )?;
    }
    run(
        "pip install",
        Command::new(&python)
            .args(["-m", "pip", "install", "-q"])
            .args(packages),
    )?;
    Ok(python)
}

/// The program at the speed of a release, with names for a profiler.
fn profiling_build() -> Result<PathBuf> {
    run(
        "build",
        &mut cargo(&["build", "--profile", "profiling", "-p", "diorama"]),
    )?;
    Ok(target().join("profiling").join("diorama"))
}

fn pairs(options: &[String]) -> Result<()> {
    if !options.iter().any(|word| word == "--environment") {
        bail!("give the picture that lights the scene: `--environment sky.hdr`");
    }
    let python = python("blender-venv", BLENDER)?;
    let diorama = profiling_build()?;
    run(
        "pairs",
        Command::new(python)
            .arg(script("pairs.py"))
            .arg("--diorama")
            .arg(diorama)
            .arg("--out")
            .arg(folder()?.join("pairs"))
            .args(options),
    )
}

fn cycles(options: &[String]) -> Result<()> {
    for needed in ["--environment", "--assets"] {
        if !options.iter().any(|word| word == needed) {
            bail!("`{needed}` is missing: `cargo xtask bench` says what each bench needs");
        }
    }
    let python = python("blender-venv", &[BLENDER, PICTURES].concat())?;
    let diorama = profiling_build()?;
    run(
        "cycles",
        Command::new(python)
            .arg(script("cycles_scenes.py"))
            .arg("--diorama")
            .arg(diorama)
            .arg("--out")
            .arg(folder()?.join("cycles"))
            .args(options),
    )
}

fn avatar(options: &[String]) -> Result<()> {
    if !options.iter().any(|word| word == "--assets") {
        bail!("give the folder of sample assets: `--assets DIR`");
    }
    let python = python("blender-venv", BLENDER)?;
    run(
        "build",
        &mut cargo(&["build", "--profile", "profiling", "-p", "diorama"]),
    )?;
    // EEVEE draws through OpenGL, on a screen that nobody looks at, by the CPU.
    let mut command = if works("xvfb-run", &["--help"]) {
        let mut command = Command::new("xvfb-run");
        command
            .args(["-a", "-s", "-screen 0 1280x720x24"])
            .arg(python);
        command
    } else {
        say(
            "note: Xvfb is missing (`apt-get install xvfb`): EEVEE is timed only where there is a display",
        );
        Command::new(python)
    };
    run(
        "avatar",
        command
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .arg(script("avatar.py"))
            .arg("--diorama")
            .arg(target().join("profiling").join("diorama"))
            .arg("--out")
            .arg(folder()?.join("avatar"))
            .args(options),
    )
}

/// The mesh of the yardsticks, as `five_suzannes.py` writes it.
fn mesh(extension: &str) -> Result<PathBuf> {
    let out = folder()?.join("pairs");
    let mesh = out.join("five_suzannes").with_extension(extension);
    if !mesh.exists() {
        let python = python("blender-venv", BLENDER)?;
        run(
            "five_suzannes",
            Command::new(python)
                .arg(script("five_suzannes.py"))
                .arg(&out)
                .args(["--repeat", "0"]),
        )?;
    }
    Ok(mesh)
}

fn rays() -> Result<()> {
    let mesh = mesh("bin")?;
    let ours = |mesh: &Path| {
        let mut command = cargo(&["bench", "--profile", "profiling", "-p", "diorama-render"]);
        command.args(["--bench", "rays", "--"]).arg(mesh);
        command
    };
    let program = folder()?.join("embree_rays");
    let built = works("g++", &["--version"])
        && run(
            "embree_rays",
            Command::new("g++")
                .args(["-O3", "-march=native", "-fopenmp"])
                .arg(script("embree_rays.cpp"))
                .args(["-lembree3", "-o"])
                .arg(&program),
        )
        .is_ok();
    if built {
        run("Embree 3", Command::new(&program).arg(&mesh))?;
    } else {
        say("note: Embree 3 is missing (`apt-get install libembree-dev`): only ours is run");
    }
    run("ours", &mut ours(&mesh))
}

fn paths(options: &[String]) -> Result<()> {
    let mesh = mesh("glb")?;
    let python = python("mitsuba-venv", MITSUBA)?;
    run(
        "paths",
        Command::new(python)
            .arg(script("paths.py"))
            .arg(mesh)
            .arg("--diorama")
            .arg(profiling_build()?)
            .arg("--out")
            .arg(folder()?.join("paths"))
            .args(options),
    )
}
