//! `diorama doctor`: what this machine has, what would be chosen, and what stands in the way.

mod tools;
mod vulkan;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use diorama_render::accel::Isa;
use diorama_render::gpu::{Adapter, Adapters, Gpu, rays_per_second};
use serde::Serialize;

use crate::args::DoctorArgs;
use crate::backend::Backend;
use crate::exit::Status;
use crate::job::bytes_in_words;
use crate::output::Output;
use tools::Tool;
use vulkan::Vulkan;

/// How long each backend traces.
const PROBE: Duration = Duration::from_secs(2);

/// Everything the command says.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    backend: Choice,
    vulkan: Vulkan,
    adapters: Vec<AdapterFindings>,
    speeds: Vec<Speed>,
    instruction_set: String,
    threads: usize,
    tools: Vec<Tool>,
    /// Bytes free where the command was started; null where the system does not say.
    disk_free_bytes: Option<u64>,
}

/// What `--backend auto` takes.
#[derive(Debug, Serialize)]
struct Choice {
    auto: String,
    because: String,
}

/// A GPU as its driver describes it.
#[derive(Debug, Serialize)]
struct AdapterFindings {
    name: String,
    kind: &'static str,
    api: String,
    driver: String,
    largest_binding_bytes: u64,
    largest_buffer_bytes: u64,
    bindings: u32,
}

/// Result of a probe.
#[derive(Debug, Serialize)]
struct Speed {
    backend: String,
    rays_per_second: Option<f64>,
    fault: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &DoctorArgs, output: &Output) -> Result<Status> {
    let (chosen, because) = Backend::auto();
    let adapters = Adapters::find();
    let findings = Findings {
        version: env!("CARGO_PKG_VERSION"),
        backend: Choice {
            auto: chosen.setting.to_string(),
            because: because.to_string(),
        },
        vulkan: Vulkan::look(),
        adapters: adapters.list().map(describe).collect(),
        speeds: if args.no_probe {
            Vec::new()
        } else {
            speeds(&adapters)
        },
        instruction_set: Isa::detect().map_or_else(|e| e.to_string(), |isa| isa.name().into()),
        threads: rayon::current_num_threads(),
        tools: tools::look(),
        disk_free_bytes: tools::disk_free(),
    };
    output.json(&findings)?;
    output.plain(in_words(&findings).trim_end())?;
    Ok(Status::Good)
}

fn describe(adapter: &Adapter) -> AdapterFindings {
    AdapterFindings {
        name: adapter.name.clone(),
        kind: adapter.kind.name(),
        api: adapter.api.clone(),
        driver: adapter.driver.clone(),
        largest_binding_bytes: adapter.largest_binding,
        largest_buffer_bytes: adapter.largest_buffer,
        bindings: adapter.bindings,
    }
}

fn speeds(adapters: &Adapters) -> Vec<Speed> {
    let probe = |backend: String, gpu: Result<Option<Arc<Gpu>>, String>| {
        let traced = gpu.and_then(|gpu| rays_per_second(gpu, PROBE).map_err(|e| e.to_string()));
        Speed {
            backend,
            rays_per_second: traced.as_ref().ok().copied(),
            fault: traced.err(),
        }
    };
    let mut speeds = vec![probe("cpu".into(), Ok(None))];
    speeds.extend(adapters.list().map(|adapter| {
        let gpu = Gpu::open_of(adapters, Some(&adapter.name)).map(Some);
        probe(
            format!("gpu:{}", adapter.name),
            gpu.map_err(|error| error.to_string()),
        )
    }));
    speeds
}

fn in_words(findings: &Findings) -> String {
    let mut lines = vec![
        format!("diorama {}", findings.version),
        format!(
            "`--backend auto` takes {}: {}",
            findings.backend.auto, findings.backend.because
        ),
        format!(
            "processor: {} threads, {}",
            findings.threads, findings.instruction_set
        ),
    ];
    for adapter in &findings.adapters {
        lines.push(format!(
            "GPU `{}`: {}, {}, {}; {} in one binding, {} bindings",
            adapter.name,
            adapter.kind,
            adapter.api,
            adapter.driver,
            bytes_in_words(adapter.largest_binding_bytes as f64),
            adapter.bindings
        ));
    }
    lines.extend(findings.vulkan.in_words());
    for speed in &findings.speeds {
        lines.push(match (&speed.rays_per_second, &speed.fault) {
            (Some(rays), _) => {
                format!("{}: {:.2} million rays a second", speed.backend, rays / 1e6)
            }
            (None, fault) => format!(
                "{}: fails: {}",
                speed.backend,
                fault.as_deref().unwrap_or("no reason given")
            ),
        });
    }
    for tool in &findings.tools {
        lines.push(match (&tool.found, &tool.hint) {
            (Some(found), _) => format!("{}: {found}", tool.name),
            (None, hint) => format!("{}: not found ({hint})", tool.name),
        });
    }
    if let Some(bytes) = findings.disk_free_bytes {
        lines.push(format!("disk: {} free here", bytes_in_words(bytes as f64)));
    }
    lines.join("\n")
}
