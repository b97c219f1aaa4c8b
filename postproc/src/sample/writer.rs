//! [`SampleWriter`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use diorama_synth::frame::{Frame, Plane};
use diorama_synth::shot::Shot;
use diorama_video::{
    ColorVideoOptions, ColorVideoWriter, Encoder, MaskVideoOptions, MaskVideoWriter, PAIR_QP, fsx,
    write_png_gray8, write_png_rgb8,
};

use super::folder::{BuildFolder, Layout, hash_files};
use super::passes;
use crate::caption::{SeenInRemoved, captions};
use crate::dataset::write_json;
use crate::effect::{self, EffectAreas};
use crate::error::{PostprocError, Result, fs_error};
use crate::mask::{self, MaskOptions, MaskRule};
use crate::pass::Pass;
use crate::sample_json::{
    self, FRAMES_END, ObjectBounds, PairKind, Quality, QualitySums, SampleJson,
};
use crate::tuple::{Fate, Tuple};

/// What to write of a Shot, and how.
#[derive(Debug, Clone)]
pub struct SampleOptions {
    /// How samples lie in the output folder.
    pub layout: Layout,
    /// Kind of pair; counterfactual ones also get mask_removed.mp4.
    pub pair: PairKind,
    /// Masks.
    pub mask: MaskOptions,
    /// Quantiser of the colour videos.
    pub qp: u8,
    /// Encoder of the colour videos.
    pub encoder: Encoder,
    /// Also write rgb_full, rgb_removed, mask and tuple as folders of PNG files.
    pub frames_png: bool,
    /// Exact passes, one EXR file per frame; empty: none.
    pub passes: Vec<Pass>,
    /// Write the layers of every world `layer/<object name>` of the Shot.
    pub layers: bool,
    /// Mesh bounds by object id, for 3D boxes and captions.
    pub bounds: ObjectBounds,
    /// Settings of the renderer that change pixels, for sample.json.
    pub render: BTreeMap<String, serde_json::Value>,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            layout: Layout::Folders,
            pair: PairKind::Effect,
            mask: MaskOptions::default(),
            qp: PAIR_QP,
            encoder: Encoder::default(),
            frames_png: false,
            passes: Vec::new(),
            layers: false,
            bounds: ObjectBounds::new(),
            render: BTreeMap::new(),
        }
    }
}

/// A sample that is complete and in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedSample {
    /// Sample id.
    pub id: String,
    /// Its folder (the output folder in the flat layout).
    pub folder: PathBuf,
    /// blake3 of each file, hex, by path inside the folder.
    pub files: BTreeMap<String, String>,
    /// Figures.
    pub quality: Quality,
}

/// Makes the samples of one Shot from its Frames. Dropped before [`SampleWriter::finish`], it leaves
/// nothing behind.
#[derive(Debug)]
pub struct SampleWriter {
    shot: Arc<Shot>,
    options: SampleOptions,
    tuples: Vec<TupleWriter>,
    next_frame: u32,
}

impl SampleWriter {
    /// Starts the samples of `shot` in `output` (made if missing).
    ///
    /// # Errors
    /// When the Shot has no pair or no exposure, options contradict each other or the Shot, or the
    /// folder cannot be written to.
    pub fn begin(output: &Path, shot: Arc<Shot>, options: &SampleOptions) -> Result<Self> {
        let tuples = Tuple::all(&shot)?;
        sample_json::exposure_ev(&shot)?;
        if options.layout == Layout::Flat && tuples.len() > 1 {
            return Err(PostprocError::Option {
                option: "--layout flat",
                reason: format!("this shot makes {} samples; flat holds one", tuples.len()),
            });
        }
        if matches!(options.mask.rule, MaskRule::Coverage(_))
            && tuples.iter().any(|tuple| !has_roles_of_shot(&shot, tuple))
        {
            return Err(PostprocError::Option {
                option: "--mask-rule coverage",
                reason:
                    "coverage is known for the roles of the shot only, not for several removed \
                         sets or counterfactual pairs: use `--mask-rule centre`"
                        .into(),
            });
        }
        if options.mask.through_glass && options.mask.rule != MaskRule::Centre {
            return Err(PostprocError::Option {
                option: "--mask-through-glass",
                reason: "what is behind glass is known at pixel centres only: use \
                         `--mask-rule centre`"
                    .into(),
            });
        }
        let tuples = tuples
            .into_iter()
            .map(|tuple| TupleWriter::begin(output, &shot, tuple, options))
            .collect::<Result<_>>()?;
        Ok(Self {
            shot,
            options: options.clone(),
            tuples,
            next_frame: 0,
        })
    }

    /// Ids of the samples, in order.
    pub fn sample_ids(&self) -> Vec<&str> {
        self.tuples
            .iter()
            .map(|t| t.tuple.sample_id.as_str())
            .collect()
    }

    /// Adds the next frame.
    ///
    /// # Errors
    /// When it is not the next frame, does not have the Shot's shape, or a file cannot be written.
    pub fn push(&mut self, frame: &Frame) -> Result<()> {
        check_frame(&self.shot, frame, self.next_frame)?;
        for tuple in &mut self.tuples {
            tuple.push(&self.shot, frame, &self.options)?;
        }
        self.next_frame += 1;
        Ok(())
    }

    /// Completes every sample and puts it in its place.
    ///
    /// # Errors
    /// When frames are missing or a file cannot be written; samples already put in place stay.
    pub fn finish(self) -> Result<Vec<FinishedSample>> {
        let Self {
            shot,
            options,
            tuples,
            next_frame,
        } = self;
        if next_frame != shot.frame_count {
            return Err(PostprocError::Frame {
                id: shot.sample_id.clone(),
                frame: next_frame,
                reason: format!(
                    "the clip ends here; the shot has {} frames",
                    shot.frame_count
                ),
            });
        }
        tuples
            .into_iter()
            .map(|tuple| tuple.finish(&shot, &options))
            .collect()
    }
}

/// Per object of the Shot: pixels that show it, as the mask sees it.
fn shown_pixels(shot: &Shot, frame: &Frame, through_glass: bool) -> Vec<u32> {
    if !through_glass {
        return frame.visible_pixels.clone();
    }
    shot.objects
        .iter()
        .map(|object| {
            frame
                .showing(object.id, true)
                .filter(|shows| *shows)
                .count() as u32
        })
        .collect()
}

/// Are the roles of this tuple those that the Shot gives its objects?
fn has_roles_of_shot(shot: &Shot, tuple: &Tuple) -> bool {
    use diorama_synth::shot::Role;
    shot.objects
        .iter()
        .zip(&tuple.fates)
        .all(|(object, fate)| match fate {
            Fate::Remove => object.role == Role::Remove,
            Fate::Keep => object.role == Role::Keep,
            Fate::Background => object.role == Role::Background,
            Fate::Moved | Fate::Twin => false,
            Fate::Elsewhere => true,
        })
}

/// Width, height and number of values.
fn shape<T>(plane: &Plane<T>) -> (u32, u32, usize) {
    (plane.width, plane.height, plane.data.len())
}

/// A frame must have every plane at the Shot's size, or indices elsewhere would panic.
pub(crate) fn check_frame(shot: &Shot, frame: &Frame, expected: u32) -> Result<()> {
    let wrong = |reason: String| PostprocError::Frame {
        id: shot.sample_id.clone(),
        frame: frame.index,
        reason,
    };
    if frame.index != expected {
        return Err(wrong(format!("frame {expected} is due")));
    }
    if expected >= shot.frame_count {
        return Err(wrong(format!(
            "the shot ends after {} frames",
            shot.frame_count
        )));
    }
    let worlds = shot.worlds.len();
    let found = [
        frame.worlds.len(),
        frame.instance_of_world.len(),
        frame.second_instance_of_world.len(),
    ];
    if found != [worlds; 3] {
        let [pictures, first, second] = found;
        return Err(wrong(format!(
            "it has {pictures} pictures and {first} + {second} instance planes for {worlds} worlds"
        )));
    }
    let objects = shot.objects.len();
    let lists = [
        frame.amodal_pixels.len(),
        frame.visible_pixels.len(),
        frame.visible_box.len(),
        frame.amodal_box.len(),
    ];
    if lists != [objects; 4] {
        return Err(wrong(format!(
            "its lists per object have {lists:?} entries for {objects} objects"
        )));
    }
    let [width, height] = shot.resolution;
    let fits = |w: u32, h: u32, length: usize| {
        (w, h) == (width, height) && length == width as usize * height as usize
    };
    let labels = &frame.labels;
    let mut shapes = vec![
        ("coverage", shape(&frame.coverage)),
        ("instance", shape(&labels.instance)),
        ("depth", shape(&labels.depth)),
        ("distance", shape(&labels.distance)),
        ("normal", shape(&labels.normal)),
        ("normal_geometric", shape(&labels.normal_geometric)),
        ("albedo", shape(&labels.albedo)),
        ("uv", shape(&labels.uv)),
        ("surface", shape(&labels.surface)),
        ("flow_forward", shape(&labels.flow_forward)),
        ("flow_backward", shape(&labels.flow_backward)),
        ("occlusion", shape(&labels.occlusion)),
        ("second instance", shape(&labels.second.instance)),
        ("second distance", shape(&labels.second.distance)),
        ("second normal", shape(&labels.second.normal)),
        ("second surface", shape(&labels.second.surface)),
        ("transmittance", shape(&labels.second.transmittance)),
    ];
    for instance in &frame.second_instance_of_world {
        shapes.push(("second instance of a world", shape(instance)));
    }
    for (image, instance) in frame.worlds.iter().zip(&frame.instance_of_world) {
        shapes.push(("radiance", shape(&image.radiance)));
        shapes.push(("display", shape(&image.display)));
        shapes.push(("touched", shape(&image.touched)));
        shapes.push(("instance of a world", shape(instance)));
    }
    for (name, (w, h, length)) in shapes {
        if !fits(w, h, length) {
            return Err(wrong(format!(
                "`{name}` is {w}x{h} with {length} values; the shot is {width}x{height}"
            )));
        }
    }
    Ok(())
}

/// The files of one tuple in the making. Videos come before `folder`, so that they are closed
/// before it is removed.
#[derive(Debug)]
struct TupleWriter {
    tuple: Tuple,
    videos: Videos,
    layers: Vec<LayerWriter>,
    /// One frame record per line, until sample.json is put together.
    records: BufWriter<File>,
    records_path: PathBuf,
    classes: BTreeMap<u32, u32>,
    header: SampleJson,
    seen: SeenInRemoved,
    sums: QualitySums,
    folder: BuildFolder,
}

#[derive(Debug)]
struct Videos {
    rgb_full: ColorVideoWriter,
    rgb_removed: ColorVideoWriter,
    tuple: ColorVideoWriter,
    effect: ColorVideoWriter,
    mask: MaskVideoWriter,
    effect_mask: MaskVideoWriter,
    mask_removed: Option<MaskVideoWriter>,
}

/// Layer of one object: the world without it against the full one.
#[derive(Debug)]
struct LayerWriter {
    world: usize,
    object: u32,
    folder: PathBuf,
    rgb_removed: ColorVideoWriter,
    effect: ColorVideoWriter,
    matte: MaskVideoWriter,
}

fn color_writer(
    folder: &Path,
    name: &str,
    shot: &Shot,
    pictures_wide: u32,
    options: &SampleOptions,
) -> Result<ColorVideoWriter> {
    let video = ColorVideoOptions {
        width: shot.resolution[0] * pictures_wide,
        height: shot.resolution[1],
        fps: shot.video_fps,
        qp: options.qp,
        encoder: options.encoder.clone(),
    };
    Ok(ColorVideoWriter::create(&folder.join(name), &video)?)
}

fn mask_writer(folder: &Path, name: &str, shot: &Shot) -> Result<MaskVideoWriter> {
    let video = MaskVideoOptions {
        width: shot.resolution[0],
        height: shot.resolution[1],
        fps: shot.video_fps,
    };
    Ok(MaskVideoWriter::create(&folder.join(name), &video)?)
}

fn make_folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(fs_error("create", path))
}

/// Folders of PNG frames.
const PNG_FOLDERS: [&str; 4] = ["rgb_full", "rgb_removed", "mask", "tuple"];

impl TupleWriter {
    fn begin(output: &Path, shot: &Shot, tuple: Tuple, options: &SampleOptions) -> Result<Self> {
        let folder = BuildFolder::create(output, &tuple.sample_id)?;
        let path = folder.path();
        let videos = Videos {
            rgb_full: color_writer(path, "rgb_full.mp4", shot, 1, options)?,
            rgb_removed: color_writer(path, "rgb_removed.mp4", shot, 1, options)?,
            tuple: color_writer(path, "tuple.mp4", shot, 3, options)?,
            effect: color_writer(path, "effect.mp4", shot, 1, options)?,
            mask: mask_writer(path, "mask.mp4", shot)?,
            effect_mask: mask_writer(path, "effect_mask.mp4", shot)?,
            mask_removed: (options.pair == PairKind::Counterfactual)
                .then(|| mask_writer(path, "mask_removed.mp4", shot))
                .transpose()?,
        };
        if options.frames_png {
            for name in PNG_FOLDERS {
                make_folder(&path.join(name))?;
            }
        }
        if !options.passes.is_empty() {
            make_folder(&path.join("passes"))?;
        }
        let layers = if options.layers {
            layer_writers(path, shot, options)?
        } else {
            Vec::new()
        };
        // The name is a temporary one: were it ever left behind, readers would skip it.
        let records_path = path.join("frames.tmp-records");
        let records = File::create(&records_path).map_err(fs_error("create", &records_path))?;
        let mut passes = options.passes.clone();
        passes.sort_unstable();
        passes.dedup();
        let header = sample_json::header(
            shot,
            &tuple,
            options.pair,
            options.mask,
            &options.render,
            passes,
        )?;
        Ok(Self {
            classes: passes::class_of_id(shot, &header.semantic_classes),
            seen: SeenInRemoved::new(shot.objects.len()),
            sums: QualitySums::new(shot.objects.len()),
            records: BufWriter::new(records),
            records_path,
            header,
            tuple,
            videos,
            layers,
            folder,
        })
    }

    fn push(&mut self, shot: &Shot, frame: &Frame, options: &SampleOptions) -> Result<()> {
        let (full, removed) = (
            &frame.worlds[0].display,
            &frame.worlds[self.tuple.world].display,
        );
        let mask = mask::mask(frame, &self.tuple, &options.mask);
        let effect_mask = effect::mask(full, removed);
        let tuple_picture = effect::side_by_side(full, &mask, removed);

        let videos = &mut self.videos;
        videos.rgb_full.push(full.data.as_flattened())?;
        videos.rgb_removed.push(removed.data.as_flattened())?;
        videos.tuple.push(&tuple_picture)?;
        videos.effect.push(&effect::picture(full, removed))?;
        videos.mask.push(&mask)?;
        videos.effect_mask.push(&effect_mask)?;
        if let Some(video) = &mut videos.mask_removed {
            video.push(&mask::mask_removed(frame, &self.tuple, &options.mask))?;
        }
        let folder = self.folder.path();
        if options.frames_png {
            let [width, height] = shot.resolution;
            let file = |name: &str| folder.join(name).join(format!("{:05}.png", frame.index));
            let [full_png, removed_png, mask_png, tuple_png] = PNG_FOLDERS.map(file);
            write_png_rgb8(&full_png, width, height, full.data.as_flattened())?;
            write_png_rgb8(&removed_png, width, height, removed.data.as_flattened())?;
            write_png_gray8(&mask_png, width, height, &mask)?;
            write_png_rgb8(&tuple_png, width * 3, height, &tuple_picture)?;
        }
        let passes = &self.header.passes;
        if !passes.is_empty() {
            let path = exr_path(&folder.join("passes"), frame);
            passes::write(&path, frame, &self.tuple, passes, &self.classes)?;
        }
        let exact_effect = passes.contains(&Pass::Effect);
        for layer in &mut self.layers {
            layer.push(frame, exact_effect, options.mask.through_glass)?;
        }

        let exposure_factor = libm::exp2f(self.header.exposure_ev);
        let areas = EffectAreas::measure(frame, &self.tuple, &mask, &effect_mask, exposure_factor);
        self.seen.push(frame, &self.tuple);
        let shown = shown_pixels(shot, frame, options.mask.through_glass);
        self.sums.push(frame, &areas, &shown);
        let record = sample_json::frame_record(shot, &self.tuple, frame, &options.bounds, areas);
        serde_json::to_writer(&mut self.records, &record)
            .map_err(std::io::Error::from)
            .and_then(|()| self.records.write_all(b"\n"))
            .map_err(fs_error("write", &self.records_path))
    }

    fn finish(self, shot: &Shot, options: &SampleOptions) -> Result<FinishedSample> {
        let Self {
            tuple,
            videos,
            layers,
            records,
            records_path,
            mut header,
            seen,
            sums,
            folder,
            ..
        } = self;
        let path = folder.path();
        videos.finish()?;
        for layer in layers {
            layer.finish()?;
        }
        let captions = captions(shot, &tuple, &seen, &options.bounds);
        header.quality = sums.finish(shot, &tuple);
        header.objects = shot
            .objects
            .iter()
            .enumerate()
            .map(|(i, object)| {
                let (fate, visible) = (tuple.fates[i], sums.frames_visible[i]);
                let is_named = object.worlds.contains(tuple.world) && seen.is_seen(i);
                sample_json::object_record(shot, object, fate, &options.bounds, visible, is_named)
            })
            .collect();
        records
            .into_inner()
            .map_err(|error| fs_error("write", &records_path)(error.into_error()))?;
        write_json(&path.join("shot.json"), shot)?;
        write_json(&path.join("caption.json"), &captions)?;
        write_sample_json(&path.join("sample.json"), &header, &records_path)?;
        std::fs::remove_file(&records_path).map_err(fs_error("remove", &records_path))?;

        let files = hash_files(path)?;
        Ok(FinishedSample {
            id: tuple.sample_id,
            folder: folder.put_in_place(options.layout)?,
            files,
            quality: header.quality,
        })
    }
}

impl Videos {
    fn finish(self) -> Result<()> {
        self.rgb_full.finish()?;
        self.rgb_removed.finish()?;
        self.tuple.finish()?;
        self.effect.finish()?;
        self.mask.finish()?;
        self.effect_mask.finish()?;
        if let Some(video) = self.mask_removed {
            video.finish()?;
        }
        Ok(())
    }
}

impl LayerWriter {
    fn push(&mut self, frame: &Frame, exact_effect: bool, through_glass: bool) -> Result<()> {
        let (full, without) = (&frame.worlds[0].display, &frame.worlds[self.world].display);
        self.rgb_removed.push(without.data.as_flattened())?;
        self.effect.push(&effect::picture(full, without))?;
        let matte: Vec<u8> = frame
            .showing(self.object, through_glass)
            .map(|shows| if shows { 255 } else { 0 })
            .collect();
        self.matte.push(&matte)?;
        if exact_effect {
            let path = exr_path(&self.folder.join("effect"), frame);
            passes::write_effect(&path, frame, self.world)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        self.rgb_removed.finish()?;
        self.effect.finish()?;
        self.matte.finish()?;
        Ok(())
    }
}

/// A writer for every world `layer/<object name>`.
fn layer_writers(folder: &Path, shot: &Shot, options: &SampleOptions) -> Result<Vec<LayerWriter>> {
    let mut layers = Vec::new();
    for (world, description) in shot.worlds.iter().enumerate() {
        let Some(name) = description.name.strip_prefix("layer/") else {
            continue;
        };
        // The instance that the full world shows: counterfactual twins share its name.
        let object = shot
            .objects
            .iter()
            .find(|object| object.name == name && object.worlds.contains(0))
            .ok_or_else(|| PostprocError::Shot {
                id: shot.sample_id.clone(),
                reason: format!("world `layer/{name}` names no object of the full world"),
            })?;
        let folder = folder
            .join("layers")
            .join(format!("{}_{}", object.id, file_name(name)));
        make_folder(&folder)?;
        if options.passes.contains(&Pass::Effect) {
            make_folder(&folder.join("effect"))?;
        }
        layers.push(LayerWriter {
            world,
            object: object.id,
            rgb_removed: color_writer(&folder, "rgb_removed.mp4", shot, 1, options)?,
            effect: color_writer(&folder, "effect.mp4", shot, 1, options)?,
            matte: mask_writer(&folder, "matte.mp4", shot)?,
            folder,
        });
    }
    Ok(layers)
}

/// An object's name as part of a file name: names may hold anything.
fn file_name(name: &str) -> String {
    name.chars()
        .take(60)
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn exr_path(folder: &Path, frame: &Frame) -> PathBuf {
    folder.join(format!("{:05}.exr", frame.index))
}

/// Puts sample.json together from its head and the frame records, line by line.
fn write_sample_json(path: &Path, header: &SampleJson, records: &Path) -> Result<()> {
    let mut file = fsx::AtomicFile::create(path)?;
    file.write_all(header.head().as_bytes())
        .map_err(|e| file.error(e))?;
    let lines = File::open(records).map_err(fs_error("open", records))?;
    for (index, line) in BufReader::new(lines).lines().enumerate() {
        let line = line.map_err(fs_error("read", records))?;
        let comma = if index == 0 { "" } else { "," };
        write!(file, "{comma}\n    {line}").map_err(|e| file.error(e))?;
    }
    file.write_all(FRAMES_END.as_bytes())
        .map_err(|e| file.error(e))?;
    Ok(file.finish()?)
}
