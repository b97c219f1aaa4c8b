//! The shaders' text: files of one topic each, put one after the other.
//!
//! Numbers that the CPU's kernels own are written in front, so that they exist once; so are the
//! functions that read geometry and texels, which depend on over how many buffers these are spread.

use std::fmt::Write as _;

use super::features::Features;
use super::layout::{
    Emitter, InstanceRecord, LightRecord, MaterialRecord, PlacedRecord, TextureUse,
};
use super::tables::TableLayout;
use super::upload::nodes::NODE;
use crate::film::RUNS;
use crate::integrator::worlds::{ROULETTE_FROM, SHADOW_END};
use crate::kernels::bsdf::{CUTOFF, LEAST_ALBEDO, LEAST_STEP};
use crate::kernels::camera::FILTER_TABLE;
use crate::kernels::ggx::SMOOTH_ALPHA;
use crate::kernels::sampler::{PURPOSES, Purpose};
use crate::kernels::tables::{COARSE, FINE, LARGEST_Z};

/// Invocations of a workgroup.
pub(super) const WORKGROUP: u32 = 64;
/// Steps of one invocation of `work`: state is read before them and written behind them.
const STEPS_AT_ONCE: u32 = 256;
/// First binding of the geometry pages in group 0; texel pages follow them.
pub(super) const FIRST_PAGE: u32 = 7;
/// log₂ of the 16-byte elements in a row of a texture of records.
pub(super) const ROW_SHIFT: u32 = 12;

/// In the order of their dependence.
const PARTS: [&str; 16] = [
    include_str!("shaders/bindings.wgsl"),
    include_str!("shaders/math.wgsl"),
    include_str!("shaders/sampler.wgsl"),
    include_str!("shaders/sampling.wgsl"),
    include_str!("shaders/camera.wgsl"),
    include_str!("shaders/tables.wgsl"),
    include_str!("shaders/fresnel.wgsl"),
    include_str!("shaders/ggx.wgsl"),
    include_str!("shaders/bsdf.wgsl"),
    include_str!("shaders/textures.wgsl"),
    include_str!("shaders/environment.wgsl"),
    include_str!("shaders/surface.wgsl"),
    include_str!("shaders/lights.wgsl"),
    include_str!("shaders/medium.wgsl"),
    include_str!("shaders/film.wgsl"),
    include_str!("shaders/traverse.wgsl"),
];

/// The path loop.
const INTEGRATOR: &str = include_str!("shaders/integrator.wgsl");

/// What the text depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShaderOptions {
    /// Textures that geometry is spread over, at least 1.
    pub(super) geometry_pages: u32,
    /// Textures that texels are spread over, at least 1.
    pub(super) texel_pages: u32,
    /// log₂ of the 16-byte elements of one.
    pub(super) page_shift: u32,
    /// Entries that a walk of the trees can have waiting.
    pub(super) stack: u32,
    /// Worlds.
    pub(super) worlds: u32,
    /// The device is a processor in disguise: `work` instead of `trace` and `shade`, and records in storage
    /// textures, which have no levels of detail to reckon with in each read (3/4 of the time on lavapipe).
    pub(super) software: bool,
    /// What the scene has.
    pub(super) features: Features,
}

/// A texture of records and one of its elements: see [`ShaderOptions::software`].
const STORED_RECORDS: &str = "
alias Records = texture_storage_2d<rgba32uint, read>;
fn element(records: Records, at: vec2<u32>) -> vec4<u32> { return textureLoad(records, at); }
";
const SAMPLED_RECORDS: &str = "
alias Records = texture_2d<u32>;
fn element(records: Records, at: vec2<u32>) -> vec4<u32> { return textureLoad(records, at, 0); }
";

/// The whole program with all entry points.
pub(super) fn program(options: &ShaderOptions) -> String {
    let mut text = constants(options);
    text.push_str(if options.software {
        STORED_RECORDS
    } else {
        SAMPLED_RECORDS
    });
    pages(
        &mut text,
        "geometry",
        FIRST_PAGE,
        options.geometry_pages,
        options.page_shift,
    );
    pages(
        &mut text,
        "texels",
        FIRST_PAGE + options.geometry_pages,
        options.texel_pages,
        options.page_shift,
    );
    for part in PARTS {
        text.push_str(part);
        text.push('\n');
    }
    text.push_str(INTEGRATOR);
    text
}

fn constants(options: &ShaderOptions) -> String {
    let layout = TableLayout::new();
    let whole = [
        ("WORKGROUP", WORKGROUP as usize),
        ("ROW_SHIFT", ROW_SHIFT as usize),
        ("STACK", options.stack as usize),
        ("STEPS_AT_ONCE", STEPS_AT_ONCE as usize),
        ("WORLDS", options.worlds as usize),
        ("RUNS", RUNS as usize),
        ("INSTANCE_ROWS", rows::<InstanceRecord>()),
        ("NODE_ROWS", NODE),
        ("PLACED_ROWS", rows::<PlacedRecord>()),
        ("MATERIAL_ROWS", rows::<MaterialRecord>()),
        ("TEXTURE_ROWS", rows::<TextureUse>()),
        ("LIGHT_ROWS", rows::<LightRecord>()),
        ("EMITTER_ROWS", rows::<Emitter>()),
        ("ROULETTE_FROM", ROULETTE_FROM as usize),
        ("PURPOSES", PURPOSES as usize),
        ("PURPOSE_FILTER", Purpose::Filter as usize),
        ("PURPOSE_LENS", Purpose::Lens as usize),
        ("PURPOSE_TIME", Purpose::Time as usize),
        ("PURPOSE_DIRECTION", Purpose::Direction as usize),
        ("PURPOSE_LIGHT", Purpose::Light as usize),
        ("PURPOSE_OTHER_LIGHT", Purpose::OtherLight as usize),
        ("PURPOSE_ROULETTE", Purpose::Roulette as usize),
        ("PURPOSE_INTERFACE", Purpose::Interface as usize),
        ("TABLE_FINE", FINE),
        ("TABLE_COARSE", COARSE),
        ("TABLE_REFLECTION", layout.reflection),
        ("TABLE_REFLECTION_AVERAGE", layout.reflection_average),
        ("TABLE_DIELECTRIC_SHARE", layout.dielectric_share),
        ("TABLE_GLASS_ENTER", layout.glass_enter),
        ("TABLE_GLASS_LEAVE", layout.glass_leave),
        ("TABLE_GLASS_ENTER_AVERAGE", layout.glass_enter_average),
        ("TABLE_GLASS_LEAVE_AVERAGE", layout.glass_leave_average),
        ("TABLE_SHEEN", layout.sheen),
        ("TABLE_FILTER", layout.filter),
        ("TABLE_FILTER_SIZE", FILTER_TABLE),
        ("TABLE_SRGB", layout.srgb),
    ];
    let real = [
        ("CUTOFF", CUTOFF),
        ("LEAST_ALBEDO", LEAST_ALBEDO),
        ("LEAST_STEP", LEAST_STEP),
        ("SMOOTH_ALPHA", SMOOTH_ALPHA),
        ("SHADOW_END", SHADOW_END),
        ("TABLE_LARGEST_Z", LARGEST_Z),
    ];
    let mut text = String::new();
    for (name, value) in whole {
        let _ = writeln!(text, "const {name}: u32 = {value}u;");
    }
    for (name, value) in real {
        // Rust prints the shortest digits that read back as the same number.
        let _ = writeln!(text, "const {name}: f32 = {value:?}f;");
    }
    let features = options.features.constants();
    for (name, value) in features
        .into_iter()
        .chain([("MANY_STEPS", options.software)])
    {
        let _ = writeln!(text, "const {name}: bool = {value};");
    }
    text
}

/// Elements of 16 bytes of a record.
const fn rows<T>() -> usize {
    size_of::<T>() / 16
}

/// Bindings of pages and the function that reads one element of them.
fn pages(text: &mut String, name: &str, first: u32, count: u32, shift: u32) {
    for page in 0..count {
        let _ = writeln!(
            text,
            "@group(0) @binding({}) var {name}_page{page}: Records;",
            first + page
        );
    }
    let _ = writeln!(text, "fn {name}(address: u32) -> vec4<u32> {{");
    if count > 1 {
        let mask = (1_u64 << shift) - 1;
        let _ = writeln!(
            text,
            "    let within = address & {mask}u;\n    switch address >> {shift}u {{"
        );
        for page in 1..count {
            let _ = writeln!(
                text,
                "        case {page}u: {{ return row({name}_page{page}, within); }}"
            );
        }
        let _ = writeln!(
            text,
            "        default: {{ return row({name}_page0, within); }}\n    }}"
        );
    } else {
        let _ = writeln!(text, "    return row({name}_page0, address);");
    }
    text.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::layout::layouts;

    fn parse(options: &ShaderOptions) -> naga::Module {
        let text = program(options);
        naga::front::wgsl::parse_str(&text)
            .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&text)))
    }

    const ONE_PAGE: ShaderOptions = ShaderOptions {
        geometry_pages: 1,
        texel_pages: 1,
        page_shift: 25,
        stack: 24,
        worlds: 2,
        software: true,
        features: Features::ALL,
    };

    #[test]
    fn the_program_is_valid_with_any_number_of_pages() {
        for (geometry_pages, texel_pages) in [(1, 1), (3, 1), (8, 8)] {
            let options = ShaderOptions {
                geometry_pages,
                texel_pages,
                software: geometry_pages == 1,
                ..ONE_PAGE
            };
            let module = parse(&options);
            let names: Vec<&str> = module
                .entry_points
                .iter()
                .map(|e| e.name.as_str())
                .collect();
            assert_eq!(names, ["trace", "shade", "work"]);
            // No capability beyond WebGPU's own: every adapter can run it.
            naga::valid::Validator::new(
                naga::valid::ValidationFlags::all(),
                naga::valid::Capabilities::empty(),
            )
            .validate(&module)
            .unwrap_or_else(|error| {
                panic!("{}", error.emit_to_string(&program(&options)));
            });
        }
    }

    #[test]
    fn structures_lie_as_the_host_writes_them() {
        let module = parse(&ONE_PAGE);
        for (name, size, fields) in layouts() {
            let (_, found) = module
                .types
                .iter()
                .find(|(_, t)| t.name.as_deref() == Some(name))
                .unwrap_or_else(|| panic!("no structure {name} in the shaders"));
            let naga::TypeInner::Struct { members, span } = &found.inner else {
                panic!("{name} is no structure");
            };
            assert_eq!(*span as usize, size, "size of {name}");
            let theirs: Vec<(&str, usize)> = members
                .iter()
                .map(|m| (m.name.as_deref().unwrap_or(""), m.offset as usize))
                .collect();
            assert_eq!(theirs, fields, "{name}");
        }
    }
}
