//! The GPU against the CPU, on whatever Vulkan device there is (lavapipe in the checks). Without one each
//! test says so and passes.

use std::sync::{Arc, OnceLock};

use diorama_render::gpu::{Adapters, Gpu};
use diorama_render::{RenderSettings, Renderer};
use diorama_synth::frame::Frame;

use crate::scenes::{Scene, pair_scene};

/// The first device, a processor in disguise too; `None`, said once, where there is none.
fn gpu() -> Option<Arc<Gpu>> {
    static GPU: OnceLock<Option<Arc<Gpu>>> = OnceLock::new();
    GPU.get_or_init(|| {
        let adapters = Adapters::find();
        let name = adapters.list().next().map(|a| a.name.clone());
        let Some(name) = name else {
            eprintln!("skipped: no Vulkan device on this machine");
            return None;
        };
        Some(Gpu::open_of(&adapters, Some(&name)).unwrap())
    })
    .clone()
}

fn render(scene: &Scene, samples: u32, gpu: Option<Arc<Gpu>>) -> Frame {
    let settings = RenderSettings {
        samples,
        gpu,
        ..RenderSettings::default()
    };
    Renderer::new(&scene.shot, &scene.assets, settings)
        .unwrap()
        .render_frame(0)
        .unwrap()
}

#[test]
fn pair_scene_is_the_cpus() {
    let Some(gpu) = gpu() else { return };
    let scene = pair_scene([64, 48], &[3]);
    let on_cpu = render(&scene, 32, None);
    let start = std::time::Instant::now();
    let on_gpu = render(&scene, 32, Some(gpu));
    eprintln!(
        "{:?} {:?} rays {} {}",
        start.elapsed(),
        gpu_name(),
        on_cpu.rays,
        on_gpu.rays
    );
    for (a, b) in on_cpu.worlds.iter().zip(&on_gpu.worlds) {
        let mean = |f: &diorama_synth::frame::WorldImage| {
            f.radiance
                .data
                .iter()
                .map(|c| c.as_dvec3())
                .sum::<glam::DVec3>()
                / f.radiance.data.len() as f64
        };
        let same = a
            .radiance
            .data
            .iter()
            .zip(&b.radiance.data)
            .filter(|(a, b)| a == b)
            .count();
        let close = a
            .radiance
            .data
            .iter()
            .zip(&b.radiance.data)
            .filter(|(a, b)| (**a - **b).abs().max_element() < 1e-4 * a.max_element())
            .count();
        eprintln!(
            "{} {} same {same} close {close} of {} touched {}",
            mean(a),
            mean(b),
            a.radiance.data.len(),
            a.touched
                .data
                .iter()
                .zip(&b.touched.data)
                .filter(|(a, b)| a != b)
                .count()
        );
    }
}
fn gpu_name() -> String {
    gpu().map_or(String::new(), |g| g.adapter().name.clone())
}
