//! What `--backend` takes on machines where Vulkan is not what it should be: no loader, a broken
//! description of a driver, only a driver that computes on the processor.

use std::path::{Path, PathBuf};

use crate::context::{Context, Outcome, skip};
use crate::render::TRIANGLE;

/// How Vulkan is found.
enum Vulkan {
    /// The loader's library cannot be loaded.
    NoLoader,
    /// The only description of a driver is not JSON.
    Broken,
    /// The only driver is Mesa's lavapipe.
    OnlySoftware(PathBuf),
}

impl Vulkan {
    fn run(&self, context: &Context, args: &str) -> Outcome {
        let mut command = context.command(args);
        let driver = match self {
            Self::NoLoader => {
                // Found before the real one, and no library.
                context.write("nothing/libvulkan.so.1", "not a library");
                command.env("LD_LIBRARY_PATH", context.path("nothing"));
                context.path("none.json")
            }
            Self::Broken => {
                context.write("broken.json", "{");
                context.path("broken.json")
            }
            Self::OnlySoftware(file) => file.clone(),
        };
        command
            .env("VK_DRIVER_FILES", &driver)
            .env("VK_ICD_FILENAMES", &driver);
        command.output().unwrap().into()
    }

    /// `auto` works and takes the CPU, `doctor` says why (`reason`), and asking for a GPU is an error that
    /// says it too.
    fn check(&self, reason: &str) -> serde_json::Value {
        let context = Context::new();
        context.write("t.gltf", TRIANGLE);
        let picture = "render t.gltf --width 16 --height 16 --spp 1 -o x.png";
        let made = self.run(&context, picture).expect(0);
        assert!(made.stderr.contains("backend cpu: "), "{}", made.stderr);
        assert!(context.path("x.png").exists());

        let doctor = self.run(&context, "doctor --no-probe --json").expect(0);
        let found: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
        assert_eq!(found["backend"]["auto"], "cpu");
        let because = found["backend"]["because"].as_str().unwrap();
        assert!(because.contains(reason), "{because}");

        let refused = self
            .run(&context, &format!("{picture} --backend gpu"))
            .expect(2);
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
        assert!(refused.stderr.contains("hint: "), "{}", refused.stderr);
        found
    }
}

#[test]
#[cfg(target_os = "linux")]
fn without_a_loader_the_cpu_traces() {
    let found = Vulkan::NoLoader.check("no Vulkan loader");
    assert_eq!(found["vulkan"]["loader"], false);
}

#[test]
#[cfg(target_os = "linux")]
fn with_a_broken_driver_file_the_cpu_traces_and_doctor_names_the_file() {
    if !loader_is_there() {
        return;
    }
    let found = Vulkan::Broken.check("Vulkan finds no device");
    let driver = &found["vulkan"]["drivers"][0];
    assert!(driver["file"].as_str().unwrap().ends_with("broken.json"));
    assert!(driver["fault"].as_str().unwrap().contains("not JSON"));
}

#[test]
#[cfg(target_os = "linux")]
fn software_is_taken_only_by_name() {
    let folder = Path::new("/usr/share/vulkan/icd.d");
    let file = folder.join(format!("lvp_icd.{}.json", std::env::consts::ARCH));
    if !loader_is_there() || !file.exists() {
        skip("Mesa's lavapipe is not installed");
        return;
    }
    let vulkan = Vulkan::OnlySoftware(file);
    vulkan.check("runs on the processor");
    let context = Context::new();
    context.write("t.gltf", TRIANGLE);
    let by_name =
        "render t.gltf --width 16 --height 16 --spp 1 -o x.png --json --backend gpu:LLVMpipe";
    let made = vulkan.run(&context, by_name).expect(0);
    // Mesa has nothing to say about displays.
    assert!(!made.stderr.contains("XDG"), "{}", made.stderr);
    let line: serde_json::Value = serde_json::from_str(&made.stdout).unwrap();
    let backend = line["backend"].as_str().unwrap();
    assert!(backend.starts_with("gpu:llvmpipe"), "{backend}");
}

/// Says so where it is not.
fn loader_is_there() -> bool {
    let doctor = Context::new().run("doctor --no-probe --json").expect(0);
    let found: serde_json::Value = serde_json::from_str(&doctor.stdout).unwrap();
    let there = found["vulkan"]["loader"] == true;
    if !there {
        skip("there is no Vulkan loader");
    }
    there
}
